/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an end-point proves itself by: a certificate and its private key. Private to this room. */
#pragma once

#include "tls/engine.h"

/* Certificate chain and private key from files into ENGINE; the leaf, DER, into LEAF. */
enum result credential_load(WOLFSSL_CTX *engine, const char *certificate_path,
    const char *private_key_path, struct buffer *leaf, struct fault *fault) WARN_UNUSED;
