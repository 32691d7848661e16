/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules (JSON, up to the first NUL) and the anchors of their trust domain (fuzz/pki.h): each rule
 * that the policy takes is found to be within reach of an anchor, or out of it. The certificates
 * that are presented with them are held to the anchors' constraints: whole, and name by name. */
#include "trust/rule_reach.h"

#include <stdio.h>
#include <string.h>

#include "fuzz/pki.h"
#include "policy_load/load.h"
#include "trust/store_load.h"
#include "x509/constraints.h"
#include "x509/general_name.h"

#define TEXT_OCTETS 8192

static struct policy *load(const char *rules)
{
    struct report report CLEANUP(report_release) = {0};
    struct policy *policy = NULL;
    static char text[TEXT_OCTETS];

    snprintf(text, sizeof(text),
        "{\"cse\":{\"spId\":\"m2m.example\",\"cseId\":\"/in-cse\",\"cseBase\":\"cse-in\"},"
        "\"http\":{\"listen\":[\"127.0.0.1:0\"]},\"socket\":{\"path\":\"/s\"},"
        "\"endpoints\":[{\"name\":\"e\",\"identity\":\"//m2m.example/"
        "in-cse\",\"certificate\":\"c\","
        "\"privateKey\":\"k\"}],\"trust\":[{\"name\":\"a\",\"anchors\":\"a.anchors\"}],"
        "\"clients\":[{\"user\":\"root\",\"allow\":[\"get\"]}],\"initiators\":[%s]}",
        rules);
    fuzz_write("rules.json", bytes_of_string(text));
    (void)!policy_load(fuzz_path("rules.json"), &policy, &report);
    return policy;
}

static bool is_constrained(const struct trust_store *store)
{
    for (size_t i = 0; i < store->domains[0].anchor_count; i++)
        if (store->domains[0].anchors[i].certificate.name_constraints.size == 0)
            return false;
    return true;
}

/* What is within as a whole is within by each of its names. */
static void check_names(struct bytes constraints, const struct certificate *certificate)
{
    struct bytes names = certificate->subject_alt_name;
    struct general_name name;
    struct fault fault = FAULT_INIT;

    if (constraints.size == 0)
        return;
    must(constraints_are_valid(constraints));
    enum result result =
        constraints_check(constraints, certificate->subject, certificate->subject_alt_name, &fault);
    must(result == RESULT_OK || fault.alert != FAULT_NO_ALERT);
    while (general_name_take(&names, &name))
        must(constraints_permit(constraints, &name) || result != RESULT_OK);
}

static void check_presented(const struct pki *pki, const struct trust_domain *domain)
{
    struct certificate certificate;

    for (size_t i = 0; i < pki->chain_count; i++)
        for (size_t j = 0; j < domain->anchor_count; j++)
            if (certificate_parse(pki->chain[i], &certificate, NULL) == RESULT_OK)
                check_names(domain->anchors[j].certificate.name_constraints, &certificate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy *policy CLEANUP(auto_policy_free) = NULL;
    struct trust_store *store CLEANUP(auto_trust_store_free) = NULL;
    struct report report CLEANUP(report_release) = {0};
    struct pki pki;
    char rules[TEXT_OCTETS / 2];
    const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
    size_t length = end ? (size_t)(end - data) : size;

    fuzz_begin();
    if (length >= sizeof(rules))
        return -1;
    memcpy(rules, data, length);
    rules[length] = '\0';
    pki_open(&pki, end ? bytes_of(end + 1, size - length - 1) : (struct bytes){0});
    policy = load(rules);
    struct policy bare = {0};
    if (policy) {
        bare = *policy;
        bare.rule_count = 0;
    }
    if (policy && trust_store_new(&bare, &store, &report) == RESULT_OK) {
        size_t before = report.faults;
        reach_check(policy, store->domains, &report);
        must(report.faults == before || is_constrained(store));
        check_presented(&pki, store->domains);
    }
    pki_close(&pki);
    return 0;
}
