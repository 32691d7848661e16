/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listening Unix sockets, and their files. */
#pragma once

#include <sys/types.h>

#include "base/fault.h"

struct socket_file {
    char *path; /* NULL: not ours to remove */
    dev_t device;
    ino_t inode;
};

/* Listens at PATH, with MODE and GROUP ((gid_t)-1: whichever it gets). A socket on which nobody
 * answers is replaced; anything else that is there is a fault with the path. */
enum result socket_listen(const char *path, mode_t mode, gid_t group, int *fd,
    struct socket_file *file, struct fault *fault) WARN_UNUSED;
/* Makes a listening socket from the service manager non-blocking, and not inherited by children. */
enum result socket_adopt(int fd, struct fault *fault) WARN_UNUSED;

/* Unlinks the socket, unless another one has replaced it, and releases FILE. */
void socket_remove(struct socket_file *file);
