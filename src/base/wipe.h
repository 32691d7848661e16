/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that is wiped before it is given back. */
#pragma once

#include <stddef.h>

void secret_wipe(void *memory, size_t size); /* the compiler does not optimise it away */

/* As malloc(3), realloc(3) and free(3); memory is wiped before it is freed or moved. Libraries that
 * take an allocator (wolfSSL, jansson) get these. */
void *wiping_malloc(size_t size);
void *wiping_realloc(void *memory, size_t size);
void wiping_free(void *memory);

/* How often this thread has got no memory from them. A parser may take that for malformed input, or
 * pass over it in silence: who compares the count before and after knows better. */
unsigned wiping_failures(void);
