/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Name constraints (RFC 5280 4.2.1.10). */
#pragma once

#include "base/fault.h"
#include "x509/certificate.h"
#include "x509/general_name.h"

#define CONSTRAINTS_SUBTREES_MAX 128 /* permitted, and as many excluded */

/* The content of NameConstraints: well-formed, not empty, minimum and maximum absent, each base in
 * the syntax of its form? */
bool constraints_are_valid(struct bytes constraints);

/* Do CERTIFICATE's subject, its emailAddress attributes and subjectAltName stay within CONSTRAINTS
 * (valid)? A name in a form that is constrained and that we cannot compare does not: a URI whose
 * host is no fully qualified domain name, and mail that is not plainly local@host, SmtpUTF8Mailbox
 * included. FAULT says which form. */
enum result constraints_check(struct bytes constraints, const struct certificate *certificate,
    struct fault *fault) WARN_UNUSED;

/* Would a name that stands alone? */
bool constraints_permit(struct bytes constraints, const struct general_name *name);
