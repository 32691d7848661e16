/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths by name first, then what costs little, then signatures from the anchor down, and last what
 * the CAs, now known to be real, say of each other. */
#include "tls/path.h"

#include "tls/constraints.h"
#include "tls/record.h"
#include "tls/revocation.h"

/* Certificates that may be tried as the next of a path in one domain. A path without ambiguity
 * takes one a certificate; this bounds what look-alikes can cost. */
#define PATH_STEPS_MAX 64

#define REFUSE(fault, alert, ...)                                                                  \
    fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, alert, __VA_ARGS__)

struct search {
    struct trust_store *store;
    const struct trust_domain *domain;
    const struct certificate *presented; /* the verdict's */
    size_t presented_count;
    enum path_purpose purpose;
    int64_t now_s;
    unsigned signatures_left; /* of the whole validation */
    unsigned steps_left;      /* of this domain */

    /* The leaf first, the anchor last. */
    const struct certificate *path[PATH_CERTIFICATES_MAX + 1];
    size_t length;
    struct path_trail trail; /* of the valid path that was found */

    /* Of the path that came furthest, over all domains. */
    size_t furthest;
    struct fault fault;
};

static bool is_self_issued(const struct certificate *certificate)
{
    return bytes_equal(certificate->subject, certificate->issuer);
}

static const char *place_name(const struct search *search, size_t i)
{
    if (i == 0)
        return "leaf";
    return i + 1 == search->length ? "anchor" : "intermediate CA";
}

static bool usage_allows(const struct certificate *certificate, enum path_purpose purpose)
{
    bool allowed = purpose == PATH_CLIENT ? certificate->client_usage : certificate->server_usage;
    return allowed || !certificate->has_extended_usage;
}

/* --- what a whole path has to pass, in this order --- */

static enum result check_dates(struct search *search, struct fault *fault)
{
    for (size_t i = search->length; i-- > 0;) {
        if (search->now_s < search->path[i]->not_before_s)
            return REFUSE(
                fault, TLS_ALERT_CERTIFICATE_EXPIRED, "%s is not valid yet", place_name(search, i));
        if (search->now_s > search->path[i]->not_after_s)
            return REFUSE(
                fault, TLS_ALERT_CERTIFICATE_EXPIRED, "%s has expired", place_name(search, i));
    }
    return RESULT_OK;
}

static enum result check_authorities(struct search *search, struct fault *fault)
{
    for (size_t i = 1; i < search->length; i++) {
        const struct certificate *ca = search->path[i];
        bool is_anchor = i + 1 == search->length;
        const char *name = place_name(search, i);
        if (!ca->is_ca)
            return REFUSE(fault, TLS_ALERT_BAD_CERTIFICATE, "%s is not a CA certificate", name);
        if (is_anchor ? ca->has_key_usage && !(ca->key_usage & KEY_USAGE_CERT_SIGN)
                      : !(ca->key_usage & KEY_USAGE_CERT_SIGN))
            return REFUSE(fault, TLS_ALERT_BAD_CERTIFICATE, "%s has no keyCertSign", name);
        if (!usage_allows(ca, search->purpose))
            return REFUSE(fault, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
                "%s has an extKeyUsage without this purpose", name);
    }
    return RESULT_OK;
}

/* RFC 5280 6.1.4 (l), (m): how many CAs that are not self-issued stand below each. */
static enum result check_lengths(struct search *search, struct fault *fault)
{
    int below = 0;
    for (size_t i = 1; i < search->length; i++) {
        const struct certificate *ca = search->path[i];
        if (ca->path_length >= 0 && below > ca->path_length)
            return REFUSE(fault, TLS_ALERT_BAD_CERTIFICATE,
                "path is longer than the pathLenConstraint of its %s", place_name(search, i));
        below += is_self_issued(ca) ? 0 : 1;
    }
    return RESULT_OK;
}

/* From the anchor down: a made-up chain costs one verification, and not one for each of its. */
static enum result check_signatures(struct search *search, struct fault *fault)
{
    for (size_t i = search->length - 1; i-- > 0;) {
        bool spent = search->signatures_left == 0;
        if (!trust_signed_by(
                search->store, search->path[i], search->path[i + 1], &search->signatures_left))
            return REFUSE(fault, TLS_ALERT_BAD_CERTIFICATE, "signature on the %s %s",
                place_name(search, i), spent ? "is one too many to check" : "does not verify");
    }
    return RESULT_OK;
}

