/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the daemon's private keys are after many exchanges: in secret memory, and nowhere else. */
#include "support/check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "support/run.h"
#include "tls/context.h"

#define METERS      8
#define PENDING     500
#define ESTABLISHED 20
#define REFUSED     20
#define SCALAR      32
#define WORD        8 /* chance finds 64 bits in 2^24 octets once in 2^40 tries */
#define TEXT        12
#define NEEDLES_MAX 64
#define START_BITS  16
#define REGIONS_MAX 4096
#define POLICY                                                                                     \
    "{\"limits\":{\"pendingPerOriginator\":64,\"exchangeTimeout\":300},"                           \
    "\"http\":{\"tls\":{\"certificate\":\"http.pem\",\"privateKey\":\"http.key\"}}}"

/* --- what is looked for --- */

/* Any one of them gives a quarter of the key, or more. */
struct needles {
    size_t count;
    struct needle {
        uint8_t octets[TEXT];
        size_t size;
    } needle[NEEDLES_MAX];
    uint64_t front[2]; /* the key's first octets in both orders: for pairs */
    bool may_start[1 << START_BITS];
};

static uint64_t word_at(const uint8_t *octets)
{
    uint64_t word;
    memcpy(&word, octets, sizeof(word));
    return word;
}

static size_t hash(uint64_t word, unsigned bits)
{
    return (size_t)(word * UINT64_C(0x9e3779b97f4a7c15) >> (64 - bits));
}

static void add_needle(struct needles *needles, const void *octets, size_t size)
{
    struct needle *needle = &needles->needle[needles->count++];
    ck_assert_uint_le(needles->count, NEEDLES_MAX);
    memcpy(needle->octets, octets, size);
    needle->size = size;
    needles->may_start[hash(word_at(needle->octets), START_BITS)] = true;
}

/* Big-endian as files have it, little-endian as wolfCrypt computes with it; so in limbs of 64 bits,
 * whatever order they stand in. */
static void add_words(struct needles *needles, const uint8_t scalar[SCALAR])
{
    uint8_t reversed[SCALAR];
    for (size_t i = 0; i < SCALAR; i++)
        reversed[i] = scalar[SCALAR - 1 - i];
    for (size_t i = 0; i < SCALAR; i += WORD) {
        add_needle(needles, scalar + i, WORD);
        add_needle(needles, reversed + i, WORD);
    }
    needles->front[0] = word_at(scalar);
    needles->front[1] = word_at(reversed);
}

/* Limbs of 52 bits, as wolfCrypt's portable code has them. */
static void add_limbs_of_52(struct needles *needles, const uint8_t scalar[SCALAR])
{
    for (size_t bit = 0; bit + 52 <= SCALAR * 8; bit += 52) {
        uint64_t limb = 0;
        for (size_t i = 0; i < 52; i++) {
            size_t at = bit + i;
            limb |= (uint64_t)(scalar[SCALAR - 1 - at / 8] >> at % 8 & 1) << i;
        }
        add_needle(needles, &limb, sizeof(limb));
    }
}

/* From each third of the octets on, and from each end: a line may end between. */
static void add_texts(struct needles *needles, const uint8_t scalar[SCALAR])
{
    /* Characters that octets before have a part in. */
    static const size_t undecided[] = {0, 2, 3};
    char text[BASE64_OCTETS(SCALAR + 2) + 1], hex[2 * SCALAR + 1];

    for (size_t before = 0; before < 3; before++) {
        uint8_t octets[SCALAR + 2] = {0};
        memcpy(octets + before, scalar, SCALAR);
        base64_encode_text(bytes_of(octets, before + SCALAR), text);
        size_t whole = (before + SCALAR) / 3 * 4; /* and none of the octets behind has a part */
        add_needle(needles, text + undecided[before], TEXT);
        add_needle(needles, text + whole - TEXT, TEXT);
    }
    bytes_to_hex(bytes_of(scalar, SCALAR), hex);
    add_needle(needles, hex, TEXT);
    for (char *digit = hex; *digit; digit++)
        if (*digit >= 'a')
            *digit = (char)(*digit - 'a' + 'A');
    add_needle(needles, hex, TEXT);
}

static struct needles *needles_of(const uint8_t scalar[SCALAR])
{
    struct needles *needles = calloc(1, sizeof(*needles));
    ck_assert_ptr_nonnull(needles);
    add_words(needles, scalar);
    add_limbs_of_52(needles, scalar);
    add_texts(needles, scalar);
    return needles;
}

/* --- looking --- */

static size_t count_plain(struct bytes in, const struct needles *needles)
{
    size_t count = 0;
    for (; in.size >= WORD; in = bytes_of(in.data + 1, in.size - 1)) {
        if (!needles->may_start[hash(word_at(in.data), START_BITS)])
            continue;
        for (size_t i = 0; i < needles->count; i++) {
            const struct needle *needle = &needles->needle[i];
            count += in.size >= needle->size && memcmp(in.data, needle->octets, needle->size) == 0;
        }
    }
    return count;
}

