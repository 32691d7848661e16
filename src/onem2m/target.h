/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which resource a request's To means. */
#pragma once

#include "policy/policy.h"

enum target_kind {
    TARGET_NONE,        /* nothing of ours */
    TARGET_CSE_BASE,    /* <CSEBase>, parent of the entry point */
    TARGET_ENTRY_POINT, /* <e2EKeyCSE> */
    TARGET_EXCHANGE,    /* one exchange; .name */
    TARGET_NOTIFY,      /* http.notifyPath; .name an end-point's name or "" */
};

#define TARGET_NAME_OCTETS 64

struct target {
    enum target_kind kind;
    char name[TARGET_NAME_OCTETS]; /* longer names are TARGET_NONE */
};

/* PATH is percent-decoded and has no query. Structured and unstructured addresses, CSE-relative,
 * SP-relative ("/~/in-cse/…") and absolute ("/_/m2m.example/in-cse/…"), "-" for the CSEBase name,
 * any prefix before "/~/" or "/_/" (a registered pointOfAccess may have a path), trailing slashes;
 * no path at all means Notify, for a pointOfAccess without one.
 */
void target_parse(
    const struct policy_cse *cse, const char *notify_path, const char *path, struct target *out);
