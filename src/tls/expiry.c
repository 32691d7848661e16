/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/expiry.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "trust/crl_notice.h"
#include "x509/distinguished_name.h"

static enum result append(struct expiry_list *list, struct expiry expiry)
{
    struct expiry *items = reallocarray(list->items, list->count + 1, sizeof(*items));
    if (!items)
        return RESULT_NO_MEMORY;
    list->items = items;
    items[list->count++] = expiry;
    return RESULT_OK;
}

void expiry_list_release(struct expiry_list *list)
{
    free(list->items);
    *list = (struct expiry_list){0};
}

/* Sets the state at NOW_S, and when it changes next: EXPIRY is valid from FROM_S to its at_s, and
 * expiring in the last SOON_S of that. */
static void set_state(struct expiry *expiry, int64_t from_s, int64_t soon_s, int64_t now_s)
{
    if (now_s > expiry->at_s) {
        expiry->state = EXPIRY_EXPIRED;
        expiry->next_s = INT64_MAX;
    } else if (now_s < from_s) {
        expiry->state = EXPIRY_EARLY;
        expiry->next_s = from_s;
    } else if (now_s >= expiry->at_s - soon_s) {
        expiry->state = EXPIRY_EXPIRING;
        expiry->next_s = expiry->at_s + 1;
    } else {
        expiry->state = EXPIRY_CURRENT;
        expiry->next_s = expiry->at_s - soon_s;
    }
}

/* --- certificates --- */

static enum result list_certificates(
    struct tls_context *context, int64_t now_s, struct expiry_list *out)
{
    const struct policy *policy = tls_context_policy(context);

    for (size_t i = 0; i < policy->endpoint_count; i++) {
        struct bytes der = tls_endpoint_certificate(tls_context_by_number(context, i));
        struct certificate certificate;
        struct fault fault;
        if (certificate_parse(der, &certificate, &fault) != RESULT_OK)
            continue; /* it has a raw public key alone */
        struct expiry expiry = {.kind = EXPIRY_CERTIFICATE,
            .name = policy->endpoints[i].name,
            .file = &policy->endpoints[i].certificate,
            .at_s = certificate.not_after_s};
        set_state(&expiry, certificate.not_before_s, EXPIRY_CERTIFICATE_S, now_s);
        TRY(append(out, expiry));
    }
    return RESULT_OK;
}

/* --- CRLs --- */

static bool is_of(const struct trust_crl *crl, uint64_t issuer, struct bytes name)
{
    return crl->issuer == issuer && distinguished_name_equal(crl->crl.issuer, name);
}

/* Whether OTHER covers all certificates that CRL covers, and has a later nextUpdate. */
static bool supersedes(const struct trust_crl *other, const struct trust_crl *crl)
{
    return is_of(other, crl->issuer, crl->crl.issuer) &&
           other->crl.covers_leaves >= crl->crl.covers_leaves &&
           other->crl.covers_cas >= crl->crl.covers_cas &&
           other->crl.next_update_s > crl->crl.next_update_s;
}

/* Whether somebody has to renew CRL in time. Not if none of the certificates that we know has
 * signed it, nor if another one supersedes it. One that an intermediate CA may have signed is in
 * use. */
static bool is_in_use(struct trust_store *store, const struct trust_domain *domain,
    const struct crl_set *set, const struct trust_crl *crl)
{
    enum crl_standing standing = crl_standing(store, domain, crl);
    for (size_t i = 0; i < set->count && standing != CRL_UNSIGNED; i++) {
        if (supersedes(set->crls[i], crl) && crl_standing(store, domain, set->crls[i]) <= standing)
            return false;
    }
    return standing != CRL_UNSIGNED;
}

static enum result list_set(struct trust_store *store, const struct trust_domain *domain,
    const struct crl_set *set, int64_t now_s, struct expiry_list *out)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct trust_crl *each = set->crls[i];
        int64_t tenth_s = (each->crl.next_update_s - each->crl.this_update_s) / 10;
        if (!is_in_use(store, domain, set, each))
            continue;
        struct expiry expiry = {.kind = EXPIRY_CRL,
            .name = domain->name,
            .file = &domain->trust->crls[set->slot_of[i]],
            .number = each->number,
            .at_s = each->crl.next_update_s};
        set_state(&expiry, each->crl.this_update_s, tenth_s < EXPIRY_CRL_S ? tenth_s : EXPIRY_CRL_S,
            now_s);
        TRY(append(out, expiry));
    }
    return RESULT_OK;
}

