/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key cache over restarts: its memory is in the service manager's hands too (FDSTORE=1), which
 * gives it to our successor. Without a manager that keeps it, keys end with the process. */
#pragma once

#include <systemd/sd-event.h>

#include "base/fault.h"
#include "keys/cache.h"
#include "policy/policy.h"

#define STORE_NAME "keys" /* FDNAME= */

/* The cache that INHERITED, which is taken over, holds; -1 or of no use: a new one. */
enum result store_open(int inherited, const struct policy_keys *policy, struct key_cache **out,
    struct fault *fault) WARN_UNUSED;
/* Whether the manager keeps it. */
bool store_is_held(const struct key_cache *cache);
/* Says, once it has had the time to, that the manager does not keep the keys. */
void store_watch(sd_event *loop, const struct key_cache *cache);
/* Leaves the keys to our successor; wipes them when nobody holds them for it, or when told to
 * FORGET. */
void store_close(struct key_cache *cache, bool forget);
