/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests/systemd/caller, to be preloaded: as on Linux before 6.5, a socket has no pidfd. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PEER_PIDFD 77

int getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
    if (level == SOL_SOCKET && name == PEER_PIDFD) {
        errno = ENOPROTOOPT;
        return -1;
    }
    return (int)syscall(SYS_getsockopt, fd, level, name, value, size);
}
