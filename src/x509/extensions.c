/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/extensions.h"

#include <stdio.h>

#include "base/alert.h"
#include "x509/certificate_policies.h"
#include "x509/constraints.h"
#include "x509/der.h"
#include "x509/general_name.h"

#define OID_TEXT_OCTETS 128

struct extension {
    struct bytes id;
    bool critical;
    struct bytes value;
};

/* --- those that decide over a path --- */

/* BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL } */
static bool read_basic_constraints(const struct extension *in, struct certificate *out)
{
    struct bytes content, length;
    if (!der_only(in->value, DER_SEQUENCE, &content) || !der_take_flag(&content, &out->is_ca) ||
        !der_take_optional(&content, DER_INTEGER, &length) || content.size != 0)
        return false;
    return !length.data || (out->is_ca && der_count(length, &out->path_length));
}

/* A BIT STRING with a named bit list: at least one bit, and no zero bits after the last. */
static bool read_key_usage(const struct extension *in, struct certificate *out)
{
    struct bytes bits;
    uint8_t unused;
    if (!der_only(in->value, DER_BIT_STRING, &bits) || !bytes_take_u8(&bits, &unused) ||
        unused > 7 || bits.size == 0 || bits.size > 2)
        return false;
    uint8_t last = bits.data[bits.size - 1], lowest = (uint8_t)(1U << unused);
    if ((last & lowest) == 0 || (last & (lowest - 1)) != 0)
        return false;
    out->has_key_usage = true;
    out->key_usage = ((bits.data[0] & 0x80) != 0 ? KEY_USAGE_DIGITAL_SIGNATURE : 0U) |
                     ((bits.data[0] & 0x04) != 0 ? KEY_USAGE_CERT_SIGN : 0U) |
                     ((bits.data[0] & 0x02) != 0 ? KEY_USAGE_CRL_SIGN : 0U);
    return true;
}

