/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The floor under an exchange: the same wolfSSL, over memory, with nothing of ours around it. */
#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include <check.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "bench/bench.h"
#include "x509/certificate.h"
#include "x509/p256.h"
#include "x509/pem.h"

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

/* The engine looks into no certificate (scripts/wolfssl.patch), so the floor has ours read, too,
 * and verifies the CA's signature on the client's as any TLS server does. */
struct party {
    WOLFSSL_CTX *context;
    struct buffer der;
    struct certificate certificate; /* views into .der */
};

static void read_certificate(const char *path, struct party *out)
{
    struct buffer file AUTO_BUFFER = {0};
    struct fault fault = FAULT_INIT;

    ck_assert_msg(file_read(path, 65536, &file, &fault) == RESULT_OK, "%s", fault.text);
    struct bytes text = buffer_bytes(&file);
    out->der.limit = 65536;
    ck_assert_int_eq(pem_or_der_next(&text, "CERTIFICATE", &out->der, &fault), RESULT_OK);
    ck_assert_int_eq(
        certificate_parse(buffer_bytes(&out->der), &out->certificate, &fault), RESULT_OK);
}

static void make_party(
    WOLFSSL_METHOD *method, const struct daemon *daemon, const char *name, struct party *out)
{
    unsigned char list[8192] = {0};
    WOLFSSL_CTX *context = wolfSSL_CTX_new(method);

    *out = (struct party){.context = context};
    ck_assert_ptr_nonnull(context);
    read_certificate(daemon_file(daemon, "%s.pem", name), out);
    ck_assert_uint_lt(out->der.size, sizeof(list) - 3);
    list[1] = (unsigned char)(out->der.size >> 8);
    list[2] = (unsigned char)out->der.size;
    memcpy(list + 3, out->der.data, out->der.size);
    struct bytes spki = out->certificate.spki;
    ck_assert_int_eq(wolfSSL_CTX_use_certificate_buffer(
                         context, spki.data, (long)spki.size, WOLFSSL_FILETYPE_ASN1),
        WOLFSSL_SUCCESS);
    ck_assert_int_eq(wolfSSL_CTX_set_certificate_list(context, list, (unsigned)out->der.size + 3),
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
}

static void release_party(struct party *party)
{
    wolfSSL_CTX_free(party->context);
    buffer_release(&party->der);
}

static void trust(WOLFSSL *engine, const struct party *peer)
{
    struct bytes spki = peer->certificate.spki;

    ck_assert_int_eq(
        wolfSSL_set_peer_public_key(engine, spki.data, (unsigned)spki.size), WOLFSSL_SUCCESS);
}

static double thread_cpu_us(void)
{
    struct timespec used;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

/* One handshake; the server's share of the CPU time. */
static double shake(
    const struct party *ca, const struct party *server_party, const struct party *client_party)
{
    struct pipe up = {0};
    struct pipe down = {0};
    struct end server_end = {&up, &down};
    struct end client_end = {&down, &up};
    unsigned char exported[48];
    double used = 0;
    WOLFSSL *client = wolfSSL_new(client_party->context);

    wolfSSL_SetIOReadCtx(client, &client_end);
    wolfSSL_SetIOWriteCtx(client, &client_end);
    ck_assert_int_ne(wolfSSL_connect(client), WOLFSSL_SUCCESS);

    double before = thread_cpu_us();
    WOLFSSL *server = wolfSSL_new(server_party->context);
    wolfSSL_SetIOReadCtx(server, &server_end);
    wolfSSL_SetIOWriteCtx(server, &server_end);
    wolfSSL_KeepArrays(server);
    ck_assert_int_ne(wolfSSL_accept(server), WOLFSSL_SUCCESS);
    used += thread_cpu_us() - before;

    trust(client, server_party);
    ck_assert_int_ne(wolfSSL_connect(client), WOLFSSL_SUCCESS);

    before = thread_cpu_us();
    ck_assert(ecdsa_verify(
        ca->certificate.point, client_party->certificate.tbs, client_party->certificate.signature));
    trust(server, client_party);
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
    struct party ca = {0}, server, clients[BENCH_INITIATORS];
    double used = 0;

    read_certificate(daemon_file(daemon, "field-ca.pem"), &ca);
    make_party(wolfTLSv1_2_server_method(), daemon, "in-cse", &server);
    for (unsigned i = 0; i < BENCH_INITIATORS; i++) {
        char name[32];

        snprintf(name, sizeof(name), "meter-%u", i + 1);
        make_party(wolfTLSv1_2_client_method(), daemon, name, &clients[i]);
    }
    for (unsigned i = 0; i < count; i++)
        used += shake(&ca, &server, &clients[i % BENCH_INITIATORS]);
    for (unsigned i = 0; i < BENCH_INITIATORS; i++)
        release_party(&clients[i]);
    release_party(&server);
    release_party(&ca);
    return (struct bench_cost){.cpu_us = used / count};
}
