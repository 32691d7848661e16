/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/engine.h"

#include <string.h>

#include <wolfssl/error-ssl.h>

#include "base/secret.h"
#include "observe/metrics.h"
#include "tls/record.h"

static int read_flight(WOLFSSL *engine, char *out, int size, void *context)
{
    struct engine_io *io = context;
    size_t count = (size_t)size < io->in.size ? (size_t)size : io->in.size;
    struct bytes part;

    (void)engine;
    if (count == 0 || !bytes_take(&io->in, count, &part))
        return WOLFSSL_CBIO_ERR_WANT_READ;
    memcpy(out, part.data, count);
    return (int)count;
}

static int write_flight(WOLFSSL *engine, char *data, int size, void *context)
{
    struct engine_io *io = context;

    (void)engine;
    if (!io->out || buffer_append(io->out, data, (size_t)size) != RESULT_OK)
        return WOLFSSL_CBIO_ERR_GENERAL;
    return size;
}

void engine_set_io(WOLFSSL_CTX *context)
{
    wolfSSL_CTX_SetIORecv(context, read_flight);
    wolfSSL_CTX_SetIOSend(context, write_flight);
}

enum engine_step engine_run(WOLFSSL *engine, int (*step)(WOLFSSL *), struct engine_io *io,
    struct bytes in, struct buffer *out, struct fault *fault)
{
    size_t before = out->size;

    io->in = in;
    io->out = out;
    int done = step(engine);
    io->out = NULL;
    int error = done == WOLFSSL_SUCCESS ? 0 : wolfSSL_get_error(engine, done);
    int alert = record_find_alert(bytes_of(out->data + before, out->size - before));

    if (alert == FAULT_NO_ALERT && done == WOLFSSL_SUCCESS && io->in.size == 0)
        return ENGINE_DONE;
    if (alert == FAULT_NO_ALERT && error == WOLFSSL_ERROR_WANT_READ)
        return ENGINE_WANTS_MORE;

    metrics_tls_failed(error);
    if (error == MEMORY_E || error == MEMORY_ERROR) {
        fault_set_alert(
            fault, RESULT_NO_MEMORY, TLS_ALERT_INTERNAL_ERROR, "the TLS engine is out of memory");
        return ENGINE_FAILED;
    }
    if (error == WC_HW_E || error == WC_HW_WAIT_E) { /* of sign_by_token, in tls/credential */
        fault_set_alert(fault, error == WC_HW_E ? RESULT_INTERNAL : RESULT_BUSY,
            TLS_ALERT_INTERNAL_ERROR, "the token of the private key does not sign");
        return ENGINE_FAILED;
    }
    if (alert == FAULT_NO_ALERT)
        alert = TLS_ALERT_HANDSHAKE_FAILURE;
    char reason[WOLFSSL_MAX_ERROR_SZ];
    fault_set_alert(fault, RESULT_TLS_REFUSED, alert, "TLS handshake refused: %s (alert %s)",
        error ? wolfSSL_ERR_error_string((unsigned long)error, reason) : "unexpected octets",
        record_alert_name(alert));
    return ENGINE_FAILED;
}

enum result engine_export(WOLFSSL *engine, struct exported_key *out, struct fault *fault)
{
    uint8_t material[EXPORTER_OCTETS];
    int done = wolfSSL_export_keying_material(
        engine, material, sizeof(material), EXPORTER_LABEL, sizeof(EXPORTER_LABEL) - 1, NULL, 0, 0);

    if (done == WOLFSSL_SUCCESS)
        exporter_split(material, out);
    secret_wipe(material, sizeof(material));
    wolfSSL_FreeArrays(engine);
    return done == WOLFSSL_SUCCESS
               ? RESULT_OK
               : fault_set(fault, RESULT_INTERNAL, "the TLS engine does not export a key");
}

int engine_recognise_signature(WOLFSSL *engine, const unsigned char *signature,
    unsigned int signature_size, const unsigned char *digest, unsigned int digest_size,
    const unsigned char *spki, unsigned int spki_size, int *good, void *context)
{
    struct verified_signature *verified = context;

    (void)engine;
    *good = verified && verified->known &&
            bytes_equal(bytes_of(signature, signature_size), verified->signature) &&
            bytes_equal(bytes_of(digest, digest_size),
                bytes_of(verified->digest, sizeof(verified->digest))) &&
            bytes_equal(bytes_of(spki, spki_size), verified->spki);
    if (*good)
        verified->used = true;
    return 0;
}
