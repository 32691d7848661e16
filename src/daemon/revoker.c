/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order leaves no gap: first CRLs are put in force, then all keys in the cache are reviewed by
 * them. A key that an exchange caches meanwhile is reviewed by the exchange itself once it is
 * cached (exchange/message3.c), and so by those CRLs too. The keys are reviewed too when it becomes
 * known who signed a CRL that is in force. */
#include "daemon/revoker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/wipe.h"
#include "daemon/file_watch.h"
#include "observe/log.h"
#include "tls/context.h"
#include "trust/crl_notice.h"
#include "trust/review.h"
#include "trust/store_load.h"

#define REVIEW_MOST 64 /* keys at a time; then their events go to subscribers */

/* A key with a certificate on its path that a CRL in the issuer's name lists. Whether the issuer
 * signed that CRL is found out after the cache's lock is released. */
struct suspect {
    uint8_t id[KEY_ID_OCTETS];
    uint8_t evidence[KEY_EVIDENCE_OCTETS];
    size_t size;
};

/* Lines that were logged, so that none is logged twice. */
struct logged_lines {
    char **lines;
    size_t count;
};

struct revoker {
    struct snapshot_slot *slot;
    struct key_cache *cache;
    void (*changed)(void *context);
    void *context;
    struct snapshot *snapshot; /* whose files are watched */
    struct file_watch *watch;
    struct logged_lines logged; /* the notices of the CRLs in force */
    bool is_unwatched;          /* there was no memory to watch the files */
    bool is_unread;             /* nor to read one that has changed */

    int wake; /* an eventfd: the CA that signed a CRL may have become known */
    sd_event_source *woken;

    sd_event_source *review; /* runs while a review is under way */
    bool is_due;             /* another review is to follow */
    struct review *by_crls;  /* the review under way; NULL: none is */
    uint64_t cursor;
    unsigned suspect_count;
    struct suspect suspects[REVIEW_MOST];
};

static struct trust_store *store_of(const struct revoker *revoker)
{
    return tls_context_trust(revoker->snapshot->tls);
}

/* --- the review --- */

/* A key_reviewer, called under the cache's lock. */
static bool is_revoked(const struct key_info *info, struct bytes evidence, void *context)
{
    struct revoker *revoker = context;
    enum review_answer answer = review_look_up(revoker->by_crls, evidence);

    if (answer != REVIEW_SUSPECT)
        return answer == REVIEW_REVOKED;
    struct suspect *suspect = &revoker->suspects[revoker->suspect_count++];
    memcpy(suspect->id, info->id, sizeof(suspect->id));
    memcpy(suspect->evidence, evidence.data, evidence.size);
    suspect->size = evidence.size;
    return false;
}

/* Revokes the keys of those suspects whose CRL has a valid signature. Signatures are verified once
 * for each CRL and key of an issuer, and then remembered. */
static void check_suspects(struct revoker *revoker)
{
    unsigned failures = wiping_failures();

    for (unsigned i = 0; i < revoker->suspect_count; i++) {
        const struct suspect *suspect = &revoker->suspects[i];

        if (review_find_revoking(store_of(revoker), bytes_of(suspect->evidence, suspect->size)) &&
            key_cache_revoke_by_crl(revoker->cache, suspect->id) != RESULT_OK)
            log_debug("a key that a CRL revokes is gone already");
    }
    revoker->suspect_count = 0;
    if (wiping_failures() != failures) /* some signature was not verified: another review */
        revoker->is_due = true;
}

/* Reviews some keys. Returns false when all have been reviewed. */
static bool review_some(struct revoker *revoker)
{
    bool more =
        key_cache_review(revoker->cache, &revoker->cursor, REVIEW_MOST, is_revoked, revoker);

    check_suspects(revoker);
    return more;
}

static void end_review(struct revoker *revoker)
{
    review_free(TAKE_PTR(revoker->by_crls));
    (void)sd_event_source_set_enabled(revoker->review, SD_EVENT_OFF);
}

