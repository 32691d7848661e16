/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sections of a policy file, and the members of each. Private to the room. */
#pragma once

#include "policy_load/reader.h"

/* Reads VALUE, an element of a section that is an array. */
typedef void read_entry(
    struct reader *reader, const struct json_position *position, json_t *value, void *entry);

/* A section is one object, whose struct is part of struct policy; or, where read_entry is not NULL,
 * an array of objects, whose structs (entries) begin with their struct source_position. */
struct section {
    const char *name;
    const struct member *members; /* of the object, or of each entry */
    size_t member_count;
    size_t offset; /* in struct policy: of the object's struct, or of the pointer to the entries */

    read_entry *read_entry;
    size_t entry_size;   /* octets */
    size_t most;         /* entries in all files together */
    size_t count_offset; /* in struct policy: of the number of entries */
};

/* In the order in which they are read: a section comes after those that it refers to. */
extern const struct section *const policy_sections[];
extern const size_t policy_section_count;

extern const struct section initiators_section;   /* in rules.c */
extern const struct section clients_section;      /* in clients.c */
extern const struct section registration_section; /* in registrations.c */
