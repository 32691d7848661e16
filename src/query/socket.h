/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The listening socket and its place in the file system. */
#pragma once

#include <sys/types.h>

#include "base/fault.h"

struct socket_place {
    char *path; /* NULL: not ours to remove */
    dev_t device;
    ino_t inode;
};

/* Listens at PATH, mode 0660. A socket on which nobody answers is replaced; anything else that is
 * there is a fault with the path. */
enum result socket_listen(
    const char *path, int *fd, struct socket_place *place, struct fault *fault) WARN_UNUSED;
/* Makes a listening socket of the service manager ready for the loop. */
enum result socket_adopt(int fd, struct fault *fault) WARN_UNUSED;

/* Unlinks the socket if it is still the one that was made here. */
void socket_remove(struct socket_place *place);
