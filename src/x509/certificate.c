/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/certificate.h"

#include <string.h>

#include "base/alert.h"
#include "x509/certificate_policies.h"
#include "x509/constraints.h"
#include "x509/der.h"
#include "x509/distinguished_name.h"
#include "x509/extensions.h"
#include "x509/general_name.h"
#include "x509/signed_object.h"

#define ALGORITHM_FAULT "signature algorithm is not ecdsa-with-SHA256 (TS-0003 10.1)"

#define VERSION_3 2

/* --- fields --- */

/* [0] EXPLICIT INTEGER. Only version 3 has extensions, which the profile needs. */
static bool read_version(struct bytes *in, struct certificate *out)
{
    struct bytes explicit_version, version;
    int number;
    (void)out;
    return der_take_tag(in, DER_CONTEXT_CONSTRUCTED(0), &explicit_version) &&
           der_only(explicit_version, DER_INTEGER, &version) &&
           der_small_number(version, &number) && number == VERSION_3;
}

static bool read_serial(struct bytes *in, struct certificate *out)
{
    return der_take_tag(in, DER_INTEGER, &out->serial) && der_is_natural(out->serial) &&
           out->serial.size <= SERIAL_OCTETS_MAX;
}

static bool read_algorithm(struct bytes *in, struct certificate *out)
{
    (void)out;
    return x509_take_algorithm(in);
}

static bool read_issuer(struct bytes *in, struct certificate *out)
{
    struct bytes content;
    return x509_take_name(in, &out->issuer) && der_only(out->issuer, DER_SEQUENCE, &content) &&
           content.size > 0 &&
           distinguished_name_digest(out->issuer, out->issuer_digest) == RESULT_OK;
}

static bool read_validity(struct bytes *in, struct certificate *out)
{
    struct bytes validity;
    return der_take_tag(in, DER_SEQUENCE, &validity) &&
           der_take_time(&validity, &out->not_before_s) &&
           der_take_time(&validity, &out->not_after_s) && validity.size == 0;
}

static bool read_subject(struct bytes *in, struct certificate *out)
{
    return x509_take_name(in, &out->subject) &&
           distinguished_name_digest(out->subject, out->subject_digest) == RESULT_OK;
}

static bool read_key(struct bytes *in, struct certificate *out)
{
    struct public_key key;
    if (!public_key_take(in, &key))
        return false;
    out->spki = key.spki;
    out->point = key.point;
    return true;
}

/* issuerUniqueID [1] and subjectUniqueID [2]. Applications should parse them (RFC 5280 4.1.2.8); we
 * make no use of them. */
static bool read_unique_ids(struct bytes *in, struct certificate *out)
{
    struct bytes unused;
    (void)out;
    return der_take_optional(in, DER_CONTEXT(1), &unused) &&
           der_take_optional(in, DER_CONTEXT(2), &unused);
}

/* The fields of TBSCertificate (RFC 5280 4.1) in their order, up to the extensions. */
static const struct {
    bool (*read)(struct bytes *in, struct certificate *out);
    int alert;
    const char *fault;
} fields[] = {
    {read_version, TLS_ALERT_UNSUPPORTED_CERTIFICATE, "version is not 3"},
    {read_serial, TLS_ALERT_BAD_CERTIFICATE, "serial number is missing, negative or too long"},
    {read_algorithm, TLS_ALERT_UNSUPPORTED_CERTIFICATE, ALGORITHM_FAULT},
    {read_issuer, TLS_ALERT_BAD_CERTIFICATE, "issuer is malformed or empty"},
    {read_validity, TLS_ALERT_BAD_CERTIFICATE, "validity is malformed"},
    {read_subject, TLS_ALERT_BAD_CERTIFICATE, "subject is malformed"},
    {read_key, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
        "public key is not an uncompressed point on P-256 (TS-0003 10.1)"},
    {read_unique_ids, TLS_ALERT_BAD_CERTIFICATE, "unique identifier is malformed"},
};

/* --- extensions that path validation uses --- */

struct extension {
    struct bytes id;
    bool critical;
    struct bytes value;
};

/* BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL } */
static bool read_basic_constraints(const struct extension *in, struct certificate *out)
{
    struct bytes content, length;
    if (!der_only(in->value, DER_SEQUENCE, &content) || !der_take_flag(&content, &out->is_ca) ||
        !der_take_optional(&content, DER_INTEGER, &length) || content.size != 0)
        return false;
    return !length.data || (out->is_ca && der_count(length, &out->path_length));
}

/* A BIT STRING with named bits: at least one is set (RFC 5280 4.2.1.3), and no zero bits follow the
 * last one that is (X.690 11.2.2). */
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

/* --- extensions that only have to be well-formed --- */

static bool read_issuer_alt_name(const struct extension *in, struct certificate *out)
{
    struct bytes names;
    (void)out;
    return der_only(in->value, DER_SEQUENCE, &names) && general_names_are_valid(names);
}

static bool read_distribution_points(const struct extension *in, struct certificate *out)
{
    (void)out;
    return distribution_points_are_valid(in->value);
}

