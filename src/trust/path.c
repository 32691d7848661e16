/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths are searched from the anchors down. A presented certificate is checked only when its issuer
 * is on the path already, and so known to be real: first what costs little, then its signature, and
 * last what its CAs, all of them real, say of it. So a made-up chain costs one verification for
 * each of its certificates that names an anchor as its issuer, and the certificates below those are
 * never checked. */
#include "trust/path.h"

#include <string.h>

#include "base/alert.h"
#include "trust/evidence.h"
#include "trust/path_policies.h"
#include "trust/review.h"
#include "trust/revocation.h"
#include "x509/constraints.h"
#include "x509/distinguished_name.h"
#include "x509/subject_names.h"

/* How often a certificate may be put on the path in the search of one domain. An unambiguous path
 * takes one step for each of its certificates; CAs that certify each other can take many. */
#define PATH_STEPS_MAX 256

#define REFUSE(fault, alert, ...)                                                                  \
    fault_set_alert(fault, RESULT_CERTIFICATE_REFUSED, alert, __VA_ARGS__)

struct search {
    struct trust_store *store;
    const struct trust_domain *domain;
    const struct crl_set *crls;          /* the domain's */
    struct path_verdict *verdict;        /* of the whole validation */
    const struct certificate *presented; /* the verdict's */
    size_t presented_count;
    unsigned usable; /* bit i: presented[i] could be parsed */
    size_t target; /* the path is for presented[target]: 0, the leaf, or a CA that may sign CRLs */
    const struct certificate *crls_under; /* for such a CA: the anchor that its own has to be a
                                             namesake of; NULL for the leaf */
    unsigned ancestors; /* bit i: going by names, presented[i] is the target or may be above it */
    enum path_purpose purpose;
    int64_t now_s;
    struct trust_effort effort; /* of the whole validation */
    unsigned steps_left;        /* of this domain */
    bool by_key_ids;            /* only by issuers whose key identifier fits, where both have one */

    /* The anchor first. */
    const struct certificate *path[PATH_CERTIFICATES_MAX + 1];
    size_t length;
    struct path found; /* the valid path, once there is one */

    /* Of the certificate that passed most checks, over all domains: the number of the check that it
     * failed, from 1 (0: none was looked at), and why. */
    unsigned furthest;
    struct fault fault;
    bool certified; /* a CA that an anchor leads to signed the leaf, which may be wrong otherwise */
};

static bool is_target(const struct search *search, const struct certificate *certificate)
{
    return certificate == &search->presented[search->target];
}

/* What faults call CERTIFICATE as the next one of the path, which begins with the anchor. */
static const char *role_of(const struct search *search, const struct certificate *certificate)
{
    if (is_target(search, certificate))
        return "leaf";
    return search->length == 0 ? "anchor" : "intermediate CA";
}

static const struct certificate *issuer_of_next(const struct search *search)
{
    return search->path[search->length - 1];
}

static bool usage_allows(const struct certificate *certificate, enum path_purpose purpose)
{
    bool allowed = purpose == PATH_CLIENT ? certificate->client_usage : certificate->server_usage;
    return allowed || !certificate->has_extended_usage;
}

/* --- what a certificate has to pass to stand next on the path, in this order --- */

static enum result check_dates(
    struct search *search, const struct certificate *next, struct fault *fault)
{
    if (search->now_s < next->not_before_s)
        return REFUSE(
            fault, TLS_ALERT_CERTIFICATE_EXPIRED, "%s is not valid yet", role_of(search, next));
    if (search->now_s > next->not_after_s)
        return REFUSE(
            fault, TLS_ALERT_CERTIFICATE_EXPIRED, "%s has expired", role_of(search, next));
    return RESULT_OK;
}

static enum result check_authority(
    struct search *search, const struct certificate *next, struct fault *fault)
{
    const char *name = role_of(search, next);
    bool is_anchor = search->length == 0;
    if (is_target(search, next))
        return RESULT_OK; /* check_leaf, or may_sign_crls_of */
    if (!next->is_ca)
        return REFUSE(fault, TLS_ALERT_BAD_CERTIFICATE, "%s is not a CA certificate", name);
    if (is_anchor ? next->has_key_usage && !(next->key_usage & KEY_USAGE_CERT_SIGN)
                  : !(next->key_usage & KEY_USAGE_CERT_SIGN))
        return REFUSE(fault, TLS_ALERT_BAD_CERTIFICATE, "%s has no keyCertSign", name);
    if (!usage_allows(next, search->purpose))
        return REFUSE(fault, TLS_ALERT_UNSUPPORTED_CERTIFICATE,
            "%s has an extKeyUsage without this purpose", name);
    return RESULT_OK;
}

