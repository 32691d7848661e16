/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS alert descriptions (RFC 5246 7.2, RFC 6066 3): what a fault may hand to the peer. */
#pragma once

#define TLS_ALERT_UNEXPECTED_MESSAGE      10
#define TLS_ALERT_BAD_RECORD_MAC          20
#define TLS_ALERT_RECORD_OVERFLOW         22
#define TLS_ALERT_HANDSHAKE_FAILURE       40
#define TLS_ALERT_BAD_CERTIFICATE         42
#define TLS_ALERT_UNSUPPORTED_CERTIFICATE 43
#define TLS_ALERT_CERTIFICATE_REVOKED     44
#define TLS_ALERT_CERTIFICATE_EXPIRED     45
#define TLS_ALERT_ILLEGAL_PARAMETER       47
#define TLS_ALERT_UNKNOWN_CA              48
#define TLS_ALERT_ACCESS_DENIED           49
#define TLS_ALERT_DECODE_ERROR            50
#define TLS_ALERT_DECRYPT_ERROR           51
#define TLS_ALERT_PROTOCOL_VERSION        70
#define TLS_ALERT_INTERNAL_ERROR          80
#define TLS_ALERT_UNSUPPORTED_EXTENSION   110
#define TLS_ALERT_UNRECOGNIZED_NAME       112

const char *alert_name(int description); /* "bad_certificate"; "unknown alert" */
