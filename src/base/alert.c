/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/alert.h"

#include <stddef.h>

#include "base/cleanup.h"

const char *alert_name(int description)
{
    static const struct {
        int description;
        const char *name;
    } names[] = {
        {0, "close_notify"},
        {TLS_ALERT_UNEXPECTED_MESSAGE, "unexpected_message"},
        {TLS_ALERT_BAD_RECORD_MAC, "bad_record_mac"},
        {TLS_ALERT_RECORD_OVERFLOW, "record_overflow"},
        {TLS_ALERT_HANDSHAKE_FAILURE, "handshake_failure"},
        {TLS_ALERT_BAD_CERTIFICATE, "bad_certificate"},
        {TLS_ALERT_UNSUPPORTED_CERTIFICATE, "unsupported_certificate"},
        {TLS_ALERT_CERTIFICATE_REVOKED, "certificate_revoked"},
        {TLS_ALERT_CERTIFICATE_EXPIRED, "certificate_expired"},
        {46, "certificate_unknown"},
        {TLS_ALERT_ILLEGAL_PARAMETER, "illegal_parameter"},
        {TLS_ALERT_UNKNOWN_CA, "unknown_ca"},
        {TLS_ALERT_ACCESS_DENIED, "access_denied"},
        {TLS_ALERT_DECODE_ERROR, "decode_error"},
        {TLS_ALERT_DECRYPT_ERROR, "decrypt_error"},
        {TLS_ALERT_PROTOCOL_VERSION, "protocol_version"},
        {71, "insufficient_security"},
        {TLS_ALERT_INTERNAL_ERROR, "internal_error"},
        {TLS_ALERT_UNSUPPORTED_EXTENSION, "unsupported_extension"},
        {TLS_ALERT_UNRECOGNIZED_NAME, "unrecognized_name"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].description == description)
            return names[i].name;
    return "unknown alert";
}