/* RFC 5280 6.1.3 (b), (c): every CA's constraints bind all below it but self-issued CAs. */
static enum result check_constraints(struct search *search, struct fault *fault)
{
    for (size_t i = 1; i < search->length; i++) {
        if (search->path[i]->name_constraints.size == 0)
            continue;
        for (size_t j = 0; j < i; j++) {
            if (j > 0 && is_self_issued(search->path[j]))
                continue;
            struct fault why = FAULT_INIT;
            enum result result =
                constraints_check(search->path[i]->name_constraints, search->path[j], &why);
            if (result != RESULT_OK)
                return fault_set_alert(
                    fault, result, why.alert, "%s: %s", place_name(search, j), why.text);
        }
    }
    return RESULT_OK;
}

/* RFC 5280 6.1.3 (a) (3). Listed is revoked however old the CRL; not listed says something only
 * while it is current. */
static enum result check_revocation(struct search *search, struct fault *fault)
{
    CLEANUP(auto_crl_set_unref) struct crl_set *set = crl_set_of(search->store, search->domain);
    for (size_t i = search->length - 1; i-- > 0;) {
        enum revocation revocation =
            revocation_of(search->store, set, search->path[i], search->path[i + 1], search->now_s);
        if (revocation == REVOCATION_REVOKED)
            return REFUSE(
                fault, TLS_ALERT_CERTIFICATE_REVOKED, "%s is revoked", place_name(search, i));
        if (revocation == REVOCATION_UNKNOWN && search->domain->require_crl)
            return REFUSE(fault, TLS_ALERT_BAD_CERTIFICATE,
                "no current CRL from the issuer of the %s", place_name(search, i));
    }
    return RESULT_OK;
}

static enum result (*const checks[])(struct search *search, struct fault *fault) = {
    check_dates,
    check_authorities,
    check_lengths,
    check_signatures,
    check_constraints, /* after them: what it costs is up to the CAs, so they have to be real */
    check_revocation,
};

/* Keeps the reason of the path that passed most checks. */
static bool path_is_valid(struct search *search)
{
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        struct fault why = FAULT_INIT;
        enum result result = checks[i](search, &why);
        if (result == RESULT_OK)
            continue;
        if (i + 1 > search->furthest) {
            search->furthest = i + 1;
            fault_set_alert(&search->fault, result, why.alert, "trust domain %s: %s",
                search->domain->name, why.text);
        }
        return false;
    }
    return true;
}

/* --- finding paths by name --- */

/* Key identifiers are hints: they rule out, where both are there, and never prove. */
static bool may_have_issued(const struct certificate *issuer, const struct certificate *subject)
{
    return bytes_equal(issuer->subject, subject->issuer) &&
           (issuer->subject_key_id.size == 0 || subject->authority_key_id.size == 0 ||
               bytes_equal(issuer->subject_key_id, subject->authority_key_id));
}

static bool is_on_path(const struct search *search, const struct certificate *candidate)
{
    for (size_t i = 0; i < search->length; i++) {
        if (bytes_equal(search->path[i]->subject, candidate->subject) &&
            bytes_equal(search->path[i]->spki, candidate->spki))
            return true;
    }
    return false;
}

static void note_trail(struct search *search, size_t anchor)
{
    struct path_trail *trail = &search->trail;
    trail->length = (uint8_t)(search->length - 1);
    for (size_t i = 0; i < trail->length; i++)
        trail->presented[i] = (uint8_t)(search->path[i] - search->presented);
    trail->anchor = (uint8_t)anchor;
}

static bool try_anchors(struct search *search)
{
    const struct certificate *last = search->path[search->length - 1];
    bool valid = false;
    for (size_t i = 0; i < search->domain->anchor_count && !valid; i++) {
        const struct certificate *anchor = &search->domain->anchors[i].certificate;
        if (!may_have_issued(anchor, last) || search->steps_left == 0)
            continue;
        search->steps_left--;
        search->path[search->length++] = anchor;
        valid = path_is_valid(search);
        if (valid)
            note_trail(search, i);
        search->length--;
    }
    return valid;
}