/* RFC 5280 6.1.4 (l), (m): how many CAs that are not self-issued stand below each. */
static enum result check_lengths(
    struct search *search, const struct certificate *next, struct fault *fault)
{
    int below = is_target(search, next) || certificate_is_self_issued(next) ? 0 : 1;
    for (size_t i = search->length; i-- > 0;) {
        const struct certificate *ca = search->path[i];
        if (ca->path_length >= 0 && below > ca->path_length)
            return REFUSE(fault, TLS_ALERT_BAD_CERTIFICATE,
                "path is longer than the pathLenConstraint of its %s",
                i == 0 ? "anchor" : "intermediate CA");
        below += certificate_is_self_issued(ca) ? 0 : 1;
    }
    return RESULT_OK;
}

static enum result check_signature(
    struct search *search, const struct certificate *next, struct fault *fault)
{
    if (search->length == 0 ||
        trust_signed_by(search->store, next, issuer_of_next(search), &search->effort))
        return RESULT_OK;
    return REFUSE(fault, TLS_ALERT_BAD_CERTIFICATE, "signature on the %s does not verify",
        role_of(search, next));
}

/* RFC 5280 6.1.3 (b), (c): every CA's constraints bind all below it but self-issued CAs. */
static enum result check_constraints(
    struct search *search, const struct certificate *next, struct fault *fault)
{
    if (!is_target(search, next) && certificate_is_self_issued(next))
        return RESULT_OK;
    for (size_t i = 0; i < search->length; i++) {
        struct fault why = FAULT_INIT;
        if (search->path[i]->name_constraints.size == 0)
            continue;
        enum result result = constraints_check(
            search->path[i]->name_constraints, next->subject, next->subject_alt_name, &why);
        if (result != RESULT_OK)
            return fault_set_alert(
                fault, result, why.alert, "%s: %s", role_of(search, next), why.text);
    }
    return RESULT_OK;
}

static bool has_path_to_sign_crls(struct search *search, size_t i);

/* Going by its fields, is CANDIDATE another certificate of NEXT's issuer, with another key that may
 * sign this issuer's CRLs? */
static bool may_sign_crls_of(const struct search *search, const struct certificate *candidate,
    const struct certificate *next)
{
    return candidate->is_ca && certificate_may_sign_crls(candidate) &&
           certificate_names_issuer(next, candidate) &&
           !bytes_equal(candidate->point, issuer_of_next(search)->point);
}

/* What the CRLs say of NEXT. When none of the keys that we know signed a CRL in its issuer's name,
 * the key may be that of another certificate of that name, which was presented too (RFC 5280 6.3.3
 * (f), (g)). */
static struct revocation_finding find_revocation(
    struct search *search, const struct certificate *next)
{
    struct revocation_keys keys;
    revocation_keys_of(search->domain, issuer_of_next(search), &keys);
    struct revocation_finding finding =
        revocation_of(search->store, search->crls, next, &keys, search->now_s);
    if (finding.revocation == REVOCATION_REVOKED || !finding.is_unverified || search->crls_under)
        return finding;
    const size_t known = keys.count;
    for (size_t i = 1; i < search->presented_count; i++) {
        if ((search->usable >> i & 1) != 0 &&
            may_sign_crls_of(search, &search->presented[i], next) &&
            has_path_to_sign_crls(search, i))
            revocation_keys_add(&keys, &search->presented[i]);
    }
    return keys.count == known
               ? finding
               : revocation_of(search->store, search->crls, next, &keys, search->now_s);
}

/* RFC 5280 6.1.3 (a) (3). A certificate that a CRL lists is revoked, however old the CRL is. That a
 * CRL does not list it counts only while the CRL is current. */
static enum result check_revocation(
    struct search *search, const struct certificate *next, struct fault *fault)
{
    if (search->length == 0)
        return RESULT_OK;
    const struct revocation_finding finding = find_revocation(search, next);
    if (finding.revocation == REVOCATION_REVOKED)
        return REFUSE(fault, TLS_ALERT_CERTIFICATE_REVOKED, "%s is revoked", role_of(search, next));
    if (finding.revocation == REVOCATION_UNKNOWN && search->domain->require_crl)
        return REFUSE(fault, TLS_ALERT_BAD_CERTIFICATE,
            "no current CRL from the issuer of the %s: %s", role_of(search, next), finding.why);
    return RESULT_OK;
}

