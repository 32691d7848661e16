/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No version of systemd tells a service whether its descriptors were stored. So the manager gets an
 * open file description of its own that holds a shared flock(2). It closes that description when it
 * does not keep it, or keeps it no longer; only then can our own description get an exclusive lock.
 */
#include "daemon/key_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "daemon/systemd.h"
#include "observe/log.h"
#include "observe/metrics.h"

#define CHECK_DELAY_US 2000000 /* the manager is busy while it boots the system */

/* Opens another description of the same file; returns -1 on failure. */
static int reopen(int fd)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_RDWR | O_CLOEXEC);
}

bool key_store_is_kept(const struct key_cache *cache)
{
    int fd = key_cache_memory(cache);

    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK;
    (void)flock(fd, LOCK_UN);
    return false;
}

static void hand_to_manager(const struct key_cache *cache)
{
    int fd AUTO_CLOSE = reopen(key_cache_memory(cache));

    if (fd < 0 || flock(fd, LOCK_SH) != 0)
        log_warning("the keys can't be handed to the service manager: %s", strerror(errno));
    else
        systemd_store(SYSTEMD_KEYS, fd);
}

/* --- opening --- */

static void log_restored(const struct key_restored *restored)
{
    metrics_add(METRIC_KEYS_EXPIRED, restored->expired);
    metrics_add(METRIC_KEYS_EVICTED, restored->evicted);
    log_event(&(struct log_event){.level = restored->damaged > 0 ? LOG_WARNING : LOG_INFO,
                  .message_id = LOG_EVENT_RESTORED},
        "%u keys live on from before the restart; %u expired, %u made room, %u were damaged and "
        "are gone",
        restored->kept, restored->expired, restored->evicted, restored->damaged);
}

/* Moves the keys into a cache of the capacity that the policy has now. The manager forgets the old
 * memory before it gets the new one, as FileDescriptorStoreMax= may be 1. */
static enum result resize(
    struct key_cache **cache, uint32_t capacity, uint32_t *evicted, struct fault *fault)
{
    struct key_cache *old = *cache, *new = NULL;

    TRY(key_cache_resize(old, capacity, &new, fault));
    *evicted += key_cache_count(old) - key_cache_count(new);
    systemd_forget(SYSTEMD_KEYS);
    hand_to_manager(new);
    key_cache_free(old);
    *cache = new;
    return RESULT_OK;
}

static enum result restore(
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
    log_restored(&restored);
    *out = cache;
    return RESULT_OK;
}

enum result key_store_open(
    int inherited, const struct policy_keys *policy, struct key_cache **out, struct fault *fault)
{
    if (inherited >= 0) {
        enum result result = restore(inherited, policy, out, fault);
        if (result != RESULT_BAD_INPUT)
            return result;
        log_event(&(struct log_event){.level = LOG_WARNING, .message_id = LOG_EVENT_NOT_RESTORED},
            "no key lives on from before the restart: what the service manager passed as \"%s\" is "
            "of no use: %s",
            SYSTEMD_KEYS, fault->text);
        systemd_forget(SYSTEMD_KEYS);
    }
    enum result result = key_cache_new(policy->capacity, policy->per_peer, out, fault);
    if (result == RESULT_OK)
        hand_to_manager(*out);
    return result;
}

/* --- in use and at the end --- */

static int on_check(sd_event_source *source, uint64_t now_us, void *context)
{
    (void)source;
    (void)now_us;
    if (!key_store_is_kept(context))
        log_info("keys end with this process: no service manager keeps them "
                 "(FileDescriptorStoreMax= of its unit)");
    return 0;
}

void key_store_check_later(sd_event *loop, const struct key_cache *cache)
{
    (void)sd_event_add_time_relative(
        loop, NULL, CLOCK_BOOTTIME, CHECK_DELAY_US, 0, on_check, (void *)cache);
}

void key_store_close(struct key_cache *cache, bool forget)
{
    if (!cache)
        return;
    if (forget)
        systemd_forget(SYSTEMD_KEYS);
    if (!forget && key_store_is_kept(cache))
        key_cache_leave(cache);
    else
        key_cache_free(cache);
}
