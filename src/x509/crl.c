/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/crl.h"

#include <stdlib.h>
#include <string.h>

#include "x509/der.h"
#include "x509/extensions.h"
#include "x509/signed_object.h"

#define VERSION_2 1

#define REFUSE(fault, ...) fault_set(fault, RESULT_CERTIFICATE_REFUSED, __VA_ARGS__)

/* --- extensions: those that we understand, by the last arc after id-ce (2.5.29) --- */

enum {
    CRL_NUMBER = 20,
    REASON_CODE = 21,
    INVALIDITY_DATE = 24,
    DELTA_CRL_INDICATOR = 27,
    ISSUING_DISTRIBUTION_POINT = 28,
    CERTIFICATE_ISSUER = 29,
    AUTHORITY_KEY_ID = 35,
};

static int id_ce_number(struct bytes id)
{
    return id.size == 3 && id.data[0] == 0x55 && id.data[1] == 0x1d ? id.data[2] : -1;
}

/* [NUMBER] IMPLICIT BOOLEAN DEFAULT FALSE */
static bool take_tagged_flag(struct bytes *in, uint8_t number, bool *out)
{
    struct bytes value;
    if (!der_take_optional(in, DER_CONTEXT(number), &value))
        return false;
    *out = value.data != NULL;
    return !value.data || (value.size == 1 && value.data[0] == 0xff);
}

struct distribution_point {
    bool only_leaves, only_cas, only_some_reasons, is_indirect, only_attributes;
};

/* RFC 5280 5.2.5. The name of the distribution point, a URI or a name relative to the issuer's, is
 * not read. 6.3.3 (b) (2) (i) compares it with the distribution points in the certificate, so
 * that a program that fetches CRLs itself does not take the wrong one. Here the operator has
 * fetched the CRL and named its file in the policy, often from an address that no certificate of
 * that CA names. */
static bool read_distribution_point(struct bytes value, struct distribution_point *out)
{
    struct bytes content, name, choice, reasons;
    *out = (struct distribution_point){0};
    if (!der_only(value, DER_SEQUENCE, &content) ||
        !der_take_optional(&content, DER_CONTEXT_CONSTRUCTED(0), &name) ||
        !take_tagged_flag(&content, 1, &out->only_leaves) ||
        !take_tagged_flag(&content, 2, &out->only_cas) ||
        !der_take_optional(&content, DER_CONTEXT(3), &reasons) ||
        !take_tagged_flag(&content, 4, &out->is_indirect) ||
        !take_tagged_flag(&content, 5, &out->only_attributes) || content.size != 0)
        return false;
    out->only_some_reasons = reasons.data != NULL;
    return !name.data || der_only(name, DER_CONTEXT_CONSTRUCTED(0), &choice) ||
           der_only(name, DER_CONTEXT_CONSTRUCTED(1), &choice);
}

/* Reads issuingDistributionPoint, critical or not: if we ignored one that is not critical, a CRL of
 * some certificates would pass for one of all (RFC 5280 5.2.5, 6.3.3). */
static enum result read_scope(
    struct bytes id, struct bytes value, struct crl *out, struct fault *fault)
{
    struct distribution_point point;
    if (!read_distribution_point(value, &point))
        return extension_refuse(id, true, fault);
    if (point.is_indirect)
        return REFUSE(fault, "an indirect CRL (indirectCRL): it speaks of other issuers too");
    if (point.only_some_reasons)
        return REFUSE(fault, "a CRL of some reasons only (onlySomeReasons)");
    if (point.only_attributes)
        return REFUSE(fault, "a CRL of attribute certificates only (onlyContainsAttributeCerts)");
    if (point.only_leaves && point.only_cas)
        return REFUSE(fault, "a CRL of leaves only and of CAs only, which is of nothing");
    out->scope = value;
    out->covers_leaves = !point.only_cas;
    out->covers_cas = !point.only_leaves;
    return RESULT_OK;
}

static enum result read_crl_extension(
    struct bytes id, bool critical, struct bytes value, void *context, struct fault *fault)
{
    struct crl *out = context;
    bool good = true;
    switch (id_ce_number(id)) {
    case AUTHORITY_KEY_ID:
        good = authority_key_id_read(value, &out->authority_key_id);
        break;
    case CRL_NUMBER:
        good = der_only(value, DER_INTEGER, &out->number) && der_is_natural(out->number);
        break;
    case DELTA_CRL_INDICATOR:
        return REFUSE(fault, "a delta CRL (deltaCRLIndicator): it has changes only, and the "
                             "complete CRL is needed");
    case ISSUING_DISTRIBUTION_POINT:
        return read_scope(id, value, out, fault);
    default:
        return critical ? extension_refuse(id, false, fault) : RESULT_OK;
    }
    return good ? RESULT_OK : extension_refuse(id, true, fault);
}