/* RFC 5280 6.1.3 (d) to (f), 6.1.5. Checked once, when NEXT is the target and so ends the path. */
static enum result check_policies(
    struct search *search, const struct certificate *next, struct fault *fault)
{
    if (!is_target(search, next))
        return RESULT_OK;
    search->path[search->length] = next;
    if (path_policies_hold(search->path, search->length + 1))
        return RESULT_OK;
    return REFUSE(fault, TLS_ALERT_BAD_CERTIFICATE,
        "a CA asks for a certificate policy (policyConstraints) that the path does not have");
}

static void note_path(struct search *search)
{
    struct path *found = &search->found;
    found->length = (uint8_t)(search->length - 1);
    for (size_t i = 0; i < found->length; i++)
        found->presented[i] = (uint8_t)(search->path[found->length - i] - search->presented);
}

/* A key is reviewed by the CRLs of all trust domains for as long as it lives, and so its path is
 * checked by all of them, too. When they revoke this path, another one may still be good. */
static enum result check_all_crls(
    struct search *search, const struct certificate *next, struct fault *fault)
{
    struct evidence evidence;
    const size_t domain = (size_t)(search->domain - search->store->domains);
    if (!is_target(search, next) || search->crls_under)
        return RESULT_OK;
    search->path[search->length++] = next;
    note_path(search);
    search->length--;
    search->verdict->paths[domain] = search->found;
    if (evidence_write(search->store, search->verdict, domain, &evidence) != RESULT_OK)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    const struct trust_domain *revoking =
        review_find_revoking(search->store, bytes_of(evidence.octets, evidence.size));
    if (!revoking)
        return RESULT_OK;
    return REFUSE(fault, TLS_ALERT_CERTIFICATE_REVOKED,
        "a certificate of the path is revoked by a CRL of trust domain %s", revoking->name);
}

enum check {
    CHECK_DATES,
    CHECK_AUTHORITY,
    CHECK_LENGTHS,
    CHECK_SIGNATURE,
    CHECK_CONSTRAINTS, /* after the signature: CAs decide what it costs, so they have to be real */
    CHECK_REVOCATION,
    CHECK_POLICIES,
    CHECK_ALL_CRLS,
    CHECK_COUNT,
};

static enum result (*const checks[CHECK_COUNT])(
    struct search *search, const struct certificate *next, struct fault *fault) = {
    [CHECK_DATES] = check_dates,
    [CHECK_AUTHORITY] = check_authority,
    [CHECK_LENGTHS] = check_lengths,
    [CHECK_SIGNATURE] = check_signature,
    [CHECK_CONSTRAINTS] = check_constraints,
    [CHECK_REVOCATION] = check_revocation,
    [CHECK_POLICIES] = check_policies,
    [CHECK_ALL_CRLS] = check_all_crls,
};

/* Key identifiers are hints (RFC 5280 4.2.1.1): they say whom to try first, and prove nothing. */
static bool key_ids_fit(const struct certificate *issuer, const struct certificate *subject)
{
    return issuer->subject_key_id.size == 0 || subject->authority_key_id.size == 0 ||
           bytes_equal(issuer->subject_key_id, subject->authority_key_id);
}

/* Keeps the reason of the certificate that passed most checks. An issuer whose key identifier does
 * not fit is taken for a mere namesake until the signature verifies, so that failures up to the
 * signature check are not reported for it. */
static void note_reason(struct search *search, enum check check, const struct certificate *next,
    const struct fault *why)
{
    bool is_namesake = search->length > 0 && !key_ids_fit(issuer_of_next(search), next);
    if ((is_namesake && check <= CHECK_SIGNATURE) || check + 1 <= search->furthest)
        return;
    search->furthest = check + 1;
    fault_set_alert(&search->fault, why->result, why->alert, "trust domain %s: %s",
        search->domain->name, why->text);
}

/* Notes whether NEXT, which failed at CHECK or passed all checks, is a leaf that one of our CAs
 * signed. The log tells initiators with such a certificate, even an unusable one, from strangers.
 */
static void note_certified(struct search *search, enum check check, const struct certificate *next)
{
    if (next != &search->presented[0] || search->certified)
        return;
    search->certified = check > CHECK_SIGNATURE ||
                        (check < CHECK_SIGNATURE && trust_signed_by(search->store, next,
                                                        issuer_of_next(search), &search->effort));
}

static bool may_stand_next(struct search *search, const struct certificate *next)
{
    for (enum check check = 0; check < CHECK_COUNT; check++) {
        struct fault why = FAULT_INIT;
        if (checks[check](search, next, &why) != RESULT_OK) {
            note_reason(search, check, next, &why);
            note_certified(search, check, next);
            return false;
        }
    }
    note_certified(search, CHECK_COUNT, next);
    return true;
}

