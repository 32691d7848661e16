/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The extensions that list certificate policies and map them (RFC 5280 4.2.1.4, 4.2.1.5). What they
 * mean for a path is in trust/path_policies.h. */
#pragma once

#include "base/bytes.h"

#define CERTIFICATE_POLICIES_MAX 128

/* Is POLICIES the content of a valid CertificatePolicies? It has one to CERTIFICATE_POLICIES_MAX
 * policies, none of them twice. If the extension is CRITICAL, every qualifier has to be one that
 * RFC 5280 4.2.1.4 defines. */
bool certificate_policies_are_valid(struct bytes policies, bool critical);
/* Is MAPPINGS the content of a valid PolicyMappings? It is not empty, and maps nothing from or to
 * anyPolicy. */
bool policy_mappings_are_valid(struct bytes mappings);

/* Takes a policy (content of its OBJECT IDENTIFIER) and its qualifiers from the front of IN, the
 * content of CertificatePolicies. False at the end. */
bool certificate_policy_take(struct bytes *in, struct bytes *policy, struct bytes *qualifiers);
bool certificate_policy_is_any(struct bytes policy); /* anyPolicy (RFC 5280 4.2.1.4) */
/* Takes a mapping (issuerDomainPolicy FROM, subjectDomainPolicy TO) from the front of IN, the
 * content of PolicyMappings. False at the end. */
bool policy_mapping_take(struct bytes *in, struct bytes *from, struct bytes *to);
