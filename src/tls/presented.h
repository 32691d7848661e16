/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the initiator presents in Message 3: certificates, or a raw public key (RFC 7250). */
#pragma once

#include "base/fault.h"
#include "tls/message.h"

/* All are views into the message. */
struct presented {
    enum certificate_type type;
    struct public_key key;                     /* the leaf's, or the raw public key */
    struct bytes chain[PATH_CERTIFICATES_MAX]; /* X.509: leaf first, never empty */
    size_t chain_count;
};

/* Reads the content of Certificate in MESSAGE3 as TYPE, which was negotiated. RESULT_TLS_REFUSED or
 * RESULT_CERTIFICATE_REFUSED as message_read_chain and message_read_public_key say, the latter also
 * for a leaf that cannot be parsed; with the alert. */
enum result presented_read(const struct message3 *message3, enum certificate_type type,
    struct presented *out, struct fault *fault) WARN_UNUSED;
