/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The extensions of a certificate (RFC 5280 4.2). */
#pragma once

#include "base/fault.h"
#include "x509/certificate.h"

#define EXTENSIONS_MAX 32

/* Calls EACH for every extension of EXTENSIONS (content of the SEQUENCE OF Extension): at most once
 * each, well-formed. ID is the OBJECT IDENTIFIER's content. Its result, if not OK, ends the walk.
 */
typedef enum result extension_reader(
    struct bytes id, bool critical, struct bytes value, void *context, struct fault *fault);
enum result extensions_each(struct bytes extensions, extension_reader *each, void *context,
    struct fault *fault) WARN_UNUSED;

/* Reads those that we know into OUT; a critical one that we do not know is refused. */
enum result extensions_read(struct bytes extensions, struct certificate *out, struct fault *fault)
    WARN_UNUSED;

/* Content of an AuthorityKeyIdentifier: the keyIdentifier, empty when absent. */
bool authority_key_id_read(struct bytes value, struct bytes *out) WARN_UNUSED;
/* "critical extension OID is not understood", or "extension OID is malformed". ID is valid. */
enum result extension_refuse(struct bytes id, bool understood, struct fault *fault);
