/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verbs of e2ekeyctl share. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "client/e2ekey.h"

/* Exit status: e2ekeyctl(1). */
enum {
    STATUS_DONE = 0,
    STATUS_REFUSED = 1,
    STATUS_USAGE = 2,
    STATUS_UNREACHABLE = 3,
    STATUS_NO_KEY = 4,
};

/* From flags that every verb takes. */
struct common_options {
    const char *socket; /* NULL: the usual one */
    bool json;
};
extern struct common_options common;

/* --- the command line --- */

/* "--NAME", or "--NAME VALUE" when it has a value. */
struct flag {
    const char *name;
    const char *value; /* what the value is called in the help text; NULL = none */
    const char **text; /* with a value */
    bool *set;         /* without */
    const char *help;
};

struct syntax {
    const char *usage; /* after "e2ekeyctl " */
    const char *about; /* one line or more */
    const struct flag *flags;
    size_t flag_count;
    const char **operand; /* NULL: takes none */
    const char *operand_name;
    bool *wants_version; /* set by -V; NULL: no such option */
};

/* Reads a verb's arguments, ARGV[0] being the verb. False: *STATUS is how to exit, as help was
 * asked for and given, or as something is wrong and was said. */
bool syntax_read(const struct syntax *syntax, int argc, char **argv, int *status) WARN_UNUSED;
void syntax_print_help(const struct syntax *syntax);
/* Reads the flags before the verb: *FIRST becomes the place of the verb. */
bool syntax_read_leading(
    const struct syntax *syntax, int argc, char **argv, int *first, int *status) WARN_UNUSED;

/* --- saying what is wrong --- */

/* "e2ekeyctl: TEXT" on stderr; return STATUS. */
int fail(int status, const char *format, ...) PRINTF(2, 3);
/* The same for a wrong command line, which points to the help. */
int fail_usage(const char *format, ...) PRINTF(1, 2);
/* errno tells why. */
int fail_write(const char *what);
/* For an enum e2ekey_error. */
int fail_e2ekey(int error);

/* --- the key socket and what it gives --- */

/* Connects or says why not: then *STATUS is how to exit. */
bool open_socket(struct e2ekey **out, int *status) WARN_UNUSED;
DEFINE_CLEANUP(struct e2ekey *, e2ekey_close)
DEFINE_CLEANUP(struct e2ekey_stream *, e2ekey_stream_close)

#define TIME_TEXT_OCTETS 32
void format_time(int64_t wall_s, char out[TIME_TEXT_OCTETS]); /* "2026-11-24 16:06:10Z" */

/* One line of JSON: the key, or with EVENT {"event":…,"key":{…}}. KEY_TEXT NULL: without material.
 */
int print_json_key(const struct e2ekey_key *key, const char *event, const char *key_text);
/* Any other; OBJECT is taken over, NULL is out of memory. */
int print_json_line(json_t *object);
/* Writes all of it, past stdio, which would keep a copy. */
bool write_secret(int fd, struct bytes secret) WARN_UNUSED;

/* --- verbs: each reads its arguments and returns the exit status --- */

int verb_get(int argc, char **argv);
int verb_list(int argc, char **argv);
int verb_revoke(int argc, char **argv);
int verb_watch(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_metrics(int argc, char **argv);
int verb_exchange(int argc, char **argv);
int verb_public_key_id(int argc, char **argv);
int verb_check_certificate(int argc, char **argv);
