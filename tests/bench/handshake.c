/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The floor under an exchange: the same wolfSSL, over memory, with nothing of ours around it. */
#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include <check.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"

struct pipe {
    unsigned char octets[16384];
    int size, taken;
};

struct end {
    struct pipe *in, *out;
};

static int receive(WOLFSSL *ssl, char *out, int size, void *context)
{
    struct pipe *in = ((struct end *)context)->in;
    int count = in->size - in->taken;

    (void)ssl;
    if (count == 0)
        return WOLFSSL_CBIO_ERR_WANT_READ;
    if (count > size)
        count = size;
    memcpy(out, in->octets + in->taken, (size_t)count);
    in->taken += count;
    if (in->taken == in->size)
        in->taken = in->size = 0;
    return count;
}

static int deliver(WOLFSSL *ssl, char *data, int size, void *context)
{
    struct pipe *out = ((struct end *)context)->out;

    (void)ssl;
    if (size > (int)sizeof(out->octets) - out->size)
        return WOLFSSL_CBIO_ERR_GENERAL;
    memcpy(out->octets + out->size, data, (size_t)size);
    out->size += size;
    return size;
}

static WOLFSSL_CTX *context_of(
    WOLFSSL_METHOD *method, const struct daemon *daemon, const char *name)
{
    WOLFSSL_CTX *context = wolfSSL_CTX_new(method);

    ck_assert_ptr_nonnull(context);
    ck_assert_int_eq(
        wolfSSL_CTX_load_verify_locations(context, daemon_file(daemon, "field-ca.pem"), NULL),
        WOLFSSL_SUCCESS);
    ck_assert_int_eq(
        wolfSSL_CTX_use_certificate_chain_file(context, daemon_file(daemon, "%s.pem", name)),
        WOLFSSL_SUCCESS);
    ck_assert_int_eq(wolfSSL_CTX_use_PrivateKey_file(
                         context, daemon_file(daemon, "%s.key", name), WOLFSSL_FILETYPE_PEM),
        WOLFSSL_SUCCESS);
    ck_assert_int_eq(
        wolfSSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-SHA256"), WOLFSSL_SUCCESS);
    wolfSSL_CTX_set_verify(
        context, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    wolfSSL_CTX_set_group_messages(context);
    wolfSSL_CTX_SetIORecv(context, receive);
    wolfSSL_CTX_SetIOSend(context, deliver);
    return context;
}

static double thread_cpu_us(void)
{
    struct timespec used;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

/* One handshake; the server's share of the CPU time. */
static double shake(WOLFSSL_CTX *server_context, WOLFSSL_CTX *client_context)
{
    struct pipe up = {0};
    struct pipe down = {0};
    struct end server_end = {&up, &down};
    struct end client_end = {&down, &up};
    unsigned char exported[48];
    double used = 0;
    WOLFSSL *client = wolfSSL_new(client_context);

    wolfSSL_SetIOReadCtx(client, &client_end);
    wolfSSL_SetIOWriteCtx(client, &client_end);
    ck_assert_int_ne(wolfSSL_connect(client), WOLFSSL_SUCCESS);

    double before = thread_cpu_us();
    WOLFSSL *server = wolfSSL_new(server_context);
    wolfSSL_SetIOReadCtx(server, &server_end);
    wolfSSL_SetIOWriteCtx(server, &server_end);
    wolfSSL_KeepArrays(server);
    ck_assert_int_ne(wolfSSL_accept(server), WOLFSSL_SUCCESS);
    used += thread_cpu_us() - before;

    ck_assert_int_ne(wolfSSL_connect(client), WOLFSSL_SUCCESS);

    before = thread_cpu_us();
    ck_assert_int_eq(wolfSSL_accept(server), WOLFSSL_SUCCESS);
    ck_assert_int_eq(wolfSSL_export_keying_material(server, exported, sizeof(exported),
                         "EXPORTER-oneM2M-ESCertKE", 24, NULL, 0, 0),
        WOLFSSL_SUCCESS);
    wolfSSL_free(server);
    used += thread_cpu_us() - before;

    ck_assert_int_eq(wolfSSL_connect(client), WOLFSSL_SUCCESS);
    wolfSSL_free(client);
    return used;
}

struct bench_cost bench_bare_handshake(const struct daemon *daemon, unsigned count)
{
    WOLFSSL_CTX *server = context_of(wolfTLSv1_2_server_method(), daemon, "in-cse");
    WOLFSSL_CTX *clients[BENCH_INITIATORS];
    double used = 0;

    for (unsigned i = 0; i < BENCH_INITIATORS; i++) {
        char name[32];

        snprintf(name, sizeof(name), "meter-%u", i + 1);
        clients[i] = context_of(wolfTLSv1_2_client_method(), daemon, name);
    }
    for (unsigned i = 0; i < count; i++)
        used += shake(server, clients[i % BENCH_INITIATORS]);
    for (unsigned i = 0; i < BENCH_INITIATORS; i++)
        wolfSSL_CTX_free(clients[i]);
    wolfSSL_CTX_free(server);
    return (struct bench_cost){.cpu_us = used / count};
}