/* Depth first; as deep as there are certificates, as none is on a path twice. */
static bool extend_path(struct search *search)
{
    if (try_anchors(search))
        return true;
    const struct certificate *last = search->path[search->length - 1];
    bool valid = false;
    for (size_t i = 1; i < search->presented_count && !valid; i++) {
        const struct certificate *candidate = &search->presented[i];
        if (!may_have_issued(candidate, last) || is_on_path(search, candidate) ||
            search->steps_left == 0)
            continue;
        search->steps_left--;
        search->path[search->length++] = candidate;
        valid = extend_path(search);
        search->length--;
    }
    return valid;
}

static bool domain_trusts(struct search *search, const struct trust_domain *domain)
{
    search->domain = domain;
    search->steps_left = PATH_STEPS_MAX;
    search->path[0] = &search->presented[0];
    search->length = 1;
    return extend_path(search);
}

/* --- what does not depend on the domain --- */

static enum result read_chain(struct certificate presented[PATH_CERTIFICATES_MAX],
    const struct bytes *chain, size_t count, struct fault *fault)
{
    if (count == 0)
        return REFUSE(fault, TLS_ALERT_HANDSHAKE_FAILURE, "no certificate was presented");
    if (count > PATH_CERTIFICATES_MAX)
        return REFUSE(fault, TLS_ALERT_BAD_CERTIFICATE, "more than %d certificates presented",
            PATH_CERTIFICATES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct fault why = FAULT_INIT;
        enum result result = certificate_parse(chain[i], &presented[i], &why);
        if (result != RESULT_OK)
            return fault_set_alert(
                fault, result, why.alert, "presented certificate %zu: %s", i + 1, why.text);
    }
    return RESULT_OK;
}

/* TS-0003 10.1. As a leaf is no CA, no anchor can stand as one. */
static enum result check_leaf(
    const struct certificate *leaf, enum path_purpose purpose, struct fault *fault)
{
    if (leaf->is_ca)
        return REFUSE(fault, TLS_ALERT_UNSUPPORTED_CERTIFICATE, "leaf is a CA certificate");
    if (!(leaf->key_usage & KEY_USAGE_DIGITAL_SIGNATURE))
        return REFUSE(fault, TLS_ALERT_UNSUPPORTED_CERTIFICATE, "leaf has no %s",
            leaf->has_key_usage ? "digitalSignature in its keyUsage" : "keyUsage");
    if (!usage_allows(leaf, purpose))
        return REFUSE(fault, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
            "leaf has an extKeyUsage without %s",
            purpose == PATH_CLIENT ? "clientAuth" : "serverAuth");
    return RESULT_OK;
}

enum result path_validate(struct trust_store *store, const struct bytes *chain, size_t count,
    enum path_purpose purpose, int64_t now_s, struct path_verdict *out, struct fault *fault)
{
    out->trusted = 0;
    struct search search = {.store = store,
        .presented = out->presented,
        .presented_count = count,
        .purpose = purpose,
        .now_s = now_s,
        .signatures_left = PATH_SIGNATURES_MAX,
        .fault = FAULT_INIT};
    enum result result = read_chain(out->presented, chain, count, fault);
    if (result == RESULT_OK)
        result = check_leaf(&search.presented[0], purpose, fault);
    if (result == RESULT_OK)
        result = certificate_names(&search.presented[0], &out->names, fault);
    if (result != RESULT_OK)
        return result;

    uint64_t trusted = 0;
    for (size_t i = 0; i < store->domain_count; i++) {
        if (!domain_trusts(&search, &store->domains[i]))
            continue;
        trusted |= UINT64_C(1) << i;
        out->trails[i] = search.trail;
    }
    if (trusted == 0 && search.furthest == 0)
        return REFUSE(fault, TLS_ALERT_UNKNOWN_CA,
            "no path from the presented certificates to a trust anchor");
    if (trusted == 0)
        return fault_set_alert(
            fault, search.fault.result, search.fault.alert, "%s", search.fault.text);
    out->leaf = search.presented[0];
    out->trusted = trusted;
    return RESULT_OK;
}
