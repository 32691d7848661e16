/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads JSON values into the fields of a policy, by tables of members. Private to the room.
 * A reader reports each fault where it stands and goes on, so that one pass finds all faults. What
 * it leaves in a faulty field does not matter: a policy with a fault is not used. */
#pragma once

#include <jansson.h>

#include "base/report.h"
#include "policy/policy.h"

struct reader {
    struct policy *policy;
    struct report *report;
    const char *file;   /* that is being read, for messages */
    const char *folder; /* relative paths in this file are relative to it */
};

/* The position of a value in a JSON document. Its parents are on the stacks of its callers. */
struct json_position {
    const struct json_position *parent; /* NULL: the whole document */
    const char *member;                 /* NULL: element number INDEX of an array */
    size_t index;
};

/* What a text may be. */
struct text_format {
    bool (*accepts)(const char *text);
    const char *what;                 /* for the fault: "… is not WHAT" */
    void (*canonicalise)(char *text); /* in place; NULL: the text stays as it is */
};

struct member;
typedef void read_value(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field);

/* Describes a member of a JSON object: a row of a table. The tables are the one place for names,
 * bounds and defaults; tests/unit/policy_load/test_facts.c compares conf/policy.schema.json and
 * conf/e2ekeyd-policy.5 with them. */
struct member {
    const char *name;
    read_value *read;
    size_t offset;        /* of the field in the object's struct; 0: READ gets the struct itself */
    bool required;        /* in this very object: sections may be spread over files */
    uint32_t least, most; /* of a number, or of the length of an array */
    const struct text_format *format; /* of a text */
    const char *default_json;         /* the default, as JSON; NULL: there is none */
};

/* A table and its size, as the functions below and struct section take them. */
#define MEMBERS(table) (table), ARRAY_SIZE(table)

/* Reads the members of OBJECT into STRUCTURE. */
void read_members(struct reader *reader, const struct json_position *position, json_t *object,
    const struct member *members, size_t count, void *structure);

/* Reads the defaults of the members that are in none of OBJECTS (NULL for a file that lacks it). */
void read_defaults(struct reader *reader, const struct json_position *position,
    json_t *const *objects, size_t object_count, const struct member *members, size_t count,
    void *structure);

read_value read_bool;        /* bool */
read_value read_number;      /* uint32_t, or an int that cannot be negative */
read_value read_text;        /* char *, of member->format */
read_value read_file;        /* struct policy_file */
read_value read_private_key; /* the same, or a pkcs11: URI, which is kept as it is written */

/* Returns the text of VALUE in canonical form, owned by the policy; "" after a fault, since NULL
 * means absent; NULL when memory is short. */
char *reader_text(struct reader *reader, const struct json_position *position, const json_t *value,
    const struct text_format *format);
/* Returns the path that TEXT names in this file: relative to the folder of the file, or a
 * credential (credential:NAME). NULL after a fault. */
char *reader_path(struct reader *reader, const struct json_position *position, const char *text);
/* Returns how many elements the array VALUE has. Returns 0 after a fault: VALUE is no array, or has
 * fewer elements than LEAST (0 or 1) or more than MOST. */
size_t reader_array(struct reader *reader, const struct json_position *position,
    const json_t *value, size_t least, size_t most);
/* Returns whether VALUE is of TYPE, and reports a fault if it is not. */
bool reader_expect(struct reader *reader, const struct json_position *position, const json_t *value,
    json_type type);

/* Appends NAME to LIST, which has room for SIZE octets and lists names for a fault: "a, b". What
 * does not fit is cut. */
void list_append(char *list, size_t size, const char *name);
/* Returns POSITION as file and JSON pointer (RFC 6901), owned by the policy. */
struct source_position reader_position(struct reader *reader, const struct json_position *position);
void reader_fault(struct reader *reader, const struct json_position *position, const char *format,
    ...) PRINTF(3, 4);
void reader_warning(struct reader *reader, const struct json_position *position, const char *format,
    ...) PRINTF(3, 4);