/* --- the search --- */

/* Finds the presented certificates that the target names as its issuer, those that they name, and
 * so on. */
static void find_ancestors(struct search *search)
{
    unsigned before = 0;
    search->ancestors = 1U << search->target;
    while (search->ancestors != before) {
        before = search->ancestors;
        for (size_t i = 0; i < search->presented_count; i++) {
            for (size_t j = 1; j < search->presented_count && (before >> i & 1) != 0; j++) {
                if ((search->usable >> j & 1) != 0 &&
                    certificate_names_issuer(&search->presented[i], &search->presented[j]))
                    search->ancestors |= 1U << j;
            }
        }
    }
}

static bool is_on_path(const struct search *search, const struct certificate *candidate)
{
    for (size_t i = 0; i < search->length; i++) {
        if (bytes_equal(search->path[i]->spki, candidate->spki) &&
            memcmp(search->path[i]->subject_digest, candidate->subject_digest, SHA256_OCTETS) == 0)
            return true;
    }
    return false;
}

static bool is_candidate(const struct search *search, size_t i)
{
    const struct certificate *candidate = &search->presented[i], *issuer = issuer_of_next(search);
    return (search->ancestors >> i & 1) != 0 && certificate_names_issuer(candidate, issuer) &&
           (!search->by_key_ids || key_ids_fit(issuer, candidate)) &&
           !is_on_path(search, candidate);
}

/* Searches depth first. It goes no deeper than there are certificates, as none is on a path twice.
 */
static bool extend_path(struct search *search)
{
    bool found = false;
    for (size_t i = 0; i < search->presented_count && !found; i++) {
        if (!is_candidate(search, i) || !may_stand_next(search, &search->presented[i]) ||
            search->steps_left == 0)
            continue;
        search->steps_left--;
        search->path[search->length++] = &search->presented[i];
        found = i == search->target || extend_path(search);
        if (i == search->target)
            note_path(search);
        search->length--;
    }
    return found;
}

static bool is_named(const struct search *search, const struct certificate *issuer)
{
    for (size_t i = 0; i < search->presented_count; i++) {
        if ((search->ancestors >> i & 1) != 0 &&
            certificate_names_issuer(&search->presented[i], issuer))
            return true;
    }
    return false;
}

static bool try_anchors(struct search *search)
{
    bool found = false;
    for (size_t i = 0; i < search->domain->anchor_count && !found; i++) {
        const struct certificate *anchor = &search->domain->anchors[i].certificate;
        search->length = 0;
        if (!is_named(search, anchor) ||
            (search->crls_under &&
                !distinguished_name_equal(anchor->subject, search->crls_under->subject)) ||
            !may_stand_next(search, anchor))
            continue;
        search->path[search->length++] = anchor;
        search->found.anchor = (uint8_t)i;
        found = extend_path(search);
    }
    return found;
}

/* Tries issuers whose key identifier fits first, then all. */
static bool find_path(struct search *search)
{
    search->steps_left = PATH_STEPS_MAX;
    search->by_key_ids = true;
    if (try_anchors(search))
        return true;
    search->by_key_ids = false;
    return try_anchors(search);
}

/* RFC 5280 6.3.3 (f): has presented certificate I a valid path of its own in this domain, to an
 * anchor with the same name as the anchor of the path in hand? CRLs signed by keys of the CAs above
 * it may revoke it, but not CRLs that further presented keys signed, so that the recursion ends. */
static bool has_path_to_sign_crls(struct search *search, size_t i)
{
    struct search its = {.store = search->store,
        .domain = search->domain,
        .crls = search->crls,
        .presented = search->presented,
        .presented_count = search->presented_count,
        .usable = search->usable,
        .target = i,
        .crls_under = search->path[0],
        .purpose = search->purpose,
        .now_s = search->now_s,
        .effort = search->effort,
        .fault = FAULT_INIT};
    find_ancestors(&its);
    bool found = find_path(&its);
    search->effort = its.effort;
    if (found)
        trust_note_authority(
            search->store, search->domain, its.found.anchor, &search->presented[i]);
    return found;
}

/* Remembers the CAs of the path, for CRLs that they sign later. */
static void note_authorities(const struct search *search)
{
    for (size_t i = 1; i < search->found.length; i++)
        trust_note_authority(search->store, search->domain, search->found.anchor,
            &search->presented[search->found.presented[i]]);
}

static bool domain_trusts(struct search *search, const struct trust_domain *domain)
{
    struct crl_set *crls CLEANUP(auto_crl_set_unref) = crl_set_of(search->store, domain);
    search->domain = domain;
    search->crls = crls;
    return find_path(search);
}

