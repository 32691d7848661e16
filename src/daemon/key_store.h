/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps the key cache over restarts: the service manager holds a descriptor of its memory too
 * (FDSTORE=1 of sd_notify(3)) and passes it to the next process of the service. Without a manager
 * that keeps it, the keys end with this process. */
#pragma once

#include <systemd/sd-event.h>

#include "base/fault.h"
#include "keys/cache.h"
#include "policy/policy.h"

/* Opens the cache that the descriptor INHERITED holds, which is taken over. Creates a new one if
 * that is -1 or does not hold a cache. */
enum result key_store_open(int inherited, const struct policy_keys *policy, struct key_cache **out,
    struct fault *fault) WARN_UNUSED;
/* Whether the service manager keeps the memory of CACHE. */
bool key_store_is_kept(const struct key_cache *cache);
/* Logs, two seconds later, if the manager does not keep the keys: it needs time to take them. */
void key_store_check_later(sd_event *loop, const struct key_cache *cache);
/* Leaves the keys to the next process if the manager keeps them; wipes them if it does not, or if
 * FORGET is true. */
void key_store_close(struct key_cache *cache, bool forget);
