/* SPDX-License-Identifier: GPL-2.0-or-later */
/* oneM2M entity identifiers (TS-0001 7.2): AE-IDs and CSE-IDs in their three forms. */
#pragma once

#include <stdbool.h>

#include "base/fault.h"

#define IDENTIFIER_OCTETS 256 /* the longest identifier that we take, NUL included */

/* Absolute: "//SP/CSE", "//SP/CSE/Cxxx" or "//SP/Sxxx". Segments are of the characters that a URI
 * leaves unreserved (RFC 3986 2.3), never empty, "." or ".."; SP is an FQDN in either case. */
bool identifier_is_absolute(const char *text);
bool identifier_is_cse_id(const char *text);  /* SP-relative: "/CSE" */
bool identifier_is_sp_id(const char *text);   /* an FQDN, without "//" */
bool identifier_is_ae_id(const char *text);   /* absolute, with a stem that begins with C or S */
bool identifier_is_segment(const char *text); /* one segment, without slashes */

/* Writes the absolute form of FROM, which may be in any form, as an originator that is registered
 * at CSE_ID ("/in-cse") of SP_ID ("m2m.example") means it (TS-0001 7.2):
 *
 *     Cxxx           //SP/CSE/Cxxx
 *     Sxxx, /Sxxx    //SP/Sxxx
 *     /cse           //SP/cse
 *     /cse/Cxxx      //SP/cse/Cxxx
 *
 * An absolute one keeps its form; its SP-ID becomes lower case. Nothing is percent-decoded.
 * RESULT_BAD_INPUT when FROM has none of these forms or is too long. */
enum result identifier_absolute(const char *sp_id, const char *cse_id, const char *from,
    char out[IDENTIFIER_OCTETS], struct fault *fault) WARN_UNUSED;

/* Returns what follows the scheme of URI ("//SP/CSE/Cxxx" in "coap://SP/CSE/Cxxx"), or all of URI
 * when it has no scheme. Does not check that it is an absolute identifier. */
const char *identifier_of_uri(const char *uri);

/* A pattern is an absolute identifier, or one whose last segment is an asterisk, which stands for
 * exactly one segment. In a deep pattern the last segment may also be two asterisks, which stand
 * for one segment or more. */
bool identifier_is_pattern(const char *text);
bool identifier_is_deep_pattern(const char *text);
bool identifier_matches(const char *pattern, const char *absolute); /* PATTERN may be deep */
