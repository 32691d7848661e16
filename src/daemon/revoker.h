/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads CRLs again when their files change, and then reviews the keys in the cache: those with a
 * certificate on their path that a CRL revokes are removed. Only for the main thread. */
#pragma once

#include <systemd/sd-event.h>

#include "base/fault.h"
#include "keys/cache.h"
#include "policy/snapshot.h"

struct revoker;

/* Reviews the keys that CACHE holds already before it returns, so that nobody is given one that is
 * revoked. CHANGED is called each time after CRLs were replaced. */
enum result revoker_new(sd_event *loop, struct snapshot_slot *slot, struct key_cache *cache,
    void (*changed)(void *context), void *context, struct revoker **out, struct fault *fault)
    WARN_UNUSED;
void revoker_free(struct revoker *revoker);

/* To be called when there is a new policy in the slot: watches its files, and begins a review by
 * its CRLs. */
void revoker_follow(struct revoker *revoker);
/* To be called every second: does what there was no memory for, which is to watch the files, to
 * read one that has changed, or to review the keys. */
void revoker_go_on(struct revoker *revoker);
