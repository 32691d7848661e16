/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks for a secret in the memory of a process, in whatever form a part of it may have stayed. */
#pragma once

#include <sys/types.h>

#include "base/bytes.h"

#define SEARCH_WORD        8 /* chance finds 64 bits in 2^24 octets once in 2^40 tries */
#define SEARCH_TEXT        12
#define SEARCH_NEEDLES_MAX 96
#define SEARCH_START_BITS  16
#define SEARCH_REGIONS_MAX 4096

/* What to look for. Any 16 consecutive octets of the secret contain one of them: as they are, in
 * reverse, in words of 32 bits that are reversed, or as text in base64 or hex. So do its limbs of
 * 52 bits, of a number. Release with free(3). */
struct needles {
    size_t count;
    struct needle {
        uint8_t octets[SEARCH_TEXT];
        size_t size;
    } needle[SEARCH_NEEDLES_MAX];
    uint64_t front[2]; /* the first octets of the secret, and of the reversed one */
    bool may_start[1 << SEARCH_START_BITS];
};

/* SIZE: 48 octets at most, and a multiple of SEARCH_WORD. */
struct needles *needles_of(const uint8_t *secret, size_t size);
/* How often needles are in the octets. */
size_t needles_count(struct bytes in, const struct needles *needles);

uint64_t search_word(const uint8_t octets[SEARCH_WORD]);
/* BITS bits of a hash. */
size_t search_hash(uint64_t word, unsigned bits);

/* A copy of memory, without the pages that are all zeros; to be released. */
struct memory {
    size_t count;
    struct bytes region[SEARCH_REGIONS_MAX];
    bool is_secret[SEARCH_REGIONS_MAX]; /* locked, and left out of core dumps (lo, dd) */
};

/* All that the process has mapped and may read. False when we may not look. */
bool memory_read(pid_t pid, struct memory *out);
/* All that was written to the memfd, as memory that is not secret. */
void memory_read_file(int fd, struct memory *out);
void memory_release(struct memory *memory);
/* Whether memory_read reads daemons too, else a line says why not: only root may, and a sanitizer's
 * own memory is too much to search. */
bool memory_may_be_read(void);
