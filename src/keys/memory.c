/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keys/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

#define SEALS     (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define SEAL_EXEC 0x0020 /* comes with MFD_NOEXEC_SEAL */

#define BACK_STEP (256U * 1024)

static int create(void)
{
    static const char name[] = "e2ekeyd-keys";
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd;
}

enum result key_memory_new(uint64_t size, int *fd, struct fault *fault)
{
    int made AUTO_CLOSE = create();
    if (made < 0 || ftruncate(made, (off_t)size) != 0 || fcntl(made, F_ADD_SEALS, SEALS) != 0)
        return fault_set(
            fault, RESULT_SYSTEM_ERROR, "cannot create memory for the keys: %s", strerror(errno));
    *fd = TAKE_FD(made);
    return RESULT_OK;
}

/* A memfd has seals, and no name in a file system. */
static bool is_file_of_memory(int fd, struct stat *status)
{
    return fcntl(fd, F_GET_SEALS) >= 0 && fstat(fd, status) == 0 && S_ISREG(status->st_mode) &&
           status->st_nlink == 0;
}

enum result key_memory_check(int fd, struct fault *fault)
{
    struct stat status;
    int mode = fcntl(fd, F_GETFL), seals = fcntl(fd, F_GET_SEALS);
    if (!is_file_of_memory(fd, &status))
        return fault_set(fault, RESULT_BAD_INPUT, "it is not a memfd");
    if ((mode & O_ACCMODE) != O_RDWR || (seals & ~SEAL_EXEC) != SEALS)
        return fault_set(fault, RESULT_BAD_INPUT, "its seals are not those of ours");
    if (status.st_uid != geteuid())
        return fault_set(fault, RESULT_BAD_INPUT, "user %u made it, and we are user %u",
            (unsigned)status.st_uid, (unsigned)geteuid());
    return RESULT_OK;
}

/* Without this, a write that finds no memory would end the process (SIGBUS). */
bool key_memory_back(int fd, uint64_t *backed, uint64_t end)
{
    struct stat status;
    if (end <= *backed)
        return true;
    if (fstat(fd, &status) != 0)
        return false;
    uint64_t size = (uint64_t)status.st_size;
    uint64_t to = end - *backed < BACK_STEP ? *backed + BACK_STEP : end;
    to = to < size ? to : size;
    int result;
    do
        result = fallocate(fd, 0, (off_t)*backed, (off_t)(to - *backed));
    while (result != 0 && errno == EINTR);
    if (result == 0)
        *backed = to;
    return result == 0;
}

uint64_t key_memory_written(int fd, uint64_t start, uint64_t end)
{
    off_t hole = lseek(fd, (off_t)start, SEEK_HOLE);
    if (hole < 0 || (uint64_t)hole < start)
        return start;
    return (uint64_t)hole < end ? (uint64_t)hole : end;
}

static void overwrite(int fd, off_t from, off_t to)
{
    static const char zeros[64 * 1024];
    while (from < to) {
        size_t size = to - from < (off_t)sizeof(zeros) ? (size_t)(to - from) : sizeof(zeros);
        ssize_t done = pwrite(fd, zeros, size, from);
        if (done <= 0 && errno != EINTR)
            return;
        from += done > 0 ? done : 0;
    }
}

void key_memory_wipe(int fd)
{
    struct stat status;
    off_t hole = 0, data;
    if (!is_file_of_memory(fd, &status))
        return;
    while ((data = lseek(fd, hole, SEEK_DATA)) >= 0 && (hole = lseek(fd, data, SEEK_HOLE)) > data)
        overwrite(fd, data, hole);
    (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, status.st_size);
}
