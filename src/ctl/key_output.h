/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a key into a file that only its owner can read. Functions that return an int return the
 * exit status, and print what is wrong if that is not STATUS_DONE. */
#pragma once

#include "base/bytes.h"

struct key_output {
    const char *path;
    char *draft; /* the name of the file until the key is in it; NULL: no file is wanted */
    int fd;
};

/* Creates the file. A file that is at PATH already is replaced only when the key is written. With a
 * PATH of NULL no file is wanted, and key_output_write does nothing. */
int key_output_open(const char *path, struct key_output *out) WARN_UNUSED;
int key_output_write(struct key_output *file, struct bytes key) WARN_UNUSED;
void key_output_release(struct key_output *file);