static bool read_extended_usage(const struct extension *in, struct certificate *out)
{
    static const uint8_t any[] = {0x55, 0x1d, 0x25, 0x00};
    static const uint8_t server[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
    static const uint8_t client[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
    struct bytes purposes, purpose;
    if (!der_only(in->value, DER_SEQUENCE, &purposes) || purposes.size == 0)
        return false;
    out->has_extended_usage = true;
    while (purposes.size > 0) {
        if (!der_take_tag(&purposes, DER_OID, &purpose) || !der_oid_is_valid(purpose))
            return false;
        bool is_any = bytes_equal(purpose, bytes_of(any, sizeof(any)));
        out->client_usage |= is_any || bytes_equal(purpose, bytes_of(client, sizeof(client)));
        out->server_usage |= is_any || bytes_equal(purpose, bytes_of(server, sizeof(server)));
    }
    return true;
}

static bool read_subject_alt_name(const struct extension *in, struct certificate *out)
{
    return der_only(in->value, DER_SEQUENCE, &out->subject_alt_name) &&
           general_names_are_valid(out->subject_alt_name);
}

static bool read_name_constraints(const struct extension *in, struct certificate *out)
{
    return der_only(in->value, DER_SEQUENCE, &out->name_constraints) &&
           constraints_are_valid(out->name_constraints);
}

/* keyIdentifier [0]; authorityCertIssuer [1] and authorityCertSerialNumber [2], both or neither */
bool authority_key_id_read(struct bytes value, struct bytes *out)
{
    struct bytes content, issuer, serial;
    if (!der_only(value, DER_SEQUENCE, &content) ||
        !der_take_optional(&content, DER_CONTEXT(0), out) ||
        !der_take_optional(&content, DER_CONTEXT_CONSTRUCTED(1), &issuer) ||
        !der_take_optional(&content, DER_CONTEXT(2), &serial) || content.size != 0)
        return false;
    return issuer.data ? general_names_are_valid(issuer) && serial.size > 0 : !serial.data;
}

static bool read_authority_key_id(const struct extension *in, struct certificate *out)
{
    return authority_key_id_read(in->value, &out->authority_key_id);
}

static bool read_subject_key_id(const struct extension *in, struct certificate *out)
{
    return der_only(in->value, DER_OCTET_STRING, &out->subject_key_id);
}

static bool read_policies(const struct extension *in, struct certificate *out)
{
    return der_only(in->value, DER_SEQUENCE, &out->policies) &&
           certificate_policies_are_valid(out->policies, in->critical);
}

static bool read_policy_mappings(const struct extension *in, struct certificate *out)
{
    return der_only(in->value, DER_SEQUENCE, &out->policy_mappings) &&
           policy_mappings_are_valid(out->policy_mappings);
}

/* requireExplicitPolicy [0] and inhibitPolicyMapping [1], at least one of them. */
static bool read_policy_constraints(const struct extension *in, struct certificate *out)
{
    struct bytes content, explicit_policy, mapping;
    return der_only(in->value, DER_SEQUENCE, &content) && content.size > 0 &&
           der_take_optional(&content, DER_CONTEXT(0), &explicit_policy) &&
           der_take_optional(&content, DER_CONTEXT(1), &mapping) && content.size == 0 &&
           (!explicit_policy.data || der_count(explicit_policy, &out->require_explicit_policy)) &&
           (!mapping.data || der_count(mapping, &out->inhibit_policy_mapping));
}

static bool read_inhibit_any_policy(const struct extension *in, struct certificate *out)
{
    struct bytes count;
    return der_only(in->value, DER_INTEGER, &count) && der_count(count, &out->inhibit_any_policy);
}

/* --- those that only have to be well-formed --- */

static bool read_issuer_alt_name(const struct extension *in, struct certificate *out)
{
    struct bytes names;
    (void)out;
    return der_only(in->value, DER_SEQUENCE, &names) && general_names_are_valid(names);
}

/* DistributionPoint: [0] its name, [1] reasons and [2] the CRL's issuer, not reasons alone */
static bool take_distribution_point(struct bytes *in)
{
    struct bytes point, name, reasons, issuer;
    return der_take_tag(in, DER_SEQUENCE, &point) &&
           der_take_optional(&point, DER_CONTEXT_CONSTRUCTED(0), &name) &&
           der_take_optional(&point, DER_CONTEXT(1), &reasons) &&
           der_take_optional(&point, DER_CONTEXT_CONSTRUCTED(2), &issuer) && point.size == 0 &&
           (name.size > 0 || (!name.data && issuer.data)) &&
           (!issuer.data || general_names_are_valid(issuer));
}

/* AccessDescription ::= SEQUENCE { accessMethod OBJECT IDENTIFIER, accessLocation GeneralName } */
static bool take_access_description(struct bytes *in)
{
    struct bytes description, method;
    struct general_name location;
    return der_take_tag(in, DER_SEQUENCE, &description) &&
           der_take_tag(&description, DER_OID, &method) && der_oid_is_valid(method) &&
           general_name_take(&description, &location) && description.size == 0;
}

/* Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY } */
static bool take_directory_attribute(struct bytes *in)
{
    struct bytes attribute, type, values;
    return der_take_tag(in, DER_SEQUENCE, &attribute) && der_take_tag(&attribute, DER_OID, &type) &&
           der_oid_is_valid(type) && der_take_tag(&attribute, DER_SET, &values) &&
           values.size > 0 && attribute.size == 0;
}

static bool is_sequence_of(bool (*take)(struct bytes *in), struct bytes value)
{
    struct bytes elements;
    if (!der_only(value, DER_SEQUENCE, &elements) || elements.size == 0)
        return false;
    while (elements.size > 0) {
        if (!take(&elements))
            return false;
    }
    return true;
}

static bool read_distribution_points(const struct extension *in, struct certificate *out)
{
    (void)out;
    return is_sequence_of(take_distribution_point, in->value);
}

static bool read_access_descriptions(const struct extension *in, struct certificate *out)
{
    (void)out;
    return is_sequence_of(take_access_description, in->value);
}

static bool read_directory_attributes(const struct extension *in, struct certificate *out)
{
    (void)out;
    return is_sequence_of(take_directory_attribute, in->value);
}

/* --- all of them --- */

#define ID_CE(number) {0x55, 0x1d, (number)}, 3
#define ID_PE(number) {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, (number)}, 8

/* May an extension be marked as critical, so that whoever does not act on it has to refuse it? */
enum criticality {
    NEVER,  /* we do not act on it */
    MAY_BE, /* we do, however it is marked */
    HAS_TO, /* the same, and a CA that does not mark it breaks a MUST that we rely on */
};

static const struct {
    uint8_t id[8];
    size_t id_size;
    bool (*read)(const struct extension *in, struct certificate *out);
    enum criticality criticality;
} known[] = {
    {ID_CE(9), read_directory_attributes, NEVER}, /* subjectDirectoryAttributes */
    {ID_CE(14), read_subject_key_id, MAY_BE},     /* subjectKeyIdentifier */
    {ID_CE(15), read_key_usage, MAY_BE},          /* keyUsage */
    {ID_CE(17), read_subject_alt_name, MAY_BE},   /* subjectAltName */
    {ID_CE(18), read_issuer_alt_name, MAY_BE},    /* issuerAltName */
    {ID_CE(19), read_basic_constraints, MAY_BE},  /* basicConstraints */
    {ID_CE(30), read_name_constraints, MAY_BE},   /* nameConstraints */
    {ID_CE(31), read_distribution_points, NEVER}, /* cRLDistributionPoints */
    {ID_CE(32), read_policies, MAY_BE},           /* certificatePolicies */
    {ID_CE(33), read_policy_mappings, MAY_BE},    /* policyMappings */
    {ID_CE(35), read_authority_key_id, MAY_BE},   /* authorityKeyIdentifier */
    {ID_CE(36), read_policy_constraints, HAS_TO}, /* policyConstraints */
    {ID_CE(37), read_extended_usage, MAY_BE},     /* extKeyUsage */
    {ID_CE(46), read_distribution_points, NEVER}, /* freshestCRL */
    {ID_CE(54), read_inhibit_any_policy, MAY_BE}, /* inhibitAnyPolicy */
    {ID_PE(1), read_access_descriptions, NEVER},  /* authorityInfoAccess */
    {ID_PE(11), read_access_descriptions, NEVER}, /* subjectInfoAccess */
};

enum result extension_refuse(struct bytes id, bool understood, struct fault *fault)
{
    char text[OID_TEXT_OCTETS];
    if (!der_oid_text(id, false, text, sizeof(text)))
        snprintf(text, sizeof(text), "with a long identifier");
    if (!understood)
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
            "critical extension %s is not understood", text);
    return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
        "extension %s is malformed", text);
}

