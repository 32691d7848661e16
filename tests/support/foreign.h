/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A foreign initiator (tests/interop) as a child that talks by lines. */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "support/daemon.h"

struct foreign {
    pid_t pid;
    FILE *in, *out, *err; /* its standard streams */
    char *line;           /* the last one read */
    size_t capacity;
};

/* STACK: "openssl", "gnutls" or "mbedtls"; the credential NAME.pem and NAME.key of the daemon's
 * folder; ARGUMENTS: more, NULL at the end, or NULL. */
void foreign_start(struct foreign *foreign, const struct daemon *daemon, const char *stack,
    const char *name, const char *const *arguments);
/* Its next line without the newline, valid until the next call; fails the test at the end. */
const char *foreign_read(struct foreign *foreign);
void foreign_write(struct foreign *foreign, const char *line);
/* Closes its input and waits; the exit status. ERROR: its line on stderr, "" when it has none. */
int foreign_end(struct foreign *foreign, char *error, size_t error_size);
