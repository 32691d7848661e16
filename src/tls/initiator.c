/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/initiator.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "tls/credential.h"
#include "tls/record.h"

struct initiator_credential {
    struct credential own;
    WOLFSSL_CTX *engine;
    struct trust_store *trust;
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
    enum result result =
        credential_load_certificate(&credential->own, credential->engine, certificate_path, fault);
    if (result == RESULT_OK)
        result = credential_load_private_key(
            &credential->own, credential->engine, private_key_path, fault);
    if (result == RESULT_OK)
        result = trust_store_of_file(anchors_path, &credential->trust, fault);
    if (result == RESULT_OK)
        *out = TAKE_PTR(credential);
    return result;
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

        if (size >= sizeof(initiator->server_name) ||
            wolfSSL_UseSNI(initiator->engine, WOLFSSL_SNI_HOST_NAME, server_name,
                (unsigned short)size) != WOLFSSL_SUCCESS)
            return fault_set(
                fault, RESULT_BAD_INPUT, "\"%s\" is no server name for SNI", server_name);
        memcpy(initiator->server_name, server_name, size + 1);
    }
    if (engine_run(initiator->engine, wolfSSL_connect, &initiator->io, (struct bytes){0}, message1,
            fault) != ENGINE_WANTS_MORE)
        return fault->result;
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

/* A URI stands for an absolute identifier whatever scheme precedes its "//". */
static bool holds_identity(const struct name_list *uris, const char *identity)
{
    for (size_t i = 0; i < uris->count; i++) {
        const char *start = strstr(uris->name[i], "//");

        if (start && strcmp(start, identity) == 0)
            return true;
    }
    return false;
}

/* The public domain name of CSE "//SP/CSE" is "CSE.SP" (TS-0003 10.1.3), unless the operator was
 * told another one: then it is the SNI. An AE is named by its URI. */
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

static enum result check_terminating(const struct initiator *initiator, struct bytes message2,
    const char *identity, struct fault *fault)
{
    uint8_t storage[TLS_HANDSHAKE_MAX];
    struct bytes chain[PATH_CERTIFICATES_MAX];
    struct path_verdict verdict;
    size_t count;
    bool extended_master_secret;

    enum result result =
        record_parse_message2(message2, storage, chain, &count, &extended_master_secret, fault);
    if (result != RESULT_OK)
        return result;
    if (!extended_master_secret) /* the export is not bound to the certificates without it */
        return fault_set_alert(fault, RESULT_TLS_REFUSED, TLS_ALERT_HANDSHAKE_FAILURE,
            "the terminating end-point does not use the extended master secret");
    result = path_validate(
        initiator->credential->trust, chain, count, PATH_SERVER, clock_wall_s(), &verdict, fault);
    if (result != RESULT_OK)
        return result;
    if (!stands_for(&verdict.names, identity, initiator->server_name))
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
            "the terminating end-point's certificate does not stand for %s", identity);
    return RESULT_OK;
}

enum result initiator_answer(struct initiator *initiator, struct bytes message2,
    const char *server_identity, struct buffer *message3, struct fault *fault)
{
    enum result result = check_terminating(initiator, message2, server_identity, fault);

    if (result != RESULT_OK)
        return result;
    if (engine_run(initiator->engine, wolfSSL_connect, &initiator->io, message2, message3, fault) !=
        ENGINE_WANTS_MORE)
        return fault->result;
    return RESULT_OK;
}

enum result initiator_finish(struct initiator *initiator, struct bytes message4,
    struct exported_key *exported, struct fault *fault)
{
    AUTO_BUFFER struct buffer nothing = {.limit = 256};

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
