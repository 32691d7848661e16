/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which resource the parameter To of a request addresses. */
#pragma once

#include "policy/policy.h"

enum target_kind {
    TARGET_NONE,        /* no resource of ours */
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

/* Finds the resource of PATH, which is percent-decoded and has no query. An address may be
 * structured or unstructured, and CSE-relative, SP-relative ("/~/in-cse/…") or absolute
 * ("/_/m2m.example/in-cse/…") (TS-0009 6.2.2.2); "-" may stand for the name of the CSEBase.
 * Anything may precede "/~/" or "/_/", since a registered pointOfAccess may have a path. An
 * SP-relative one may also stand there as it is in Content-Location ("/in-cse/…"). Empty segments
 * are ignored. An empty path is TARGET_NOTIFY, since a pointOfAccess may have no path. */
void target_parse(
    const struct policy_cse *cse, const char *notify_path, const char *path, struct target *out);
