/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which resource the parameter To of a request addresses. */
#pragma once

#include "policy/policy.h"

enum target_kind {
    TARGET_NONE,        /* no resource that we have */
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

/* PATH is percent-decoded and has no query. Understood are structured and unstructured addresses,
 * each CSE-relative, SP-relative ("/~/in-cse/…") or absolute ("/_/m2m.example/in-cse/…"), with "-"
 * in place of the name of the CSEBase, with any prefix before "/~/" or "/_/" (a registered
 * pointOfAccess may have a path), and with slashes at the end. An empty path is TARGET_NOTIFY: a
 * pointOfAccess may have none. */
void target_parse(
    const struct policy_cse *cse, const char *notify_path, const char *path, struct target *out);
