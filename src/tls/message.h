/* SPDX-License-Identifier: GPL-2.0-or-later */
/* E2EKey messages as octets: whole TLS 1.2 records of the kind that is due (seed table 8.x.2.2-1).
 * Everything is checked here before the TLS engine sees it. */
#pragma once

#include "base/alert.h"
#include "base/bytes.h"
#include "tls/hello.h"
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
    struct bytes presented; /* content of Certificate: not empty, to be read as its type */
    struct bytes signature; /* of CertificateVerify: DER ECDSA-Sig-Value, SHA-256 */
    uint8_t storage[TLS_HANDSHAKE_MAX];
};

/* RESULT_BAD_MESSAGE when it is not whole records of this message, exactly. RESULT_TLS_REFUSED,
 * with the alert that the RFC names, when it is, but what it holds breaks TLS or is of no use here.
 * An ECDHE public key that is no point of P-256 is refused with illegal_parameter (RFC 8422 5.11):
 * with one the engine would compute a secret that anybody can. */
enum result record_parse_message1(struct bytes message, struct message1 *out, struct fault *fault)
    WARN_UNUSED;
enum result record_parse_message2(struct bytes message, struct message2 *out, struct fault *fault)
    WARN_UNUSED;
enum result record_parse_message3(struct bytes message, struct message3 *out, struct fault *fault)
    WARN_UNUSED;

/* The content of a Certificate message of type X.509, leaf first, and of type raw public key. Views
 * into BODY. */
enum result record_read_chain(struct bytes body, struct bytes chain[PATH_CERTIFICATES_MAX],
    size_t *count, struct fault *fault) WARN_UNUSED;
enum result record_read_public_key(struct bytes body, struct public_key *out, struct fault *fault)
    WARN_UNUSED;

/* The description in the first alert record of MESSAGE, or FAULT_NO_ALERT. */
int record_find_alert(struct bytes message);
/* A fatal alert as one record. */
void record_write_alert(int description, uint8_t out[TLS_ALERT_RECORD_OCTETS]);

/* One record from the front of MESSAGE; false when none stands there whole. */
struct record {
    uint8_t type;
    uint16_t version;
    struct bytes fragment;
};
#define RECORD_CHANGE_CIPHER_SPEC 20
#define RECORD_ALERT              21
#define RECORD_HANDSHAKE          22
bool record_take(struct bytes *message, struct record *out) WARN_UNUSED;

/* Appends HANDSHAKE, whole handshake messages, as records to OUT. Each message begins a record, so
 * that no record cuts a message's header, which the TLS engine does not take. */
enum result record_write_handshake(struct bytes handshake, struct buffer *out) WARN_UNUSED;
