/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRLs: any octets as one; and CRLs in the files of trust domains, which then change (fuzz/pki.h).
 */
#include "x509/crl.h"

#include <string.h>

#include "fuzz/pki.h"
#include "trust/crl_notice.h"
#include "trust/path.h"
#include "trust/store_load.h"

static void check_one(struct bytes der)
{
    struct crl crl;
    struct fault fault = FAULT_INIT;

    if (crl_parse(der, &crl, &fault) == RESULT_OK) {
        must(crl.covers_leaves || crl.covers_cas);
        must(crl.covers_cas == crl_covers(&crl, true));
        must(!crl_is_current(&crl, INT64_MAX) && !crl_is_older(&crl, &crl));
        for (size_t i = 0; i < crl.serial_count; i++)
            must(crl_lists(&crl, crl.serials[i]));
    }
    crl_release(&crl);
}

static void say(const struct trust_store *store)
{
    struct report report CLEANUP(report_release) = {0};

    crl_notices_report((struct trust_store *)store, &report);
    for (size_t i = 0; i < report.count; i++)
        must(report.entries[i].text[0] != '\0');
}

static void judge(struct trust_store *store, const struct pki *pki)
{
    static struct path_verdict verdict;
    struct fault fault = FAULT_INIT;

    if (path_validate(store, pki->chain, pki->chain_count, PATH_CLIENT, FUZZ_NOW_S, &verdict,
            &fault) != RESULT_OK)
        must(fault.alert != FAULT_NO_ALERT);
    say(store);
}

static void reload(struct trust_store *store, const struct pki *pki)
{
    bool changed;

    must(trust_store_reload_crls(store, 0, &changed) == RESULT_OK && !changed);
    struct trust_store *next CLEANUP(auto_trust_store_free) = NULL;
    if (!pki_go_on(pki))
        return;
    must(trust_store_reload_crls(store, 0, &changed) == RESULT_OK);
    judge(store, pki);
    next = pki_store();
    must(next && trust_store_keep_crls(next, store) == RESULT_OK);
    judge(next, pki);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trust_store *store CLEANUP(auto_trust_store_free) = NULL;
    struct bytes in = bytes_of(data, size), first = in;
    struct pki pki;

    fuzz_begin();
    check_one(in);
    if (bytes_take_block_16(&first, &first) && first.size > 0)
        check_one(bytes_of(first.data + 1, first.size - 1));
    pki_open(&pki, in);
    store = pki_store();
    if (store) {
        judge(store, &pki);
        reload(store, &pki);
    }
    pki_close(&pki);
    return 0;
}
