/* SPDX-License-Identifier: MIT */
#include "client/wire.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t wire_deadline(int timeout)
{
    return timeout < 0 ? INT64_MAX : now_ms() + timeout;
}

/* Returns how many milliseconds poll(2) may wait; -1 means for ever. */
static int remaining(int64_t deadline)
{
    if (deadline == INT64_MAX)
        return -1;
    int64_t left = deadline - now_ms();
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static int wait_for(const struct wire *wire, short events, int64_t deadline)
{
    struct pollfd poller = {.fd = wire->fd, .events = events};
    int ready = poll(&poller, 1, remaining(deadline));
    if (ready == 0)
        return ETIMEDOUT;
    return ready > 0 || errno == EINTR ? 0 : errno;
}

/* --- connecting --- */

int wire_connect(struct wire *wire, const char *path, int timeout)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    wire->fd = -1;
    size_t length = strlen(path);
    if (length >= sizeof(address.sun_path))
        return ENAMETOOLONG;
    memcpy(address.sun_path, path, length + 1);
    wire->size = wire->taken = 0;
    wire->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (wire->fd < 0)
        return errno;
    /* This bounds connect(), which waits while the daemon's queue is full. */
    struct timeval bound = {.tv_sec = timeout / 1000, .tv_usec = timeout % 1000 * 1000};
    if (timeout > 0)
        setsockopt(wire->fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound));
    int connected;
    do
        connected = connect(wire->fd, (const struct sockaddr *)&address, sizeof(address));
    while (connected < 0 && errno == EINTR);
    if (connected == 0)
        return 0;
    int error = errno == EAGAIN ? ETIMEDOUT : errno; /* SO_SNDTIMEO: unix(7) */
    wire_close(wire);
    return error;
}

void wire_close(struct wire *wire)
{
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
    explicit_bzero(wire->in, wire->size);
    wire->size = wire->taken = 0;
}

bool wire_is_stale(const struct wire *wire)
{
    struct pollfd poller = {.fd = wire->fd, .events = POLLIN};
    return wire->fd < 0 || wire->size > wire->taken || poll(&poller, 1, 0) != 0;
}

/* --- messages --- */

int wire_send(struct wire *wire, const char *message, int64_t deadline)
{
    size_t left = strlen(message) + 1;
    while (left > 0) {
        int error = wait_for(wire, POLLOUT, deadline);
        if (error != 0)
            return error;
        ssize_t sent = send(wire->fd, message, left, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return errno;
        if (sent > 0) {
            message += sent;
            left -= (size_t)sent;
        }
    }
    return 0;
}

static void forget_taken(struct wire *wire)
{
    size_t rest = wire->size - wire->taken;
    memmove(wire->in, wire->in + wire->taken, rest);
    explicit_bzero(wire->in + rest, wire->taken);
    wire->size = rest;
    wire->taken = 0;
}

static int read_more(struct wire *wire, int64_t deadline)
{
    if (wire->size == sizeof(wire->in))
        return EMSGSIZE;
    int error = wait_for(wire, POLLIN, deadline);
    if (error != 0)
        return error;
    ssize_t got =
        recv(wire->fd, wire->in + wire->size, sizeof(wire->in) - wire->size, MSG_DONTWAIT);
    if (got == 0)
        return ECONNRESET;
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : errno;
    wire->size += (size_t)got;
    return 0;
}

int wire_receive(struct wire *wire, int64_t deadline, char **message, size_t *size)
{
    forget_taken(wire);
    size_t searched = 0;
    const char *end;
    while (!(end = memchr(wire->in + searched, 0, wire->size - searched))) {
        searched = wire->size;
        int error = read_more(wire, deadline);
        if (error != 0)
            return error;
    }
    *message = wire->in;
    *size = (size_t)(end - wire->in);
    wire->taken = *size + 1;
    return 0;
}
