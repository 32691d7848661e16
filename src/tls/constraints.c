/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/constraints.h"

#include <string.h>
#include <strings.h>

#include "tls/der.h"
#include "tls/general_name.h"
#include "tls/record.h"

#define IPV4_OCTETS 4
#define IPV6_OCTETS 16

/* Is a name within a constraint's base? UNCLEAR: it can't be told, and counts against the name. */
enum match { MATCH_NO, MATCH_YES, MATCH_UNCLEAR };

static enum match match_if(bool condition)
{
    return condition ? MATCH_YES : MATCH_NO;
}

static bool equal_caseless(struct bytes a, struct bytes b)
{
    return a.size == b.size &&
           (a.size == 0 || strncasecmp((const char *)a.data, (const char *)b.data, a.size) == 0);
}

static struct bytes skip(struct bytes in, size_t size)
{
    return bytes_of(in.data + size, in.size - size);
}

static bool has_leading_dot(struct bytes domain)
{
    return domain.size > 0 && domain.data[0] == '.';
}

/* Is HOST one or more labels and then DOMAIN (without a leading dot)? */
static bool is_below(struct bytes host, struct bytes domain)
{
    return host.size > domain.size + 1 && host.data[host.size - domain.size - 1] == '.' &&
           equal_caseless(skip(host, host.size - domain.size), domain);
}

/* "host" is that host; ".domain" is every host below it: URI and rfc822Name. */
static bool host_matches(struct bytes host, struct bytes base)
{
    return has_leading_dot(base) ? is_below(host, skip(base, 1)) : equal_caseless(host, base);
}

/* "Any DNS name that can be constructed by simply adding zero or more labels". */
static enum match match_dns(struct bytes name, struct bytes base)
{
    if (!dns_name_is_valid(name))
        return MATCH_UNCLEAR;
    return match_if(base.size == 0 || host_matches(name, base) || is_below(name, base));
}

static enum match match_uri(struct bytes name, struct bytes base)
{
    struct bytes host;
    if (!uri_host(name, &host))
        return MATCH_UNCLEAR;
    return match_if(host_matches(host, base));
}

static bool split_mailbox(struct bytes mailbox, struct bytes *local, struct bytes *host)
{
    const uint8_t *at = mailbox.size > 0 ? memrchr(mailbox.data, '@', mailbox.size) : NULL;
    if (!at || at == mailbox.data)
        return false;
    *local = bytes_of(mailbox.data, (size_t)(at - mailbox.data));
    *host = skip(mailbox, local->size + 1);
    return dns_name_is_valid(*host);
}

static enum match match_rfc822(struct bytes name, struct bytes base)
{
    struct bytes local, host, base_local, base_host;
    if (!split_mailbox(name, &local, &host))
        return MATCH_UNCLEAR;
    if (split_mailbox(base, &base_local, &base_host))
        return match_if(bytes_equal(local, base_local) && equal_caseless(host, base_host));
    return match_if(host_matches(host, base));
}

/* Both are Names, header included. RDNs are whole TLVs, so a prefix in octets ends between two. */
static enum match match_directory(struct bytes name, struct bytes base)
{
    struct bytes rdns, base_rdns;
    if (!der_only(name, DER_SEQUENCE, &rdns) || !der_only(base, DER_SEQUENCE, &base_rdns))
        return MATCH_UNCLEAR;
    return match_if(
        rdns.size >= base_rdns.size && bytes_equal(bytes_of(rdns.data, base_rdns.size), base_rdns));
}

/* The base is an address and then a mask of the same size. */
static enum match match_ip(struct bytes name, struct bytes base)
{
    if (name.size != IPV4_OCTETS && name.size != IPV6_OCTETS)
        return MATCH_UNCLEAR;
    if (base.size != 2 * name.size)
        return MATCH_NO;
    for (size_t i = 0; i < name.size; i++) {
        if (((name.data[i] ^ base.data[i]) & base.data[name.size + i]) != 0)
            return MATCH_NO;
    }
    return MATCH_YES;
}

/* Device ids are compared whole, wherever type-id ends and value begins: a subtree of arcs. */
static enum match match_other(struct bytes name, struct bytes base)
{
    struct bytes type, value, base_type, base_value;
    char id[NAME_OCTETS], base_id[NAME_OCTETS];
    if (!other_name_split(name, &type, &value) ||
        !other_name_split(base, &base_type, &base_value) || !other_name_type_is_device(type) ||
        !device_id_text(type, value, false, id) ||
        !device_id_text(base_type, base_value, true, base_id))
        return MATCH_UNCLEAR;
    size_t size = strlen(base_id);
    return match_if(strncmp(id, base_id, size) == 0 && (id[size] == '.' || id[size] == '\0'));
}

static bool domain_is_valid(struct bytes base)
{
    return dns_name_is_valid(has_leading_dot(base) ? skip(base, 1) : base);
}

static bool dns_base_is_valid(struct bytes base)
{
    return base.size == 0 || domain_is_valid(base);
}

static bool rfc822_base_is_valid(struct bytes base)
{
    struct bytes local, host;
    return domain_is_valid(base) || split_mailbox(base, &local, &host);
}

static bool ip_base_is_valid(struct bytes base)
{
    return base.size == 2 * IPV4_OCTETS || base.size == 2 * IPV6_OCTETS;
}

