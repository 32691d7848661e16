/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extensions of certificates and of CRLs (RFC 5280 4.2, 5.2): the walk over them, and the syntax of
 * those whose values we do not use. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"

#define EXTENSIONS_MAX 32

/* Reads one extension. ID is the content of its OBJECT IDENTIFIER, VALUE that of extnValue. */
typedef enum result extension_reader(
    struct bytes id, bool critical, struct bytes value, void *context, struct fault *fault);
/* Calls EACH for every extension of EXTENSIONS (content of the SEQUENCE OF Extension), until it
 * returns something else than RESULT_OK, and returns that. RESULT_CERTIFICATE_REFUSED when one is
 * malformed or comes twice, or there are more than EXTENSIONS_MAX. */
enum result extensions_each(struct bytes extensions, extension_reader *each, void *context,
    struct fault *fault) WARN_UNUSED;
/* Sets FAULT for the extension ID, a valid OBJECT IDENTIFIER, and returns
 * RESULT_CERTIFICATE_REFUSED: "critical extension OID is not understood" or, if it is UNDERSTOOD,
 * "extension OID is malformed". */
enum result extension_refuse(struct bytes id, bool understood, struct fault *fault);

/* Sets OUT to the keyIdentifier in VALUE, an AuthorityKeyIdentifier; empty when it is absent. False
 * when VALUE is malformed. */
bool authority_key_id_read(struct bytes value, struct bytes *out) WARN_UNUSED;

/* Is VALUE, header included, a well-formed CRLDistributionPoints, AuthorityInfoAccessSyntax (or
 * SubjectInfoAccessSyntax), SubjectDirectoryAttributes? */
bool distribution_points_are_valid(struct bytes value);
bool access_descriptions_are_valid(struct bytes value);
bool directory_attributes_are_valid(struct bytes value);
