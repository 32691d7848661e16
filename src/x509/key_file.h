/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The public key in a file of any kind that has one. */
#pragma once

#include "x509/public_key.h"

/* The public key of a certificate, a public key or a private key, in PEM or DER. FAULT: "PATH: what
 * is wrong". */
enum result public_key_of_file(
    const char *path, uint8_t spki[P256_SPKI_OCTETS], struct fault *fault) WARN_UNUSED;
