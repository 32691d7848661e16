/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order that leaves no gap: first CRLs are put in force, then all keys in the cache are
 * reviewed by them. A key that an exchange caches meanwhile is judged by the exchange once it is
 * cached (exchange/procedure.c), and so by those CRLs. They are reviewed too when it becomes known
 * who signed a CRL that is in force. */
#include "daemon/revocation.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/watch.h"
#include "observe/log.h"
#include "tls/context.h"
#include "tls/crl_notice.h"
#include "tls/revocation.h"

#define REVIEW_MOST 64 /* keys at a time: subscribers hear of these before the next */

/* A key that a CRL of its issuer's name lists. Whether that issuer signed it is found out after the
 * cache's lock is let go. */
struct suspect {
    uint8_t id[KEY_ID_OCTETS];
    uint8_t evidence[KEY_EVIDENCE_OCTETS];
    size_t size;
};

/* Lines that were logged, so that each is once. */
struct sayings {
    char **lines;
    size_t count;
};

struct revoker {
    struct snapshot_slot *slot;
    struct key_cache *cache;
    void (*changed)(void *context);
    void *context;
    struct snapshot *snapshot; /* whose files are watched */
    struct watch *watch;
    struct sayings said; /* the notices of the CRLs that are in force, as they were last logged */

    int wake; /* an eventfd: the CA that signed a CRL may have become known */
    sd_event_source *woken;

    sd_event_source *review; /* on while one is under way */
    bool is_due;             /* another, when it ends */
    struct revocation_view *view;
    uint64_t cursor;
    unsigned suspect_count;
    struct suspect suspects[REVIEW_MOST];
};

/* What revokes a key on the main thread, unless a review is at it, is a call on the key socket. All
 * else goes by a CRL: the review, and exchanges on HTTP's threads (exchange/procedure.c). */
static _Thread_local bool by_hand;

bool revoker_is_by_crl(void)
{
    return !by_hand;
}

static struct trust_store *store_of(const struct revoker *revoker)
{
    return tls_context_trust(revoker->snapshot->tls);
}

/* --- the review --- */

/* Under the cache's lock. */
static bool judge(const struct key_info *info, struct bytes evidence, void *context)
{
    struct revoker *revoker = context;
    enum revocation_judgement judgement = revocation_view_judge(revoker->view, evidence);

    if (judgement != JUDGEMENT_SUSPECT)
        return judgement == JUDGEMENT_REVOKED;
    struct suspect *suspect = &revoker->suspects[revoker->suspect_count++];
    memcpy(suspect->id, info->id, sizeof(suspect->id));
    memcpy(suspect->evidence, evidence.data, evidence.size);
    suspect->size = evidence.size;
    return false;
}

/* The first of a CRL's keys, mostly: then its signature is known. */
static void settle_suspects(struct revoker *revoker)
{
    for (unsigned i = 0; i < revoker->suspect_count; i++) {
        const struct suspect *suspect = &revoker->suspects[i];

        if (revocation_condemns(store_of(revoker), bytes_of(suspect->evidence, suspect->size)) &&
            key_cache_revoke(revoker->cache, suspect->id) != RESULT_OK)
            log_debug("a key that a CRL revokes is gone already");
    }
    revoker->suspect_count = 0;
}

/* False when all keys have been seen. */
static bool review_some(struct revoker *revoker)
{
    by_hand = false;
    bool more = key_cache_review(revoker->cache, &revoker->cursor, REVIEW_MOST, judge, revoker);
    settle_suspects(revoker);
    by_hand = true;
    return more;
}

static void end_review(struct revoker *revoker)
{
    revocation_view_free(TAKE_PTR(revoker->view));
    (void)sd_event_source_set_enabled(revoker->review, SD_EVENT_OFF);
}

