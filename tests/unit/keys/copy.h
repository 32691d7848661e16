/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another file of memory with the same content, holes included, and the same seals. */
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static inline int copy_of(int fd)
{
    char octets[4096];
    off_t size = lseek(fd, 0, SEEK_END), at = 0;
    int copy = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (copy < 0 || ftruncate(copy, size) != 0)
        return -1;
    while ((at = lseek(fd, at, SEEK_DATA)) >= 0) {
        ssize_t part = pread(fd, octets, sizeof(octets), at);
        if (part <= 0 || pwrite(copy, octets, (size_t)part, at) != part)
            break;
        at += part;
    }
    (void)fcntl(copy, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    return copy;
}
