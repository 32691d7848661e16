/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses to listen on, as the policy writes them. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

/* An address as bind(2) and getsockname(2) take it. Its kind is any.sa_family. */
struct listen_address {
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } socket;
    socklen_t size; /* octets of SOCKET that bind(2) needs */
};

/* Reads "127.0.0.1:8383" or "[::1]:8383"; port 0 means any free one. Returns false for any other
 * text: for host names, scopes and ports with leading zeros too. */
bool listen_address_parse(const char *text, struct listen_address *out);

/* Returns whether only this host can reach ADDRESS: a loopback address, also one of IPv4 that is
 * mapped into IPv6 (RFC 4291 2.5.5.2). */
bool listen_address_is_local(const struct listen_address *address);
