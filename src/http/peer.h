/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who sent a request as far as the transport shows it: to be fair among senders, never to trust
 * one. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "policy/policy.h"

#define PEER_OCTETS 33
#define PEER_LINES  8 /* of one header, the last ones: only what stands last counts */

/* Opaque octets, the same for one sender; none: unknown. */
struct peer {
    uint8_t octets[PEER_OCTETS];
    size_t size;
};

/* An address that a connection comes from, or that a proxy names. */
struct peer_address {
    bool is_unix;
    struct in6_addr in6; /* IPv4 as ::ffff:a.b.c.d */
};

/* The lines of one header, in the order in which they came; borrowed. */
struct peer_lines {
    const char *line[PEER_LINES];
    size_t count;
};
void peer_lines_add(struct peer_lines *lines, const char *value);

/* False for a family other than IPv4, IPv6 and Unix. */
bool peer_address_read(const struct sockaddr *from, struct peer_address *out);

/* Replaces ADDRESS, where it is one of a trusted proxy of HTTP, by that of the sender for whom the
 * proxy speaks: the last one in FORWARDED (RFC 7239) or else in X_FORWARDED_FOR that is no trusted
 * proxy. ADDRESS stays where the proxy says nothing, something malformed, or a different sender in
 * each of the headers: a proxy that writes the one may let the client's own lines of the other
 * pass. */
void peer_look_behind(const struct policy_http *http, const struct peer_lines *forwarded,
    const struct peer_lines *x_forwarded_for, struct peer_address *address);

/* An IPv6 host can take each of the 2^64 addresses of its network, which therefore count as one. */
void peer_of_address(const struct peer_address *address, struct peer *out);
/* DER: the certificate. */
void peer_of_certificate(struct bytes der, struct peer *out);
