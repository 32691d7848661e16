/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/certificate_policies.h"

#include "x509/der.h"

static const uint8_t any_policy_octets[] = {0x55, 0x1d, 0x20, 0x00};
static const uint8_t cps_octets[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02, 0x01};
static const uint8_t notice_octets[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02, 0x02};

bool certificate_policy_is_any(struct bytes policy)
{
    return bytes_equal(policy, bytes_of(any_policy_octets, sizeof(any_policy_octets)));
}

/* PolicyInformation ::= SEQUENCE { policyIdentifier, policyQualifiers SEQUENCE OF OPTIONAL } */
bool certificate_policy_take(struct bytes *in, struct bytes *policy, struct bytes *qualifiers)
{
    struct bytes information;
    return der_take_tag(in, DER_SEQUENCE, &information) &&
           der_take_tag(&information, DER_OID, policy) &&
           der_take_optional(&information, DER_SEQUENCE, qualifiers) && information.size == 0;
}

/* PolicyQualifierInfo ::= SEQUENCE { policyQualifierId, qualifier ANY } */
static bool take_qualifier(struct bytes *in, bool critical)
{
    struct bytes information, id;
    struct der qualifier;
    if (!der_take_tag(in, DER_SEQUENCE, &information) ||
        !der_take_tag(&information, DER_OID, &id) || !der_oid_is_valid(id) ||
        !der_take(&information, &qualifier) || information.size != 0)
        return false;
    if (bytes_equal(id, bytes_of(cps_octets, sizeof(cps_octets))))
        return qualifier.tag == DER_IA5_STRING;
    if (bytes_equal(id, bytes_of(notice_octets, sizeof(notice_octets))))
        return qualifier.tag == DER_SEQUENCE;
    return !critical;
}

static bool qualifiers_are_valid(struct bytes qualifiers, bool critical)
{
    bool is_empty = qualifiers.data && qualifiers.size == 0;
    while (qualifiers.size > 0) {
        if (!take_qualifier(&qualifiers, critical))
            return false;
    }
    return !is_empty;
}

static bool lists_policy(struct bytes policies, struct bytes policy)
{
    struct bytes other, qualifiers;
    while (certificate_policy_take(&policies, &other, &qualifiers)) {
        if (bytes_equal(policy, other))
            return true;
    }
    return false;
}

bool certificate_policies_are_valid(struct bytes policies, bool critical)
{
    struct bytes rest = policies, policy, qualifiers;
    for (size_t count = 0; rest.size > 0; count++) {
        size_t before = policies.size - rest.size;
        if (count == CERTIFICATE_POLICIES_MAX ||
            !certificate_policy_take(&rest, &policy, &qualifiers) || !der_oid_is_valid(policy) ||
            !qualifiers_are_valid(qualifiers, critical) ||
            lists_policy(bytes_of(policies.data, before), policy))
            return false;
    }
    return policies.size > 0;
}

/* SEQUENCE { issuerDomainPolicy, subjectDomainPolicy } */
bool policy_mapping_take(struct bytes *in, struct bytes *from, struct bytes *to)
{
    struct bytes mapping;
    return der_take_tag(in, DER_SEQUENCE, &mapping) && der_take_tag(&mapping, DER_OID, from) &&
           der_take_tag(&mapping, DER_OID, to) && mapping.size == 0;
}

bool policy_mappings_are_valid(struct bytes mappings)
{
    struct bytes rest = mappings, from, to;
    while (rest.size > 0) {
        if (!policy_mapping_take(&rest, &from, &to) || !der_oid_is_valid(from) ||
            !der_oid_is_valid(to) || certificate_policy_is_any(from) ||
            certificate_policy_is_any(to))
            return false;
    }
    return mappings.size > 0;
}