static bool has_crl_of(struct trust_store *store, const struct trust_domain *domain,
    const struct crl_set *set, const struct trust_anchor *anchor)
{
    for (size_t i = 0; set && i < set->count; i++) {
        if (is_of(set->crls[i], anchor->name, anchor->certificate.subject) &&
            crl_standing(store, domain, set->crls[i]) == CRL_COUNTS)
            return true;
    }
    return false;
}

static enum result list_missing(struct trust_store *store, const struct trust_domain *domain,
    const struct crl_set *set, struct expiry_list *out)
{
    for (size_t i = 0; i < domain->anchor_count; i++) {
        struct expiry expiry = {.kind = EXPIRY_CRL,
            .state = EXPIRY_MISSING,
            .name = domain->name,
            .file = &domain->trust->anchors,
            .number = i + 1,
            .next_s = INT64_MAX};
        if (!has_crl_of(store, domain, set, &domain->anchors[i]))
            TRY(append(out, expiry));
    }
    return RESULT_OK;
}

enum result expiry_list_crls(struct trust_store *store, int64_t now_s, struct expiry_list *out)
{
    for (size_t i = 0; i < store->domain_count; i++) {
        const struct trust_domain *domain = &store->domains[i];
        struct crl_set *set CLEANUP(auto_crl_set_unref) = crl_set_of(store, domain);
        if (set)
            TRY(list_set(store, domain, set, now_s, out));
        if (domain->require_crl)
            TRY(list_missing(store, domain, set, out));
    }
    return RESULT_OK;
}

enum result expiry_list_all(struct tls_context *context, int64_t now_s, struct expiry_list *out)
{
    *out = (struct expiry_list){0};
    TRY(list_certificates(context, now_s, out));
    return expiry_list_crls(tls_context_trust(context), now_s, out);
}

/* --- in words --- */

const char *expiry_state_name(enum expiry_state state)
{
    static const char *const names[] = {
        [EXPIRY_CURRENT] = "current",
        [EXPIRY_EXPIRING] = "expiring",
        [EXPIRY_EXPIRED] = "expired",
        [EXPIRY_EARLY] = "notYetValid",
        [EXPIRY_MISSING] = "missing",
    };
    return names[state];
}

static void describe_span(int64_t span_s, char *text, size_t size)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, "days"}, {3600, "hours"}, {60, "minutes"}, {1, "seconds"}};
    size_t i = 0;
    while (i + 1 < ARRAY_SIZE(units) && span_s < 2 * units[i].seconds)
        i++;
    snprintf(text, size, "%lld %s", (long long)(span_s / units[i].seconds), units[i].name);
}

void expiry_describe(const struct expiry *expiry, int64_t now_s, char *line, size_t size)
{
    const char *path = expiry->file->path;
    char what[48] = "certificate", span[32];
    if (expiry->kind == EXPIRY_CRL)
        snprintf(what, sizeof(what), "CRL %zu", expiry->number);
    switch (expiry->state) {
    case EXPIRY_CURRENT:
        snprintf(line, size, "%s: %s is current", path, what);
        break;
    case EXPIRY_EXPIRING:
        describe_span(expiry->at_s - now_s, span, sizeof(span));
        snprintf(line, size, "%s: %s expires in %s", path, what, span);
        break;
    case EXPIRY_EXPIRED:
        snprintf(line, size, "%s: %s is out of date", path, what);
        break;
    case EXPIRY_EARLY:
        snprintf(line, size, "%s: %s is not valid yet", path, what);
        break;
    case EXPIRY_MISSING:
        snprintf(
            line, size, "%s: no CRL of certificate %zu, and one is required", path, expiry->number);
        break;
    }
}

void expiry_report(struct tls_context *context, struct report *report)
{
    struct expiry_list list CLEANUP(expiry_list_release) = {0};
    int64_t now_s = clock_wall_s();
    if (expiry_list_all(context, now_s, &list) != RESULT_OK)
        return;
    for (size_t i = 0; i < list.count; i++) {
        char line[EXPIRY_LINE_OCTETS];
        if (list.items[i].state == EXPIRY_CURRENT)
            continue;
        expiry_describe(&list.items[i], now_s, line, sizeof(line));
        report_warning(report, &list.items[i].file->place, "%s", line);
    }
}
