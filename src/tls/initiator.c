/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/initiator.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "identity/identifier.h"
#include "identity/public_key_id.h"
#include "tls/credential.h"
#include "tls/message.h"
#include "trust/path.h"
#include "trust/store_load.h"

struct initiator_credential {
    struct credential own;
    WOLFSSL_CTX *engine;
    enum certificate_type ours, theirs;
    struct trust_store *trust;       /* validates the terminating end-point's certificate */
    struct public_key_id public_key; /* or what its raw public key has to be */
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
    if (!public_key_id_parse(public_key_id, &credential->public_key))
        return fault_set(fault, RESULT_BAD_INPUT,
            "\"%s\" is no public key identifier (ni:///sha-256;... of RFC 6920)", public_key_id);
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

static bool list_holds(const struct name_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcasecmp(list->name[i], name) == 0)
            return true;
    return false;
}

static bool holds_identity(const struct name_list *uris, const char *identity)
{
    for (size_t i = 0; i < uris->count; i++)
        if (identifier_matches(identity, identifier_of_uri(uris->name[i])))
            return true;
    return false;
}

/* Whether NAMES, a certificate's, name IDENTITY: by a URI; or for a CSE by its public domain name,
 * which is SERVER_NAME where the operator gave one, and otherwise "CSE.SP" for "//SP/CSE" (TS-0003
 * 10.1.3). */
static bool stands_for(const struct names *names, const char *identity, const char *server_name)
{
    char domain[2 * IDENTIFIER_OCTETS];
    const char *cse = strncmp(identity, "//", 2) == 0 ? strchr(identity + 2, '/') : NULL;

    if (!cse)
        return false;
    if (holds_identity(&names->uri, identity))
        return true;
    if (server_name[0] != '\0')
        return list_holds(&names->dns, server_name);
    snprintf(domain, sizeof(domain), "%s.%.*s", cse + 1, (int)(cse - identity - 2), identity + 2);
    return list_holds(&names->dns, domain);
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

/* Whether the path is valid and the leaf names IDENTITY. KEY: the leaf's, a view into CERTIFICATE.
 */
static enum result check_certificate(const struct initiator *initiator, struct bytes certificate,
    const char *identity, struct public_key *key, struct fault *fault)
{
    struct bytes chain[PATH_CERTIFICATES_MAX];
    struct path_verdict verdict;
    size_t count;

    TRY(message_read_chain(certificate, chain, &count, fault));
    TRY(path_validate(
        initiator->credential->trust, chain, count, PATH_SERVER, clock_wall_s(), &verdict, fault));
    if (!stands_for(&verdict.names, identity, initiator->server_name))
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
            "the terminating end-point's certificate does not stand for %s", identity);
    *key = certificate_key(&verdict.leaf);
    return RESULT_OK;
}

static enum result check_public_key(const struct initiator *initiator, struct bytes certificate,
    struct public_key *key, struct fault *fault)
{
    char id[PUBLIC_KEY_ID_OCTETS];
    uint8_t digest[SPKI_DIGEST_SIZE];

    TRY(message_read_public_key(certificate, key, fault));
    if (spki_digest(key->spki, digest) != RESULT_OK)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    if (public_key_id_matches(&initiator->credential->public_key, digest))
        return RESULT_OK;
    public_key_id_format(PUBLIC_KEY_ID_SHA_256, digest, id);
    return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
        "the terminating end-point has another raw public key: %s", id);
}

/* Whether MESSAGE2 presents what IDENTITY has to present. KEY: its public key. */
static enum result check_terminating(const struct initiator *initiator,
    const struct message2 *message2, const char *identity, struct public_key *key,
    struct fault *fault)
{
    TRY(check_hello(initiator, message2, fault));
    return message2->server_type == CERTIFICATE_TYPE_X509
               ? check_certificate(initiator, message2->certificate, identity, key, fault)
               : check_public_key(initiator, message2->certificate, key, fault);
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

    switch (
        engine_run(initiator->engine, wolfSSL_connect, &initiator->io, message4, &nothing, fault)) {
    case ENGINE_DONE:
        return engine_export(initiator->engine, exported, fault);
    case ENGINE_WANTS_MORE:
        return fault_set(fault, RESULT_TLS_REFUSED, "Message 4 does not finish the handshake");
    case ENGINE_FAILED:
        break;
    }
    return fault->result;
}