/* Begins a review by the CRLs that are in force now, instead of one that is under way. */
static void begin_review(struct revoker *revoker)
{
    end_review(revoker);
    revoker->is_due = false;
    revoker->cursor = 0;
    if (review_new(store_of(revoker), &revoker->by_crls) == RESULT_OK &&
        sd_event_source_set_enabled(revoker->review, SD_EVENT_ON) >= 0)
        return;
    log_error("out of memory: the keys in the cache are not yet reviewed by the new CRLs");
    end_review(revoker);
    revoker->is_due = true;
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

static void forget_lines(struct logged_lines *logged)
{
    for (size_t i = 0; i < logged->count; i++)
        free(logged->lines[i]);
    free(logged->lines);
    *logged = (struct logged_lines){0};
}

static bool has_line(const struct logged_lines *logged, const char *line)
{
    for (size_t i = 0; i < logged->count; i++)
        if (strcmp(logged->lines[i], line) == 0)
            return true;
    return false;
}

/* Without memory for it, the line is not remembered and will be logged again. */
static void add_line(struct logged_lines *logged, const char *line)
{
    char **lines = reallocarray(logged->lines, logged->count + 1, sizeof(*lines));

    if (!lines)
        return;
    logged->lines = lines;
    lines[logged->count] = strdup(line);
    logged->count += lines[logged->count] ? 1 : 0;
}

struct notice_log {
    const struct logged_lines *before;
    struct logged_lines now;
    const char *domain;
};

static void log_notice(const struct crl_notice *notice, void *context)
{
    struct notice_log *log = context;
    char line[CRL_NOTICE_OCTETS + 64 + POLICY_NAME_OCTETS];

    snprintf(line, sizeof(line), "CRLs of trust domain %s%s: %s", log->domain,
        notice->is_kept ? " not reloaded" : "", notice->text);
    if (!has_line(log->before, line))
        log_event(&(struct log_event){.level = LOG_WARNING, .message_id = LOG_EVENT_BAD_CRLS}, "%s",
            line);
    add_line(&log->now, line);
}

/* Logs what is wrong with CRLs, each line once while it stays true: a file that somebody is writing
 * changes many times. */
static void log_notices(struct revoker *revoker)
{
    const struct policy *policy = revoker->snapshot->policy;
    struct trust_store *store = store_of(revoker);
    struct notice_log log = {.before = &revoker->logged};

    for (size_t i = 0; i < policy->trust_count; i++) {
        log.domain = policy->trust[i].name;
        crl_notices(store, &store->domains[i], log_notice, &log);
    }
    forget_lines(&revoker->logged);
    revoker->logged = log.now;
}

/* --- the files that are watched --- */

static enum result list_crls(struct revoker *revoker)
{
    const struct policy *policy = revoker->snapshot->policy;
    size_t count = 0, file = 0;

    for (size_t i = 0; i < policy->trust_count; i++)
        count += policy->trust[i].crl_count;
    struct watched_file *files = calloc(count + 1, sizeof(*files));
    if (!files)
        return RESULT_NO_MEMORY;
    for (size_t i = 0; i < policy->trust_count; i++)
        for (size_t j = 0; j < policy->trust[i].crl_count; j++)
            files[file++] = (struct watched_file){
                policy->trust[i].crls[j].path, trust_store_crl_print(store_of(revoker), i, j)};
    return file_watch_set(revoker->watch, files, count);
}

/* Without memory for it, revoker_go_on tries again, and it is said once. */
static void watch_crls(struct revoker *revoker)
{
    bool was_said = revoker->is_unwatched;

    revoker->is_unwatched = list_crls(revoker) != RESULT_OK;
    if (revoker->is_unwatched && !was_said)
        log_error("out of memory: changes of the CRL files are not noticed until there is memory");
}

/* --- files that change --- */

/* Reads those files of DOMAIN that have changed. Returns whether other CRLs are in force now. A
 * file that was not read keeps its old print, so that the next comparison finds it changed. FIRST
 * is the number of the domain's first file among the watched ones. */
static bool reload(struct revoker *revoker, size_t domain, size_t first)
{
    const struct policy_trust *trust = &revoker->snapshot->policy->trust[domain];
    bool changed;

    if (trust_store_reload_crls(store_of(revoker), domain, &changed) != RESULT_OK)
        revoker->is_unread = true;
    if (changed)
        log_event(&(struct log_event){.level = LOG_INFO, .message_id = LOG_EVENT_NEW_CRLS},
            "CRLs of trust domain %s reloaded", trust->name);
    for (size_t i = 0; i < trust->crl_count; i++)
        file_watch_set_seen(
            revoker->watch, first + i, trust_store_crl_print(store_of(revoker), domain, i));
    return changed;
}

/* The policy is not reloaded, as somebody may be in the middle of editing it. Where there was no
 * memory, revoker_go_on tries again, and it is said once. */
static bool reload_all(struct revoker *revoker)
{
    const struct policy *policy = revoker->snapshot->policy;
    bool was_said = revoker->is_unread, changed = false;

    revoker->is_unread = false;
    for (size_t i = 0, first = 0; i < policy->trust_count; first += policy->trust[i++].crl_count)
        changed |= reload(revoker, i, first);
    if (revoker->is_unread && !was_said)
        log_event(&(struct log_event){.level = LOG_ERR, .message_id = LOG_EVENT_BAD_CRLS},
            "CRLs not reloaded, the old ones stay in force until there is memory: out of memory");
    log_notices(revoker);
    return changed;
}

static void on_changed_files(void *context)
{
    struct revoker *revoker = context;

    if (!reload_all(revoker))
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
    (void)reload_all(revoker); /* what was kept may go */
    if (revoker->by_crls)
        revoker->is_due = true;
    else
        begin_review(revoker);
    revoker->changed(revoker->context);
    return 0;
}

void revoker_go_on(struct revoker *revoker)
{
    if (revoker->is_unwatched)
        watch_crls(revoker);
    if (revoker->is_unread)
        on_changed_files(revoker);
    if (revoker->is_due && !revoker->by_crls)
        begin_review(revoker);
}

/* --- creating and freeing --- */

static void let_go(struct revoker *revoker)
{
    if (revoker->snapshot)
        trust_wake_by(store_of(revoker), -1);
    snapshot_unref(TAKE_PTR(revoker->snapshot));
}

void revoker_follow(struct revoker *revoker)
{
    end_review(revoker); /* it is by the CRLs of the old policy */
    let_go(revoker);
    revoker->snapshot = snapshot_current(revoker->slot);
    trust_wake_by(store_of(revoker), revoker->wake);
    forget_lines(&revoker->logged);
    log_notices(revoker);
    revoker->is_unread = revoker->is_unwatched = false;
    watch_crls(revoker);
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
    int error = revoker->wake < 0 ? -errno
                                  : sd_event_add_io(loop, &revoker->woken, revoker->wake, EPOLLIN,
                                        on_authority, revoker);
    if (error >= 0)
        error = file_watch_new(loop, on_changed_files, revoker, &revoker->watch);
    if (error >= 0)
        error = sd_event_add_defer(loop, &revoker->review, on_review, revoker);
    if (error < 0)
        return fault_set(
            fault, RESULT_SYSTEM_ERROR, "the CRL files can't be watched: %s", strerror(-error));
    revoker_follow(revoker);
    while (revoker->by_crls && review_some(revoker))
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
    file_watch_free(revoker->watch);
    let_go(revoker);
    sd_event_source_disable_unref(revoker->woken);
    if (revoker->wake >= 0)
        close(revoker->wake);
    forget_lines(&revoker->logged);
    free(revoker);
}
