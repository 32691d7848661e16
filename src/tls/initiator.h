/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Initiating End-Point's side of the same handshake: for e2ekeyctl, tests and benchmarks. */
#pragma once

#include "base/bytes.h"
#include "tls/exporter.h"

/* Credential and trust of an initiator; many exchanges, many threads. */
struct initiator_credential;
/* CERTIFICATE_PATH NULL: presents the raw public key (RFC 7250) that goes with the private key.
 * ANCHORS_PATH NULL: initiator_credential_pin is to say whom to trust. */
enum result initiator_credential_new(const char *certificate_path, const char *private_key_path,
    const char *anchors_path, struct initiator_credential **out, struct fault *fault) WARN_UNUSED;
/* The terminating end-point has to answer with the raw public key of PUBLIC_KEY_ID (RFC 6920,
 * "ni:///sha-256;..."), rather than with a certificate. */
enum result initiator_credential_pin(struct initiator_credential *credential,
    const char *public_key_id, struct fault *fault) WARN_UNUSED;
void initiator_credential_free(struct initiator_credential *credential);
DEFINE_CLEANUP(struct initiator_credential *, initiator_credential_free)

struct initiator;

/* SERVER_NAME for SNI, NULL = none. Message 1 is appended. */
enum result initiator_start(struct initiator_credential *credential, const char *server_name,
    struct initiator **out, struct buffer *message1, struct fault *fault) WARN_UNUSED;
/* Validates the terminating end-point's certificate: a dNSName for a CSE-ID, a URI for an AE-ID,
 * that stands for SERVER_IDENTITY (absolute); or holds its raw public key to the one expected. An
 * alert in FAULT is ours to the peer. */
enum result initiator_answer(struct initiator *initiator, struct bytes message,
    const char *server_identity, struct buffer *message3, struct fault *fault) WARN_UNUSED;
enum result initiator_finish(struct initiator *initiator, struct bytes message4,
    struct exported_key *exported, struct fault *fault) WARN_UNUSED;
void initiator_free(struct initiator *initiator);
DEFINE_CLEANUP(struct initiator *, initiator_free)
