/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/constraints.h"

#include <ctype.h>
#include <string.h>

#include "base/alert.h"
#include "base/text.h"
#include "x509/der.h"
#include "x509/distinguished_name.h"
#include "x509/general_name.h"

static enum match match_if(bool condition)
{
    return condition ? MATCH_YES : MATCH_NO;
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
           bytes_equal_caseless(skip(host, host.size - domain.size), domain);
}

/* For URI and rfc822Name: the base "host" is that host, and ".domain" is every host below it. */
static bool host_matches(struct bytes host, struct bytes base)
{
    return has_leading_dot(base) ? is_below(host, skip(base, 1)) : bytes_equal_caseless(host, base);
}

/* RFC 5280 4.2.1.10: the base, or it with any labels added to its left. */
static enum match match_dns(struct bytes name, struct bytes base)
{
    if (!dns_name_is_valid(name))
        return MATCH_UNCLEAR;
    return match_if(base.size == 0 || host_matches(name, base) || is_below(name, base));
}

/* HOST has more than one label, and is no IPv4 address in any notation: the last part of an address
 * begins with a digit, the last label of a domain name with a letter (RFC 3696 2). */
static bool is_fully_qualified(struct bytes host)
{
    const uint8_t *dot = memrchr(host.data, '.', host.size);
    return dot && isalpha(dot[1]);
}

/* RFC 5280 4.2.1.10: a URI whose host is no fully qualified domain name is to be refused. */
static enum match match_uri(struct bytes name, struct bytes base)
{
    struct bytes host;
    if (!uri_host(name, &host) || !is_fully_qualified(host))
        return MATCH_UNCLEAR;
    return match_if(host_matches(host, base));
}

/* Is LOCAL a dot-atom (RFC 5322 3.2.3): atoms with single dots between them? */
static bool is_dot_atom(struct bytes local)
{
    static const char more[] = "!#$%&'*+-/=?^_`{|}~";
    bool at_start = true; /* of an atom */
    for (size_t i = 0; i < local.size; i++) {
        uint8_t c = local.data[i];
        if (c == '.' ? at_start : c > 0x7f || (!isalnum(c) && !memchr(more, c, sizeof(more) - 1)))
            return false;
        at_start = c == '.';
    }
    return !at_start;
}

/* Splits local@host. False for quoted strings and address literals, which RFC 5321 4.1.2 allows. */
static bool split_mailbox(struct bytes mailbox, struct bytes *local, struct bytes *host)
{
    const uint8_t *at = mailbox.size > 0 ? memchr(mailbox.data, '@', mailbox.size) : NULL;
    if (!at)
        return false;
    *local = bytes_of(mailbox.data, (size_t)(at - mailbox.data));
    *host = skip(mailbox, local->size + 1);
    return is_dot_atom(*local) && dns_name_is_valid(*host);
}