/* Of random octets nearly all are: what a mask is, and what is masked with it. */
static bool is_random(const uint8_t octets[WORD])
{
    uint64_t seen[4] = {1}; /* zeros do not count */
    int distinct = 0;
    for (int i = 0; i < WORD; i++) {
        uint64_t bit = UINT64_C(1) << (octets[i] & 63), *set = &seen[octets[i] >> 6];
        distinct += (*set & bit) == 0;
        *set |= bit;
    }
    return distinct >= WORD - 2;
}

/* A set of words; 0 is in none. */
struct words {
    uint64_t *slots;
    unsigned bits; /* there are 2^bits slots */
};

static uint64_t *slot_of(const struct words *words, uint64_t word)
{
    size_t at = hash(word, words->bits);
    while (words->slots[at] && words->slots[at] != word)
        at = (at + 1) % ((size_t)1 << words->bits);
    return &words->slots[at];
}

/* From every place, aligned or not. Returns how many there are; WORDS may be NULL. */
static size_t fill(struct words *words, const struct bytes *in, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at + WORD <= in[i].size; at++)
            if (is_random(in[i].data + at)) {
                found++;
                if (words)
                    *slot_of(words, word_at(in[i].data + at)) = word_at(in[i].data + at);
            }
    return found;
}

static struct words words_of(const struct bytes *in, size_t count)
{
    struct words words = {.bits = 10};
    for (size_t found = fill(NULL, in, count); found > (size_t)1 << (words.bits - 1);)
        words.bits++;
    words.slots = calloc((size_t)1 << words.bits, sizeof(uint64_t));
    ck_assert_ptr_nonnull(words.slots);
    (void)fill(&words, in, count);
    return words;
}

/* How many words there are for which there is another one so that both give, by XOR, the key's
 * first word. */
static size_t count_pairs(const struct words *words, const struct needles *needles)
{
    size_t pairs = 0;
    for (size_t i = 0; i < (size_t)1 << words->bits; i++) {
        uint64_t word = words->slots[i];
        pairs += word && (*slot_of(words, word ^ needles->front[0]) ||
                             *slot_of(words, word ^ needles->front[1]));
    }
    return pairs;
}

/* --- the memory of a process --- */

struct memory {
    size_t count;
    struct bytes region[REGIONS_MAX];
    bool is_secret[REGIONS_MAX];
};

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
    ck_assert_uint_lt(out->count, REGIONS_MAX);
    out->is_secret[out->count] = is_secret;
    out->region[out->count++] = bytes_of(octets, without_empty_pages(octets, size));
}

/* False when we may not. */
static bool read_memory(pid_t pid, struct memory *out)
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

static void release_memory(struct memory *memory)
{
    for (size_t i = 0; i < memory->count; i++)
        free((void *)memory->region[i].data);
}

/* --- the search is one --- */

/* The same ones each time (xorshift). */
static void fill_random(uint8_t *octets, size_t size)
{
    static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        octets[i] = (uint8_t)(state >> 32);
    }
}

static bool holds_pairs(struct bytes in, const struct needles *needles)
{
    struct words words = words_of(&in, 1);
    size_t pairs = count_pairs(&words, needles);
    free(words.slots);
    return pairs > 0;
}

START_TEST(the_search_finds_a_key_in_any_dress)
{
    static uint8_t random[4096], octets[4096];
    uint8_t scalar[SCALAR];
    char text[BASE64_OCTETS(128) + 1];

    fill_random(scalar, sizeof(scalar));
    struct needles *needles = needles_of(scalar);
    const struct bytes all = bytes_of(octets, sizeof(octets));
    fill_random(random, sizeof(random));
    memcpy(octets, random, sizeof(octets));
    ck_assert_uint_eq(count_plain(all, needles), 0);
    ck_assert(!holds_pairs(all, needles));

    for (size_t at = 0; at < 128 - SCALAR; at++) {
        memcpy(octets, random, sizeof(octets));
        memcpy(octets + at, scalar, SCALAR);
        base64_encode_text(bytes_of(octets, 128), text);
        ck_assert_uint_eq(count_plain(bytes_of(octets, 128), needles), SCALAR / WORD);
        ck_assert_msg(count_plain(bytes_of_string(text), needles) >= 2, "in base64, at %zu", at);

        memcpy(octets, random, sizeof(octets));
        for (size_t i = 0; i < SCALAR; i++) /* masked here, with what stands there */
            octets[at + i] = scalar[i] ^ octets[1001 + i];
        ck_assert_uint_eq(count_plain(all, needles), 0);
        ck_assert(holds_pairs(all, needles));
    }
    memcpy(octets, random, sizeof(octets));
    for (size_t i = 0; i < SCALAR; i++)
        octets[3 + i] = scalar[SCALAR - 1 - i];
    ck_assert_uint_eq(count_plain(all, needles), SCALAR / WORD);
    for (size_t i = 0; i < SCALAR; i++)
        octets[3 + i] ^= octets[2000 + i];
    ck_assert_uint_eq(count_plain(all, needles), 0);
    ck_assert(holds_pairs(all, needles));
    free(needles);
}
END_TEST

/* --- the daemon --- */

static struct daemon daemon_;
static CURL *client;
static struct initiator_credential *meters[METERS];
static char names[METERS][24];
static struct run runs[PENDING];

