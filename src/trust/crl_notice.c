/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trust/crl_notice.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "x509/der.h"
#include "x509/distinguished_name.h"

#define ISSUER_OCTETS 200 /* longer names are cut */

/* --- an issuer in one line --- */

static const struct {
    const char *oid, *name;
} attribute_types[] = {
    {"2.5.4.3", "CN"},
    {"2.5.4.5", "serialNumber"},
    {"2.5.4.6", "C"},
    {"2.5.4.7", "L"},
    {"2.5.4.8", "ST"},
    {"2.5.4.10", "O"},
    {"2.5.4.11", "OU"},
    {"0.9.2342.19200300.100.1.25", "DC"},
};

static const char *attribute_type(struct bytes oid, char text[64])
{
    if (!der_oid_text(oid, false, text, 64))
        return "?";
    for (size_t i = 0; i < ARRAY_SIZE(attribute_types); i++) {
        if (strcmp(attribute_types[i].oid, text) == 0)
            return attribute_types[i].name;
    }
    return text;
}

/* Writes NAME as "CN=field CA, O=m2m.example", for people only: two different names may give the
 * same text. */
static void describe_name(struct bytes name, char *out, size_t size)
{
    struct bytes rdns, rdn, pair, type;
    struct der value;
    size_t used = 0;
    out[0] = '\0';
    if (!der_only(name, DER_SEQUENCE, &rdns))
        return;
    while (der_take_tag(&rdns, DER_SET, &rdn)) {
        while (der_take_tag(&rdn, DER_SEQUENCE, &pair) && der_take_tag(&pair, DER_OID, &type) &&
               der_take(&pair, &value) && used < size) {
            char type_text[64], value_text[96];
            bytes_escape(value.content, value_text, sizeof(value_text));
            used += (size_t)snprintf(out + used, size - used, "%s%s=%s", used > 0 ? ", " : "",
                attribute_type(type, type_text), value_text);
        }
    }
}

/* --- notices --- */

struct notifying {
    struct trust_store *store;
    const struct trust_domain *domain;
    const struct crl_set *set;
    crl_notice_reader *each;
    void *context;
};

/* Completes NOTICE, in which the caller has set the flags, by file number SLOT and the text of
 * FORMAT, and hands it to the reader. */
static void PRINTF(4, 5) notify(const struct notifying *notifying, struct crl_notice notice,
    size_t slot, const char *format, ...)
{
    char line[CRL_NOTICE_OCTETS];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    notice.file = &notifying->domain->trust->crls[slot];
    bytes_escape(bytes_of_string(line), notice.text, sizeof(notice.text));
    notifying->each(&notice, notifying->context);
}

/* Only a warning when the file is missing, since it may still be delivered; a fault when the file
 * is there but holds no CRL. */
static void notify_problem(const struct notifying *notifying, size_t i)
{
    const struct crl_slot *slot = &notifying->set->slots[i];
    const char *path = notifying->domain->trust->crls[i].path;
    if (slot->problem == CRL_PROBLEM_NONE)
        return;
    bool is_fault =
        slot->problem == CRL_PROBLEM_UNUSABLE || slot->problem == CRL_PROBLEM_UNREADABLE;
    static const char *const remains[] = {
        [CRL_REMAINS_NOTHING] = "it counts for nothing",
        [CRL_REMAINS_OTHERS] = "its other CRLs count",
        [CRL_REMAINS_BEFORE] = "what it held before stays in force",
        [CRL_REMAINS_NEWER] =
            "the newer one, of a file that the policy does not name any more, stays "
            "in force beside it",
    };
    struct crl_notice notice = {
        .is_fault = is_fault, .is_kept = slot->remains == CRL_REMAINS_BEFORE};
    notify(notifying, notice, i, "%s; %s%s", slot->why ? slot->why : path, remains[slot->remains],
        slot->remains == CRL_REMAINS_NOTHING && notifying->domain->require_crl
            ? ", and the trust domain lets in nobody whose issuer has no other"
            : "");
}

static bool has_crl_of_leaves(const struct crl_set *set, const struct trust_crl *crl)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->crls[i]->crl.covers_leaves && set->crls[i]->issuer == crl->issuer &&
            distinguished_name_equal(set->crls[i]->crl.issuer, crl->crl.issuer))
            return true;
    }
    return false;
}

static void notify_standing(const struct notifying *notifying, size_t i)
{
    const struct trust_crl *crl = notifying->set->crls[i];
    const size_t slot = notifying->set->slot_of[i];
    const char *path = notifying->domain->trust->crls[slot].path;
    char issuer[ISSUER_OCTETS];
    describe_name(crl->crl.issuer, issuer, sizeof(issuer));
    switch (crl_standing(notifying->store, notifying->domain, crl)) {
    case CRL_AWAITS_CA:
        notify(notifying, (struct crl_notice){0}, slot,
            "%s: CRL %zu of %s: no anchor of trust domain %s has this issuer's name: it counts "
            "once a device presents that CA's certificate",
            path, crl->number, issuer, notifying->domain->name);
        break;
    case CRL_UNSIGNED:
        notify(notifying, (struct crl_notice){0}, slot,
            "%s: CRL %zu of %s: not signed by the anchor of that name in trust domain %s: it "
            "counts once a device presents a certificate of that CA with the key that signed it",
            path, crl->number, issuer, notifying->domain->name);
        break;
    case CRL_COUNTS:
        break;
    }
    if (!crl->crl.covers_leaves && !has_crl_of_leaves(notifying->set, crl))
        notify(notifying, (struct crl_notice){0}, slot,
            "%s: CRL %zu of %s: it covers CA certificates only (onlyContainsCACerts), and there is "
            "none that covers the leaves of this issuer",
            path, crl->number, issuer);
}

void crl_notices(struct trust_store *store, const struct trust_domain *domain,
    crl_notice_reader *each, void *context)
{
    struct crl_set *set CLEANUP(auto_crl_set_unref) = crl_set_of(store, domain);
    const struct notifying notifying = {store, domain, set, each, context};
    for (size_t i = 0; set && i < set->slot_count; i++)
        notify_problem(&notifying, i);
    for (size_t i = 0; set && i < set->count; i++) {
        if (!set->is_kept[i]) /* there were notices about those while their file held them */
            notify_standing(&notifying, i);
    }
}

static void report(const struct crl_notice *notice, void *context)
{
    if (notice->is_fault)
        report_fault(context, &notice->file->place, "%s", notice->text);
    else
        report_warning(context, &notice->file->place, "%s", notice->text);
}

void crl_notices_report(struct trust_store *store, struct report *out)
{
    for (size_t i = 0; i < store->domain_count; i++)
        crl_notices(store, &store->domains[i], report, out);
}
