/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/listen_address.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool parse_port(const char *text, in_port_t *out)
{
    const size_t size = strspn(text, "0123456789");
    if (size == 0 || size > 5 || text[size] || (size > 1 && text[0] == '0'))
        return false;
    const unsigned long port = strtoul(text, NULL, 10);
    *out = htons((uint16_t)port);
    return port <= UINT16_MAX;
}

bool listen_address_parse(const char *text, struct listen_address *out)
{
    *out = (struct listen_address){0};
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN + 2]; /* with brackets */
    const size_t size = colon ? (size_t)(colon - text) : 0;
    in_port_t port;
    if (size == 0 || size >= sizeof(host) || !parse_port(colon + 1, &port))
        return false;
    memcpy(host, text, size);
    host[size] = '\0';
    if (host[0] != '[') {
        out->size = sizeof(out->socket.in);
        out->socket.in.sin_family = AF_INET;
        out->socket.in.sin_port = port;
        return inet_pton(AF_INET, host, &out->socket.in.sin_addr) == 1;
    }
    if (host[size - 1] != ']')
        return false;
    host[size - 1] = '\0';
    out->size = sizeof(out->socket.in6);
    out->socket.in6.sin6_family = AF_INET6;
    out->socket.in6.sin6_port = port;
    return inet_pton(AF_INET6, host + 1, &out->socket.in6.sin6_addr) == 1;
}

bool listen_address_is_local(const struct listen_address *address)
{
    if (address->socket.any.sa_family == AF_INET)
        return ntohl(address->socket.in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    const struct in6_addr *in6 = &address->socket.in6.sin6_addr;
    return address->socket.any.sa_family == AF_INET6 &&
           (IN6_IS_ADDR_LOOPBACK(in6) ||
               (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == IN_LOOPBACKNET));
}
