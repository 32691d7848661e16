/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/initiator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "identity/identifier.h"
#include "identity/public_key_id.h"
#include "tls/credential.h"
#include "tls/message.h"
#include "tls/presented.h"
#include "trust/admission.h"
#include "trust/store_load.h"

struct initiator_credential {
    struct credential own;
    WOLFSSL_CTX *engine;
    enum certificate_type ours, theirs;
    struct trust_store *trust; /* validates the terminating end-point's certificate; may be NULL */
    char public_key[PUBLIC_KEY_ID_OCTETS]; /* or what its raw public key has to be */
};

struct initiator {
    struct initiator_credential *credential;
    WOLFSSL *engine;
    struct engine_io io;
    char server_name[256]; /* "" = none */
};

void initiator_credential_free(struct initiator_credential *credential)
{
    if (!credential)
        return;
    wolfSSL_CTX_free(credential->engine);
    credential_release(&credential->own);
    trust_store_free(credential->trust);
    free(credential);
}

static enum result load_public_key(
    struct initiator_credential *credential, const char *private_key_path, struct fault *fault)
{
    credential->ours = CERTIFICATE_TYPE_RAW_PUBLIC_KEY;
    TRY(credential_load_public_key(&credential->own, credential->engine, private_key_path, fault));
    return engine_initiating_raw_public_key(credential->engine, fault);
}

enum result initiator_credential_new(const char *certificate_path, const char *private_key_path,
    const char *anchors_path, struct initiator_credential **out, struct fault *fault)
{
    struct initiator_credential *credential CLEANUP(auto_initiator_credential_free) =
        calloc(1, sizeof(*credential));

    if (!credential)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    credential->engine = engine_new_client();
    if (!credential->engine)
        return fault_set(fault, RESULT_NO_MEMORY, "the TLS engine does not start");
    TRY(certificate_path ? credential_load_certificate(
                               &credential->own, credential->engine, certificate_path, fault)
                         : load_public_key(credential, private_key_path, fault));
    TRY(credential_load_private_key(&credential->own, credential->engine, private_key_path, fault));
    if (anchors_path)
        TRY(trust_store_of_file(anchors_path, &credential->trust, fault));
    *out = TAKE_PTR(credential);
    return RESULT_OK;
}

enum result initiator_credential_pin(
    struct initiator_credential *credential, const char *public_key_id, struct fault *fault)
{
    struct public_key_id id;

    if (!public_key_id_parse(public_key_id, &id))
        return fault_set(fault, RESULT_BAD_INPUT,
            "\"%s\" is no public key identifier (ni:///sha-256;... of RFC 6920)", public_key_id);
    public_key_id_format(id.kind, id.digest, credential->public_key);
    TRY(engine_terminating_raw_public_key(credential->engine, fault));
    credential->theirs = CERTIFICATE_TYPE_RAW_PUBLIC_KEY;
    return RESULT_OK;
}

void initiator_free(struct initiator *initiator)
{
    if (!initiator)
        return;
    wolfSSL_free(initiator->engine);
    free(initiator);
}

enum result initiator_start(struct initiator_credential *credential, const char *server_name,
    struct initiator **out, struct buffer *message1, struct fault *fault)
{
    struct initiator *initiator CLEANUP(auto_initiator_free) = calloc(1, sizeof(*initiator));

    if (!initiator || !(initiator->engine = wolfSSL_new(credential->engine)))
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    initiator->credential = credential;
    wolfSSL_SetIOReadCtx(initiator->engine, &initiator->io);
    wolfSSL_SetIOWriteCtx(initiator->engine, &initiator->io);
    wolfSSL_KeepArrays(initiator->engine);
    if (server_name && server_name[0] != '\0') {
        size_t size = strlen(server_name);

        if (size >= sizeof(initiator->server_name))
            return fault_set(
                fault, RESULT_BAD_INPUT, "\"%s\" is no server name for SNI", server_name);
        if (wolfSSL_UseSNI(initiator->engine, WOLFSSL_SNI_HOST_NAME, server_name,
                (unsigned short)size) != WOLFSSL_SUCCESS)
            return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
        memcpy(initiator->server_name, server_name, size + 1);
    }
    TRY(engine_run_on(
        initiator->engine, wolfSSL_connect, &initiator->io, (struct bytes){0}, message1, fault));
    *out = TAKE_PTR(initiator);
    return RESULT_OK;
}

/* How the terminating end-point may name itself: rules for trust/admission, of domain number 0. */
struct expectation {
    char identity[IDENTIFIER_OCTETS], domain[2 * IDENTIFIER_OCTETS];
    char public_key[PUBLIC_KEY_ID_OCTETS];
    struct policy_rule rules[2];
    size_t count;
};

static void expect(struct expectation *expectation, enum flavour flavour, char *match)
{
    expectation->rules[expectation->count++] = (struct policy_rule){
        .flavour = flavour, .identity = expectation->identity, .match = match, .endpoints = 1};
}

/* The public domain name of the CSE that IDENTITY, "//SP/CSE" or of an AE below it, is about:
 * "CSE.SP" (TS-0003 10.1.3). */
static void write_domain(const char *identity, char *domain, size_t size)
{
    const int sp = (int)strcspn(identity + 2, "/");

    snprintf(domain, size, "%s.%.*s", identity + 2 + sp + 1, sp, identity + 2);
}

