/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/certificate.h"

#include <string.h>

#include "base/alert.h"
#include "x509/der.h"
#include "x509/distinguished_name.h"
#include "x509/extensions.h"
#include "x509/general_name.h"
#include "x509/signed_object.h"

#define ALGORITHM_FAULT "signature algorithm is not ecdsa-with-SHA256 (TS-0003 10.1)"

#define VERSION_3 2

/* [0] EXPLICIT INTEGER: of the three versions only the third has extensions. */
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

/* issuerUniqueID [1] and subjectUniqueID [2]: to be parsed, of no use (RFC 5280 4.1.2.8). */
static bool read_unique_ids(struct bytes *in, struct certificate *out)
{
    struct bytes unused;
    (void)out;
    return der_take_optional(in, DER_CONTEXT(1), &unused) &&
           der_take_optional(in, DER_CONTEXT(2), &unused);
}

/* TBSCertificate (RFC 5280 4.1) in its order, up to the extensions. */
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
    return extensions_read(extensions, out, fault);
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

enum result spki_digest(struct bytes spki, uint8_t digest[SPKI_DIGEST_SIZE])
{
    return sha256_of(spki, (struct bytes){0}, digest);
}