static enum match match_rfc822(struct bytes name, struct bytes base)
{
    struct bytes local, host, base_local, base_host;
    if (!split_mailbox(name, &local, &host) || !is_fully_qualified(host))
        return MATCH_UNCLEAR;
    if (split_mailbox(base, &base_local, &base_host))
        return match_if(bytes_equal(local, base_local) && bytes_equal_caseless(host, base_host));
    return match_if(host_matches(host, base));
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

/* Compares whole device ids as dotted OIDs, since they may be divided into type-id and value at
 * different arcs: NAME is within BASE if its arcs begin with those of BASE. */
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

/* Is BASE an address and a mask of the same size (RFC 4632)? A mask is ones, then only zeros. */
static bool ip_base_is_valid(struct bytes base)
{
    if (base.size != 2 * IPV4_OCTETS && base.size != 2 * IPV6_OCTETS)
        return false;
    bool in_zeros = false;
    for (size_t i = base.size / 2; i < base.size; i++) {
        uint8_t octet = base.data[i];
        if ((in_zeros && octet != 0) || ((octet ^ 0xff) & ((octet ^ 0xff) + 1)) != 0)
            return false;
        in_zeros = octet != 0xff;
    }
    return true;
}

static bool other_base_is_valid(struct bytes base)
{
    struct bytes type, value;
    char id[NAME_OCTETS];
    if (!other_name_split(base, &type, &value))
        return false;
    return !other_name_type_is_device(type) || device_id_text(type, value, true, id);
}

/* How each form of name is compared. Names of a form without a comparison are refused once a
 * constraint of that form exists. */
static const struct {
    const char *name;
    enum match (*match)(struct bytes name, struct bytes base);
    bool (*base_is_valid)(struct bytes base);
} forms[GENERAL_NAME_FORMS] = {
    [GENERAL_NAME_OTHER] = {"otherName", match_other, other_base_is_valid},
    [GENERAL_NAME_RFC822] = {"rfc822Name", match_rfc822, rfc822_base_is_valid},
    [GENERAL_NAME_DNS] = {"dNSName", match_dns, dns_base_is_valid},
    [GENERAL_NAME_X400] = {"x400Address", NULL, NULL},
    [GENERAL_NAME_DIRECTORY] = {"directoryName", distinguished_name_match, NULL},
    [GENERAL_NAME_EDI_PARTY] = {"ediPartyName", NULL, NULL},
    [GENERAL_NAME_URI] = {"uniformResourceIdentifier", match_uri, domain_is_valid},
    [GENERAL_NAME_IP] = {"iPAddress", match_ip, ip_base_is_valid},
    [GENERAL_NAME_REGISTERED_ID] = {"registeredID", NULL, NULL},
};

/* Each type-id of an otherName counts as a form of its own, but all device ids are one form. */
static bool same_form(const struct general_name *a, const struct general_name *b)
{
    struct bytes type_a, type_b, value;
    if (a->form != b->form || a->form != GENERAL_NAME_OTHER)
        return a->form == b->form;
    return !other_name_split(a->value, &type_a, &value) ||
           !other_name_split(b->value, &type_b, &value) || bytes_equal(type_a, type_b) ||
           (other_name_type_is_device(type_a) && other_name_type_is_device(type_b));
}

/* GeneralSubtree (RFC 5280 4.2.1.10): minimum has its default 0, and so DER leaves it out; maximum
 * must be absent. */
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

/* NAME has to be in a permitted subtree, if there are any of its form, and in no excluded one. */
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
        bound = true;
        found |= match_name(name, &base) == MATCH_YES;
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

/* SmtpUTF8Mailbox (RFC 9598) is an otherName to which constraints of rfc822Name apply. We do not
 * compare it: where mail is constrained, it counts as outside. */
static bool is_utf8_mailbox(const struct general_name *name)
{
    static const uint8_t id[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x09};
    struct bytes type, value;
    return name->form == GENERAL_NAME_OTHER && other_name_split(name->value, &type, &value) &&
           bytes_equal(type, bytes_of(id, sizeof(id)));
}

static const struct general_name unreadable_mailbox = {.form = GENERAL_NAME_RFC822};

enum result constraints_check(struct bytes constraints, struct bytes subject,
    struct bytes subject_alt_name, struct fault *fault)
{
    static const uint8_t email_address[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01};
    const struct bytes type = bytes_of(email_address, sizeof(email_address));
    struct general_name name = {GENERAL_NAME_DIRECTORY, subject};
    struct bytes names = subject_alt_name, rdns;
    if (!der_only(subject, DER_SEQUENCE, &rdns))
        return outside(name.form, fault);
    if (rdns.size > 0 && !constraints_permit(constraints, &name))
        return outside(name.form, fault);
    name.form = GENERAL_NAME_RFC822;
    for (size_t i = 0; distinguished_name_value(subject, type, i, &name.value); i++) {
        if (!constraints_permit(constraints, &name))
            return outside(name.form, fault);
    }
    while (names.size > 0) {
        if (!general_name_take(&names, &name) || !constraints_permit(constraints, &name) ||
            (is_utf8_mailbox(&name) && !constraints_permit(constraints, &unreadable_mailbox)))
            return outside(name.form, fault);
    }
    return RESULT_OK;
}