static enum result read_extension(
    struct bytes id, bool critical, struct bytes value, void *context, struct fault *fault)
{
    const struct extension extension = {id, critical, value};
    enum criticality criticality = NEVER;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (!bytes_equal(id, bytes_of(known[i].id, known[i].id_size)))
            continue;
        if (!known[i].read(&extension, context))
            return extension_refuse(id, true, fault);
        criticality = known[i].criticality;
    }
    if (critical && criticality == NEVER)
        return extension_refuse(id, false, fault);
    if (!critical && criticality == HAS_TO)
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
            "policyConstraints is not critical (RFC 5280 4.2.1.11)");
    return RESULT_OK;
}

/* Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
static bool take_extension(struct bytes *in, struct bytes *id, bool *critical, struct bytes *value)
{
    struct bytes extension;
    return der_take_tag(in, DER_SEQUENCE, &extension) && der_take_tag(&extension, DER_OID, id) &&
           der_oid_is_valid(*id) && der_take_flag(&extension, critical) &&
           der_take_tag(&extension, DER_OCTET_STRING, value) && extension.size == 0;
}

static bool is_among(struct bytes id, const struct bytes *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(id, ids[i]))
            return true;
    }
    return false;
}

enum result extensions_each(
    struct bytes extensions, extension_reader *each, void *context, struct fault *fault)
{
    struct bytes ids[EXTENSIONS_MAX], value;
    bool critical;
    for (size_t count = 0; extensions.size > 0; count++) {
        if (count == EXTENSIONS_MAX ||
            !take_extension(&extensions, &ids[count], &critical, &value) ||
            is_among(ids[count], ids, count))
            return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
                "extension number %zu is malformed, a duplicate or one too many", count + 1);
        enum result result = each(ids[count], critical, value, context, fault);
        if (result != RESULT_OK)
            return result;
    }
    return RESULT_OK;
}

enum result extensions_read(struct bytes extensions, struct certificate *out, struct fault *fault)
{
    enum result result = extensions_each(extensions, read_extension, out, fault);
    if (result != RESULT_OK || out->is_ca)
        return result;
    /* RFC 5280 4.2.1.9, 4.2.1.10 */
    if (out->name_constraints.data || (out->key_usage & KEY_USAGE_CERT_SIGN) != 0)
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
            "%s in a certificate that is not a CA's",
            out->name_constraints.data ? "nameConstraints" : "keyCertSign");
    return RESULT_OK;
}
