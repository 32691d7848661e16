/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/key_output.h"

#include <fcntl.h>
#include <stdio.h>

#include "ctl/common.h"

int key_output_open(const char *path, struct key_output *out)
{
    *out = (struct key_output){.path = path, .fd = -1};
    if (!path)
        return STATUS_DONE;
    char *draft AUTO_FREE = NULL;
    if (asprintf(&draft, "%s.XXXXXX", path) < 0)
        return draft = NULL, fail(STATUS_USAGE, "out of memory");
    out->fd = mkostemp(draft, O_CLOEXEC); /* mode 0600 */
    if (out->fd < 0)
        return fail_write(path);
    out->draft = TAKE_PTR(draft);
    return STATUS_DONE;
}

int key_output_write(struct key_output *file, struct bytes key)
{
    if (!file->draft)
        return STATUS_DONE;
    if (!write_secret(file->fd, key) || fsync(file->fd) < 0 || rename(file->draft, file->path) < 0)
        return fail_write(file->path);
    free(TAKE_PTR(file->draft));
    return STATUS_DONE;
}

void key_output_release(struct key_output *file)
{
    if (file->draft)
        unlink(file->draft);
    free(file->draft);
    if (file->fd >= 0)
        close(file->fd);
}
