/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which resource the parameter To of a request addresses. */
#pragma once

#include "onem2m/primitive.h"
#include "policy/policy.h"

enum target_kind {
    TARGET_NONE,        /* no resource of ours */
    TARGET_CSE_BASE,    /* <CSEBase>, parent of the entry point */
    TARGET_ENTRY_POINT, /* <e2EKeyCSE> */
    TARGET_EXCHANGE,    /* one exchange; .name */
    TARGET_NOTIFY,      /* an address that takes Notify alone; .endpoint */
};

#define TARGET_NAME_OCTETS 64

struct target {
    enum target_kind kind;
    char name[TARGET_NAME_OCTETS]; /* of an exchange; longer ones are TARGET_NONE */
    /* The end-point that the address is of; NULL: the initiator says by SNI which one it wants. */
    const struct policy_endpoint *endpoint;
};

/* Finds the resource of PATH, which is percent-decoded and has no query. An address may be
 * structured or unstructured, and CSE-relative, SP-relative ("/~/in-cse/…") or absolute
 * ("/_/m2m.example/in-cse/…") (TS-0009 6.2.2.2); "-" may stand for the name of the CSEBase.
 * Anything may precede "/~/" or "/_/", since a registered pointOfAccess may have a path. An
 * SP-relative one may also stand there as it is in Content-Location ("/in-cse/…"). Empty segments
 * are ignored.
 *
 * TARGET_NOTIFY are endpoints.resource in each of these forms; an empty path, since a pointOfAccess
 * may have none; and http.notifyPath. For OPERATION Notify it is all that lies below that, too,
 * where CSEs put the address that a request came with: an address of endpoints.resource there means
 * that end-point, and else the name of an end-point as the first segment does. Other operations
 * have the address below http.notifyPath as their target. */
void target_parse(
    const struct policy *policy, enum operation operation, const char *path, struct target *out);