/* IDENTITY has to be named by a URI; or for a CSE by its public domain name, which is the server
 * name where the operator gave one. A raw public key has to be the one that was pinned. */
static enum result expect_identity(const struct initiator *initiator, const char *identity,
    struct expectation *out, struct fault *fault)
{
    const char *server_name = initiator->server_name;

    *out = (struct expectation){0};
    TRY(identifier_absolute("", "", identity, out->identity, fault));
    if (initiator->credential->theirs == CERTIFICATE_TYPE_RAW_PUBLIC_KEY) {
        memcpy(out->public_key, initiator->credential->public_key, sizeof(out->public_key));
        expect(out, FLAVOUR_RAW_PUBLIC_KEY, out->public_key);
        return RESULT_OK;
    }
    expect(out, FLAVOUR_AE_ID, out->identity);
    if (server_name[0] != '\0')
        snprintf(out->domain, sizeof(out->domain), "%s", server_name);
    else
        write_domain(out->identity, out->domain, sizeof(out->domain));
    text_to_lower(out->domain, strlen(out->domain));
    expect(out, FLAVOUR_CSE_ID, out->domain);
    return RESULT_OK;
}

static enum result check_hello(
    const struct initiator *initiator, const struct message2 *message2, struct fault *fault)
{
    const struct initiator_credential *credential = initiator->credential;

    if (!message2->extended_master_secret) /* the export is not bound to the keys without it */
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_HANDSHAKE_FAILURE,
            "the terminating end-point does not use the extended master secret");
    if (message2->client_type != credential->ours)
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
            "the terminating end-point does not take %s",
            credential->ours == CERTIFICATE_TYPE_X509 ? "a certificate" : "a raw public key");
    if (message2->server_type != credential->theirs)
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
            "the terminating end-point does not answer with %s",
            credential->theirs == CERTIFICATE_TYPE_X509 ? "a certificate" : "a raw public key");
    return RESULT_OK;
}

/* What Message 2 presents, as views into it: its public key, and for a certificate the chain. */
static enum result read_presented(
    const struct message2 *message2, struct presented *out, struct fault *fault)
{
    struct certificate leaf;

    *out = (struct presented){.type = message2->server_type};
    if (out->type == CERTIFICATE_TYPE_RAW_PUBLIC_KEY)
        return message_read_public_key(message2->certificate, &out->key, fault);
    TRY(message_read_chain(message2->certificate, out->chain, &out->chain_count, fault));
    if (out->chain_count == 0)
        return RESULT_OK; /* admission refuses that */
    TRY(certificate_parse(out->chain[0], &leaf, fault));
    out->key = certificate_key(&leaf);
    return RESULT_OK;
}

/* Whether MESSAGE2 presents what IDENTITY has to present. KEY: its public key. */
static enum result check_terminating(const struct initiator *initiator,
    const struct message2 *message2, const char *identity, struct public_key *key,
    struct fault *fault)
{
    const struct initiator_credential *credential = initiator->credential;
    const bool raw = credential->theirs == CERTIFICATE_TYPE_RAW_PUBLIC_KEY;
    struct presented presented;
    struct expectation expected;
    struct admission admission;

    TRY(expect_identity(initiator, identity, &expected, fault));
    TRY(check_hello(initiator, message2, fault));
    TRY(read_presented(message2, &presented, fault));
    const bool is_raw = presented.type == CERTIFICATE_TYPE_RAW_PUBLIC_KEY;
    const struct admission_request request = {
        .trust = credential->trust,
        .expected = expected.rules,
        .expected_count = expected.count,
        .takes = {.x509 = !raw, .raw_public_key = raw},
        .chain = presented.chain,
        .chain_count = presented.chain_count,
        .public_key = is_raw ? presented.key.spki : (struct bytes){0},
        .now_s = clock_wall_s(),
    };
    *key = presented.key;
    return admission_decide(&request, &admission, fault);
}

enum result initiator_answer(struct initiator *initiator, struct bytes message,
    const char *server_identity, struct buffer *message3, struct fault *fault)
{
    struct buffer flight AUTO_BUFFER = {.limit = 2 * TLS_HANDSHAKE_MAX};
    struct message2 message2;
    struct public_key key = {0};

    TRY(message2_read(message, &message2, fault));
    TRY(check_terminating(initiator, &message2, server_identity, &key, fault));
    if (message_write_handshake(message2.handshake, &flight) != RESULT_OK ||
        wolfSSL_set_peer_public_key(initiator->engine, key.spki.data, (word32)key.spki.size) !=
            WOLFSSL_SUCCESS)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    return engine_run_on(
        initiator->engine, wolfSSL_connect, &initiator->io, buffer_bytes(&flight), message3, fault);
}

enum result initiator_finish(struct initiator *initiator, struct bytes message4,
    struct exported_key *exported, struct fault *fault)
{
    struct buffer nothing AUTO_BUFFER = {.limit = 256};
    bool is_done;

    TRY(engine_run(
        initiator->engine, wolfSSL_connect, &initiator->io, message4, &nothing, &is_done, fault));
    if (!is_done)
        return fault_set(fault, RESULT_TLS_REFUSED, "Message 4 does not finish the handshake");
    return engine_export(initiator->engine, exported, fault);
}
