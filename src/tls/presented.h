/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the initiator proves itself by in Message 3: certificates, or a raw public key (RFC 7250).
 */
#pragma once

#include "base/fault.h"
#include "tls/message.h"

/* Views into the message. */
struct presented {
    enum certificate_type type;
    struct public_key key;                     /* of the leaf, or on its own */
    struct bytes chain[PATH_CERTIFICATES_MAX]; /* X.509: leaf first */
    size_t chain_count;
};

/* Reads it as TYPE, which was negotiated, and as nothing else. RESULT_TLS_REFUSED or
 * RESULT_CERTIFICATE_REFUSED, with the alert. */
enum result presented_read(const struct message3 *message3, enum certificate_type type,
    struct presented *out, struct fault *fault) WARN_UNUSED;
