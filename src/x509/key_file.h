/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the public key from any kind of file that has one. */
#pragma once

#include "x509/public_key.h"

/* Writes the SubjectPublicKeyInfo of the certificate, public key or private key in the file PATH,
 * PEM or DER, to SPKI. The text of FAULT is "PATH: what is wrong". */
enum result public_key_of_file(
    const char *path, uint8_t spki[P256_SPKI_OCTETS], struct fault *fault) WARN_UNUSED;
