/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listening sockets: our own and inherited ones. */
#pragma once

#include <stdbool.h>

#include "base/fault.h"

#define LISTEN_ADDRESS_OCTETS 64

struct listener {
    int fd;                              /* -1: none */
    char address[LISTEN_ADDRESS_OCTETS]; /* "127.0.0.1:8383", "[::1]:8383", as bound */
    bool is_local;                       /* a loopback address, which no other host can reach */
};

/* Binds ADDRESS (numeric; port 0 = any free one) and listens. An IPv6 address does not accept IPv4
 * connections as well. */
enum result listener_open(const char *address, struct listener *out, struct fault *fault)
    WARN_UNUSED;
/* Takes over FD, which must be a listening stream socket of IPv4 or IPv6. */
enum result listener_adopt(int fd, struct listener *out, struct fault *fault) WARN_UNUSED;
