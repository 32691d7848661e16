/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/credential.h"

#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "tls/record.h"

struct tls_endpoint {
    size_t number;
    const char *server_name; /* NULL: reached by number or as the first only */
    struct certificate_types has, takes;
    WOLFSSL_CTX *x509, *raw; /* engines: answer with the certificate, with the raw public key */
    struct credential credential;
};

struct tls_context {
    const struct policy *policy;
    struct trust_store *trust;
    struct tls_endpoint *endpoints; /* policy->endpoint_count of them, by number */
};

enum result tls_start(struct fault *fault)
{
    if (wolfSSL_SetAllocators(wiping_malloc, wiping_free, wiping_realloc) != 0 ||
        wolfSSL_Init() != WOLFSSL_SUCCESS)
        return fault_set(fault, RESULT_INTERNAL, "wolfSSL does not start");
    return RESULT_OK;
}

/* Asked about the certificates of Message 3 once more by the engine. The decision fell before, in
 * tls/path; the engine, which has no CAs, may say that it knows no signer, and nothing else. */
static int verify_callback(int good, WOLFSSL_X509_STORE_CTX *store)
{
    (void)good;
    return store->totalCerts > 0 &&
           (store->error == ASN_NO_SIGNER_E || store->error == ASN_SELF_SIGNED_E);
}

/* The same of a raw public key, which names no signer. */
static int verify_raw_callback(int good, WOLFSSL_X509_STORE_CTX *store)
{
    return good && store->totalCerts == 1 && store->error == 0;
}

#define VERIFY_MODE (WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT)
static const char raw_alone[] = {WOLFSSL_CERT_TYPE_RPK};

bool engine_take_raw_public_key(WOLFSSL *engine)
{
    wolfSSL_set_verify(engine, VERIFY_MODE, verify_raw_callback);
    return wolfSSL_set_client_cert_type(engine, raw_alone, sizeof(raw_alone)) == WOLFSSL_SUCCESS;
}

bool engine_answer_raw_public_key(WOLFSSL_CTX *engine)
{
    return wolfSSL_CTX_set_server_cert_type(engine, raw_alone, sizeof(raw_alone)) ==
           WOLFSSL_SUCCESS;
}

bool engine_offer_raw_public_key(WOLFSSL_CTX *engine)
{
    return wolfSSL_CTX_set_client_cert_type(engine, raw_alone, sizeof(raw_alone)) ==
           WOLFSSL_SUCCESS;
}

bool engine_want_raw_public_key(WOLFSSL_CTX *engine)
{
    wolfSSL_CTX_set_verify(engine, VERIFY_MODE, verify_raw_callback);
    return engine_answer_raw_public_key(engine);
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
    wolfSSL_CTX_set_verify(engine, VERIFY_MODE, verify_callback);
    wolfSSL_CTX_set_group_messages(engine); /* one flight, one write */
#ifndef NO_SESSION_CACHE                    /* the distribution's build has one */
    wolfSSL_CTX_set_session_cache_mode(engine, WOLFSSL_SESS_CACHE_OFF);
#endif
    engine_set_io(engine);
}

