/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of memory (memfd_create(2)) of fixed size, sealed so that nobody can cut it short under
 * our mapping. Unwritten parts are holes, and cost nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

enum result key_memory_new(uint64_t size, int *fd, struct fault *fault) WARN_UNUSED;
/* RESULT_BAD_INPUT unless FD is such a file, and made by our user. */
enum result key_memory_check(int fd, struct fault *fault) WARN_UNUSED;

/* Promises memory for what is before END, so that writing there can't fail; it moves *BACKED. */
bool key_memory_back(int fd, uint64_t *backed, uint64_t end) WARN_UNUSED;
/* Where what was written from START on ends, at END at most. */
uint64_t key_memory_written(int fd, uint64_t start, uint64_t end);
/* Overwrites all that was written, and gives it back. What is no file of memory stays. */
void key_memory_wipe(int fd);