static void read_scalar(const char *name, uint8_t scalar[SCALAR])
{
    struct buffer file AUTO_BUFFER = {0};
    gnutls_privkey_t key;
    gnutls_datum_t number;

    ck_assert_int_eq(file_read(daemon_file(&daemon_, "%s", name), 65536, &file, NULL), RESULT_OK);
    const gnutls_datum_t text = {file.data, (unsigned)file.size};
    ck_assert_int_eq(gnutls_privkey_init(&key), 0);
    ck_assert_int_eq(gnutls_privkey_import_x509_raw(key, &text, GNUTLS_X509_FMT_PEM, NULL, 0), 0);
    ck_assert_int_eq(
        gnutls_privkey_export_ecc_raw2(key, NULL, NULL, NULL, &number, GNUTLS_EXPORT_FLAG_NO_LZ),
        0);
    ck_assert_uint_le(number.size, SCALAR);
    memset(scalar, 0, SCALAR);
    memcpy(scalar + SCALAR - number.size, number.data, number.size);
    gnutls_free(number.data);
    gnutls_privkey_deinit(key);
}

static void refuse_some(void)
{
    for (size_t i = 0; i < REFUSED; i++) {
        struct http_answer answer;
        struct run run;

        run_open(&run, client, &daemon_, meters[0], names[0]);
        run.message3.data[run.message3.size - 1] ^= 1;
        run_send(client, &daemon_, RUN_UPDATE, run.path, names[0], "r", &run.message3, &answer);
        ck_assert_int_eq(answer.status / 100, 4);
        http_answer_release(&answer);
        run_end(&run);
    }
}

static void set_up(void)
{
    static char anchors[DAEMON_PATH_OCTETS];
    static struct http_tls tls;

    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon_, &(struct daemon_options){.policy = POLICY, .meters = METERS});
    snprintf(anchors, sizeof(anchors), "%s", daemon_file(&daemon_, "mcc-ca.pem"));
    tls = (struct http_tls){.anchors = anchors};
    http_use_tls(&tls);
    client = http_open();
    for (unsigned i = 0; i < METERS; i++) {
        snprintf(names[i], sizeof(names[i]), "meter-%u", i + 1);
        meters[i] = exchange_credential(&daemon_, names[i]);
        snprintf(names[i], sizeof(names[i]), "Cmeter-%u", i + 1);
    }
}

static void expect_secret(const char *const names_of_keys[], size_t count)
{
    static struct memory memory;
    static struct bytes open[REGIONS_MAX];
    size_t open_count = 0;

    ck_assert(read_memory(daemon_.pid, &memory));
    for (size_t i = 0; i < memory.count; i++)
        if (!memory.is_secret[i])
            open[open_count++] = memory.region[i];
    struct words words = words_of(open, open_count);
    for (size_t i = 0; i < count; i++) {
        const char *name = names_of_keys[i];
        uint8_t scalar[SCALAR];
        size_t secret = 0, plain = 0;
        read_scalar(name, scalar);
        struct needles *needles = needles_of(scalar);
        for (size_t j = 0; j < memory.count; j++)
            *(memory.is_secret[j] ? &secret : &plain) += count_plain(memory.region[j], needles);
        size_t pairs = count_pairs(&words, needles);
        ck_assert_msg(plain == 0, "%s: %zu parts of it in plain memory", name, plain);
        ck_assert_msg(pairs == 0, "%s: %zu words of plain memory are it, masked", name, pairs);
        ck_assert_msg(secret > 0, "%s: not even in secret memory: is this a search?", name);
        free(needles);
    }
    free(words.slots);
    release_memory(&memory);
}

/* A sanitizer's own memory is too much to search. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

static bool may_look(void)
{
    static struct memory memory;
    bool may = !IS_SANITIZED && geteuid() == 0 && read_memory(getpid(), &memory);

    release_memory(&memory);
    if (!may)
        printf("# only root can look into the daemon's memory, without a sanitizer\n");
    return may;
}

START_TEST(private_keys_are_in_secret_memory_alone)
{
    static const char *const keys[] = {"in-cse.key", "http.key"};

    if (!may_look())
        return;
    set_up();
    for (size_t i = 0; i < PENDING; i++)
        run_open(&runs[i], client, &daemon_, meters[i % METERS], names[i % METERS]);
    for (size_t i = 0; i < ESTABLISHED; i++)
        run_finish(&runs[i], client, &daemon_, RUN_UPDATE, NULL);
    refuse_some();
    expect_secret(keys, ARRAY_SIZE(keys));

    daemon_reload(&daemon_); /* new credentials; the old ones are for what is pending */
    expect_secret(keys, ARRAY_SIZE(keys));
    for (size_t i = ESTABLISHED; i < PENDING; i++)
        run_end(&runs[i]);
    for (size_t i = 0; i < METERS; i++)
        initiator_credential_free(meters[i]);
    http_close(client);
    daemon_stop(&daemon_);
}
END_TEST

CHECK_MAIN("private key memory", the_search_finds_a_key_in_any_dress,
    private_keys_are_in_secret_memory_alone)
