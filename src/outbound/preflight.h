/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be found wrong with the registrations of a policy before any request is sent. */
#pragma once

#include "base/report.h"
#include "base/result.h"
#include "policy/policy.h"

/* Reads the files for HTTPS, and adds to REPORT a fault for each that cannot be used: anchors in
 * which there is no certificate, a private key that is not on P-256 or not the certificate's.
 * RESULT_BAD_CONFIGURATION if there was one. */
enum result preflight_files(const struct policy *policy, struct report *report) WARN_UNUSED;

/* Adds to REPORT a warning for each point of access that is none of the addresses in http.listen: a
 * mistake, unless a proxy or a socket of the service manager has that address. */
void preflight_addresses(const struct policy *policy, struct report *report);
