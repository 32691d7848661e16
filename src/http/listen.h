/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listening sockets: our own and inherited ones. */
#pragma once

#include <stdbool.h>

#include "base/fault.h"
#include "base/socket.h"

#define LISTEN_ADDRESS_OCTETS 128

struct listener {
    int fd;                              /* -1: none */
    char address[LISTEN_ADDRESS_OCTETS]; /* "127.0.0.1:8383", "[::1]:8383", "unix:/run/x", as bound
                                          */
    bool is_unix;
    bool is_local;           /* no other host can reach it */
    struct socket_file file; /* of a Unix socket that we made */
};

/* Binds ADDRESS and listens: numeric, with a port (0 = any free one), or "unix:" and a path, which
 * gets MODE and GROUP. An IPv6 address does not accept IPv4 connections as well. */
enum result listener_open(const char *address, mode_t mode, gid_t group, struct listener *out,
    struct fault *fault) WARN_UNUSED;
/* Removes the file of a Unix socket that listener_open made. Does not close the descriptor. */
void listener_remove_file(struct listener *listener);
/* Takes over FD, which must be a listening stream socket of IPv4, IPv6 or Unix. */
enum result listener_adopt(int fd, struct listener *out, struct fault *fault) WARN_UNUSED;
