/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in a certificate's subjectAltName that policy rules are matched against (TS-0003
 * 8.1.2.5). */
#pragma once

#include "identity/names.h"
#include "x509/certificate.h"

/* CERTIFICATE's names, validated (identity/names.h), and the digest of its public key.
 * RESULT_CERTIFICATE_REFUSED for a wildcard, bad octets, a name that is too long or one name too
 * many; OUT is then empty. */
enum result certificate_names(
    const struct certificate *certificate, struct names *out, struct fault *fault) WARN_UNUSED;
