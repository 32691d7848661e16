/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lets GnuTLS sign with a private key that stays in our secret memory. */
#pragma once

#include <gnutls/abstract.h>

#include "base/fault.h"
#include "x509/private_key.h"

/* Makes SIGNER, which the caller has initialised, sign with KEY, which has to outlive it. Returns 0
 * or an error of GnuTLS. */
int gnutls_key_import(gnutls_privkey_t signer, struct private_key *key);

/* The start of a URL of a private key for GnuTLS, after which the path of the file follows. Where
 * GnuTLS or libcurl takes such a URL in place of a file's name, the key is read (private_key_read)
 * into secret memory for as long as the TLS session lives, and signs there. */
#define GNUTLS_KEY_URL "e2ekeyd-key:"

/* Makes these URLs known to GnuTLS, once for the process. To be called before there are threads
 * that use GnuTLS. RESULT_SYSTEM_ERROR. */
enum result gnutls_key_register_url(struct fault *fault) WARN_UNUSED;
