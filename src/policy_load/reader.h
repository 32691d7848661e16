/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads JSON values into the fields of a policy, by tables of members. Private to the room.
 * A fault is reported where it stands and reading goes on: one pass finds them all. What a reader
 * leaves in a faulty field is harmless: the policy will not be used. */
#pragma once

#include <jansson.h>

#include "base/report.h"
#include "policy/policy.h"

struct reader {
    struct policy *policy;
    struct report *report;
    const char *file;   /* being read; NULL = our own defaults */
    const char *folder; /* what its relative paths are relative to */
};

/* Where the reader stands: a chain on the stack with a link for each level of the file. */
struct json_position {
    const struct json_position *parent; /* NULL: the whole file */
    const char *member;                 /* NULL: element number INDEX of an array */
    size_t index;
};

/* What a text may be. */
struct text_format {
    bool (*accepts)(const char *text);
    const char *what;                 /* "… is not WHAT" */
    void (*canonicalise)(char *text); /* into its canonical form, in place; NULL = as it is */
};

struct member;
typedef void read_value(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field);

struct member {
    const char *name;
    read_value *read;
    size_t offset;        /* of the field in the object's struct; 0 = READ sees it whole */
    bool required;        /* in this very object; sections may be spread over files */
    uint32_t least, most; /* of a number */
    const struct text_format *format; /* of a text */
};

/* Reads the members of OBJECT into STRUCTURE. */
#define read_members(reader, position, object, members, structure)                                 \
    read_member_table(reader, position, object, members, ARRAY_SIZE(members), structure)
void read_member_table(struct reader *reader, const struct json_position *position, json_t *object,
    const struct member *members, size_t count, void *structure);

read_value read_bool;        /* bool */
read_value read_number;      /* uint32_t, or an int that cannot be negative */
read_value read_text;        /* char *, of member->format */
read_value read_file;        /* struct policy_file */
read_value read_private_key; /* the same; also a pkcs11: URI, as it is */

/* The text itself, checked and owned by the policy; "" after a fault, so that NULL means absent. */
char *reader_text(struct reader *reader, const struct json_position *position, const json_t *value,
    const struct text_format *format);
/* The path that TEXT means in this file; NULL after a fault. */
char *reader_path(struct reader *reader, const struct json_position *position, const char *text);
/* How many elements the array VALUE has; 0 after a fault: no array, fewer than LEAST (0 or 1), or
 * more than MOST. */
size_t reader_array(struct reader *reader, const struct json_position *position,
    const json_t *value, size_t least, size_t most);
bool reader_expect(struct reader *reader, const struct json_position *position, const json_t *value,
    json_type type);

struct source_position reader_position(struct reader *reader, const struct json_position *position);
void reader_fault(struct reader *reader, const struct json_position *position, const char *format,
    ...) PRINTF(3, 4);
void reader_warning(struct reader *reader, const struct json_position *position, const char *format,
    ...) PRINTF(3, 4);