/* A certificate that is listed counts as revoked, whatever the reason code, certificateHold
 * included. The extension certificateIssuer is refused, critical or not, since it makes the CRL an
 * indirect one. */
static enum result read_entry_extension(
    struct bytes id, bool critical, struct bytes value, void *context, struct fault *fault)
{
    (void)value;
    (void)context;
    int number = id_ce_number(id);
    bool known = number == REASON_CODE || number == INVALIDITY_DATE;
    bool refused = number == CERTIFICATE_ISSUER || (critical && !known);
    return refused ? extension_refuse(id, false, fault) : RESULT_OK;
}

/* --- entries --- */

/* SEQUENCE { userCertificate INTEGER, revocationDate Time, crlEntryExtensions OPTIONAL } */
static enum result take_entry(
    struct bytes *in, bool may_have_extensions, struct bytes *serial, struct fault *fault)
{
    struct bytes entry, extensions;
    int64_t date_s;
    if (!der_take_tag(in, DER_SEQUENCE, &entry) || !der_take_tag(&entry, DER_INTEGER, serial) ||
        !der_is_natural(*serial) || !der_take_time(&entry, &date_s) ||
        !der_take_optional(&entry, DER_SEQUENCE, &extensions) || entry.size != 0)
        return REFUSE(fault, "it is malformed");
    if (extensions.data && !may_have_extensions)
        return REFUSE(fault, "it has extensions, which version 1 has not");
    return extensions_each(extensions, read_entry_extension, NULL, fault);
}

/* Contents of INTEGERs that are minimal and not negative. */
static int compare_naturals(const void *left, const void *right)
{
    const struct bytes *a = left, *b = right;
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return memcmp(a->data, b->data, a->size);
}

static size_t count_elements(struct bytes in)
{
    struct der element;
    size_t count = 0;
    while (der_take(&in, &element))
        count++;
    return count;
}

static enum result read_entries(
    struct bytes in, bool may_have_extensions, struct crl *out, struct fault *fault)
{
    size_t count = count_elements(in);
    if (in.size == 0)
        return RESULT_OK;
    /* One more than there are elements, as IN may end with a malformed one. */
    out->serials = calloc(count + 1, sizeof(*out->serials));
    if (!out->serials)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    while (in.size > 0) {
        struct fault why = FAULT_INIT;
        struct bytes *serial = &out->serials[out->serial_count++];
        enum result result = take_entry(&in, may_have_extensions, serial, &why);
        if (result != RESULT_OK)
            return fault_set(fault, result, "entry %zu: %s", out->serial_count, why.text);
    }
    qsort(out->serials, out->serial_count, sizeof(*out->serials), compare_naturals);
    return RESULT_OK;
}

bool crl_lists(const struct crl *crl, struct bytes serial)
{
    return crl->serial_count > 0 && bsearch(&serial, crl->serials, crl->serial_count,
                                        sizeof(*crl->serials), compare_naturals) != NULL;
}

bool crl_covers(const struct crl *crl, bool is_ca)
{
    return is_ca ? crl->covers_cas : crl->covers_leaves;
}

/* --- the list --- */

/* INTEGER OPTIONAL: absent in version 1; if it is present, it has to be 1, which means version 2
 * (RFC 5280 5.1.2.1). */
static bool take_version(struct bytes *in, bool *is_version_1)
{
    struct bytes version;
    int number;
    if (!der_take_optional(in, DER_INTEGER, &version))
        return false;
    *is_version_1 = version.data == NULL;
    return *is_version_1 || (der_small_number(version, &number) && number == VERSION_2);
}

static bool has_time(struct bytes in)
{
    return in.size > 0 && (in.data[0] == DER_UTC_TIME || in.data[0] == DER_GENERALIZED_TIME);
}

