/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS alert descriptions: what a fault may hand to the peer, and what a peer may hand to us. */
#pragma once

/* name, number (RFC 5246 7.2, RFC 6066 3), name as the RFCs write it */
#define TLS_ALERT_LIST(X)                                                                          \
    X(CLOSE_NOTIFY, 0, "close_notify")                                                             \
    X(UNEXPECTED_MESSAGE, 10, "unexpected_message")                                                \
    X(BAD_RECORD_MAC, 20, "bad_record_mac")                                                        \
    X(RECORD_OVERFLOW, 22, "record_overflow")                                                      \
    X(HANDSHAKE_FAILURE, 40, "handshake_failure")                                                  \
    X(BAD_CERTIFICATE, 42, "bad_certificate")                                                      \
    X(UNSUPPORTED_CERTIFICATE, 43, "unsupported_certificate")                                      \
    X(CERTIFICATE_REVOKED, 44, "certificate_revoked")                                              \
    X(CERTIFICATE_EXPIRED, 45, "certificate_expired")                                              \
    X(CERTIFICATE_UNKNOWN, 46, "certificate_unknown")                                              \
    X(ILLEGAL_PARAMETER, 47, "illegal_parameter")                                                  \
    X(UNKNOWN_CA, 48, "unknown_ca")                                                                \
    X(ACCESS_DENIED, 49, "access_denied")                                                          \
    X(DECODE_ERROR, 50, "decode_error")                                                            \
    X(DECRYPT_ERROR, 51, "decrypt_error")                                                          \
    X(PROTOCOL_VERSION, 70, "protocol_version")                                                    \
    X(INSUFFICIENT_SECURITY, 71, "insufficient_security")                                          \
    X(INTERNAL_ERROR, 80, "internal_error")                                                        \
    X(UNSUPPORTED_EXTENSION, 110, "unsupported_extension")                                         \
    X(UNRECOGNIZED_NAME, 112, "unrecognized_name")

#define TLS_ALERT_ENUM(name, number, text) TLS_ALERT_##name = (number),
enum { TLS_ALERT_LIST(TLS_ALERT_ENUM) };
#undef TLS_ALERT_ENUM

/* Returns the RFCs' name of DESCRIPTION ("bad_certificate"), or "unknown alert". Static. */
const char *alert_name(int description);
