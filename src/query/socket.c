/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define SOCKET_MODE 0660

static enum result fail(struct fault *fault, const char *path, const char *what)
{
    return fault_set(fault, RESULT_SYSTEM_ERROR, "%s: %s: %s", path, what, strerror(errno));
}

static enum result address_of(const char *path, struct sockaddr_un *out, struct fault *fault)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(out->sun_path))
        return fault_set(fault, RESULT_BAD_CONFIGURATION,
            "%s: longer than the %zu characters "
            "of a socket's address",
            path, sizeof(out->sun_path) - 1);
    memcpy(out->sun_path, path, strlen(path) + 1);
    return RESULT_OK;
}

/* Clears the way for a new socket at PATH. */
static enum result replace_stale(
    const char *path, const struct sockaddr_un *address, struct fault *fault)
{
    struct stat status;
    if (lstat(path, &status) < 0)
        return errno == ENOENT ? RESULT_OK : fail(fault, path, "cannot look at it");
    if (!S_ISSOCK(status.st_mode))
        return fault_set(fault, RESULT_SYSTEM_ERROR, "%s: is there, and is not a socket", path);

    AUTO_CLOSE int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return fail(fault, path, "socket");
    if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "%s: another process answers there", path);
    if (errno != ECONNREFUSED)
        return fail(fault, path, "cannot tell whether anyone answers there");
    return unlink(path) == 0 ? RESULT_OK : fail(fault, path, "cannot remove the old socket");
}

/* The mode is on the socket before it has a name, so that no one gets in by a wider one first;
 * umask may have narrowed it, which chmod puts right. */
static enum result bind_at(
    int fd, const char *path, const struct sockaddr_un *address, struct fault *fault)
{
    if (fchmod(fd, SOCKET_MODE) < 0)
        return fail(fault, path, "fchmod");
    if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
        return fail(fault, path, "cannot bind");
    if (chmod(path, SOCKET_MODE) < 0)
        return fail(fault, path, "cannot set the mode");
    return listen(fd, SOMAXCONN) == 0 ? RESULT_OK : fail(fault, path, "cannot listen");
}

static enum result remember(const char *path, struct socket_place *place, struct fault *fault)
{
    struct stat status;
    if (lstat(path, &status) < 0)
        return fail(fault, path, "cannot look at it");
    place->device = status.st_dev;
    place->inode = status.st_ino;
    place->path = strdup(path);
    return place->path ? RESULT_OK : fault_set(fault, RESULT_NO_MEMORY, "out of memory");
}

enum result socket_listen(
    const char *path, int *out, struct socket_place *place, struct fault *fault)
{
    struct sockaddr_un address;
    enum result result = address_of(path, &address, fault);
    if (result == RESULT_OK)
        result = replace_stale(path, &address, fault);
    if (result != RESULT_OK)
        return result;

    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(fault, path, "socket");
    result = bind_at(fd, path, &address, fault);
    if (result == RESULT_OK)
        result = remember(path, place, fault);
    if (result == RESULT_OK)
        *out = TAKE_FD(fd);
    return result;
}

enum result socket_adopt(int fd, struct fault *fault)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return fault_set(
            fault, RESULT_SYSTEM_ERROR, "the key socket that was handed in: %s", strerror(errno));
    return RESULT_OK;
}

void socket_remove(struct socket_place *place)
{
    struct stat status;
    if (place->path && lstat(place->path, &status) == 0 && status.st_dev == place->device &&
        status.st_ino == place->inode)
        unlink(place->path);
    free(place->path);
    *place = (struct socket_place){0};
}
