/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Name constraints (RFC 5280 4.2.1.10). */
#pragma once

#include "base/fault.h"
#include "x509/general_name.h"

#define CONSTRAINTS_SUBTREES_MAX 128 /* permitted, and as many excluded */

/* The content of NameConstraints: well-formed, not empty, minimum and maximum absent, each base in
 * the syntax of its form? */
bool constraints_are_valid(struct bytes constraints);

/* Do a certificate's SUBJECT (Name, header included), its emailAddress attributes and its
 * SUBJECT_ALT_NAME (content of GeneralNames, may be empty) stay within CONSTRAINTS? All three are
 * valid. A name in a form that is constrained and that we cannot compare does not: a URI whose host
 * is no fully qualified domain name, and mail that is not plainly local@host, SmtpUTF8Mailbox
 * included. RESULT_CERTIFICATE_REFUSED: FAULT says which form is outside. */
enum result constraints_check(struct bytes constraints, struct bytes subject,
    struct bytes subject_alt_name, struct fault *fault) WARN_UNUSED;

/* Is NAME, on its own, within CONSTRAINTS (valid)? */
bool constraints_permit(struct bytes constraints, const struct general_name *name);
