/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extensions of certificates and of CRLs (RFC 5280 4.2, 5.2): the walk over them, and the syntax of
 * values that are not looked into further. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"

#define EXTENSIONS_MAX 32

/* Reads one extension. ID is the OBJECT IDENTIFIER's content, VALUE the content of extnValue. */
typedef enum result extension_reader(
    struct bytes id, bool critical, struct bytes value, void *context, struct fault *fault);
/* Calls EACH for every extension of EXTENSIONS (content of the SEQUENCE OF Extension), until it
 * answers something else than RESULT_OK, which is then the result. RESULT_CERTIFICATE_REFUSED when
 * one is malformed, comes twice, or is the one after EXTENSIONS_MAX. */
enum result extensions_each(struct bytes extensions, extension_reader *each, void *context,
    struct fault *fault) WARN_UNUSED;
/* Refuses the extension ID (valid): "critical extension OID is not understood" or, if it is
 * UNDERSTOOD, "extension OID is malformed". */
enum result extension_refuse(struct bytes id, bool understood, struct fault *fault);

/* Reads the keyIdentifier of VALUE, an AuthorityKeyIdentifier, into OUT; empty when it is absent.
 */
bool authority_key_id_read(struct bytes value, struct bytes *out) WARN_UNUSED;

/* Is VALUE, header included, a well-formed CRLDistributionPoints, AuthorityInfoAccessSyntax (or
 * SubjectInfoAccessSyntax), SubjectDirectoryAttributes? */
bool distribution_points_are_valid(struct bytes value);
bool access_descriptions_are_valid(struct bytes value);
bool directory_attributes_are_valid(struct bytes value);
