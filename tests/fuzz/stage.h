/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Terminating End-Point by the policy in tests/fuzz/field, and initiators, for the targets that
 * have them exchange messages. */
#pragma once

#include "fuzz/fuzz.h"
#include "policy/snapshot.h"
#include "tls/context.h"
#include "tls/initiator.h"

enum stage_credential {
    STAGE_METER,    /* AE Cmeter, whom the policy authorises */
    STAGE_PUMP,     /* AE Cpump, by an intermediate CA */
    STAGE_REVOKED,  /* on the CRL of its issuer */
    STAGE_STRANGER, /* by an authority that nobody trusts */
    STAGE_RAW,      /* AE Craw, by its raw public key; takes a raw public key of ours alone */
    STAGE_CREDENTIALS,
};

struct stage {
    struct snapshot *snapshot;
    struct snapshot_slot *slot;
    struct initiator_credential *credentials[STAGE_CREDENTIALS];
};
extern struct stage stage;

/* Does nothing but the first time. */
void stage_open(void);
