/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key cache: established pairwiseE2EKeys, by key id and by peer. Thread-safe.
 * Look-up, insertion, removal and expiry cost the same however many keys it holds. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"
#include "keys/key.h"

/* Called on the thread that caused the event, after that has released the cache's lock: events of
 * one key that two threads cause may come in either order. Must not block. */
typedef void key_listener(enum key_event event, const struct key_info *info, void *context);

struct key_cache;

/* Holds at most CAPACITY keys (1 to 16777215), of these at most PER_PEER (1 or more) for one pair
 * of peer and local; at a bound, the oldest key is evicted for the new one. CAPACITY * 32 octets
 * are locked memory from the start. Other memory is taken as keys come: about 250 octets each, and
 * the evidence. */
enum result key_cache_new(
    uint32_t capacity, uint32_t per_peer, struct key_cache **out, struct fault *fault) WARN_UNUSED;
void key_cache_free(struct key_cache *cache); /* wipes the keys */
DEFINE_CLEANUP(struct key_cache *, key_cache_free)

/* The memfd that holds the keys. The cache keeps ownership. A process that starts later takes the
 * keys over from it with key_cache_restore. */
int key_cache_memory(const struct key_cache *cache);
/* Frees the cache and leaves the keys in the memfd, as the death of the process does. */
void key_cache_leave(struct key_cache *cache);

/* Makes a cache of the keys that an earlier process left in FD, in the same order of age. FD is
 * taken over, on failure too. The capacity stays that of the earlier process: when that is not
 * CAPACITY, the caller has to copy the cache by key_cache_resize and free it. RESULT_BAD_INPUT when
 * no key can be read from FD, which is then wiped; other failures leave its content as it was. */
enum result key_cache_restore(int fd, uint32_t capacity, uint32_t per_peer, struct key_cache **out,
    struct key_restored *restored, struct fault *fault) WARN_UNUSED;
/* Makes a cache of CAPACITY with copies of the keys of OLD: of all, or of as many of the newest as
 * there is room for. The caller still owns OLD. */
enum result key_cache_resize(const struct key_cache *old, uint32_t capacity, struct key_cache **out,
    struct fault *fault) WARN_UNUSED;

/* Sets the one listener; to be called before other threads use the cache. */
void key_cache_listen(struct key_cache *cache, key_listener *listener, void *context);

/* Puts a key into the cache; all arguments are copied. The key lives expires_s - established_s
 * seconds of CLOCK_BOOTTIME from now on: setting the wall clock neither ends nor prolongs its life,
 * and after a restart it lives for the rest of that time. EVIDENCE is opaque to the cache, which
 * passes it to the reviewer in key_cache_review. RESULT_CONFLICT when a live key has that id,
 * RESULT_NO_MEMORY. */
enum result key_cache_put(struct key_cache *cache, const struct key_info *info,
    const uint8_t key[KEY_OCTETS], struct bytes evidence) WARN_UNUSED;

/* Copy a live key to INFO and KEY: the one with that id, or the newest one of PEER and LOCAL, where
 * LOCAL NULL means any end-point. KEY may be NULL; else it is in secret memory, or the caller wipes
 * it. False when there is no such key. */
bool key_cache_find_by_id(struct key_cache *cache, const uint8_t id[KEY_ID_OCTETS],
    struct key_info *info, uint8_t key[KEY_OCTETS]) WARN_UNUSED;
bool key_cache_find_by_peer(struct key_cache *cache, const char *peer, const char *local,
    struct key_info *info, uint8_t key[KEY_OCTETS]) WARN_UNUSED;

/* Both remove a live key; RESULT_NOT_FOUND when there is none. They differ in the event, which
 * names the cause: a caller asked for it, or a CRL revokes a certificate on the peer's path. */
enum result key_cache_revoke(struct key_cache *cache, const uint8_t id[KEY_ID_OCTETS]) WARN_UNUSED;
enum result key_cache_revoke_by_crl(struct key_cache *cache, const uint8_t id[KEY_ID_OCTETS])
    WARN_UNUSED;

/* Returns whether to revoke the key. Called with the cache's lock held: it must be short, and must
 * neither do I/O nor call the cache. */
typedef bool key_reviewer(const struct key_info *info, struct bytes evidence, void *context);

/* Calls REVIEWER for at most MOST live keys, newest first, from *CURSOR on (0 to begin), and
 * revokes those for which it returns true. Returns false when all have been reviewed. Keys that are
 * put meanwhile may be reviewed or not: begin once new keys are established by the same rules. */
bool key_cache_review(struct key_cache *cache, uint64_t *cursor, unsigned most,
    key_reviewer *reviewer, void *context);

/* Walks the live keys, newest first: *CURSOR is 0 before the first call; each call moves it on.
 * Returns false at the end. Keys that come or go meanwhile may be seen or not; the others are seen
 * once. */
bool key_cache_next(struct key_cache *cache, uint64_t *cursor, struct key_info *info);

/* Removes at most MOST keys that have expired by NOW_S of clock_steady_s; returns how many. */
unsigned key_cache_sweep(struct key_cache *cache, int64_t now_s, unsigned most);

uint32_t key_cache_count(const struct key_cache *cache);
uint32_t key_cache_capacity(const struct key_cache *cache);
