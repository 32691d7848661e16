/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys on a token of SoftHSM's: all signatures are good, from many threads and whatever else is
 * opened and closed meanwhile. */
#include "support/check_main.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include "token/token.h"
#include "x509/p256.h"

#define MODULE  "/usr/lib/softhsm/libsofthsm2.so"
#define PIN     "73571234"
#define THREADS 8
#define EACH    100
#define KEYS    2

static char folder[64];
static uint8_t points[KEYS][P256_POINT_OCTETS];

static void run(const char *format, ...) PRINTF(1, 2);
static void run(const char *format, ...)
{
    char command[1024];
    va_list values;

    va_start(values, format);
    vsnprintf(command, sizeof(command), format, values);
    va_end(values);
    ck_assert_msg(system(command) == 0, "%s", command); /* NOLINT(cert-env33-c,concurrency-*) */
}

static void write_text(const char *name, const char *text)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, 0600), 0);
}

static void make_key(unsigned number)
{
    char path[128];
    size_t size;
    EVP_PKEY *key = EVP_EC_gen("P-256");

    ck_assert_ptr_nonnull(key);
    ck_assert_int_eq(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, points[number],
                         sizeof(points[number]), &size),
        1);
    ck_assert_uint_eq(size, P256_POINT_OCTETS);
    snprintf(path, sizeof(path), "%s/key", folder);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    ck_assert_int_eq(fclose(file), 0);
    EVP_PKEY_free(key);
    run("softhsm2-util --import %s --token unit --label key-%u --id 0%u --pin " PIN " >/dev/null",
        path, number, number);
}

static void set_up(void)
{
    const char *temporary = getenv("TMPDIR");
    char text[128];

    snprintf(folder, sizeof(folder), "%s/token.XXXXXX", temporary ? temporary : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    run("mkdir %s/tokens", folder);
    snprintf(text, sizeof(text), "directories.tokendir = %s/tokens\nlog.level = ERROR\n", folder);
    write_text("softhsm2.conf", text);
    write_text("pin", PIN "\n");
    snprintf(text, sizeof(text), "%s/softhsm2.conf", folder);
    setenv("SOFTHSM2_CONF", text, 1);
    run("softhsm2-util --init-token --free --label unit --so-pin 12345678 --pin " PIN
        " >/dev/null");
    for (unsigned i = 0; i < KEYS; i++)
        make_key(i);
}

static void tear_down(void)
{
    run("rm -rf %s", folder);
}

static enum result open_key(unsigned label, unsigned point, struct token_key **out)
{
    char uri[256];

    snprintf(uri, sizeof(uri),
        "pkcs11:token=unit;object=key-%u?module-path=" MODULE "&pin-source=file:%s/pin", label,
        folder);
    return token_key_open(uri, bytes_of(points[point], sizeof(points[point])), out, NULL);
}

static void expect_signature(struct token_key *key, unsigned number, unsigned seed)
{
    uint8_t signature[ECDSA_SIGNATURE_OCTETS], digest[SHA256_OCTETS];
    size_t size = 0;

    memset(digest, 0, sizeof(digest));
    memcpy(digest, &seed, sizeof(seed));
    ck_assert_int_eq(
        token_key_sign(key, bytes_of(digest, sizeof(digest)), signature, &size), RESULT_OK);
    ck_assert(ecdsa_verify_digest(
        bytes_of(points[number], P256_POINT_OCTETS), digest, bytes_of(signature, size)));
}

/* Enough for numbers that begin with a zero octet, or with two: strict DER has none of those. */
START_TEST(every_signature_is_strict_der)
{
    struct token_key *key;

    set_up();
    ck_assert_int_eq(open_key(0, 0, &key), RESULT_OK);
    for (unsigned i = 0; i < 2000; i++)
        expect_signature(key, 0, i);
    token_key_close(key);
    tear_down();
}
END_TEST

static struct token_key *keys[KEYS];
static atomic_bool done;

static void *sign(void *number)
{
    uintptr_t thread = (uintptr_t)number;

    for (unsigned i = 0; i < EACH; i++)
        expect_signature(keys[thread % KEYS], thread % KEYS, (unsigned)thread * EACH + i);
    return NULL;
}

/* Those that fail restart the modules, under the keys that are in use. */
static void *open_and_close(void *unused)
{
    struct token_key *key;

    (void)unused;
    while (!atomic_load(&done)) {
        ck_assert_int_eq(open_key(0, 1, &key), RESULT_BAD_CONFIGURATION);    /* not that key */
        ck_assert_int_eq(open_key(KEYS, 0, &key), RESULT_BAD_CONFIGURATION); /* no such one */
        ck_assert_int_eq(open_key(1, 1, &key), RESULT_OK);
        token_key_close(key);
    }
    return NULL;
}

START_TEST(threads_sign_while_keys_are_opened_and_closed)
{
    pthread_t threads[THREADS], disturber;

    set_up();
    for (unsigned i = 0; i < KEYS; i++)
        ck_assert_int_eq(open_key(i, i, &keys[i]), RESULT_OK);
    ck_assert_int_eq(pthread_create(&disturber, NULL, open_and_close, NULL), 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sign, (void *)i), 0);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    atomic_store(&done, true);
    ck_assert_int_eq(pthread_join(disturber, NULL), 0);
    for (unsigned i = 0; i < KEYS; i++)
        token_key_close(keys[i]);
    tear_down();
}
END_TEST

CHECK_MAIN("token/token with threads", every_signature_is_strict_der,
    threads_sign_while_keys_are_opened_and_closed)
