/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/search.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"

#define SECRET_MAX 48
#define TEXT_STEP  8 /* half a key is 20 whole characters of base64: one needle at least */

/* --- what is looked for --- */

uint64_t search_word(const uint8_t octets[SEARCH_WORD])
{
    uint64_t word;
    memcpy(&word, octets, sizeof(word));
    return word;
}

size_t search_hash(uint64_t word, unsigned bits)
{
    return (size_t)(word * UINT64_C(0x9e3779b97f4a7c15) >> (64 - bits));
}

static void add_needle(struct needles *needles, const void *octets, size_t size)
{
    ck_assert_uint_lt(needles->count, SEARCH_NEEDLES_MAX);
    struct needle *needle = &needles->needle[needles->count++];
    memcpy(needle->octets, octets, size);
    needle->size = size;
    needles->may_start[search_hash(search_word(needle->octets), SEARCH_START_BITS)] = true;
}

/* Big-endian as files have it, little-endian as wolfCrypt computes with it, so in limbs of 64 bits,
 * whatever order they stand in; and as the state of SHA-256 has it, in words of 32 bits. */
static void add_words(struct needles *needles, const uint8_t *secret, size_t size)
{
    uint8_t reversed[SECRET_MAX] = {0}, swapped[SECRET_MAX] = {0};
    for (size_t i = 0; i < size; i++) {
        reversed[i] = secret[size - 1 - i];
        swapped[i] = secret[i ^ 3];
    }
    for (size_t i = 0; i < size; i += SEARCH_WORD) {
        add_needle(needles, secret + i, SEARCH_WORD);
        add_needle(needles, reversed + i, SEARCH_WORD);
        add_needle(needles, swapped + i, SEARCH_WORD);
    }
    needles->front[0] = search_word(secret);
    needles->front[1] = search_word(reversed);
}

/* Limbs of 52 bits, as wolfCrypt's portable code has them. */
static void add_limbs_of_52(struct needles *needles, const uint8_t *secret, size_t size)
{
    for (size_t bit = 0; bit + 52 <= size * 8; bit += 52) {
        uint64_t limb = 0;
        for (size_t i = 0; i < 52; i++) {
            size_t at = bit + i;
            limb |= (uint64_t)(secret[size - 1 - at / 8] >> at % 8 & 1) << i;
        }
        add_needle(needles, &limb, sizeof(limb));
    }
}

static void add_text(struct needles *needles, const char *text, size_t size)
{
    for (size_t at = 0; at + SEARCH_TEXT <= size; at += TEXT_STEP)
        add_needle(needles, text + at, SEARCH_TEXT);
    add_needle(needles, text + size - SEARCH_TEXT, SEARCH_TEXT);
}

/* From each third of the octets on. */
static void add_base64(struct needles *needles, const uint8_t *secret, size_t size)
{
    /* Characters that octets before have a part in. */
    static const size_t undecided[] = {0, 2, 3};
    char text[BASE64_OCTETS(SECRET_MAX + 2) + 1];

    for (size_t before = 0; before < 3; before++) {
        uint8_t octets[SECRET_MAX + 2] = {0};
        memcpy(octets + before, secret, size);
        base64_encode_text(bytes_of(octets, before + size), text);
        size_t whole = (before + size) / 3 * 4; /* and none of the octets behind has a part */
        add_text(needles, text + undecided[before], whole - undecided[before]);
    }
}

static void add_hex(struct needles *needles, const uint8_t *secret, size_t size)
{
    char hex[2 * SECRET_MAX + 1];

    bytes_to_hex(bytes_of(secret, size), hex);
    add_text(needles, hex, 2 * size);
    for (char *digit = hex; *digit; digit++)
        if (*digit >= 'a')
            *digit = (char)(*digit - 'a' + 'A');
    add_text(needles, hex, 2 * size);
}

struct needles *needles_of(const uint8_t *secret, size_t size)
{
    struct needles *needles = calloc(1, sizeof(*needles));
    ck_assert_ptr_nonnull(needles);
    ck_assert(size <= SECRET_MAX && size % SEARCH_WORD == 0);
    add_words(needles, secret, size);
    add_limbs_of_52(needles, secret, size);
    add_base64(needles, secret, size);
    add_hex(needles, secret, size);
    return needles;
}

size_t needles_count(struct bytes in, const struct needles *needles)
{
    size_t count = 0;
    for (; in.size >= SEARCH_WORD; in = bytes_of(in.data + 1, in.size - 1)) {
        if (!needles->may_start[search_hash(search_word(in.data), SEARCH_START_BITS)])
            continue;
        for (size_t i = 0; i < needles->count; i++) {
            const struct needle *needle = &needles->needle[i];
            count += in.size >= needle->size && memcmp(in.data, needle->octets, needle->size) == 0;
        }
    }
    return count;
}

/* --- where --- */

/* Of a stack or a thread's heap most was never touched. */
static size_t without_empty_pages(uint8_t *octets, size_t size)
{
    static const uint8_t empty[4096];
    size_t kept = 0;
    for (size_t at = 0, page; at < size; at += page) {
        page = size - at < sizeof(empty) ? size - at : sizeof(empty);
        if (memcmp(octets + at, empty, page) == 0)
            continue;
        memmove(octets + kept, octets + at, page);
        kept += page;
    }
    return kept;
}

static void read_region(int fd, uint64_t start, uint64_t end, bool is_secret, struct memory *out)
{
    size_t size = (size_t)(end - start);
    uint8_t *octets = malloc(size + 1);
    ck_assert_ptr_nonnull(octets);
    ssize_t got = pread(fd, octets, size, (off_t)start);
    if (got < 0) { /* [vvar] */
        free(octets);
        return;
    }
    ck_assert_int_eq(got, (ssize_t)size); /* nothing is left out */
    ck_assert_uint_lt(out->count, SEARCH_REGIONS_MAX);
    out->is_secret[out->count] = is_secret;
    out->region[out->count++] = bytes_of(octets, without_empty_pages(octets, size));
}

bool memory_read(pid_t pid, struct memory *out)
{
    char path[64], line[512];
    uint64_t start = 0, end = 0, first, last;

    snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
    FILE *maps = fopen(path, "re");
    bool may = fd >= 0 && maps;
    out->count = 0;
    while (may && fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%lx ", &first, &last) == 2) {
            start = first;
            end = last;
        } else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " rd ")) {
            bool is_secret = strstr(line, " lo ") && strstr(line, " dd ");
            read_region(fd, start, end, is_secret, out);
        }
    }
    if (maps)
        fclose(maps);
    return may;
}

void memory_read_file(int fd, struct memory *out)
{
    off_t hole = 0, data;

    out->count = 0;
    while ((data = lseek(fd, hole, SEEK_DATA)) >= 0 && (hole = lseek(fd, data, SEEK_HOLE)) > data)
        read_region(fd, (uint64_t)data, (uint64_t)hole, false, out);
}

void memory_release(struct memory *memory)
{
    for (size_t i = 0; i < memory->count; i++)
        free((void *)memory->region[i].data);
    memory->count = 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

bool memory_may_be_read(void)
{
    static struct memory memory;
    bool may = !IS_SANITIZED && geteuid() == 0 && memory_read(getpid(), &memory);

    memory_release(&memory);
    if (!may)
        printf("# only root can look into the daemon's memory, without a sanitizer\n");
    return may;
}
