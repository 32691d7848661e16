/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manager gets an open file description of its own, with a shared lock on it, and closes it
 * when it does not keep it or no longer: then our own description can have the lock alone. No
 * version of systemd tells us otherwise. */
#include "daemon/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "daemon/systemd.h"
#include "observe/log.h"
#include "observe/metrics.h"

#define WATCH_DELAY_US 2000000 /* the manager has its hands full at boot */

/* Another description of the same file; -1 when there is none. */
static int reopen(int fd)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_RDWR | O_CLOEXEC);
}

bool store_is_held(const struct key_cache *cache)
{
    int fd = key_cache_memory(cache);

    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK;
    (void)flock(fd, LOCK_UN);
    return false;
}

static void hand_over(const struct key_cache *cache)
{
    int fd AUTO_CLOSE = reopen(key_cache_memory(cache));

    if (fd < 0 || flock(fd, LOCK_SH) != 0)
        log_warning("the keys can't be handed to the service manager: %s", strerror(errno));
    else
        systemd_store(STORE_NAME, fd);
}

/* --- taking up --- */

static void say_restored(const struct key_restored *restored)
{
    metrics_add(METRIC_KEYS_EXPIRED, restored->expired);
    metrics_add(METRIC_KEYS_EVICTED, restored->evicted);
    log_event(&(struct log_event){.level = restored->damaged > 0 ? LOG_WARNING : LOG_INFO,
                  .message_id = LOG_EVENT_RESTORED},
        "%u keys live on from before the restart; %u expired, %u made room, %u were damaged and "
        "are gone",
        restored->kept, restored->expired, restored->evicted, restored->damaged);
}

/* To the capacity that the policy has now. The manager holds the old memory or the new one: there
 * may be room for one only. */
static enum result resize(
    struct key_cache **cache, uint32_t capacity, uint32_t *evicted, struct fault *fault)
{
    struct key_cache *old = *cache, *new = NULL;

    enum result result = key_cache_resize(old, capacity, &new, fault);
    if (result != RESULT_OK)
        return result;
    *evicted += key_cache_count(old) - key_cache_count(new);
    systemd_forget(STORE_NAME);
    hand_over(new);
    key_cache_free(old);
    *cache = new;
    return RESULT_OK;
}

static enum result take_up(
    int inherited, const struct policy_keys *policy, struct key_cache **out, struct fault *fault)
{
    struct key_restored restored = {0};
    struct key_cache *cache = NULL;
    int ours = reopen(inherited);

    if (ours >= 0 && flock(inherited, LOCK_SH) == 0)
        close(inherited);
    else if (ours >= 0)
        close(TAKE_FD(ours));
    enum result result = key_cache_restore(
        ours >= 0 ? ours : inherited, policy->capacity, policy->per_peer, &cache, &restored, fault);
    if (result != RESULT_OK)
        return result;
    if (key_cache_capacity(cache) != policy->capacity)
        result = resize(&cache, policy->capacity, &restored.evicted, fault);
    if (result != RESULT_OK) {
        key_cache_leave(cache);
        return result;
    }
    restored.kept = key_cache_count(cache);
    say_restored(&restored);
    *out = cache;
    return RESULT_OK;
}

enum result store_open(
    int inherited, const struct policy_keys *policy, struct key_cache **out, struct fault *fault)
{
    if (inherited >= 0) {
        enum result result = take_up(inherited, policy, out, fault);
        if (result != RESULT_BAD_INPUT)
            return result;
        log_event(&(struct log_event){.level = LOG_WARNING, .message_id = LOG_EVENT_NOT_RESTORED},
            "no key lives on from before the restart: what the service manager passed as \"%s\" is "
            "of no use: %s",
            STORE_NAME, fault->text);
        systemd_forget(STORE_NAME);
    }
    enum result result = key_cache_new(policy->capacity, policy->per_peer, out, fault);
    if (result == RESULT_OK)
        hand_over(*out);
    return result;
}

/* --- living and leaving --- */

static int on_watch(sd_event_source *source, uint64_t now_us, void *context)
{
    (void)source;
    (void)now_us;
    if (!store_is_held(context))
        log_info("keys end with this process: no service manager keeps them "
                 "(FileDescriptorStoreMax= of its unit)");
    return 0;
}

void store_watch(sd_event *loop, const struct key_cache *cache)
{
    (void)sd_event_add_time_relative(
        loop, NULL, CLOCK_BOOTTIME, WATCH_DELAY_US, 0, on_watch, (void *)cache);
}

void store_close(struct key_cache *cache, bool forget)
{
    if (!cache)
        return;
    if (forget)
        systemd_forget(STORE_NAME);
    if (!forget && store_is_held(cache))
        key_cache_leave(cache);
    else
        key_cache_free(cache);
}
