/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains of certificates, anchors and CRLs (fuzz/pki.h): is the path valid, and whom does it admit?
 * The first octet says for what it is asked and with which From. The same question has the same
 * answer once more, whatever is remembered of the first time, and after a reload. */
#include <string.h>

#include "fuzz/pki.h"
#include "trust/admission.h"
#include "trust/review.h"
#include "trust/store_load.h"

static const char *const origins[] = {"//m2m.example/in-cse/Cmeter", "", "//m2m.example/mn-cse",
    "//m2m.example/in-cse/Cdev1", "//m2m.example/Snode17", "//m2m.example/in-cse/Cother",
    "//m2m.example/in-cse/Craw"};

enum { /* in the first octet, above the number of From */
    WITHOUT_TRUST = 0x08,
    OTHER_TYPE = 0x10, /* than what is presented is taken */
    RELOAD = 0x20,
    RAW_PUBLIC_KEY = 0x40,
    AS_SERVER = 0x80,
};

static enum result validate(struct trust_store *store, const struct pki *pki,
    enum path_purpose purpose, struct path_verdict *out, struct fault *fault)
{
    *fault = FAULT_INIT;
    enum result result =
        path_validate(store, pki->chain, pki->chain_count, purpose, FUZZ_NOW_S, out, fault);
    if (result == RESULT_OK)
        must(out->trusted != 0 && out->certified);
    else
        must(result == RESULT_CERTIFICATE_REFUSED && fault->alert != FAULT_NO_ALERT);
    return result;
}

/* The rule of whom we ask as an initiator: that of FROM, or some other one. */
static const struct policy_rule *expected_rule(const char *from)
{
    const struct policy *policy = pki_policy();

    for (size_t i = 0; i < policy->rule_count; i++)
        if (strcmp(policy->rules[i].identity, from) == 0)
            return &policy->rules[i];
    return &policy->rules[1];
}

/* The raw public key in the leaf, or any octets as one. */
static struct bytes public_key_of(const struct pki *pki)
{
    static struct certificate leaf;

    if (pki->chain_count == 0)
        return bytes_of("", 1);
    return certificate_parse(pki->chain[0], &leaf, NULL) == RESULT_OK ? leaf.spki : pki->chain[0];
}

static struct admission_request request_of(
    struct trust_store *store, const struct pki *pki, unsigned choice)
{
    const char *from = origins[choice % 8 % ARRAY_SIZE(origins)];
    struct admission_request request = {
        .policy = pki_policy(),
        .trust = choice & WITHOUT_TRUST ? NULL : store,
        .takes = policy_types_taken(pki_policy(), 0),
        .chain = pki->chain,
        .chain_count = pki->chain_count,
        .expected = choice & AS_SERVER ? expected_rule(from) : NULL,
        .expected_count = choice & AS_SERVER ? 1 : 0,
        .from = from,
        .now_s = FUZZ_NOW_S,
    };

    if (choice & RAW_PUBLIC_KEY)
        request.public_key = public_key_of(pki);
    if (choice & OTHER_TYPE)
        *(choice & RAW_PUBLIC_KEY ? &request.takes.raw_public_key : &request.takes.x509) = false;
    return request;
}

static void check_admission(
    const struct admission_request *request, const struct admission *admission)
{
    struct fault fault = FAULT_INIT;

    must(admission->authorised.rule && admission->trusted <= 3);
    if (!request->expected)
        must(request->from[0] == '\0' ||
             (strcmp(admission->authorised.identity, request->from) == 0 &&
                 policy_check_from(request->policy, request->from, &fault) == RESULT_OK));
    if (request->public_key.size > 0)
        return;
    must(admission->trusted != 0);
    must(admission->evidence.size > 0 && admission->evidence.size <= EVIDENCE_OCTETS_MAX);
    (void)review_find_revoking(
        request->trust, bytes_of(admission->evidence.octets, admission->evidence.size));
}

/* Returns what becomes of the path. */
static enum result decide(struct trust_store *store, const struct pki *pki, unsigned choice)
{
    static struct admission admission;
    static struct path_verdict verdict, again;
    struct fault fault, other;
    const struct admission_request request = request_of(store, pki, choice);
    const enum path_purpose purpose = choice & AS_SERVER ? PATH_SERVER : PATH_CLIENT;

    enum result valid = validate(store, pki, purpose, &verdict, &fault);
    must(validate(store, pki, purpose, &again, &other) == valid);
    must(verdict.trusted == again.trusted && verdict.certified == again.certified);
    if (valid != RESULT_OK)
        must(strcmp(fault.text, other.text) == 0 && fault.alert == other.alert);
    fault = FAULT_INIT;
    if (admission_decide(&request, &admission, &fault) != RESULT_OK) {
        must(fault.alert != FAULT_NO_ALERT);
        return valid;
    }
    check_admission(&request, &admission);
    must(request.public_key.size > 0 ||
         (valid == RESULT_OK && admission.trusted == verdict.trusted));
    return valid;
}

/* The store of the next policy takes over what this one knows, and judges alike; until a CRL comes.
 */
static void reload(
    struct trust_store *store, const struct pki *pki, unsigned choice, enum result before)
{
    struct trust_store *next CLEANUP(auto_trust_store_free) = pki_store();
    bool changed;

    must(next && trust_store_keep_crls(next, store) == RESULT_OK);
    must(decide(next, pki, choice) == before);
    if (pki_go_on(pki)) {
        must(trust_store_reload_crls(next, 0, &changed) == RESULT_OK);
        (void)decide(next, pki, choice);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trust_store *store CLEANUP(auto_trust_store_free) = NULL;
    struct bytes in = bytes_of(data, size);
    struct pki pki;

    fuzz_begin();
    unsigned choice = fuzz_octet(&in);
    pki_open(&pki, in);
    store = pki_store();
    if (store) {
        enum result result = decide(store, &pki, choice);
        if (choice & RELOAD)
            reload(store, &pki, choice, result);
    }
    pki_close(&pki);
    return 0;
}
