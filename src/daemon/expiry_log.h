/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logs when our certificates and CRLs are about to expire, have expired, or are current again: once
 * for each change, when they are loaded and as time passes. Used by the main thread only. */
#pragma once

#include <systemd/sd-event.h>

#include "base/fault.h"
#include "policy/snapshot.h"

struct expiry_log;

enum result expiry_log_new(sd_event *loop, struct snapshot_slot *slot, struct expiry_log **out,
    struct fault *fault) WARN_UNUSED;
void expiry_log_free(struct expiry_log *log);

/* To be called when there is a new policy, or there are new CRLs. */
void expiry_log_update(struct expiry_log *log);