/* By the CRLs that are in force now; one that is under way begins anew. */
static void begin_review(struct revoker *revoker)
{
    end_review(revoker);
    revoker->is_due = false;
    revoker->cursor = 0;
    if (revocation_view_new(store_of(revoker), &revoker->view) != RESULT_OK ||
        sd_event_source_set_enabled(revoker->review, SD_EVENT_ON) < 0)
        log_error("out of memory: the keys in the cache are not reviewed by the new CRLs");
}

static int on_review(sd_event_source *source, void *context)
{
    struct revoker *revoker = context;

    (void)source;
    if (review_some(revoker))
        return 0;
    if (revoker->is_due)
        begin_review(revoker);
    else
        end_review(revoker);
    return 0;
}

/* --- what is wrong with the files --- */

static void forget(struct sayings *said)
{
    for (size_t i = 0; i < said->count; i++)
        free(said->lines[i]);
    free(said->lines);
    *said = (struct sayings){0};
}

static bool has_said(const struct sayings *said, const char *line)
{
    for (size_t i = 0; i < said->count; i++)
        if (strcmp(said->lines[i], line) == 0)
            return true;
    return false;
}

/* For lack of memory a line is said again; it is not lost. */
static void add_saying(struct sayings *said, const char *line)
{
    char **lines = reallocarray(said->lines, said->count + 1, sizeof(*lines));

    if (!lines)
        return;
    said->lines = lines;
    lines[said->count] = strdup(line);
    said->count += lines[said->count] ? 1 : 0;
}

struct telling {
    const struct sayings *before;
    struct sayings now;
    const char *domain;
};

static void say_notice(const struct crl_notice *notice, void *context)
{
    struct telling *telling = context;
    char line[CRL_NOTICE_OCTETS + 64 + POLICY_NAME_OCTETS];

    snprintf(line, sizeof(line), "CRLs of trust domain %s%s: %s", telling->domain,
        notice->is_kept ? " not reloaded" : "", notice->text);
    if (!has_said(telling->before, line))
        log_event(&(struct log_event){.level = LOG_WARNING, .message_id = LOG_EVENT_BAD_CRLS}, "%s",
            line);
    add_saying(&telling->now, line);
}

/* Once each, for as long as there is reason: a file that somebody is writing changes many times. */
static void say_notices(struct revoker *revoker)
{
    const struct policy *policy = revoker->snapshot->policy;
    struct trust_store *store = store_of(revoker);
    struct telling telling = {.before = &revoker->said};

    for (size_t i = 0; i < policy->trust_count; i++) {
        telling.domain = policy->trust[i].name;
        crl_notices(store, &store->domains[i], say_notice, &telling);
    }
    forget(&revoker->said);
    revoker->said = telling.now;
}

/* --- files that change --- */

static bool reload(struct revoker *revoker, size_t domain)
{
    const char *name = revoker->snapshot->policy->trust[domain].name;
    bool changed;

    if (revocation_reload(store_of(revoker), domain, &changed) != RESULT_OK) {
        log_event(&(struct log_event){.level = LOG_ERR, .message_id = LOG_EVENT_BAD_CRLS},
            "CRLs of trust domain %s not reloaded, the old ones stay in force: out of memory",
            name);
        return false;
    }
    if (changed)
        log_event(&(struct log_event){.level = LOG_INFO, .message_id = LOG_EVENT_NEW_CRLS},
            "CRLs of trust domain %s reloaded", name);
    return changed;
}

/* Of DOMAIN's files, the first of which is number FIRST of those watched. One that could not be
 * read, maybe for lack of memory or descriptors, stays a change: it is tried again. */
static bool reload_changed(struct revoker *revoker, size_t domain, size_t first)
{
    const size_t count = revoker->snapshot->policy->trust[domain].crl_count;
    bool changed = false;

    for (size_t i = 0; i < count; i++)
        changed |= watch_sees_change(revoker->watch, first + i);
    if (!changed)
        return false;
    changed = reload(revoker, domain);
    for (size_t i = 0; i < count; i++)
        watch_saw(revoker->watch, first + i, revocation_file_print(store_of(revoker), domain, i));
    return changed;
}

/* Only domains of which a file has changed; the policy itself is left alone, as somebody may be in
 * the middle of editing it. */
