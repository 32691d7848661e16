/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the daemon's private keys are after many exchanges: in secret memory, and nowhere else. */
#include "support/check_main.h"

#include <gnutls/abstract.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "support/run.h"
#include "support/search.h"
#include "tls/context.h"

#define METERS      8
#define PENDING     500
#define ESTABLISHED 20
#define REFUSED     20
#define SCALAR      32
#define POLICY                                                                                     \
    "{\"limits\":{\"pendingPerOriginator\":64,\"exchangeTimeout\":300},"                           \
    "\"http\":{\"tls\":{\"certificate\":\"http.pem\",\"privateKey\":\"http.key\"}}}"

/* --- looking --- */

/* Of random octets nearly all are: what a mask is, and what is masked with it. */
static bool is_random(const uint8_t octets[SEARCH_WORD])
{
    uint64_t seen[4] = {1}; /* zeros do not count */
    int distinct = 0;
    for (int i = 0; i < SEARCH_WORD; i++) {
        uint64_t bit = UINT64_C(1) << (octets[i] & 63), *set = &seen[octets[i] >> 6];
        distinct += (*set & bit) == 0;
        *set |= bit;
    }
    return distinct >= SEARCH_WORD - 2;
}

/* A set of words; 0 is in none. */
struct words {
    uint64_t *slots;
    unsigned bits; /* there are 2^bits slots */
};

static uint64_t *slot_of(const struct words *words, uint64_t word)
{
    size_t at = search_hash(word, words->bits);
    while (words->slots[at] && words->slots[at] != word)
        at = (at + 1) % ((size_t)1 << words->bits);
    return &words->slots[at];
}

/* From every place, aligned or not. Returns how many there are; WORDS may be NULL. */
static size_t fill(struct words *words, const struct bytes *in, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at + SEARCH_WORD <= in[i].size; at++)
            if (is_random(in[i].data + at)) {
                found++;
                if (words)
                    *slot_of(words, search_word(in[i].data + at)) = search_word(in[i].data + at);
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
    struct needles *needles = needles_of(scalar, SCALAR);
    const struct bytes all = bytes_of(octets, sizeof(octets));
    fill_random(random, sizeof(random));
    memcpy(octets, random, sizeof(octets));
    ck_assert_uint_eq(needles_count(all, needles), 0);
    ck_assert(!holds_pairs(all, needles));

    for (size_t at = 0; at < 128 - SCALAR; at++) {
        memcpy(octets, random, sizeof(octets));
        memcpy(octets + at, scalar, SCALAR);
        base64_encode_text(bytes_of(octets, 128), text);
        ck_assert_uint_eq(needles_count(bytes_of(octets, 128), needles), SCALAR / SEARCH_WORD);
        ck_assert_msg(needles_count(bytes_of_string(text), needles) >= 2, "in base64, at %zu", at);

        memcpy(octets, random, sizeof(octets));
        for (size_t i = 0; i < SCALAR; i++) /* masked here, with what stands there */
            octets[at + i] = scalar[i] ^ octets[1001 + i];
        ck_assert_uint_eq(needles_count(all, needles), 0);
        ck_assert(holds_pairs(all, needles));
    }
    memcpy(octets, random, sizeof(octets));
    for (size_t i = 0; i < SCALAR; i++)
        octets[3 + i] = scalar[SCALAR - 1 - i];
    ck_assert_uint_eq(needles_count(all, needles), SCALAR / SEARCH_WORD);
    for (size_t i = 0; i < SCALAR; i++)
        octets[3 + i] ^= octets[2000 + i];
    ck_assert_uint_eq(needles_count(all, needles), 0);
    ck_assert(holds_pairs(all, needles));
    free(needles);
}
END_TEST

/* Any half of it, be the rest gone, as it is or as text. */
START_TEST(the_search_finds_half_a_key)
{
    static uint8_t octets[128];
    uint8_t scalar[SCALAR];
    char base64[BASE64_OCTETS(128) + 1], hex[2 * 128 + 1];

    fill_random(scalar, sizeof(scalar));
    struct needles *needles = needles_of(scalar, SCALAR);
    for (size_t from = 0; from <= SCALAR / 2; from++)
        for (size_t at = 40; at < 43; at++) {
            fill_random(octets, sizeof(octets));
            memcpy(octets + at, scalar + from, SCALAR / 2);
            base64_encode_text(bytes_of(octets, 128), base64);
            bytes_to_hex(bytes_of(octets, 128), hex);
            ck_assert_uint_ge(needles_count(bytes_of(octets, 128), needles), 1);
            ck_assert_msg(
                needles_count(bytes_of_string(base64), needles) >= 1, "base64 from %zu", from);
            ck_assert_msg(needles_count(bytes_of_string(hex), needles) >= 1, "hex from %zu", from);
        }
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
    static struct bytes open[SEARCH_REGIONS_MAX];
    size_t open_count = 0;

    ck_assert(memory_read(daemon_.pid, &memory));
    for (size_t i = 0; i < memory.count; i++)
        if (!memory.is_secret[i])
            open[open_count++] = memory.region[i];
    struct words words = words_of(open, open_count);
    for (size_t i = 0; i < count; i++) {
        const char *name = names_of_keys[i];
        uint8_t scalar[SCALAR];
        size_t secret = 0, plain = 0;
        read_scalar(name, scalar);
        struct needles *needles = needles_of(scalar, SCALAR);
        for (size_t j = 0; j < memory.count; j++)
            *(memory.is_secret[j] ? &secret : &plain) += needles_count(memory.region[j], needles);
        size_t pairs = count_pairs(&words, needles);
        ck_assert_msg(plain == 0, "%s: %zu parts of it in plain memory", name, plain);
        ck_assert_msg(pairs == 0, "%s: %zu words of plain memory are it, masked", name, pairs);
        ck_assert_msg(secret > 0, "%s: not even in secret memory: is this a search?", name);
        free(needles);
    }
    free(words.slots);
    memory_release(&memory);
}

START_TEST(private_keys_are_in_secret_memory_alone)
{
    static const char *const keys[] = {"in-cse.key", "http.key"};

    if (!memory_may_be_read())
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

CHECK_MAIN("private key memory", the_search_finds_a_key_in_any_dress, the_search_finds_half_a_key,
    private_keys_are_in_secret_memory_alone)
