/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

DEFINE_CLEANUP(struct addrinfo *, freeaddrinfo)

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_storage storage;
};

static bool is_local(const union address *address)
{
    if (address->any.sa_family == AF_INET)
        return ntohl(address->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
}

/* False when FD is not bound to an internet address. */
static bool describe(int fd, struct listener *out)
{
    char host[INET6_ADDRSTRLEN + 16], port[8]; /* a scope may follow the address */
    union address address = {0};
    socklen_t size = sizeof(address);

    if (getsockname(fd, &address.any, &size) != 0 ||
        (address.any.sa_family != AF_INET && address.any.sa_family != AF_INET6) ||
        getnameinfo(&address.any, size, host, sizeof(host), port, sizeof(port),
            NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return false;
    bool is_in6 = address.any.sa_family == AF_INET6;
    int length =
        snprintf(out->address, sizeof(out->address), is_in6 ? "[%s]:%s" : "%s:%s", host, port);
    out->is_local = is_local(&address);
    return length > 0 && (size_t)length < sizeof(out->address);
}

/* "127.0.0.1:8383" or "[::1]:8383". */
static bool resolve(const char *text, struct addrinfo **out)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
        .ai_socktype = SOCK_STREAM,
    };
    char host[LISTEN_ADDRESS_OCTETS];
    const char *colon = strrchr(text, ':');
    size_t size = colon ? (size_t)(colon - text) : 0;
    bool is_in6 = size > 2 && text[0] == '[' && text[size - 1] == ']';

    if (size == 0 || size >= sizeof(host) || colon[1] == '\0')
        return false;
    memcpy(host, text, size);
    host[is_in6 ? size - 1 : size] = '\0';
    return getaddrinfo(host + is_in6, colon + 1, &hints, out) == 0;
}

static bool bind_and_listen(int fd, const struct addrinfo *address)
{
    const int on = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
        return false;
    if (address->ai_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
        return false;
    return bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0;
}

enum result listener_open(const char *text, struct listener *out, struct fault *fault)
{
    struct addrinfo *address CLEANUP(auto_freeaddrinfo) = NULL;

    out->fd = -1;
    if (!resolve(text, &address))
        return fault_set(fault, RESULT_BAD_CONFIGURATION,
            "%s: not an address and port, such as 127.0.0.1:8383 or [::1]:8383", text);
    int fd AUTO_CLOSE =
        socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (fd < 0 || !bind_and_listen(fd, address) || !describe(fd, out))
        return fault_set(
            fault, RESULT_SYSTEM_ERROR, "%s: cannot listen: %s", text, strerror(errno));
    out->fd = TAKE_FD(fd);
    return RESULT_OK;
}

static bool has_option(int fd, int option, int wanted)
{
    int value = 0;
    socklen_t size = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == wanted;
}

enum result listener_adopt(int fd, struct listener *out, struct fault *fault)
{
    int owned AUTO_CLOSE = fd;

    out->fd = -1;
    if (!has_option(fd, SO_TYPE, SOCK_STREAM) || !has_option(fd, SO_ACCEPTCONN, 1) ||
        !describe(fd, out))
        return fault_set(fault, RESULT_BAD_CONFIGURATION,
            "inherited file descriptor %d is not a listening TCP socket", fd);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "%s: %s", out->address, strerror(errno));
    out->fd = TAKE_FD(owned);
    return RESULT_OK;
}
