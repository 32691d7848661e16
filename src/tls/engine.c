/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/engine.h"

#include <string.h>

#include <wolfssl/error-ssl.h>

#include "base/secret.h"
#include "base/wipe.h"
#include "observe/metrics.h"
#include "tls/message.h"

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

static void set_io(WOLFSSL_CTX *context)
{
    wolfSSL_CTX_SetIORecv(context, read_flight);
    wolfSSL_CTX_SetIOSend(context, write_flight);
}

static const char raw_alone[] = {WOLFSSL_CERT_TYPE_RPK};

static enum result check_set(int done, struct fault *fault)
{
    return done == WOLFSSL_SUCCESS
               ? RESULT_OK
               : fault_set(fault, RESULT_INTERNAL, "the TLS engine takes no raw public key");
}

enum result engine_terminating_raw_public_key(WOLFSSL_CTX *engine, struct fault *fault)
{
    return check_set(wolfSSL_CTX_set_server_cert_type(engine, raw_alone, sizeof(raw_alone)), fault);
}

enum result engine_initiating_raw_public_key(WOLFSSL_CTX *engine, struct fault *fault)
{
    return check_set(wolfSSL_CTX_set_client_cert_type(engine, raw_alone, sizeof(raw_alone)), fault);
}

enum result engine_take_raw_public_key(WOLFSSL *engine, struct fault *fault)
{
    return check_set(wolfSSL_set_client_cert_type(engine, raw_alone, sizeof(raw_alone)), fault);
}

static bool set_suites(WOLFSSL_CTX *engine, const struct policy_suite *const *suites, size_t count)
{
    char list[512] = "";
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        int written =
            snprintf(list + used, sizeof(list) - used, "%s%s", i > 0 ? ":" : "", suites[i]->name);
        if (written < 0 || (size_t)written >= sizeof(list) - used)
            return false;
        used += (size_t)written;
    }
    return wolfSSL_CTX_set_cipher_list(engine, list) == WOLFSSL_SUCCESS;
}

static void prepare(WOLFSSL_CTX *engine)
{
    wolfSSL_CTX_set_verify(engine, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    wolfSSL_CTX_set_group_messages(engine); /* write a flight at once */
    set_io(engine);
}

/* wolfSSL's CallbackEccVerify, on a server. CONTEXT is a struct verified_signature, or NULL, with
 * which no signature is good. */
static int recognise_signature(WOLFSSL *engine, const unsigned char *signature,
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

WOLFSSL_CTX *engine_new_server(const struct policy_tls *tls)
{
    WOLFSSL_CTX *engine = wolfSSL_CTX_new(wolfTLSv1_2_server_method());

    if (!engine)
        return NULL;
    prepare(engine);
    wolfSSL_CTX_SetEccVerifyCb(engine, recognise_signature);
    if (!set_suites(engine, tls->suites, tls->suite_count)) {
        wolfSSL_CTX_free(engine);
        return NULL;
    }
    return engine;
}

WOLFSSL_CTX *engine_new_client(void)
{
    const struct policy_suite *suites[8];
    WOLFSSL_CTX *engine = wolfSSL_CTX_new(wolfTLSv1_2_client_method());

    if (!engine)
        return NULL;
    prepare(engine);
    for (size_t i = 0; i < policy_suite_count && i < ARRAY_SIZE(suites); i++)
        suites[i] = &policy_suites[i];
    if (!set_suites(engine, suites, policy_suite_count) ||
        wolfSSL_CTX_UseSupportedCurve(engine, WOLFSSL_ECC_SECP256R1) != WOLFSSL_SUCCESS) {
        wolfSSL_CTX_free(engine);
        return NULL;
    }
    return engine;
}

/* The alert that the RFC names for what the engine found wrong; the engine itself sends another
 * one, or none. */
static int alert_of(int error, int sent)
{
    switch (error) {
    case SIDE_ERROR:
    case OUT_OF_ORDER_E:
    case DUPLICATE_MSG_E:
    case UNKNOWN_HANDSHAKE_TYPE:
        return TLS_ALERT_UNEXPECTED_MESSAGE; /* RFC 5246 7.2.2, 7.4 */
    case BUFFER_ERROR:
    case BUFFER_E:
        return TLS_ALERT_DECODE_ERROR;
    case VERIFY_FINISHED_ERROR:
        return TLS_ALERT_DECRYPT_ERROR; /* 7.4.9 */
    case VERIFY_MAC_ERROR:
    case DECRYPT_ERROR:
        return TLS_ALERT_BAD_RECORD_MAC; /* also of bad padding: 6.2.3.2 */
    default:
        return sent == FAULT_NO_ALERT ? TLS_ALERT_HANDSHAKE_FAILURE : sent;
    }
}

enum result engine_run(WOLFSSL *engine, int (*step)(WOLFSSL *), struct engine_io *io,
    struct bytes in, struct buffer *out, bool *is_done, struct fault *fault)
{
    size_t before = out->size;
    unsigned failures = wiping_failures();

    io->in = in;
    io->out = out;
    int done = step(engine);
    io->out = NULL;
    int error = done == WOLFSSL_SUCCESS ? 0 : wolfSSL_get_error(engine, done);
    struct bytes written = buffer_bytes(out), old;
    int alert = bytes_take(&written, before, &old) ? message_find_alert(written) : FAULT_NO_ALERT;

    *is_done = alert == FAULT_NO_ALERT && done == WOLFSSL_SUCCESS && io->in.size == 0;
    if (*is_done || (alert == FAULT_NO_ALERT && error == WOLFSSL_ERROR_WANT_READ))
        return RESULT_OK;

    if (done == WOLFSSL_SUCCESS)
        return fault_set(fault, RESULT_BAD_MESSAGE, "the message goes on after Finished");
    metrics_tls_failed(error);
    /* The engine has many numbers for having had no memory; MEMORY_E is from tls/credential's sign.
     */
    if (wiping_failures() != failures || error == MEMORY_E)
        return fault_set_alert(
            fault, RESULT_NO_MEMORY, TLS_ALERT_INTERNAL_ERROR, "the TLS engine is out of memory");
    if (error == WC_HW_E || error == WC_HW_WAIT_E) /* from tls/credential's sign */
        return fault_set_alert(fault, error == WC_HW_E ? RESULT_INTERNAL : RESULT_BUSY,
            TLS_ALERT_INTERNAL_ERROR, "the private key does not sign");
    alert = alert_of(error, alert);
    char reason[WOLFSSL_MAX_ERROR_SZ];
    return fault_set_alert(fault, RESULT_TLS_REFUSED, alert, "TLS handshake refused: %s (alert %s)",
        wolfSSL_ERR_error_string((unsigned long)error, reason), alert_name(alert));
}

enum result engine_run_on(WOLFSSL *engine, int (*step)(WOLFSSL *), struct engine_io *io,
    struct bytes in, struct buffer *out, struct fault *fault)
{
    bool is_done;

    TRY(engine_run(engine, step, io, in, out, &is_done, fault));
    return is_done
               ? fault_set(fault, RESULT_INTERNAL, "the TLS engine ends the handshake too early")
               : RESULT_OK;
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