static void on_changed_files(void *context)
{
    struct revoker *revoker = context;
    const struct policy *policy = revoker->snapshot->policy;
    bool replaced = false;

    for (size_t i = 0, first = 0; i < policy->trust_count; first += policy->trust[i++].crl_count)
        replaced |= reload_changed(revoker, i, first);
    say_notices(revoker);
    if (!replaced)
        return;
    begin_review(revoker);
    revoker->changed(revoker->context);
}

/* A review that is under way is not begun anew: new CAs may come faster than it ends. */
static int on_authority(sd_event_source *source, int fd, uint32_t events, void *context)
{
    struct revoker *revoker = context;
    eventfd_t count;

    (void)source;
    (void)events;
    (void)eventfd_read(fd, &count);
    for (size_t i = 0; i < revoker->snapshot->policy->trust_count; i++)
        (void)reload(revoker, i); /* what was kept may go */
    say_notices(revoker);
    if (revoker->view)
        revoker->is_due = true;
    else
        begin_review(revoker);
    revoker->changed(revoker->context);
    return 0;
}

static enum result watch_crls(struct revoker *revoker)
{
    const struct policy *policy = revoker->snapshot->policy;
    size_t count = 0, file = 0;

    for (size_t i = 0; i < policy->trust_count; i++)
        count += policy->trust[i].crl_count;
    struct watched *files = calloc(count + 1, sizeof(*files));
    if (!files)
        return RESULT_NO_MEMORY;
    for (size_t i = 0; i < policy->trust_count; i++)
        for (size_t j = 0; j < policy->trust[i].crl_count; j++)
            files[file++] = (struct watched){
                policy->trust[i].crls[j].path, revocation_file_print(store_of(revoker), i, j)};
    return watch_files(revoker->watch, files, count);
}

/* --- the whole --- */

static void let_go(struct revoker *revoker)
{
    if (revoker->snapshot)
        trust_wake_by(store_of(revoker), -1);
    snapshot_unref(TAKE_PTR(revoker->snapshot));
}

void revoker_follow(struct revoker *revoker)
{
    end_review(revoker); /* its view is of the old policy's */
    let_go(revoker);
    revoker->snapshot = snapshot_current(revoker->slot);
    trust_wake_by(store_of(revoker), revoker->wake);
    forget(&revoker->said);
    say_notices(revoker);
    if (watch_crls(revoker) != RESULT_OK)
        log_error("out of memory: changes of the CRL files are not noticed until the next reload");
    begin_review(revoker);
}

enum result revoker_new(sd_event *loop, struct snapshot_slot *slot, struct key_cache *cache,
    void (*changed)(void *context), void *context, struct revoker **out, struct fault *fault)
{
    struct revoker *revoker = calloc(1, sizeof(*revoker));

    *out = revoker;
    if (!revoker)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    revoker->slot = slot;
    revoker->cache = cache;
    revoker->changed = changed;
    revoker->context = context;
    revoker->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (revoker->wake < 0 ||
        sd_event_add_io(loop, &revoker->woken, revoker->wake, EPOLLIN, on_authority, revoker) < 0)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "eventfd");
    if (watch_new(loop, on_changed_files, revoker, &revoker->watch) != RESULT_OK ||
        sd_event_add_defer(loop, &revoker->review, on_review, revoker) < 0)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "the CRL files can't be watched");
    by_hand = true;
    revoker_follow(revoker);
    while (revoker->view && review_some(revoker))
        ;
    end_review(revoker);
    return RESULT_OK;
}

void revoker_free(struct revoker *revoker)
{
    if (!revoker)
        return;
    if (revoker->review)
        end_review(revoker);
    sd_event_source_disable_unref(revoker->review);
    watch_free(revoker->watch);
    let_go(revoker);
    sd_event_source_disable_unref(revoker->woken);
    if (revoker->wake >= 0)
        close(revoker->wake);
    forget(&revoker->said);
    free(revoker);
}
