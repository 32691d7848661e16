/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains of certificates, anchors and CRLs (fuzz/pki.h): is the path valid, and whom does it admit?
 * The first octet says for what it is asked and with which From. The same question has the same
 * answer once more, whatever is remembered of the first time. */
#include <string.h>

#include "fuzz/pki.h"
#include "trust/admission.h"
#include "trust/review.h"

static const char *const origins[] = {"//m2m.example/in-cse/Cmeter", "", "//m2m.example/mn-cse",
    "//m2m.example/in-cse/Cdev1", "//m2m.example/Snode17", "//m2m.example/in-cse/Cother"};

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

static void decide(
    struct trust_store *store, const struct pki *pki, enum path_purpose purpose, const char *from)
{
    static struct admission admission;
    static struct path_verdict verdict, again;
    struct fault fault, other;
    const struct admission_request request = {
        .policy = pki_policy(),
        .trust = store,
        .takes = {.x509 = true},
        .chain = pki->chain,
        .chain_count = pki->chain_count,
        .expected = purpose == PATH_SERVER ? pki_policy()->rules : NULL,
        .expected_count = purpose == PATH_SERVER ? 1 : 0,
        .from = from,
        .now_s = FUZZ_NOW_S,
    };

    enum result valid = validate(store, pki, purpose, &verdict, &fault);
    must(validate(store, pki, purpose, &again, &other) == valid);
    must(verdict.trusted == again.trusted && verdict.certified == again.certified);
    if (valid != RESULT_OK)
        must(strcmp(fault.text, other.text) == 0 && fault.alert == other.alert);
    enum result result = admission_decide(&request, &admission, &fault);
    if (result != RESULT_OK) {
        must(fault.alert != FAULT_NO_ALERT);
        return;
    }
    must(valid == RESULT_OK && admission.trusted == verdict.trusted && admission.authorised.rule);
    must(purpose == PATH_SERVER || from[0] == '\0' ||
         strcmp(admission.authorised.identity, from) == 0);
    must(admission.evidence.size > 0 && admission.evidence.size <= EVIDENCE_OCTETS_MAX);
    (void)review_find_revoking(store, bytes_of(admission.evidence.octets, admission.evidence.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trust_store *store CLEANUP(auto_trust_store_free) = NULL;
    struct bytes in = bytes_of(data, size);
    struct pki pki;

    fuzz_begin();
    uint8_t choice = fuzz_octet(&in);
    pki_open(&pki, in);
    store = pki_store();
    if (store)
        decide(store, &pki, choice & 0x80 ? PATH_SERVER : PATH_CLIENT,
            origins[choice % ARRAY_SIZE(origins)]);
    pki_close(&pki);
    return 0;
}
