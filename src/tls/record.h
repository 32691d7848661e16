/* SPDX-License-Identifier: GPL-2.0-or-later */
/* E2EKey messages as octets: whole TLS 1.2 records of the kind that is due (seed table 8.x.2.2-1).
 * Everything is checked here before the TLS engine sees it. */
#pragma once

#include "base/bytes.h"
#include "tls/path.h"

#define TLS_ALERT_UNEXPECTED_MESSAGE      10
#define TLS_ALERT_HANDSHAKE_FAILURE       40
#define TLS_ALERT_BAD_CERTIFICATE         42
#define TLS_ALERT_UNSUPPORTED_CERTIFICATE 43
#define TLS_ALERT_CERTIFICATE_REVOKED     44
#define TLS_ALERT_CERTIFICATE_EXPIRED     45
#define TLS_ALERT_UNKNOWN_CA              48
#define TLS_ALERT_ACCESS_DENIED           49
#define TLS_ALERT_DECODE_ERROR            50
#define TLS_ALERT_DECRYPT_ERROR           51
#define TLS_ALERT_PROTOCOL_VERSION        70
#define TLS_ALERT_INTERNAL_ERROR          80
#define TLS_ALERT_UNRECOGNIZED_NAME       112

#define TLS_ALERT_RECORD_OCTETS 7
#define TLS_HANDSHAKE_MAX       18432 /* octets of handshake messages in one E2EKey message */

/* RFC 7250 3. */
enum certificate_type {
    CERTIFICATE_TYPE_X509 = 0,
    CERTIFICATE_TYPE_RAW_PUBLIC_KEY = 2,
};

/* Message 1: a ClientHello and nothing else. */
struct hello {
    struct bytes handshake;      /* the ClientHello, its header included; into .storage */
    char server_name[256];       /* SNI host_name in lower case; "" = none */
    bool extended_master_secret; /* RFC 7627 */
    struct bytes client_types;   /* client_certificate_type, the initiator's favourite first */
    struct bytes server_types;   /* server_certificate_type; empty = not there: X.509 alone */
    uint8_t storage[TLS_HANDSHAKE_MAX];
};

/* Message 2, as far as an initiator looks at it before its engine does. */
struct message2 {
    bool extended_master_secret;
    enum certificate_type client_type, server_type; /* ServerHello's choice; X.509 without one */
    struct bytes certificate;                       /* content of Certificate; into .storage */
    uint8_t storage[TLS_HANDSHAKE_MAX];
};

/* Message 3: Certificate, ClientKeyExchange, CertificateVerify, ChangeCipherSpec, Finished. */
struct message3 {
    struct bytes certificate; /* handshake messages with their headers; into .storage */
    struct bytes key_exchange;
    struct bytes verify;
    struct bytes presented; /* content of Certificate: not empty, to be read as its type */
    struct bytes signature; /* of CertificateVerify: DER ECDSA-Sig-Value, SHA-256 */
    uint8_t storage[TLS_HANDSHAKE_MAX];
};

/* RESULT_BAD_MESSAGE when it is not whole records of this message, exactly.
 * Well-formed but hopeless (not TLS 1.2, no null compression, no certificate) is RESULT_TLS_REFUSED
 * with an alert. */
enum result record_parse_message1(struct bytes message, struct hello *out, struct fault *fault)
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
const char *record_alert_name(int description); /* "bad_certificate"; "unknown alert" */

/* One record from the front of MESSAGE; false when none stands there whole. */
struct record {
    uint8_t type;
    struct bytes fragment;
};
#define RECORD_CHANGE_CIPHER_SPEC 20
#define RECORD_ALERT              21
#define RECORD_HANDSHAKE          22
bool record_take(struct bytes *message, struct record *out) WARN_UNUSED;
