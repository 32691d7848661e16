/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evidence of a path, as the key arena gives it back, with changes; and any octets in its place.
 * The first octet says whose evidence it is, the second how many changes of two octets there are
 * (where, what to xor); what follows is appended. */
#include "trust/evidence.h"

#include <string.h>

#include "fuzz/pki.h"
#include "trust/issuer.h"
#include "trust/path.h"
#include "trust/review.h"
#include "trust/store_load.h"
#include "x509/pem.h"

#define CHAIN_MAX 4

enum { WITHOUT_CRLS, WITH_CRLS, STORES };

static struct policy *policies[STORES];
static struct trust_store *stores[STORES];
static const char *const owners[] = {"meter.pem", "pump.pem", "revoked.pem", "old-pump.pem"};
static struct evidence evidence[ARRAY_SIZE(owners) + 1]; /* the last is empty */

static void prove(const char *owner, struct evidence *out)
{
    static struct path_verdict verdict;
    struct buffer file AUTO_BUFFER = {0};
    struct buffer ders[CHAIN_MAX] = {0};
    struct bytes chain[CHAIN_MAX];
    size_t count = 0;

    must(file_read(fuzz_path(owner), 65536, &file, NULL) == RESULT_OK);
    struct bytes text = buffer_bytes(&file);
    for (; count < CHAIN_MAX; count++) {
        ders[count].limit = 65536;
        if (pem_next(&text, "CERTIFICATE", &ders[count]) != RESULT_OK)
            break;
        chain[count] = buffer_bytes(&ders[count]);
    }
    must(path_validate(stores[WITHOUT_CRLS], chain, count, PATH_CLIENT, FUZZ_NOW_S, &verdict,
             NULL) == RESULT_OK);
    must(evidence_write(stores[WITHOUT_CRLS], &verdict, 0, out) == RESULT_OK);
    for (size_t i = 0; i < CHAIN_MAX; i++)
        buffer_release(&ders[i]);
}

static void open_stores(void)
{
    static const char *const names[STORES] = {"without-crls.json", "policy.json"};

    if (stores[0])
        return;
    for (size_t i = 0; i < STORES; i++) {
        struct report report CLEANUP(report_release) = {0};
        policies[i] = fuzz_policy(names[i]);
        must(trust_store_new(policies[i], &stores[i], &report) == RESULT_OK);
    }
    for (size_t i = 0; i < ARRAY_SIZE(owners); i++)
        prove(owners[i], &evidence[i]);
}

/* Every link is within, and there are no more than a path has. */
static void check_links(struct bytes in)
{
    struct evidence_link link;
    size_t left = in.size;

    while (evidence_next(&in, &link)) {
        must(in.size < left && link.point.size == P256_POINT_OCTETS);
        left = in.size;
    }
}

static void review(struct trust_store *store, struct bytes in)
{
    struct review *review CLEANUP(auto_review_free) = NULL;

    must(review_new(store, &review) == RESULT_OK);
    (void)review_look_up(review, in); /* may not know yet */
    const struct trust_domain *revoking = review_find_revoking(store, in);
    must(review_look_up(review, in) == (revoking ? REVIEW_REVOKED : REVIEW_GOOD));
}

/* The subject and the issuer of a certificate of the input, which a CRL may name. */
static void note(struct trust_store *store, struct bytes der)
{
    struct certificate certificate;

    if (certificate_parse(der, &certificate, NULL) == RESULT_OK && certificate.is_ca)
        trust_note_authority(store, &store->domains[0], 0, &certificate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trust_store *store CLEANUP(auto_trust_store_free) = NULL;
    struct report report CLEANUP(report_release) = {0};
    struct bytes in = bytes_of(data, size), change;
    uint8_t octets[4096];

    open_stores();
    fuzz_begin();
    uint8_t who = fuzz_octet(&in), changes = fuzz_octet(&in) % 8;
    const struct evidence *base = &evidence[who % ARRAY_SIZE(evidence)];
    memcpy(octets, base->octets, base->size);
    for (uint8_t i = 0; i < changes && bytes_take(&in, 2, &change); i++)
        octets[change.data[0] % sizeof(base->octets)] ^= change.data[1];
    size_t more = in.size < sizeof(octets) - base->size ? in.size : sizeof(octets) - base->size;
    if (more > 0)
        memcpy(octets + base->size, in.data, more);
    struct bytes all = bytes_of(octets, base->size + more);
    check_links(all);
    must(trust_store_new(policies[WITH_CRLS], &store, &report) == RESULT_OK);
    if (who & 0x80) { /* somebody has presented the intermediate CA before */
        struct buffer sub AUTO_BUFFER = fuzz_certificate("sub.pem");
        note(store, buffer_bytes(&sub));
    }
    review(store, all);
    if (base->size > 0 && changes == 0 && more == 0) {
        bool revoked = strcmp(owners[who % ARRAY_SIZE(evidence)], "revoked.pem") == 0 ||
                       strcmp(owners[who % ARRAY_SIZE(evidence)], "old-pump.pem") == 0;
        must((review_find_revoking(store, all) != NULL) == revoked);
    }
    return 0;
}
