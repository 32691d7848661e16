/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secret memory: locked into RAM, kept out of core dumps, between guard pages, wiped on release. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fault.h"
#include "base/wipe.h"

/* Switches off core dumps and ptrace(2) by the same user (PR_SET_DUMPABLE 0), and maps the arena of
 * secret_alloc and a stack of secret_call, so that a limit of locked memory that is too low is
 * reported here. To be called once, before anything else. */
enum result secret_harden_process(struct fault *fault) WARN_UNUSED;

/* Maps SIZE octets, zeroed, for tables; small secrets come from secret_alloc. When the limit of
 * locked memory is too low, FAULT names what to raise (LimitMEMLOCK=, ulimit -l). secret_unmap
 * wipes. */
enum result secret_map(size_t size, void **out, struct fault *fault) WARN_UNUSED;
void secret_unmap(void *mapping, size_t size);

/* Maps SIZE octets of the memfd FD (memfd_create(2)) from OFFSET on, shared, with their content.
 * secret_leave unmaps without wiping, so that another process can map the content. */
enum result secret_map_file(int fd, off_t offset, size_t size, void **out, struct fault *fault)
    WARN_UNUSED;
void secret_leave(void *mapping, size_t size);

/* Returns SIZE octets, zeroed, of one shared arena of 1 MiB, which is for small secrets: private
 * keys, and keys that were just exported. NULL when the arena is full. Thread-safe. */
void *secret_alloc(size_t size) WARN_UNUSED;
void secret_free(void *secret); /* wipes; NULL is fine */
DEFINE_CLEANUP(void *, secret_free)

/* Calls FUNCTION on a stack of secret memory, which is wiped when it returns: compilers and
 * libraries leave parts of a secret in the frames of functions that compute with it. The stack has
 * 32 KiB; FUNCTION must not call secret_call itself. Thread-safe; waits while all stacks are in
 * use. RESULT_NO_MEMORY, without calling FUNCTION, when no stack can be mapped; after
 * secret_harden_process that cannot happen. */
enum result secret_call(void (*function)(void *), void *context) WARN_UNUSED;

/* Fills OUT with SIZE random octets of getrandom(2). RESULT_SYSTEM_ERROR. */
enum result secret_random(void *out, size_t size) WARN_UNUSED;
