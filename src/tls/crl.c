/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/crl.h"

#include <stdlib.h>
#include <string.h>

#include "tls/der.h"
#include "tls/extensions.h"
#include "tls/x509.h"

#define VERSION_2 1

/* --- extensions: of those of id-ce (2.5.29), what we understand by its last number --- */

enum {
    CRL_NUMBER = 20,
    REASON_CODE = 21,
    INVALIDITY_DATE = 24,
    AUTHORITY_KEY_ID = 35,
};

static int id_ce_number(struct bytes id)
{
    return id.size == 3 && id.data[0] == 0x55 && id.data[1] == 0x1d ? id.data[2] : -1;
}

static enum result read_crl_extension(
    struct bytes id, bool critical, struct bytes value, void *context, struct fault *fault)
{
    struct crl *out = context;
    int number = id_ce_number(id);
    if (number == AUTHORITY_KEY_ID)
        return authority_key_id_read(value, &out->authority_key_id)
                   ? RESULT_OK
                   : extension_refuse(id, true, fault);
    return critical && number != CRL_NUMBER ? extension_refuse(id, false, fault) : RESULT_OK;
}

/* Listed for whatever reason, on hold too, is revoked. */
static enum result read_entry_extension(
    struct bytes id, bool critical, struct bytes value, void *context, struct fault *fault)
{
    (void)value;
    (void)context;
    int number = id_ce_number(id);
    bool known = number == REASON_CODE || number == INVALIDITY_DATE;
    return critical && !known ? extension_refuse(id, false, fault) : RESULT_OK;
}

/* --- entries --- */

/* SEQUENCE { userCertificate INTEGER, revocationDate Time, crlEntryExtensions OPTIONAL } */
static enum result take_entry(struct bytes *in, struct bytes *serial, struct fault *fault)
{
    struct bytes entry, extensions;
    int64_t date_s;
    if (!der_take_tag(in, DER_SEQUENCE, &entry) || !der_take_tag(&entry, DER_INTEGER, serial) ||
        !der_is_natural(*serial) || !der_take_time(&entry, &date_s) ||
        !der_take_optional(&entry, DER_SEQUENCE, &extensions) || entry.size != 0)
        return fault_set(fault, RESULT_CERTIFICATE_REFUSED, "an entry is malformed");
    return extensions_each(extensions, read_entry_extension, NULL, fault);
}

static int compare_serials(const void *left, const void *right)
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

static enum result read_entries(struct bytes in, struct crl *out, struct fault *fault)
{
    size_t count = count_elements(in);
    if (count == 0)
        return in.size == 0 ? RESULT_OK
                            : fault_set(fault, RESULT_CERTIFICATE_REFUSED, "entries are malformed");
    out->serials = calloc(count, sizeof(*out->serials));
    if (!out->serials)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    while (in.size > 0) {
        enum result result = take_entry(&in, &out->serials[out->serial_count], fault);
        if (result != RESULT_OK)
            return result;
        out->serial_count++;
    }
    qsort(out->serials, out->serial_count, sizeof(*out->serials), compare_serials);
    return RESULT_OK;
}

bool crl_lists(const struct crl *crl, struct bytes serial)
{
    return crl->serial_count > 0 && bsearch(&serial, crl->serials, crl->serial_count,
                                        sizeof(*crl->serials), compare_serials) != NULL;
}

/* --- the list --- */

static bool take_version(struct bytes *in)
{
    struct bytes version;
    int number;
    return der_take_tag(in, DER_INTEGER, &version) && der_small_number(version, &number) &&
           number == VERSION_2;
}

static enum result read_tbs(struct bytes tbs, struct crl *out, struct fault *fault)
{
    struct bytes entries, explicit_extensions, extensions = {0};
    if (!take_version(&tbs) || !x509_take_algorithm(&tbs) || !x509_take_name(&tbs, &out->issuer) ||
        !der_take_time(&tbs, &out->this_update_s) || !der_take_time(&tbs, &out->next_update_s) ||
        !der_take_optional(&tbs, DER_SEQUENCE, &entries) ||
        !der_take_optional(&tbs, DER_CONTEXT_CONSTRUCTED(0), &explicit_extensions) ||
        tbs.size != 0 ||
        (explicit_extensions.data && !der_only(explicit_extensions, DER_SEQUENCE, &extensions)))
        return fault_set(fault, RESULT_CERTIFICATE_REFUSED,
            "malformed, not of version 2, not signed by ecdsa-with-SHA256, or without nextUpdate");
    enum result result = extensions_each(extensions, read_crl_extension, out, fault);
    return result == RESULT_OK ? read_entries(entries, out, fault) : result;
}

enum result crl_parse(struct bytes der, struct crl *out, struct fault *fault)
{
    struct signed_object object;
    *out = (struct crl){0};
    if (!signed_object_read(der, &object) || !x509_take_algorithm(&object.algorithm) ||
        object.algorithm.size != 0)
        return fault_set(fault, RESULT_CERTIFICATE_REFUSED,
            "not a CRL in DER, or not signed by ecdsa-with-SHA256");
    out->tbs = object.tbs;
    out->signature = object.signature;
    return read_tbs(object.tbs_content, out, fault);
}

void crl_release(struct crl *crl)
{
    free(crl->serials);
    *crl = (struct crl){0};
}
