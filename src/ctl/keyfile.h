/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A key into a file that its owner alone can read. Functions return the exit status, having said
 * what is wrong. */
#pragma once

#include "base/bytes.h"

struct key_file {
    const char *path;
    char *draft; /* what it is called until it is whole; NULL: none is asked for */
    int fd;
};

/* PATH NULL: no file, and the rest does nothing. Anything at PATH stays until the key is written.
 */
int key_file_open(const char *path, struct key_file *out) WARN_UNUSED;
int key_file_write(struct key_file *file, struct bytes key) WARN_UNUSED;
void key_file_release(struct key_file *file);
