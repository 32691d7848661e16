/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A memfd (memfd_create(2)) of fixed size, sealed so that nobody can truncate it while we have it
 * mapped. Parts that were not written are holes and take no memory. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

enum result key_memory_new(uint64_t size, int *fd, struct fault *fault) WARN_UNUSED;
/* RESULT_BAD_INPUT unless FD is such a memfd that our user has made. */
enum result key_memory_check(int fd, struct fault *fault) WARN_UNUSED;

/* Allocates the memory from the offset *BACKED to END or beyond, so that writing there cannot fail,
 * and sets *BACKED to where it ends. False when memory is short. */
bool key_memory_back(int fd, uint64_t *backed, uint64_t end) WARN_UNUSED;
/* Returns the offset, END at most, behind which nothing has been written since START. */
uint64_t key_memory_written(int fd, uint64_t start, uint64_t end);
/* Overwrites all that was written, and frees the memory. Does nothing to a file that is no memfd.
 */
void key_memory_wipe(int fd);
