/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/listen_address.h"

#define UNIX "unix:"

static bool describe_unix(const struct listen_address *address, struct listener *out)
{
    size_t start = offsetof(struct sockaddr_un, sun_path);
    /* The path need not end in a NUL. */
    int most = address->size > start ? (int)(address->size - start) : 0;
    int length = snprintf(
        out->address, sizeof(out->address), UNIX "%.*s", most, address->socket.un.sun_path);

    out->is_unix = out->is_local = true;
    return length > 0 && (size_t)length < sizeof(out->address);
}

/* False when FD is bound neither to an internet address nor to a Unix one. */
static bool describe(int fd, struct listener *out)
{
    char host[INET6_ADDRSTRLEN + 16], port[8]; /* a scope may follow the address */
    struct listen_address address = {.size = sizeof(address.socket)};
    const struct sockaddr *any = &address.socket.any;

    if (getsockname(fd, &address.socket.any, &address.size) != 0)
        return false;
    if (any->sa_family == AF_UNIX)
        return describe_unix(&address, out);
    if ((any->sa_family != AF_INET && any->sa_family != AF_INET6) ||
        getnameinfo(any, address.size, host, sizeof(host), port, sizeof(port),
            NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return false;
    bool is_in6 = any->sa_family == AF_INET6;
    int length =
        snprintf(out->address, sizeof(out->address), is_in6 ? "[%s]:%s" : "%s:%s", host, port);
    out->is_local = listen_address_is_local(&address);
    return length > 0 && (size_t)length < sizeof(out->address);
}

static bool bind_and_listen(int fd, const struct listen_address *address)
{
    const int on = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
        return false;
    if (address->socket.any.sa_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
        return false;
    return bind(fd, &address->socket.any, address->size) == 0 && listen(fd, SOMAXCONN) == 0;
}

static enum result open_unix(
    const char *path, mode_t mode, gid_t group, struct listener *out, struct fault *fault)
{
    TRY(socket_listen(path, mode, group, &out->fd, &out->file, fault));
    return describe(out->fd, out)
               ? RESULT_OK
               : fault_set(fault, RESULT_SYSTEM_ERROR, "%s: %s", path, strerror(errno));
}

void listener_remove_file(struct listener *listener)
{
    socket_remove(&listener->file);
}

enum result listener_open(
    const char *text, mode_t mode, gid_t group, struct listener *out, struct fault *fault)
{
    struct listen_address address;

    *out = (struct listener){.fd = -1};
    if (strncmp(text, UNIX, strlen(UNIX)) == 0)
        return open_unix(text + strlen(UNIX), mode, group, out, fault);
    if (!listen_address_parse(text, &address))
        return fault_set(fault, RESULT_BAD_CONFIGURATION,
            "%s: not an address and port, such as 127.0.0.1:8383 or [::1]:8383", text);
    int fd AUTO_CLOSE = socket(
        address.socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (fd < 0 || !bind_and_listen(fd, &address) || !describe(fd, out))
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

    *out = (struct listener){.fd = -1};
    if (!has_option(fd, SO_TYPE, SOCK_STREAM) || !has_option(fd, SO_ACCEPTCONN, 1) ||
        !describe(fd, out))
        return fault_set(fault, RESULT_BAD_CONFIGURATION,
            "inherited file descriptor %d is not a listening stream socket", fd);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "%s: %s", out->address, strerror(errno));
    out->fd = TAKE_FD(owned);
    return RESULT_OK;
}
