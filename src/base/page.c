/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/page.h"

#include <unistd.h>

size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

uint64_t whole_pages(uint64_t size)
{
    uint64_t page = page_size();

    return (size + page - 1) / page * page;
}
