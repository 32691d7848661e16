/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Terminating End-Point's side of one TLS 1.2 handshake, over memory (TS-0003 8.7.2.2). */
#pragma once

#include "base/fault.h"
#include "tls/endpoint.h"
#include "tls/exporter.h"
#include "tls/presented.h"

/* Only one thread at a time may use it. */
struct handshake;

/* Answers Message 1 with Message 2, which is appended to MESSAGE2. RESULT_TLS_REFUSED with the
 * alert when the two sides have no ciphersuite or certificate type in common. */
enum result handshake_start(struct tls_endpoint *endpoint, const struct policy_tls *tls,
    const struct message1 *message1, struct handshake **out, struct buffer *message2,
    struct fault *fault) WARN_UNUSED;
void handshake_free(struct handshake *handshake);
DEFINE_CLEANUP(struct handshake *, handshake_free)

/* The negotiated type of what the initiator presents in Message 3. */
enum certificate_type handshake_certificate_type(const struct handshake *handshake);

/* RESULT_BAD_MESSAGE when records of MESSAGE3 follow one that holds all of Finished. */
enum result handshake_check_end(const struct handshake *handshake, const struct message3 *message3,
    struct fault *fault) WARN_UNUSED;

/* Whether CertificateVerify in MESSAGE3 signs this handshake's transcript with KEY. Costs one ECDSA
 * verification. A valid signature is remembered, so that handshake_finish does not verify it again;
 * an invalid one changes nothing. */
bool handshake_is_signed_by(
    struct handshake *handshake, const struct message3 *message3, const struct public_key *key);

/* Answers Message 3 with Message 4, which is appended, and exports the key. Call it only after
 * handshake_is_signed_by has returned true for the same MESSAGE3, and the owner of the key is
 * authorised: the engine takes that signature and that key, and no other. RESULT_TLS_REFUSED, with
 * the alert, when the engine refuses the message, for example for a wrong Finished. The handshake
 * is over in any case. */
enum result handshake_finish(struct handshake *handshake, const struct message3 *message3,
    struct buffer *message4, struct exported_key *exported, struct fault *fault) WARN_UNUSED;

uint16_t handshake_cipher_suite(const struct handshake *handshake); /* IANA code point */
