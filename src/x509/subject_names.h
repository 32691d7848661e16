/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in a certificate's subjectAltName that policy rules are matched against (TS-0003
 * 8.1.2.5). */
#pragma once

#include "identity/names.h"
#include "x509/certificate.h"

/* CERTIFICATE's names, validated (identity/names.h), and the digest of its public key.
 * A dNSName that is no host's (dns_name_is_valid) is left out; name constraints see it all the
 * same. RESULT_CERTIFICATE_REFUSED for a URI or a device id with a wildcard or bad octets or that
 * is too long, and for one name of a kind too many; OUT is then empty. */
enum result certificate_names(
    const struct certificate *certificate, struct names *out, struct fault *fault) WARN_UNUSED;