static bool other_base_is_valid(struct bytes base)
{
    struct bytes type, value;
    char id[NAME_OCTETS];
    if (!other_name_split(base, &type, &value))
        return false;
    return !other_name_type_is_device(type) || device_id_text(type, value, true, id);
}

/* A form without a comparison: a name of it, once constrained, is refused. */
static const struct {
    const char *name;
    enum match (*match)(struct bytes name, struct bytes base);
    bool (*base_is_valid)(struct bytes base);
} forms[GENERAL_NAME_FORMS] = {
    [GENERAL_NAME_OTHER] = {"otherName", match_other, other_base_is_valid},
    [GENERAL_NAME_RFC822] = {"rfc822Name", match_rfc822, rfc822_base_is_valid},
    [GENERAL_NAME_DNS] = {"dNSName", match_dns, dns_base_is_valid},
    [GENERAL_NAME_X400] = {"x400Address", NULL, NULL},
    [GENERAL_NAME_DIRECTORY] = {"directoryName", match_directory, NULL},
    [GENERAL_NAME_EDI_PARTY] = {"ediPartyName", NULL, NULL},
    [GENERAL_NAME_URI] = {"uniformResourceIdentifier", match_uri, domain_is_valid},
    [GENERAL_NAME_IP] = {"iPAddress", match_ip, ip_base_is_valid},
    [GENERAL_NAME_REGISTERED_ID] = {"registeredID", NULL, NULL},
};

/* otherNames are a form for each type-id, but all device ids are one. */
static bool same_form(const struct general_name *a, const struct general_name *b)
{
    struct bytes type_a, type_b, value;
    if (a->form != b->form || a->form != GENERAL_NAME_OTHER)
        return a->form == b->form;
    return !other_name_split(a->value, &type_a, &value) ||
           !other_name_split(b->value, &type_b, &value) || bytes_equal(type_a, type_b) ||
           (other_name_type_is_device(type_a) && other_name_type_is_device(type_b));
}

/* GeneralSubtree: minimum is at its default and so absent, maximum has to be. */
static bool take_subtree(struct bytes *in, struct general_name *base)
{
    struct bytes subtree;
    return der_take_tag(in, DER_SEQUENCE, &subtree) && general_name_take(&subtree, base) &&
           subtree.size == 0;
}

static bool split(struct bytes constraints, struct bytes *permitted, struct bytes *excluded)
{
    return der_take_optional(&constraints, DER_CONTEXT_CONSTRUCTED(0), permitted) &&
           der_take_optional(&constraints, DER_CONTEXT_CONSTRUCTED(1), excluded) &&
           constraints.size == 0;
}

static bool subtrees_are_valid(struct bytes subtrees)
{
    struct general_name base;
    if (subtrees.data && subtrees.size == 0)
        return false;
    for (size_t count = 0; subtrees.size > 0; count++) {
        if (count == CONSTRAINTS_SUBTREES_MAX || !take_subtree(&subtrees, &base))
            return false;
        if (forms[base.form].base_is_valid && !forms[base.form].base_is_valid(base.value))
            return false;
    }
    return true;
}

bool constraints_are_valid(struct bytes constraints)
{
    struct bytes permitted, excluded;
    return constraints.size > 0 && split(constraints, &permitted, &excluded) &&
           subtrees_are_valid(permitted) && subtrees_are_valid(excluded);
}

static enum match match_name(const struct general_name *name, const struct general_name *base)
{
    return forms[name->form].match ? forms[name->form].match(name->value, base->value)
                                   : MATCH_UNCLEAR;
}

/* One of the permitted subtrees of its form, where there are any, and none of the excluded. */
bool constraints_permit(struct bytes constraints, const struct general_name *name)
{
    struct bytes permitted, excluded;
    struct general_name base;
    bool bound = false, found = false;
    if (!split(constraints, &permitted, &excluded))
        return false;
    while (take_subtree(&permitted, &base)) {
        if (!same_form(name, &base))
            continue;
        enum match match = match_name(name, &base);
        if (match == MATCH_UNCLEAR)
            return false;
        bound = true;
        found |= match == MATCH_YES;
    }
    while (take_subtree(&excluded, &base)) {
        if (same_form(name, &base) && match_name(name, &base) != MATCH_NO)
            return false;
    }
    return found || !bound;
}

static enum result outside(enum general_name_form form, struct fault *fault)
{
    return fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, TLS_ALERT_BAD_CERTIFICATE,
        "%s is outside the name constraints of its CA", forms[form].name);
}

enum result constraints_check(
    struct bytes constraints, const struct certificate *certificate, struct fault *fault)
{
    struct general_name name = {GENERAL_NAME_DIRECTORY, certificate->subject};
    struct bytes names = certificate->subject_alt_name, rdns;
    if (!der_only(certificate->subject, DER_SEQUENCE, &rdns))
        return outside(name.form, fault);
    if (rdns.size > 0 && !constraints_permit(constraints, &name))
        return outside(name.form, fault);
    while (names.size > 0) {
        if (!general_name_take(&names, &name) || !constraints_permit(constraints, &name))
            return outside(name.form, fault);
    }
    return RESULT_OK;
}
