/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads small files as a whole. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"

/* Reads a regular file of at most LIMIT octets into OUT (empty before; limit is set here).
 * FAULT: "PATH: what is wrong". */
enum result file_read(const char *path, size_t limit, struct buffer *out, struct fault *fault)
    WARN_UNUSED;

/* Identifies the content of a file without reading it; all zero when there is no file. The time is
 * that of the last change of content or metadata (st_ctim), which nobody can set back. */
struct file_print {
    uint64_t device, inode, size;
    int64_t changed_ns;
};
struct file_print file_print_of(const char *path);
bool file_print_equal(const struct file_print *a, const struct file_print *b);

/* Reads a private key or another secret into secret memory (release with secret_free). Refuses what
 * is not a regular file, and a file that group or others may access. A credential of the service
 * manager (base/credential_dir.h) may have any mode, since the service manager protects its
 * folder. */
enum result file_read_secret(
    const char *path, size_t limit, void **out, size_t *size, struct fault *fault) WARN_UNUSED;
