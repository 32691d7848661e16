/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/file.h"
#include "x509/pem.h"

#define FIELD "tests/fuzz/field"

void must(bool condition)
{
    if (!condition)
        abort();
}

/* --- what would differ from run to run: the linker sends calls of X to __wrap_X --- */

#define STEP_S 20 /* from input to input, so that the log's limit of entries begins anew */

static uint64_t random_state;
static int64_t steady_s = 1000;

void fuzz_begin(void)
{
    fuzz_random_from(0);
    steady_s += STEP_S;
}

void fuzz_random_from(uint64_t phase)
{
    random_state = phase << 32;
}

void fuzz_pass(void)
{
    steady_s += 61;
}

/* SplitMix64 (Steele, Lea and Flood, 2014). */
static uint64_t next_random(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)out)[i] = (uint8_t)next_random();
    return (ssize_t)size;
}

#define DEFINE_CLOCK(name, value)                                                                  \
    int64_t __wrap_##name(void);                                                                   \
    int64_t __wrap_##name(void)                                                                    \
    {                                                                                              \
        return value;                                                                              \
    }

DEFINE_CLOCK(clock_wall_s, FUZZ_NOW_S)
DEFINE_CLOCK(clock_wall_us, FUZZ_NOW_S * 1000000)
DEFINE_CLOCK(clock_steady_s, steady_s)
DEFINE_CLOCK(clock_steady_ms, steady_s * 1000)
DEFINE_CLOCK(clock_steady_us, steady_s * 1000000)

/* An entry of the log, which goes nowhere, is one line of printable ASCII whatever was logged. */
ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size)
{
    const char *line = data;

    if (fd != STDERR_FILENO)
        return __real_write(fd, data, size);
    must(size > 0 && line[size - 1] == '\n');
    for (size_t i = 0; i + 1 < size; i++)
        must(line[i] >= ' ' && line[i] <= '~');
    return (ssize_t)size;
}

/* --- the input --- */

bool fuzz_take(struct bytes *in, struct bytes *piece)
{
    if (in->size == 0)
        return false;
    if (!bytes_take_block_16(in, piece)) {
        *piece = *in;
        *in = bytes_of(in->data + in->size, 0);
    }
    return true;
}

uint8_t fuzz_octet(struct bytes *in)
{
    uint8_t octet = 0;
    (void)!bytes_take_u8(in, &octet);
    return octet;
}

void fuzz_record(const char *name, struct bytes octets)
{
    const char *to = getenv("FUZZ_RECORD");
    char path[512];

    if (!to)
        return;
    snprintf(path, sizeof(path), "%s/%s", to, name);
    FILE *file = fopen(path, "wb");
    must(file && fwrite(octets.data, 1, octets.size, file) == octets.size && fclose(file) == 0);
}

/* --- the folder --- */

static char folder[64];

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void copy_field(void)
{
    DIR *field = opendir(FIELD);

    if (!field) {
        fprintf(stderr, FIELD " is not there: run this from the top of the source\n");
        exit(2);
    }
    for (const struct dirent *entry; (entry = readdir(field));) {
        struct buffer content AUTO_BUFFER = {0};
        char path[sizeof(FIELD) + 256];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), FIELD "/%s", entry->d_name);
        must(file_read(path, 65536, &content, NULL) == RESULT_OK);
        fuzz_write(entry->d_name, buffer_bytes(&content));
    }
    closedir(field);
}

const char *fuzz_path(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % ARRAY_SIZE(paths)];

    if (folder[0] == '\0') {
        const char *temporary = getenv("TMPDIR");
        snprintf(folder, sizeof(folder), "%s/fuzz.XXXXXX", temporary ? temporary : "/dev/shm");
        must(mkdtemp(folder) != NULL);
        atexit(remove_folder);
        copy_field();
    }
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

void fuzz_write(const char *name, struct bytes content)
{
    int fd AUTO_CLOSE = open(fuzz_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    must(fd >= 0 && __real_write(fd, content.data, content.size) == (ssize_t)content.size);
}

void fuzz_append(struct buffer *out, const char *text)
{
    must(buffer_append(out, text, strlen(text)) == RESULT_OK);
}

struct buffer fuzz_certificate(const char *name)
{
    struct buffer file AUTO_BUFFER = {0};
    struct buffer der = {.limit = 65536};

    must(file_read(fuzz_path(name), 65536, &file, NULL) == RESULT_OK);
    struct bytes text = buffer_bytes(&file);
    must(pem_next(&text, "CERTIFICATE", &der) == RESULT_OK);
    return der;
}
