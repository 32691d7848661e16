/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one configuration gives the TLS engine: end-points' credentials, suites, trust domains. */
#pragma once

#include "base/report.h"
#include "policy/match.h"

struct trust_store;
struct tls_context;
struct tls_endpoint; /* the credential of one end-point; lives as long as its tls_context */

/* Once per process, before any thread: the engine's allocator and a self-test that the library has
 * the properties that we rely on. */
enum result tls_start(struct fault *fault) WARN_UNUSED;

/* Reads certificates, keys and anchors. Faults and warnings to REPORT.
 * Keeps POLICY, which must outlive it. */
enum result tls_context_new(
    const struct policy *policy, struct tls_context **out, struct report *report) WARN_UNUSED;
void tls_context_free(struct tls_context *context);

struct trust_store *tls_context_trust(struct tls_context *context);
const struct policy *tls_context_policy(const struct tls_context *context);

/* The end-point that an SNI names; "" gives the first. NULL: nobody here has that name. */
struct tls_endpoint *tls_context_by_server_name(struct tls_context *context, const char *name);
struct tls_endpoint *tls_context_by_number(struct tls_context *context, size_t number);
size_t tls_endpoint_number(const struct tls_endpoint *endpoint); /* in policy.endpoints */
/* The certificate types that its rules allow initiators to present: its policy_types_taken. */
const struct certificate_types *tls_endpoint_takes(const struct tls_endpoint *endpoint);
/* The end-point's certificate, DER; empty when it has a raw public key alone. */
struct bytes tls_endpoint_certificate(const struct tls_endpoint *endpoint);
