/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificate policies along a path (RFC 5280 6.1). We ask for no policy ourselves: the
 * user-initial-policy-set is any-policy. But a CA can ask for one, by policyConstraints, for all
 * paths through it. */
#pragma once

#include "x509/certificate.h"

/* Does the path, from the anchor at PATH[0] down to the leaf at PATH[LENGTH - 1], have a valid
 * policy if one of its CAs asks for one? Of the anchor's policy extensions only policyConstraints
 * and inhibitAnyPolicy count. */
bool path_policies_hold(const struct certificate *const *path, size_t length);
