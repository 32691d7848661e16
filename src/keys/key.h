/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The metadata of a pairwiseE2EKey (TS-0003 8.7.2, 10.3.1), and the events of its life. */
#pragma once

#include <stdint.h>

#include "identity/flavour.h"
#include "identity/identifier.h"

#define KEY_ID_OCTETS 16 /* pairwiseE2EKeyID (TS-0003 10.3.1) */
#define KEY_OCTETS    32 /* pairwiseE2EKey */

#define KEY_EVIDENCE_OCTETS 1024 /* the most evidence of a key: trust/evidence.h */

/* The numbers are stored in the key arena: never change one. */
enum key_role { KEY_ROLE_INITIATING = 0, KEY_ROLE_TERMINATING = 1 };

/* Metadata of a key, without the key material. */
struct key_info {
    uint8_t id[KEY_ID_OCTETS];
    char peer[IDENTIFIER_OCTETS];  /* absolute */
    char local[IDENTIFIER_OCTETS]; /* absolute: the identity of our end-point */
    enum key_role role;
    enum flavour flavour;
    uint16_t cipher_suite; /* IANA code point */
    int64_t established_s; /* seconds since the epoch, UTC */
    int64_t expires_s;     /* the same, as it was when the key was put: see key_cache_put */
};

enum key_event {
    KEY_ESTABLISHED,
    KEY_EXPIRED,
    KEY_REVOKED, /* by whoever called key_cache_revoke */
    KEY_EVICTED,
    KEY_REVOKED_BY_CRL, /* by key_cache_revoke_by_crl or a review */
};

/* What became of the keys that an earlier process left: how many of them there are. */
struct key_restored {
    uint32_t kept;
    uint32_t expired; /* while no process ran, or before */
    uint32_t evicted; /* because capacity or the bound per peer is lower now */
    uint32_t damaged; /* not whole, and therefore dropped */
};
