/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole small files, with a bound. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"

/* Reads a regular file of at most LIMIT octets into OUT (empty before; limit is set here).
 * FAULT: "PATH: what is wrong". */
enum result file_read(const char *path, size_t limit, struct buffer *out, struct fault *fault)
    WARN_UNUSED;

/* Which content a path leads to, as far as that can be told without reading it. All zero: none.
 * The time is that of the last change of any kind, which nobody can set back. */
struct file_print {
    uint64_t device, inode, size;
    int64_t changed_ns;
};
struct file_print file_print_of(const char *path);
bool file_print_equal(const struct file_print *a, const struct file_print *b);

/* A private key or other secret: into secret memory (release with secret_free), refused when it
 * is not a regular file or when group or others can read it. A file in $CREDENTIALS_DIRECTORY is
 * exempt from the mode check: the service manager guards that folder. */
enum result file_read_secret(
    const char *path, size_t limit, void **out, size_t *size, struct fault *fault) WARN_UNUSED;
