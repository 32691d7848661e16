/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/library.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "observe/log.h"

#define LINE_OCTETS 512
#define PAUSE_MS    100

/* Of a thread without connections that accept(2) failed for with EMFILE, ENFILE, ENOMEM or ENOBUFS;
 * with connections it stops accepting until one of them ends. It does not say this otherwise. */
#define BUSY_WAITING "Hit process or system resource limit at FIRST connection"

static _Thread_local char first_line[LINE_OCTETS]; /* since library_begin */

void library_begin(void)
{
    first_line[0] = '\0';
}

const char *library_reason(void)
{
    return first_line[0] != '\0' ? first_line : strerror(errno);
}

void library_log(void *context, const char *format, va_list arguments)
{
    char line[LINE_OCTETS];

    (void)context;
    if (vsnprintf(line, sizeof(line), format, arguments) < 0)
        return;
    line[strcspn(line, "\n")] = '\0';
    log_debug("HTTP: %s", line);
    if (first_line[0] == '\0')
        memcpy(first_line, line, sizeof(line));
    if (strncmp(line, BUSY_WAITING, strlen(BUSY_WAITING)) == 0)
        (void)poll(NULL, 0, PAUSE_MS);
}
