/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/extensions.h"

#include <string.h>

#include "tls/constraints.h"
#include "tls/der.h"
#include "tls/general_name.h"
#include "tls/record.h"

#define OID_TEXT_OCTETS   128
#define GENERAL_NAMES_MAX 64 /* of one certificate; NAMES_MAX bounds each kind that we use */

/* BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL } */
static bool read_basic_constraints(struct bytes value, struct certificate *out)
{
    struct bytes content, length;
    if (!der_only(value, DER_SEQUENCE, &content) || !der_take_flag(&content, &out->is_ca) ||
        !der_take_optional(&content, DER_INTEGER, &length) || content.size != 0)
        return false;
    return !length.data || (out->is_ca && der_small_number(length, &out->path_length));
}

/* A BIT STRING with a named bit list: at least one bit, and no zero bits after the last. */
static bool read_key_usage(struct bytes value, struct certificate *out)
{
    struct bytes bits;
    uint8_t unused;
    if (!der_only(value, DER_BIT_STRING, &bits) || !bytes_take_u8(&bits, &unused) || unused > 7 ||
        bits.size == 0 || bits.size > 2)
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

static bool read_extended_usage(struct bytes value, struct certificate *out)
{
    static const uint8_t any[] = {0x55, 0x1d, 0x25, 0x00};
    static const uint8_t server[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
    static const uint8_t client[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
    struct bytes purposes, purpose;
    if (!der_only(value, DER_SEQUENCE, &purposes) || purposes.size == 0)
        return false;
    out->has_extended_usage = true;
    while (purposes.size > 0) {
        if (!der_take_tag(&purposes, DER_OID, &purpose))
            return false;
        bool is_any = bytes_equal(purpose, bytes_of(any, sizeof(any)));
        out->client_usage |= is_any || bytes_equal(purpose, bytes_of(client, sizeof(client)));
        out->server_usage |= is_any || bytes_equal(purpose, bytes_of(server, sizeof(server)));
    }
    return true;
}

static bool read_subject_alt_name(struct bytes value, struct certificate *out)
{
    struct general_name name;
    if (!der_only(value, DER_SEQUENCE, &out->subject_alt_name) || out->subject_alt_name.size == 0)
        return false;
    struct bytes names = out->subject_alt_name;
    for (size_t count = 0; names.size > 0; count++) {
        if (count == GENERAL_NAMES_MAX || !general_name_take(&names, &name))
            return false;
    }
    return true;
}

static bool read_name_constraints(struct bytes value, struct certificate *out)
{
    return der_only(value, DER_SEQUENCE, &out->name_constraints) &&
           constraints_are_valid(out->name_constraints);
}

/* keyIdentifier [0], authorityCertIssuer [1] and authorityCertSerialNumber [2], all OPTIONAL */
bool authority_key_id_read(struct bytes value, struct bytes *out)
{
    struct bytes content, issuer, serial;
    return der_only(value, DER_SEQUENCE, &content) &&
           der_take_optional(&content, DER_CONTEXT(0), out) &&
           der_take_optional(&content, DER_CONTEXT_CONSTRUCTED(1), &issuer) &&
           der_take_optional(&content, DER_CONTEXT(2), &serial) && content.size == 0;
}

static bool read_authority_key_id(struct bytes value, struct certificate *out)
{
    return authority_key_id_read(value, &out->authority_key_id);
}

static bool read_subject_key_id(struct bytes value, struct certificate *out)
{
    return der_only(value, DER_OCTET_STRING, &out->subject_key_id);
}

/* We ask for no policy, so that any will do. */
static bool read_policies(struct bytes value, struct certificate *out)
{
    struct bytes content;
    (void)out;
    return der_only(value, DER_SEQUENCE, &content) && content.size > 0;
}

/* Those of the arc id-ce (2.5.29), by their last number. policyConstraints and the like ask for
 * more than we do: not known, so refused when critical. */
static const struct {
    uint8_t number;
    bool (*read)(struct bytes value, struct certificate *out);
} known[] = {
    {14, read_subject_key_id},
    {15, read_key_usage},
    {17, read_subject_alt_name},
    {19, read_basic_constraints},
    {30, read_name_constraints},
    {32, read_policies},
    {35, read_authority_key_id},
    {37, read_extended_usage},
};

enum result extension_refuse(struct bytes id, bool understood, struct fault *fault)
{
    char text[OID_TEXT_OCTETS];
    if (!der_oid_text(id, false, text, sizeof(text)))
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
            "an extension has a malformed identifier");
    if (!understood)
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
            "critical extension %s is not understood", text);
    return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
        "extension %s is malformed", text);
}

static enum result read_extension(
    struct bytes id, bool critical, struct bytes value, void *context, struct fault *fault)
{
    struct certificate *out = context;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        const uint8_t known_id[] = {0x55, 0x1d, known[i].number};
        if (bytes_equal(id, bytes_of(known_id, sizeof(known_id))))
            return known[i].read(value, out) ? RESULT_OK : extension_refuse(id, true, fault);
    }
    return critical ? extension_refuse(id, false, fault) : RESULT_OK;
}

/* Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
static bool take_extension(struct bytes *in, struct bytes *id, bool *critical, struct bytes *value)
{
    struct bytes extension;
    return der_take_tag(in, DER_SEQUENCE, &extension) && der_take_tag(&extension, DER_OID, id) &&
           der_take_flag(&extension, critical) &&
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
