/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of memory, in which mmap(2) maps and mlock(2) locks. */
#pragma once

#include <stddef.h>
#include <stdint.h>

size_t page_size(void);              /* octets */
uint64_t whole_pages(uint64_t size); /* SIZE octets, rounded up to whole pages */