static bool read_access_descriptions(const struct extension *in, struct certificate *out)
{
    (void)out;
    return access_descriptions_are_valid(in->value);
}

static bool read_directory_attributes(const struct extension *in, struct certificate *out)
{
    (void)out;
    return directory_attributes_are_valid(in->value);
}

/* --- all extensions --- */

#define ID_CE(number) {0x55, 0x1d, (number)}, 3
#define ID_PE(number) {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, (number)}, 8

/* How an extension may be marked. Whoever does not process a critical extension has to refuse the
 * certificate (RFC 5280 4.2). CAs also MUST mark nameConstraints (4.2.1.10) and inhibitAnyPolicy
 * (4.2.1.14) critical; where one has not, its constraints bind all the same. */
enum criticality {
    NEVER,  /* refused when critical, since we only check its syntax */
    MAY_BE, /* processed, critical or not */
    HAS_TO, /* processed, and refused when not critical, as RFC 5280 says that it MUST be */
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

/* READ did not take the extension ID of CERTIFICATE. That good names are merely too many is worth
 * a line of its own: whoever issued the certificate would look in vain for one that is malformed.
 */
static enum result refuse_extension(struct bytes id,
    bool (*read)(const struct extension *in, struct certificate *out),
    const struct certificate *certificate, struct fault *fault)
{
    if (read == read_subject_alt_name &&
        general_names_count(certificate->subject_alt_name) > GENERAL_NAMES_MAX)
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
            "subjectAltName: there are more than %d names", GENERAL_NAMES_MAX);
    return extension_refuse(id, true, fault);
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
            return refuse_extension(id, known[i].read, context, fault);
        criticality = known[i].criticality;
    }
    if (critical && criticality == NEVER)
        return extension_refuse(id, false, fault);
    if (!critical && criticality == HAS_TO)
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
            "policyConstraints is not critical (RFC 5280 4.2.1.11)");
    return RESULT_OK;
}

static enum result read_extensions(
    struct bytes extensions, struct certificate *out, struct fault *fault)
{
    TRY(extensions_each(extensions, read_extension, out, fault));
    if (out->is_ca)
        return RESULT_OK;
    /* RFC 5280 4.2.1.9, 4.2.1.10 */
    if (out->name_constraints.data || (out->key_usage & KEY_USAGE_CERT_SIGN) != 0)
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
            "%s in a certificate that is not a CA's",
            out->name_constraints.data ? "nameConstraints" : "keyCertSign");
    return RESULT_OK;
}

/* --- the whole --- */

static enum result refuse(struct fault *fault, int alert, const char *what)
{
    return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, alert, "%s", what);
}

static enum result read_tbs(struct bytes tbs, struct certificate *out, struct fault *fault)
{
    struct bytes explicit_extensions, extensions;
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (!fields[i].read(&tbs, out))
            return refuse(fault, fields[i].alert, fields[i].fault);
    }
    if (tbs.size == 0)
        return RESULT_OK;
    if (!der_only(tbs, DER_CONTEXT_CONSTRUCTED(3), &explicit_extensions) ||
        !der_only(explicit_extensions, DER_SEQUENCE, &extensions) || extensions.size == 0)
        return refuse(fault, TLS_ALERT_BAD_CERTIFICATE, "extensions are malformed");
    return read_extensions(extensions, out, fault);
}

enum result certificate_parse(struct bytes der, struct certificate *out, struct fault *fault)
{
    struct signed_object object;
    *out = (struct certificate){.der = der,
        .path_length = -1,
        .require_explicit_policy = -1,
        .inhibit_policy_mapping = -1,
        .inhibit_any_policy = -1};
    if (der.size > CERTIFICATE_OCTETS_MAX)
        return refuse(fault, TLS_ALERT_BAD_CERTIFICATE, "longer than we take");
    if (!signed_object_read(der, &object))
        return refuse(fault, TLS_ALERT_BAD_CERTIFICATE, "not a certificate in DER");
    if (!x509_take_algorithm(&object.algorithm) || object.algorithm.size != 0)
        return refuse(fault, TLS_ALERT_UNSUPPORTED_CERTIFICATE, ALGORITHM_FAULT);
    out->tbs = object.tbs;
    out->signature = object.signature;
    return read_tbs(object.tbs_content, out, fault);
}

bool certificate_names_issuer(
    const struct certificate *certificate, const struct certificate *issuer)
{
    return memcmp(certificate->issuer_digest, issuer->subject_digest, SHA256_OCTETS) == 0;
}

bool certificate_is_self_issued(const struct certificate *certificate)
{
    return certificate_names_issuer(certificate, certificate);
}

bool certificate_may_sign_crls(const struct certificate *certificate)
{
    return !certificate->has_key_usage || (certificate->key_usage & KEY_USAGE_CRL_SIGN) != 0;
}

struct public_key certificate_key(const struct certificate *certificate)
{
    return (struct public_key){.spki = certificate->spki, .point = certificate->point};
}
