/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secret memory: locked into RAM, kept out of core dumps, between guard pages, wiped on release. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fault.h"
#include "base/wipe.h"

/* No core dumps, no ptrace by the same user (PR_SET_DUMPABLE 0), and the arena of secret_alloc and
 * a stack of secret_call in place, so that a limit too low is said here. Call once, first thing. */
enum result secret_harden_process(struct fault *fault) WARN_UNUSED;

/* One mapping of SIZE octets, zeroed. FAULT says which limit to raise (LimitMEMLOCK=, ulimit -l).
 * For tables; small things come from secret_alloc. Release wipes. */
enum result secret_map(size_t size, void **out, struct fault *fault) WARN_UNUSED;
void secret_unmap(void *mapping, size_t size);

/* The same of the file FD (of memory: memfd_create(2)) from OFFSET on, shared, with what is there.
 * secret_leave releases without wiping: for who maps it next. */
enum result secret_map_file(int fd, off_t offset, size_t size, void **out, struct fault *fault)
    WARN_UNUSED;
void secret_leave(void *mapping, size_t size);

/* Small secrets (private keys, exported keys in hand), zeroed, from one shared arena of 1 MiB.
 * NULL when it is full. Thread-safe. */
void *secret_alloc(size_t size) WARN_UNUSED;
void secret_free(void *secret); /* wipes; NULL is fine */
DEFINE_CLEANUP(void *, secret_free)

/* Calls FUNCTION on a stack of secret memory, which is wiped when it returns: for computing with a
 * secret, of which a compiler or a library leaves parts in its frames. FUNCTION finds 32 KiB there
 * and calls no secret_call itself. Thread-safe; where all stacks are in use, it waits for one.
 * RESULT_NO_MEMORY, and FUNCTION was not called: only where there is not a single stack, which
 * secret_harden_process sees to. */
enum result secret_call(void (*function)(void *), void *context) WARN_UNUSED;

enum result secret_random(void *out, size_t size) WARN_UNUSED; /* getrandom(2) */
