/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One of our end-points, as the TLS engine needs it: what it presents to initiators, which is a
 * certificate, a raw public key (RFC 7250) or, as they ask, one of the two; and what it takes from
 * them. */
#pragma once

#include "policy/match.h"
#include "tls/numbers.h"

/* Immutable; any thread may use it. */
struct tls_endpoint;
struct WOLFSSL_CTX;

/* Reads the files of end-point number NUMBER of POLICY, which must outlive it. A private key on a
 * token is tried by a signature. Returns NULL, with the faults in REPORT, when something cannot be
 * used. A certificate that is not valid at this time is a fault in REPORT too. */
struct tls_endpoint *tls_endpoint_new(
    const struct policy *policy, size_t number, struct report *report) WARN_UNUSED;
void tls_endpoint_free(struct tls_endpoint *endpoint);
DEFINE_CLEANUP(struct tls_endpoint *, tls_endpoint_free)

size_t tls_endpoint_number(const struct tls_endpoint *endpoint);           /* in policy.endpoints */
const char *tls_endpoint_identity(const struct tls_endpoint *endpoint);    /* absolute */
const char *tls_endpoint_server_name(const struct tls_endpoint *endpoint); /* NULL: has none */
/* The end-point's certificate, DER; empty when it has a raw public key alone. */
struct bytes tls_endpoint_certificate(const struct tls_endpoint *endpoint);

/* The certificate types that this end-point can present. */
struct certificate_types tls_endpoint_presents(const struct tls_endpoint *endpoint);
/* The certificate types that its rules allow initiators to present. */
struct certificate_types tls_endpoint_takes(const struct tls_endpoint *endpoint);

/* The engine that presents TYPE, one of those that the end-point can present. Private to this room.
 */
struct WOLFSSL_CTX *tls_endpoint_engine(
    const struct tls_endpoint *endpoint, enum certificate_type type);
