/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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

/* Removes a socket at PATH on which nobody answers. */
static enum result replace_stale(
    const char *path, const struct sockaddr_un *address, struct fault *fault)
{
    struct stat status;
    if (lstat(path, &status) < 0)
        return errno == ENOENT ? RESULT_OK : fail(fault, path, "cannot look at it");
    if (!S_ISSOCK(status.st_mode))
        return fault_set(fault, RESULT_SYSTEM_ERROR, "%s: is there, and is not a socket", path);

    int probe AUTO_CLOSE = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return fail(fault, path, "socket");
    if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "%s: another process answers there", path);
    if (errno != ECONNREFUSED)
        return fail(fault, path, "cannot tell whether anyone answers there");
    return unlink(path) == 0 ? RESULT_OK : fail(fault, path, "cannot remove the old socket");
}

/* Nobody can connect before listen, by which time group and mode are right. umask may narrow the
 * mode at bind. */
static enum result bind_at(int fd, const char *path, const struct sockaddr_un *address, mode_t mode,
    gid_t group, struct fault *fault)
{
    if (fchmod(fd, mode) < 0)
        return fail(fault, path, "fchmod");
    if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
        return fail(fault, path, "cannot bind");
    if (group != (gid_t)-1 && lchown(path, (uid_t)-1, group) < 0)
        return fail(fault, path, "cannot set the group");
    if (chmod(path, mode) < 0)
        return fail(fault, path, "cannot set the mode");
    return listen(fd, SOMAXCONN) == 0 ? RESULT_OK : fail(fault, path, "cannot listen");
}

static enum result remember(const char *path, struct socket_file *file, struct fault *fault)
{
    struct stat status;
    if (lstat(path, &status) < 0)
        return fail(fault, path, "cannot look at it");
    file->device = status.st_dev;
    file->inode = status.st_ino;
    file->path = strdup(path);
    return file->path ? RESULT_OK : fault_set(fault, RESULT_NO_MEMORY, "out of memory");
}

enum result socket_listen(const char *path, mode_t mode, gid_t group, int *out,
    struct socket_file *file, struct fault *fault)
{
    struct sockaddr_un address;

    TRY(address_of(path, &address, fault));
    TRY(replace_stale(path, &address, fault));
    int fd AUTO_CLOSE = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(fault, path, "socket");
    TRY(bind_at(fd, path, &address, mode, group, fault));
    TRY(remember(path, file, fault));
    *out = TAKE_FD(fd);
    return RESULT_OK;
}

enum result socket_adopt(int fd, struct fault *fault)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return fault_set(
            fault, RESULT_SYSTEM_ERROR, "a socket that was handed in: %s", strerror(errno));
    return RESULT_OK;
}

void socket_remove(struct socket_file *file)
{
    struct stat status;
    if (file->path && lstat(file->path, &status) == 0 && status.st_dev == file->device &&
        status.st_ino == file->inode)
        unlink(file->path);
    free(file->path);
    *file = (struct socket_file){0};
}
