/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From policy files to a snapshot that can be put in force. */
#pragma once

#include "base/report.h"
#include "policy/snapshot.h"

/* Loads the policy at PATH and all files that it names. Faults and warnings go to REPORT; on a
 * fault *OUT is NULL. */
enum result configuration_load(const char *path, uint64_t generation, struct snapshot **out,
    struct report *report) WARN_UNUSED;

/* Logs each entry: faults as errors, warnings as warnings. */
void configuration_log(const struct report *report);

/* Loads the policy at PATH and puts it into SLOT. On a fault, the old policy stays in force as a
 * whole. Either is logged. Returns whether the new policy is in force. */
bool configuration_reload(const char *path, struct snapshot_slot *slot);

/* For --check: loads everything and prints each fault and warning as a line on stderr. Returns the
 * exit status. */
int configuration_check(const char *path);
