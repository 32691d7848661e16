/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sections of a policy file and what may stand in each. Private to the room. */
#pragma once

#include "policy_load/reader.h"

/* A section is one object, read into its place in the policy; or, with .size, an array of objects,
 * each read into an entry that starts with its policy_place. */
struct section {
    const char *name;
    read_value *read;
    size_t offset;      /* in struct policy: of the object, or of the array's pointer */
    size_t size;        /* of an entry */
    size_t least, most; /* entries */
    size_t count;       /* in struct policy: offset of the array's count */
};

/* In the order in which they are read: what later ones refer to comes first. */
extern const struct section policy_sections[];
extern const size_t policy_section_count;

/* What stands where no file says anything: read as if it were the first file. */
extern const char policy_defaults[];

/* Rules, in rules.c; clients, in clients.c. */
read_value read_rule;
read_value read_client;
