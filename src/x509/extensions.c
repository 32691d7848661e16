/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/extensions.h"

#include <stdio.h>

#include "base/alert.h"
#include "x509/der.h"
#include "x509/general_name.h"

#define OID_TEXT_OCTETS 128

/* --- the walk --- */

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
        TRY(each(ids[count], critical, value, context, fault));
    }
    return RESULT_OK;
}

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

/* --- values --- */

/* RFC 5280 4.2.1.1: keyIdentifier [0]; authorityCertIssuer [1] and authorityCertSerialNumber [2]
 * are both there or both absent. */
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

/* DistributionPoint (RFC 5280 4.2.1.13): distributionPoint [0], reasons [1], cRLIssuer [2], all
 * OPTIONAL, but not reasons alone. */
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

bool distribution_points_are_valid(struct bytes value)
{
    return is_sequence_of(take_distribution_point, value);
}

bool access_descriptions_are_valid(struct bytes value)
{
    return is_sequence_of(take_access_description, value);
}

bool directory_attributes_are_valid(struct bytes value)
{
    return is_sequence_of(take_directory_attribute, value);
}
