/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The E2EKey messages of ESCertKE (TS-0003 8.7.2.2) as octets: each is one flight of a TLS 1.2
 * handshake in whole records. Everything is checked here before the TLS engine sees it. */
#pragma once

#include "base/alert.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "tls/hello.h"
#include "tls/record.h"
#include "x509/certificate.h"

#define TLS_ALERT_RECORD_OCTETS 7
#define TLS_HANDSHAKE_MAX       65536 /* octets of handshake messages in one E2EKey message */

/* Each E2EKey message is read into a struct of its own. Its views point into .storage, where the
 * handshake octets are joined, as records may cut them anywhere (RFC 5246 6.2.1). */

/* Message 1: a ClientHello and nothing else. */
struct message1 {
    struct bytes handshake; /* the ClientHello, its header included */
    struct hello hello;
    uint8_t storage[TLS_HANDSHAKE_MAX];
};

/* Message 2, as far as an initiator looks at it before its engine does: ServerHello, Certificate,
 * ServerKeyExchange, CertificateRequest, ServerHelloDone. */
struct message2 {
    struct bytes handshake; /* all of them */
    bool extended_master_secret;
    enum certificate_type client_type, server_type; /* ServerHello's choice; X.509 without one */
    struct bytes certificate;                       /* content of Certificate */
    uint8_t storage[TLS_HANDSHAKE_MAX];
};

/* Message 3: Certificate, ClientKeyExchange, CertificateVerify, ChangeCipherSpec, Finished. */
struct message3 {
    struct bytes handshake;   /* the first three */
    struct bytes end;         /* the records of ChangeCipherSpec and Finished, as they came */
    struct bytes certificate; /* handshake messages with their headers */
    struct bytes key_exchange;
    struct bytes verify;
    struct bytes presented; /* content of Certificate, not empty; presented_read reads it */
    struct bytes signature; /* of CertificateVerify: DER ECDSA-Sig-Value, SHA-256 */
    uint8_t storage[TLS_HANDSHAKE_MAX];
};

/* RESULT_BAD_MESSAGE when the octets are not exactly the records of this message.
 * RESULT_TLS_REFUSED, with the alert that the RFC names, when they are, but violate TLS or offer
 * nothing that we use. An ECDHE public key that is no point of P-256 is refused with
 * illegal_parameter (RFC 8422 5.11), because the secret computed with it could be guessed.
 */
enum result message1_read(struct bytes message, struct message1 *out, struct fault *fault)
    WARN_UNUSED;
enum result message2_read(struct bytes message, struct message2 *out, struct fault *fault)
    WARN_UNUSED;
enum result message3_read(struct bytes message, struct message3 *out, struct fault *fault)
    WARN_UNUSED;

/* Read BODY, the content of a Certificate message, as certificates (leaf first) or as a raw public
 * key. What they return are views into BODY. RESULT_TLS_REFUSED when BODY is malformed;
 * RESULT_CERTIFICATE_REFUSED for more than PATH_CERTIFICATES_MAX certificates, or a key that
 * is not on P-256; both with the alert. */
enum result message_read_chain(struct bytes body, struct bytes chain[PATH_CERTIFICATES_MAX],
    size_t *count, struct fault *fault) WARN_UNUSED;
enum result message_read_public_key(struct bytes body, struct public_key *out, struct fault *fault)
    WARN_UNUSED;

/* Whether MESSAGE begins with a ClientHello. */
bool message_is_message1(struct bytes message);

/* The description in the first alert record of MESSAGE, or FAULT_NO_ALERT. */
int message_find_alert(struct bytes message);
/* Writes a fatal alert as one record. */
void message_write_alert(int description, uint8_t out[TLS_ALERT_RECORD_OCTETS]);

/* Appends HANDSHAKE, whole handshake messages, as records to OUT. Each message begins a record, so
 * that no record cuts a message's header, which the TLS engine does not take. */
enum result message_write_handshake(struct bytes handshake, struct buffer *out) WARN_UNUSED;
