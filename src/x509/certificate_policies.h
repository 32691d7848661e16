/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificate policies (RFC 5280 4.2.1.4, 4.2.1.5, 6.1). We ask for no policy ourselves: the
 * user-initial-policy-set is any-policy. But a CA can ask for one, by policyConstraints, for all
 * paths through it. */
#pragma once

#include "x509/certificate.h"

#define CERTIFICATE_POLICIES_MAX 128

/* Is this the content of CertificatePolicies: not empty, at most CERTIFICATE_POLICIES_MAX, no
 * policy twice? With CRITICAL set every qualifier has to be one that RFC 5280 defines. */
bool certificate_policies_are_valid(struct bytes policies, bool critical);
/* Is this the content of PolicyMappings: not empty, and none from or to anyPolicy? */
bool policy_mappings_are_valid(struct bytes mappings);

/* Does the path, from the anchor at PATH[0] down to the leaf at PATH[LENGTH - 1], have a policy
 * where one is asked for? Of the anchor's policy extensions only policyConstraints and
 * inhibitAnyPolicy count. */
bool certificate_policies_hold(const struct certificate *const *path, size_t length);
