/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one configuration gives the TLS engine: our end-points and the trust domains. */
#pragma once

#include "base/fault.h"
#include "base/report.h"
#include "policy/policy.h"
#include "tls/endpoint.h"

struct trust_store;
struct tls_context;

/* Once per process, before any thread: gives the engine its allocator and starts it. */
enum result tls_start(struct fault *fault) WARN_UNUSED;

/* Reads certificates, keys, anchors and CRLs. Faults and warnings to REPORT, of all end-points and
 * domains at once. Keeps POLICY, which must outlive it. */
enum result tls_context_new(
    const struct policy *policy, struct tls_context **out, struct report *report) WARN_UNUSED;
void tls_context_free(struct tls_context *context);
DEFINE_CLEANUP(struct tls_context *, tls_context_free)

struct trust_store *tls_context_trust(struct tls_context *context);
const struct policy *tls_context_policy(const struct tls_context *context);

/* The end-point whose server name is NAME, as SNI names it; "" gives the first one of the policy.
 * NULL when no end-point has that name. End-points live as long as CONTEXT. */
struct tls_endpoint *tls_context_by_server_name(struct tls_context *context, const char *name);
/* NUMBER: less than the policy's endpoint_count. */
struct tls_endpoint *tls_context_by_number(struct tls_context *context, size_t number);
