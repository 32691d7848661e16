/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/credential_dir.h"
#include "base/secret.h"

static enum result system_fault(struct fault *fault, const char *path)
{
    return fault_set(fault, RESULT_SYSTEM_ERROR, "%s: %s", path, strerror(errno));
}

/* O_NONBLOCK, because opening a FIFO would wait for a writer. */
static enum result open_regular(
    const char *path, size_t limit, int *out, struct stat *status, struct fault *fault)
{
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, status) != 0)
        return system_fault(fault, path);
    if (!S_ISREG(status->st_mode))
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "%s: not a regular file", path);
    if ((uintmax_t)status->st_size > limit)
        return fault_set(
            fault, RESULT_BAD_CONFIGURATION, "%s: larger than %zu octets", path, limit);
    *out = TAKE_FD(fd);
    return RESULT_OK;
}

/* Reads all of a file of SIZE octets. DATA has room for one more, to see that nothing follows. */
static enum result read_whole(
    int fd, const char *path, void *data, size_t size, struct fault *fault)
{
    for (size_t done = 0;;) {
        ssize_t got = read(fd, (uint8_t *)data + done, size + 1 - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return system_fault(fault, path);
        done += (size_t)got;
        if (got == 0 && done == size)
            return RESULT_OK;
        if (got == 0 || done > size)
            return fault_set(fault, RESULT_SYSTEM_ERROR, "%s: changed while it was read", path);
    }
}

enum result file_read(const char *path, size_t limit, struct buffer *out, struct fault *fault)
{
    int fd AUTO_CLOSE = -1;
    struct stat status = {0};
    TRY(open_regular(path, limit, &fd, &status, fault));

    size_t size = (size_t)status.st_size;
    struct buffer content AUTO_BUFFER = {.limit = limit + 1};
    enum result result = buffer_reserve(&content, size + 1);
    if (result != RESULT_OK)
        return fault_set(fault, result, "%s: %s", path, result_text(result));
    TRY(read_whole(fd, path, content.data, size, fault));
    content.size = size;
    content.limit = limit;
    buffer_release(out);
    *out = content;
    content = (struct buffer){0};
    return RESULT_OK;
}

struct file_print file_print_of(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return (struct file_print){0};
    return (struct file_print){
        .device = status.st_dev,
        .inode = status.st_ino,
        .size = (uint64_t)status.st_size,
        .changed_ns = (int64_t)status.st_ctim.tv_sec * 1000000000 + status.st_ctim.tv_nsec,
    };
}

bool file_print_equal(const struct file_print *a, const struct file_print *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed_ns == b->changed_ns;
}

enum result file_read_secret(
    const char *path, size_t limit, void **out, size_t *size, struct fault *fault)
{
    int fd AUTO_CLOSE = -1;
    struct stat status = {0};
    TRY(open_regular(path, limit, &fd, &status, fault));
    if (status.st_mode & (S_IRWXG | S_IRWXO) && !credential_dir_has(path))
        return fault_set(fault, RESULT_BAD_CONFIGURATION,
            "%s: open to others (mode %03o): chmod 600 it", path, status.st_mode & 0777U);

    size_t whole = (size_t)status.st_size;
    void *content CLEANUP(auto_secret_free) = secret_alloc(whole + 1);
    if (!content)
        return fault_set(fault, RESULT_NO_MEMORY, "%s: no secret memory left", path);
    TRY(read_whole(fd, path, content, whole, fault));
    *out = TAKE_PTR(content);
    *size = whole;
    return RESULT_OK;
}
