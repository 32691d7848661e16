/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/wipe.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void secret_wipe(void *memory, size_t size)
{
    if (size > 0)
        explicit_bzero(memory, size);
}

static _Thread_local unsigned failures;

unsigned wiping_failures(void)
{
    return failures;
}

void *wiping_malloc(size_t size)
{
    void *memory = malloc(size);
    failures += !memory;
    return memory;
}

/* Always moves: realloc(3) would leave the old copy unwiped. */
void *wiping_realloc(void *memory, size_t size)
{
    void *moved = wiping_malloc(size);
    if (!moved || !memory)
        return moved;
    size_t old = malloc_usable_size(memory);
    memcpy(moved, memory, old < size ? old : size);
    wiping_free(memory);
    return moved;
}

void wiping_free(void *memory)
{
    if (!memory)
        return;
    explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}
