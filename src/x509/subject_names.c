/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/subject_names.h"

#include <stddef.h>
#include <string.h>

#include "base/alert.h"
#include "base/text.h"
#include "x509/der.h"
#include "x509/general_name.h"

static bool add_text(struct bytes text, struct name_list *list)
{
    if (list->count == NAMES_MAX || text.size >= NAME_OCTETS)
        return false;
    char *name = list->name[list->count++];
    memcpy(name, text.data, text.size);
    name[text.size] = '\0';
    return true;
}

/* A dNSName outside the preferred syntax, such as one with a wildcard or an underscore, is left
 * out: it names no single host, so nobody's identity (RFC 6125 6.4.3), and no rule can have it. */
static bool add_dns(struct bytes value, struct names *out)
{
    if (!dns_name_is_valid(value))
        return true;
    if (!add_text(value, &out->dns))
        return false;
    char *name = out->dns.name[out->dns.count - 1];
    text_to_lower(name, strlen(name));
    return true;
}

static bool add_uri(struct bytes value, struct names *out)
{
    return uri_is_valid(value) && add_text(value, &out->uri);
}

/* Adds a device id. Any other otherName is left out, as no rule matches it. */
static bool add_other(struct bytes value, struct names *out)
{
    struct bytes type, rest;
    char id[NAME_OCTETS];
    if (!other_name_split(value, &type, &rest))
        return false;
    if (!other_name_type_is_device(type))
        return true;
    return device_id_text(type, rest, false, id) && add_text(bytes_of_string(id), &out->device);
}

/* The forms that carry an identity; the others only matter to name constraints. */
static const struct {
    const char *what;
    bool (*add)(struct bytes value, struct names *out);
    size_t list; /* offset in struct names */
} kinds[GENERAL_NAME_FORMS] = {
    [GENERAL_NAME_OTHER] = {"device id", add_other, offsetof(struct names, device)},
    [GENERAL_NAME_DNS] = {"dNSName", add_dns, offsetof(struct names, dns)},
    [GENERAL_NAME_URI] = {"URI", add_uri, offsetof(struct names, uri)},
};

static enum result refuse_name(
    const struct names *names, enum general_name_form form, struct fault *fault)
{
    const struct name_list *list = (const void *)((const char *)names + kinds[form].list);
    if (list->count == NAMES_MAX)
        return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
            "subjectAltName: there is more than %d times a %s", NAMES_MAX, kinds[form].what);
    return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
        "subjectAltName: a %s is malformed, a wildcard or too long", kinds[form].what);
}

enum result certificate_names(
    const struct certificate *certificate, struct names *out, struct fault *fault)
{
    *out = (struct names){0};
    struct bytes rest = certificate->subject_alt_name;
    struct general_name name;
    while (rest.size > 0) {
        if (!general_name_take(&rest, &name)) {
            *out = (struct names){0};
            return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
                "subjectAltName: a name is malformed");
        }
        if (kinds[name.form].add && !kinds[name.form].add(name.value, out)) {
            enum result result = refuse_name(out, name.form, fault);
            *out = (struct names){0};
            return result;
        }
    }
    if (spki_digest(certificate->spki, out->spki_digest) != RESULT_OK)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    return RESULT_OK;
}
