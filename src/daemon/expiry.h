/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says, once for each change, when own certificates and CRLs are about to run out or have: when
 * they are loaded, and as time passes. The main loop's alone. */
#pragma once

#include <systemd/sd-event.h>

#include "base/fault.h"
#include "policy/snapshot.h"

struct expiry_watch;

enum result expiry_watch_new(sd_event *loop, struct snapshot_slot *slot, struct expiry_watch **out,
    struct fault *fault) WARN_UNUSED;
void expiry_watch_free(struct expiry_watch *watch);

/* There is a new policy, or there are new CRLs. */
void expiry_watch_look(struct expiry_watch *watch);
