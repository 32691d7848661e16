/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/endpoint.h"

#include "base/clock.h"
#include "tls/credential.h"
#include "x509/certificate.h"

struct tls_endpoint {
    size_t number;
    const struct policy_endpoint *policy;
    struct certificate_types presents, takes;
    WOLFSSL_CTX *x509, *raw; /* engines: present the certificate, present the raw public key */
    struct credential credential;
};

/* Our own certificate is held to the profile that we hold others to (TS-0003 10.1). */
static bool check_own_certificate(const struct tls_endpoint *endpoint, struct report *report)
{
    const struct policy_file *file = &endpoint->policy->certificate;
    struct certificate certificate;
    struct fault fault = FAULT_INIT;
    int64_t now_s = clock_wall_s();

    if (certificate_parse(tls_endpoint_certificate(endpoint), &certificate, &fault) != RESULT_OK) {
        report_fault(report, &file->place, "%s: %s", file->path, fault.text);
        return false;
    }
    if (now_s > certificate.not_after_s)
        report_fault(report, &file->place, "%s: certificate has expired", file->path);
    else if (now_s < certificate.not_before_s)
        report_fault(report, &file->place, "%s: certificate is not valid yet", file->path);
    return true;
}

static bool load_private_key(
    struct tls_endpoint *endpoint, WOLFSSL_CTX *engine, struct report *report)
{
    const struct policy_file *file = &endpoint->policy->private_key;
    struct fault fault = FAULT_INIT;

    if (credential_load_private_key(&endpoint->credential, engine, file->path, &fault) == RESULT_OK)
        return true;
    report_fault(report, &file->place, "%s", fault.text);
    return false;
}

static bool load_certificate(struct tls_endpoint *endpoint, struct report *report)
{
    const struct policy_file *file = &endpoint->policy->certificate;
    struct fault fault = FAULT_INIT;

    if (credential_load_certificate(&endpoint->credential, endpoint->x509, file->path, &fault) !=
        RESULT_OK) {
        report_fault(report, &file->place, "%s", fault.text);
        return false;
    }
    return check_own_certificate(endpoint, report) &&
           load_private_key(endpoint, endpoint->x509, report);
}

static bool load_public_key(struct tls_endpoint *endpoint, struct report *report)
{
    const struct policy_file *file = &endpoint->policy->private_key;
    struct fault fault = FAULT_INIT;

    if (credential_load_public_key(&endpoint->credential, endpoint->raw, file->path, &fault) !=
            RESULT_OK ||
        engine_terminating_raw_public_key(endpoint->raw, &fault) != RESULT_OK) {
        report_fault(report, &file->place, "%s", fault.text);
        return false;
    }
    return load_private_key(endpoint, endpoint->raw, report);
}

struct tls_endpoint *tls_endpoint_new(
    const struct policy *policy, size_t number, struct report *report)
{
    const struct policy_endpoint *from = &policy->endpoints[number];
    struct tls_endpoint *endpoint CLEANUP(auto_tls_endpoint_free) = calloc(1, sizeof(*endpoint));

    if (!endpoint) {
        report_fault(report, &from->place, "out of memory");
        return NULL;
    }
    endpoint->number = number;
    endpoint->policy = from;
    endpoint->presents.x509 = from->certificate.path != NULL;
    endpoint->presents.raw_public_key = from->raw_public_key;
    endpoint->takes = policy_types_taken(policy, number);
    if ((endpoint->presents.x509 && !(endpoint->x509 = engine_new_server(&policy->tls))) ||
        (endpoint->presents.raw_public_key && !(endpoint->raw = engine_new_server(&policy->tls)))) {
        report_fault(report, &from->place, "the TLS engine does not take the ciphersuites");
        return NULL;
    }
    if ((endpoint->presents.x509 && !load_certificate(endpoint, report)) ||
        (endpoint->presents.raw_public_key && !load_public_key(endpoint, report)))
        return NULL;
    return TAKE_PTR(endpoint);
}

void tls_endpoint_free(struct tls_endpoint *endpoint)
{
    if (!endpoint)
        return;
    wolfSSL_CTX_free(endpoint->x509);
    wolfSSL_CTX_free(endpoint->raw);
    credential_release(&endpoint->credential);
    free(endpoint);
}

size_t tls_endpoint_number(const struct tls_endpoint *endpoint)
{
    return endpoint->number;
}

const char *tls_endpoint_identity(const struct tls_endpoint *endpoint)
{
    return endpoint->policy->identity;
}

const char *tls_endpoint_server_name(const struct tls_endpoint *endpoint)
{
    return endpoint->policy->server_name;
}

struct bytes tls_endpoint_certificate(const struct tls_endpoint *endpoint)
{
    return buffer_bytes(&endpoint->credential.leaf);
}

struct certificate_types tls_endpoint_presents(const struct tls_endpoint *endpoint)
{
    return endpoint->presents;
}

struct certificate_types tls_endpoint_takes(const struct tls_endpoint *endpoint)
{
    return endpoint->takes;
}

WOLFSSL_CTX *tls_endpoint_engine(const struct tls_endpoint *endpoint, enum certificate_type type)
{
    return type == CERTIFICATE_TYPE_RAW_PUBLIC_KEY ? endpoint->raw : endpoint->x509;
}
