/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Revocation as time goes by: reads CRLs again when their files change, and reviews the keys that
 * are in the cache by them. The main loop's alone. */
#pragma once

#include <systemd/sd-event.h>

#include "base/fault.h"
#include "keys/cache.h"
#include "policy/snapshot.h"

struct revoker;

/* Before others see the cache: the keys that it holds already are reviewed before this returns.
 * CHANGED is called after CRLs were replaced. */
enum result revoker_new(sd_event *loop, struct snapshot_slot *slot, struct key_cache *cache,
    void (*changed)(void *context), void *context, struct revoker **out, struct fault *fault)
    WARN_UNUSED;
void revoker_free(struct revoker *revoker);

/* There is a new policy in the slot: watches its files, and begins a review by its CRLs. */
void revoker_follow(struct revoker *revoker);

/* Is what revokes a key on this thread now a CRL? For those that hear of it. */
bool revoker_is_by_crl(void);