WOLFSSL_CTX *engine_new_server(const struct policy_tls *tls)
{
    WOLFSSL_CTX *engine = wolfSSL_CTX_new(wolfTLSv1_2_server_method());

    if (!engine)
        return NULL;
    prepare(engine);
    wolfSSL_CTX_SetEccVerifyCb(engine, engine_recognise_signature);
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

/* Our own certificate is held to the profile that we hold others to (TS-0003 10.1). */
static bool check_own_certificate(
    const struct policy_endpoint *endpoint, struct bytes der, struct report *report)
{
    const struct policy_place *place = &endpoint->certificate.place;
    struct certificate certificate;
    struct fault fault = FAULT_INIT;
    int64_t now_s = clock_wall_s();

    if (certificate_parse(der, &certificate, &fault) != RESULT_OK) {
        report_fault(report, place, "%s: %s", endpoint->certificate.path, fault.text);
        return false;
    }
    if (now_s > certificate.not_after_s)
        report_fault(report, place, "%s: certificate has expired", endpoint->certificate.path);
    else if (now_s < certificate.not_before_s)
        report_fault(report, place, "%s: certificate is not valid yet", endpoint->certificate.path);
    return true;
}

static bool load_private_key(const struct policy_endpoint *endpoint, struct tls_endpoint *out,
    WOLFSSL_CTX *engine, struct report *report)
{
    struct fault fault = FAULT_INIT;
    enum result result =
        credential_load_private_key(&out->credential, engine, endpoint->private_key.path, &fault);

    if (result != RESULT_OK)
        report_fault(report, &endpoint->private_key.place, "%s", fault.text);
    return result == RESULT_OK;
}

static bool load_certificate(
    const struct policy_endpoint *endpoint, struct tls_endpoint *out, struct report *report)
{
    struct fault fault = FAULT_INIT;

    if (credential_load_certificate(
            &out->credential, out->x509, endpoint->certificate.path, &fault) != RESULT_OK) {
        report_fault(report, &endpoint->certificate.place, "%s", fault.text);
        return false;
    }
    return check_own_certificate(endpoint, buffer_bytes(&out->credential.leaf), report) &&
           load_private_key(endpoint, out, out->x509, report);
}

static bool load_public_key(
    const struct policy_endpoint *endpoint, struct tls_endpoint *out, struct report *report)
{
    struct fault fault = FAULT_INIT;
    enum result result =
        credential_load_public_key(&out->credential, out->raw, endpoint->private_key.path, &fault);

    if (result == RESULT_OK && !engine_answer_raw_public_key(out->raw))
        result = fault_set(&fault, RESULT_INTERNAL, "the TLS engine takes no raw public key");
    if (result != RESULT_OK) {
        report_fault(report, &endpoint->private_key.place, "%s", fault.text);
        return false;
    }
    return load_private_key(endpoint, out, out->raw, report);
}

static void build_endpoint(
    const struct policy *policy, size_t number, struct tls_endpoint *out, struct report *report)
{
    const struct policy_endpoint *endpoint = &policy->endpoints[number];

    out->number = number;
    out->server_name = endpoint->server_name;
    out->has.x509 = endpoint->certificate.path != NULL;
    out->has.raw_public_key = endpoint->raw_public_key;
    out->takes = policy_types_taken(policy, number);
    if ((out->has.x509 && !(out->x509 = engine_new_server(&policy->tls))) ||
        (out->has.raw_public_key && !(out->raw = engine_new_server(&policy->tls)))) {
        report_fault(report, &endpoint->place, "the TLS engine does not take the ciphersuites");
        return;
    }
    if ((out->has.x509 && !load_certificate(endpoint, out, report)) ||
        (out->has.raw_public_key && !load_public_key(endpoint, out, report)))
        return; /* and it was said */
}

enum result tls_context_new(
    const struct policy *policy, struct tls_context **out, struct report *report)
{
    struct tls_context *context = calloc(1, sizeof(*context));
    size_t faults = report->faults;

    *out = NULL;
    if (!context)
        return RESULT_NO_MEMORY;
    context->policy = policy;
    context->endpoints = calloc(policy->endpoint_count, sizeof(*context->endpoints));
    if (!context->endpoints && policy->endpoint_count > 0) {
        tls_context_free(context);
        return RESULT_NO_MEMORY;
    }
    for (size_t i = 0; i < policy->endpoint_count; i++)
        build_endpoint(policy, i, &context->endpoints[i], report);

    enum result result = trust_store_new(policy, &context->trust, report);
    if (result == RESULT_OK && report->faults > faults)
        result = RESULT_BAD_CONFIGURATION;
    if (result != RESULT_OK) {
        tls_context_free(context);
        return result;
    }
    *out = context;
    return RESULT_OK;
}

void tls_context_free(struct tls_context *context)
{
    if (!context)
        return;
    for (size_t i = 0; context->endpoints && i < context->policy->endpoint_count; i++) {
        wolfSSL_CTX_free(context->endpoints[i].x509);
        wolfSSL_CTX_free(context->endpoints[i].raw);
        credential_release(&context->endpoints[i].credential);
    }
    trust_store_free(context->trust);
    free(context->endpoints);
    free(context);
}

struct trust_store *tls_context_trust(struct tls_context *context)
{
    return context->trust;
}

const struct policy *tls_context_policy(const struct tls_context *context)
{
    return context->policy;
}

struct tls_endpoint *tls_context_by_server_name(struct tls_context *context, const char *name)
{
    if (name[0] == '\0')
        return context->policy->endpoint_count > 0 ? &context->endpoints[0] : NULL;
    for (size_t i = 0; i < context->policy->endpoint_count; i++)
        if (context->endpoints[i].server_name &&
            strcmp(context->endpoints[i].server_name, name) == 0)
            return &context->endpoints[i];
    return NULL;
}

struct tls_endpoint *tls_context_by_number(struct tls_context *context, size_t number)
{
    return &context->endpoints[number];
}

size_t tls_endpoint_number(const struct tls_endpoint *endpoint)
{
    return endpoint->number;
}

struct bytes tls_endpoint_certificate(const struct tls_endpoint *endpoint)
{
    return buffer_bytes(&endpoint->credential.leaf);
}

const struct certificate_types *tls_endpoint_has(const struct tls_endpoint *endpoint)
{
    return &endpoint->has;
}

const struct certificate_types *tls_endpoint_takes(const struct tls_endpoint *endpoint)
{
    return &endpoint->takes;
}

WOLFSSL_CTX *tls_endpoint_engine(const struct tls_endpoint *endpoint, enum certificate_type type)
{
    return type == CERTIFICATE_TYPE_RAW_PUBLIC_KEY ? endpoint->raw : endpoint->x509;
}
