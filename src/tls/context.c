/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/credential.h"

#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "tls/message.h"
#include "trust/store_load.h"

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

/* Our own certificate is held to the profile that we hold others to (TS-0003 10.1). */
static bool check_own_certificate(
    const struct policy_endpoint *endpoint, struct bytes der, struct report *report)
{
    const struct source_position *place = &endpoint->certificate.place;
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
