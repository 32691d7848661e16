/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates and CRLs that an input brings, put into the files of trust domains. Each piece
 * (fuzz_take) is an octet of PKI_ flags and kind, then DER. Whatever was changed in it, it is
 * signed anew, and has the one key that all have: so changes come further than to the signature. */
#pragma once

#include "fuzz/fuzz.h"
#include "policy/policy.h"
#include "trust/store.h"

enum pki_kind { /* the low three bits */
    PKI_CHAIN,  /* presented, the leaf first */
    PKI_ANCHOR_A,
    PKI_ANCHOR_B,
    PKI_CRL_A,
    PKI_CRL_B,
    PKI_CRL_A_LATER, /* what the file of PKI_CRL_A holds afterwards */
    PKI_KINDS,
};

#define PKI_AS_IT_IS  0x80 /* is not signed anew */
#define PKI_OTHER_KEY 0x40 /* is signed with another key than all have */
#define PKI_OWN_KEY   0x20 /* keeps the public key that it has */
#define PKI_BINARY    0x10 /* stands in its file alone, as DER */

struct pki {
    struct buffer files[PKI_KINDS];
    struct buffer chain_der[PATH_CERTIFICATES_MAX];
    struct bytes chain[PATH_CERTIFICATES_MAX];
    size_t chain_count;
};

/* Reads pieces to the end of IN and writes the files; the CRLs of later only into FILES. */
void pki_open(struct pki *pki, struct bytes in);
void pki_close(struct pki *pki);
/* Writes the file of PKI_CRL_A anew, as it is later; false: nothing is said of that. */
bool pki_go_on(const struct pki *pki);

/* A policy with two domains that are read from these files; its rules are of all flavours. */
const struct policy *pki_policy(void);
/* Its trust store, whatever its rules are; NULL when the files do not make one. */
struct trust_store *pki_store(void);