static enum result read_tbs(struct bytes tbs, struct crl *out, struct fault *fault)
{
    struct bytes entries, explicit_extensions, extensions = {0};
    bool is_version_1;
    if (!take_version(&tbs, &is_version_1))
        return REFUSE(fault, "neither of version 1 nor of version 2");
    if (!x509_take_algorithm(&tbs))
        return REFUSE(fault, "it names another signature algorithm inside than outside");
    if (!x509_take_name(&tbs, &out->issuer))
        return REFUSE(fault, "its issuer's name is malformed");
    if (!der_take_time(&tbs, &out->this_update_s))
        return REFUSE(fault, "its thisUpdate is malformed");
    if (!has_time(tbs))
        return REFUSE(fault, "without nextUpdate, so that nobody knows until when it is current");
    if (!der_take_time(&tbs, &out->next_update_s))
        return REFUSE(fault, "its nextUpdate is malformed");
    if (!der_take_optional(&tbs, DER_SEQUENCE, &entries) ||
        !der_take_optional(&tbs, DER_CONTEXT_CONSTRUCTED(0), &explicit_extensions) ||
        tbs.size != 0 ||
        (explicit_extensions.data && !der_only(explicit_extensions, DER_SEQUENCE, &extensions)))
        return REFUSE(fault, "malformed after its nextUpdate");
    if (is_version_1 && explicit_extensions.data)
        return REFUSE(fault, "it has extensions, which version 1 has not");
    enum result result = extensions_each(extensions, read_crl_extension, out, fault);
    return result == RESULT_OK ? read_entries(entries, !is_version_1, out, fault) : result;
}

/* Names for messages: algorithms that CAs sign with and the profile does not allow. */
static const struct {
    const char *oid, *name;
} algorithms[] = {
    {"1.2.840.10045.4.1", "ecdsa-with-SHA1"},
    {"1.2.840.10045.4.3.1", "ecdsa-with-SHA224"},
    {"1.2.840.10045.4.3.3", "ecdsa-with-SHA384"},
    {"1.2.840.10045.4.3.4", "ecdsa-with-SHA512"},
    {"1.2.840.113549.1.1.5", "sha1WithRSAEncryption"},
    {"1.2.840.113549.1.1.10", "RSASSA-PSS"},
    {"1.2.840.113549.1.1.11", "sha256WithRSAEncryption"},
    {"1.2.840.113549.1.1.12", "sha384WithRSAEncryption"},
    {"1.2.840.113549.1.1.13", "sha512WithRSAEncryption"},
    {"1.3.101.112", "Ed25519"},
    {"1.3.101.113", "Ed448"},
};

static enum result refuse_algorithm(struct bytes algorithm, struct fault *fault)
{
    struct bytes content, oid;
    char text[64];
    if (!der_only(algorithm, DER_SEQUENCE, &content) || !der_take_tag(&content, DER_OID, &oid) ||
        !der_oid_text(oid, false, text, sizeof(text)))
        return REFUSE(fault, "its signature algorithm is malformed");
    const char *name = text;
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
        if (strcmp(algorithms[i].oid, text) == 0)
            name = algorithms[i].name;
    }
    return REFUSE(fault, "signed by %s, and only ecdsa-with-SHA256 is taken", name);
}

static enum result refuse_encoding(struct bytes der, struct fault *fault)
{
    struct der whole;
    struct bytes rest = der;
    if (!der_take(&rest, &whole) || whole.tag != DER_SEQUENCE)
        return REFUSE(fault, "malformed: cut short, or no CRL in DER");
    if (rest.size > 0)
        return REFUSE(fault, "malformed: it is followed by other octets (%zu)", rest.size);
    return REFUSE(fault, "malformed: DER, but not that of a CRL");
}

/* A certificate begins with its version, [0] EXPLICIT; a CRL never begins with that tag. */
static bool is_certificate(const struct signed_object *object)
{
    return object->tbs_content.size > 0 &&
           object->tbs_content.data[0] == DER_CONTEXT_CONSTRUCTED(0);
}

enum result crl_parse(struct bytes der, struct crl *out, struct fault *fault)
{
    struct signed_object object;
    *out = (struct crl){.covers_leaves = true, .covers_cas = true};
    if (!signed_object_read(der, &object))
        return refuse_encoding(der, fault);
    if (is_certificate(&object))
        return REFUSE(fault, "malformed: a certificate, and no CRL");
    struct bytes algorithm = object.algorithm;
    if (!x509_take_algorithm(&algorithm) || algorithm.size != 0)
        return refuse_algorithm(object.algorithm, fault);
    out->tbs = object.tbs;
    out->signature = object.signature;
    return read_tbs(object.tbs_content, out, fault);
}

void crl_release(struct crl *crl)
{
    free(crl->serials);
    *crl = (struct crl){0};
}

/* --- time --- */

bool crl_is_current(const struct crl *crl, int64_t now_s)
{
    return now_s <= crl->next_update_s;
}

bool crl_is_older(const struct crl *crl, const struct crl *other)
{
    if (!bytes_equal(crl->scope, other->scope))
        return false;
    if (crl->number.size > 0 && other->number.size > 0 &&
        bytes_equal(crl->authority_key_id, other->authority_key_id)) {
        int order = compare_naturals(&crl->number, &other->number);
        if (order != 0)
            return order < 0;
    }
    return crl->this_update_s < other->this_update_s;
}
