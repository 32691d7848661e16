/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Terminating End-Point's side of one TLS 1.2 handshake, over memory (TS-0003 8.7.2.2). */
#pragma once

#include "tls/context.h"
#include "tls/exporter.h"
#include "tls/presented.h"

/* One thread at a time. */
struct handshake;

/* Message 1 to Message 2 (appended to MESSAGE2). RESULT_TLS_REFUSED with the engine's alert, or
 * unsupported_certificate when no certificate type is common. */
enum result handshake_start(struct tls_endpoint *endpoint, struct bytes message1,
    const struct hello *hello, struct handshake **out, struct buffer *message2, struct fault *fault)
    WARN_UNUSED;
void handshake_free(struct handshake *handshake);
DEFINE_CLEANUP(struct handshake *, handshake_free)

/* What the initiator is to present in Message 3, as was negotiated. */
enum certificate_type handshake_certificate_type(const struct handshake *handshake);

/* Is it this handshake's transcript that CertificateVerify in MESSAGE3 signs, with KEY? One
 * signature check, and no other trace in the handshake than the memory of a yes. */
bool handshake_is_signed_by(
    struct handshake *handshake, const struct message3 *message3, const struct public_key *key);

/* Message 3 to Message 4 (appended) and the exported key. To be called after a yes of
 * handshake_is_signed_by, with a key whose owner is known: the engine takes that signature and that
 * key, and no other. RESULT_TLS_REFUSED with an alert, as on a bad Finished; the handshake is
 * of no more use in any case. */
enum result handshake_finish(struct handshake *handshake, struct bytes message3,
    struct buffer *message4, struct exported_key *exported, struct fault *fault) WARN_UNUSED;

uint16_t handshake_cipher_suite(const struct handshake *handshake); /* IANA code point */
