/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From policy files to a snapshot that can be put in force. */
#pragma once

#include "base/report.h"
#include "policy/snapshot.h"

/* Loads PATH and all that it names. Faults and warnings to REPORT; *OUT is NULL on a fault. */
enum result configuration_load(const char *path, uint64_t generation, struct snapshot **out,
    struct report *report) WARN_UNUSED;

/* Each entry to the log: faults as errors, warnings as warnings. */
void configuration_log(const struct report *report);

/* All of the new policy at PATH into SLOT, or none of it, and says which: whether it was taken. */
bool configuration_reload(const char *path, struct snapshot_slot *slot);

/* --check: everything, each entry a line on stderr. The exit status. */
int configuration_check(const char *path);
