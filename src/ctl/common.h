/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verbs of e2ekeyctl share: errors, the key socket, output. */
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

/* --- errors: each prints a line on stderr and returns the exit status --- */

/* Prints "e2ekeyctl: TEXT" and returns STATUS. */
int fail(int status, const char *format, ...) PRINTF(2, 3);
/* For a wrong command line: prints where to find the help too, and returns STATUS_USAGE. */
int fail_usage(const char *format, ...) PRINTF(1, 2);
/* For WHAT that could not be written; errno says why. */
int fail_write(const char *what);
/* For a failure of libe2ekey; ERROR is an enum e2ekey_error. */
int fail_e2ekey(int error);

/* --- the key socket --- */

/* Connects to the socket at PATH, NULL for the default. Returns false after printing why it failed;
 * *STATUS is the exit status then. */
bool open_socket(const char *path, struct e2ekey **out, int *status) WARN_UNUSED;
DEFINE_CLEANUP(struct e2ekey *, e2ekey_close)
DEFINE_CLEANUP(struct e2ekey_stream *, e2ekey_stream_close)

/* --- output --- */

#define TIME_TEXT_OCTETS 32
void format_time(int64_t wall_s, char out[TIME_TEXT_OCTETS]); /* "2026-11-24 16:06:10Z" */

/* Print one line of JSON and return the exit status. The first prints the metadata of KEY, with
 * EVENT as {"event":…,"key":{…}}; KEY_TEXT is the key material as text, NULL to leave it out. The
 * second prints OBJECT and takes it over; NULL stands for a lack of memory. */
int print_json_key(const struct e2ekey_key *key, const char *event, const char *key_text);
int print_json_line(json_t *object);
/* Writes all of SECRET, without stdio, whose buffer would keep a copy. */
bool write_secret(int fd, struct bytes secret) WARN_UNUSED;
