/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Name constraints (RFC 5280 4.2.1.10). */
#pragma once

#include "base/fault.h"
#include "x509/general_name.h"

#define CONSTRAINTS_SUBTREES_MAX 128 /* most permitted ones, and most excluded ones */

/* Is CONSTRAINTS the content of a valid NameConstraints? It is not empty, has neither minimum nor
 * maximum, and each base has the syntax of its form. The functions below take valid ones. */
bool constraints_are_valid(struct bytes constraints);

/* Do a certificate's SUBJECT (Name, header included), its emailAddress attributes and its
 * SUBJECT_ALT_NAME (content of GeneralNames, may be empty) stay within CONSTRAINTS? All three are
 * valid. A name counts as outside when its form is constrained and we cannot compare it: a URI
 * whose host is no fully qualified domain name, a mail address other than local@host, and every
 * SmtpUTF8Mailbox (RFC 9598). RESULT_CERTIFICATE_REFUSED when a name is outside: FAULT says of
 * which form it is. */
enum result constraints_check(struct bytes constraints, struct bytes subject,
    struct bytes subject_alt_name, struct fault *fault) WARN_UNUSED;

/* Is the single name NAME within CONSTRAINTS? */
bool constraints_permit(struct bytes constraints, const struct general_name *name);