/* --- what does not depend on the domain --- */

/* Reads all presented certificates but the leaf. One that cannot be used is only left out. */
static void read_others(
    struct search *search, struct certificate *presented, const struct bytes *chain)
{
    search->usable = 1;
    for (size_t i = 1; i < search->presented_count; i++) {
        struct fault fault = FAULT_INIT;
        if (certificate_parse(chain[i], &presented[i], &fault) == RESULT_OK)
            search->usable |= 1U << i;
        else
            presented[i] = (struct certificate){0};
    }
}

/* The profile of leaves (TS-0003 10.1). A leaf is no CA, so an anchor cannot be presented as one.
 */
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

/* Also reads the names of a leaf that is refused, so that a refusal can say whose it was. */
static enum result read_leaf(struct bytes der, enum path_purpose purpose, struct path_verdict *out,
    bool *is_parsed, struct fault *fault)
{
    struct certificate *leaf = &out->presented[0];
    *is_parsed = false;
    TRY(certificate_parse(der, leaf, fault));
    *is_parsed = true;
    enum result result = certificate_names(leaf, &out->names, fault);
    TRY(check_leaf(leaf, purpose, fault));
    return result;
}

/* Any anchor may have signed a certificate without key identifiers, so each allows one more. */
static size_t signatures_allowed(const struct trust_store *store)
{
    size_t allowed = PATH_SIGNATURES_MAX;
    for (size_t i = 0; i < store->domain_count; i++)
        allowed += store->domains[i].anchor_count;
    return allowed;
}

/* Refuses for lack of a path. Perhaps the path lacks a presented certificate that cannot be used:
 * such a certificate is given as the reason, unless it was read far enough to show that no other
 * names its subject as issuer. */
static enum result refuse_path(
    const struct search *search, const struct bytes *chain, struct fault *fault)
{
    for (size_t i = 1; i < search->presented_count; i++) {
        struct fault why = FAULT_INIT;
        struct certificate unusable;
        if (certificate_parse(chain[i], &unusable, &why) != RESULT_OK &&
            (unusable.subject.size == 0 || is_named(search, &unusable)))
            return REFUSE(fault, why.alert, "presented certificate %zu: %s", i + 1, why.text);
    }
    return REFUSE(
        fault, TLS_ALERT_UNKNOWN_CA, "no path from the presented certificates to a trust anchor");
}

enum result path_validate(struct trust_store *store, const struct bytes *chain, size_t count,
    enum path_purpose purpose, int64_t now_s, struct path_verdict *out, struct fault *fault)
{
    out->trusted = 0;
    out->certified = false;
    out->names = (struct names){0};
    struct search search = {.store = store,
        .verdict = out,
        .presented = out->presented,
        .presented_count = count,
        .purpose = purpose,
        .now_s = now_s,
        .effort.left = signatures_allowed(store),
        .fault = FAULT_INIT};
    if (count == 0)
        return REFUSE(fault, TLS_ALERT_HANDSHAKE_FAILURE, "no certificate was presented");
    bool is_parsed;
    enum result result = read_leaf(chain[0], purpose, out, &is_parsed, fault);
    if (count > PATH_CERTIFICATES_MAX)
        return REFUSE(fault, TLS_ALERT_BAD_CERTIFICATE, "more than %d certificates presented",
            PATH_CERTIFICATES_MAX);
    if (!is_parsed)
        return result;

    read_others(&search, out->presented, chain);
    find_ancestors(&search);
    uint64_t trusted = 0;
    for (size_t i = 0; i < store->domain_count; i++) {
        if (!domain_trusts(&search, &store->domains[i]))
            continue;
        trusted |= UINT64_C(1) << i;
        out->paths[i] = search.found;
        if (result == RESULT_OK)
            note_authorities(&search);
    }
    out->certified = search.certified;
    if (result != RESULT_OK) /* the leaf is refused; the search was only for OUT->certified */
        return result;
    if (trusted == 0 && search.effort.exhausted && search.furthest <= CHECK_SIGNATURE + 1)
        return REFUSE(fault, TLS_ALERT_BAD_CERTIFICATE,
            "no path found within %zu signatures: too many certificates and anchors of one name",
            signatures_allowed(store));
    if (trusted == 0 && search.furthest == 0)
        return refuse_path(&search, chain, fault);
    if (trusted == 0)
        return fault_set_alert(
            fault, search.fault.result, search.fault.alert, "%s", search.fault.text);
    out->leaf = out->presented[0];
    out->trusted = trusted;
    return RESULT_OK;
}
