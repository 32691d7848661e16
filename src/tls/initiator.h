/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Initiating End-Point's side of one TLS 1.2 handshake, over memory (TS-0003 8.7.2.2): for
 * e2ekeyctl, tests and benchmarks. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"
#include "tls/exporter.h"

/* What an initiator presents and whom it trusts. It may serve many exchanges on many threads. */
struct initiator_credential;
/* CERTIFICATE_PATH NULL: it presents the raw public key (RFC 7250) that belongs to the private key.
 * ANCHORS_PATH NULL: it trusts nobody until initiator_credential_pin. */
enum result initiator_credential_new(const char *certificate_path, const char *private_key_path,
    const char *anchors_path, struct initiator_credential **out, struct fault *fault) WARN_UNUSED;
/* After this call the terminating end-point has to present the raw public key with PUBLIC_KEY_ID
 * (RFC 6920, "ni:///sha-256;..."), rather than a certificate. */
enum result initiator_credential_pin(struct initiator_credential *credential,
    const char *public_key_id, struct fault *fault) WARN_UNUSED;
void initiator_credential_free(struct initiator_credential *credential);
DEFINE_CLEANUP(struct initiator_credential *, initiator_credential_free)

struct initiator;

/* Appends Message 1. SERVER_NAME: for SNI, NULL = none. CREDENTIAL has to outlive *OUT. */
enum result initiator_start(struct initiator_credential *credential, const char *server_name,
    struct initiator **out, struct buffer *message1, struct fault *fault) WARN_UNUSED;
/* Answers Message 2, MESSAGE, with Message 3, which is appended. trust/admission decides about the
 * terminating end-point: its certificate has to be valid and to name SERVER_IDENTITY (absolute), by
 * a URI, or by the dNSName of a CSE; its raw public key has to be the one expected. An alert in
 * FAULT is to be sent. RESULT_BAD_INPUT: SERVER_IDENTITY is none. */
enum result initiator_answer(struct initiator *initiator, struct bytes message,
    const char *server_identity, struct buffer *message3, struct fault *fault) WARN_UNUSED;
/* Takes Message 4 and exports the key, which is secret: EXPORTED is the caller's to wipe. */
enum result initiator_finish(struct initiator *initiator, struct bytes message4,
    struct exported_key *exported, struct fault *fault) WARN_UNUSED;
void initiator_free(struct initiator *initiator);
DEFINE_CLEANUP(struct initiator *, initiator_free)
