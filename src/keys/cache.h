/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key cache: established pairwiseE2EKeys, by key id and by peer. Thread-safe.
 * Look-up, insertion, removal and expiry cost the same however many keys it holds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/result.h"
#include "identity/identifier.h"
#include "identity/names.h"

#define KEY_ID_OCTETS 16 /* pairwiseE2EKeyID (TS-0003 10.3.1) */
#define KEY_OCTETS    32 /* pairwiseE2EKey */

#define KEY_EVIDENCE_OCTETS 1024 /* the most */

enum key_role { KEY_ROLE_INITIATING, KEY_ROLE_TERMINATING };

/* All about a key but the key. */
struct key_info {
    uint8_t id[KEY_ID_OCTETS];
    char peer[IDENTIFIER_OCTETS];  /* absolute */
    char local[IDENTIFIER_OCTETS]; /* absolute: which of our end-points */
    enum key_role role;
    enum flavour flavour;
    uint16_t cipher_suite; /* IANA code point */
    int64_t established_s; /* seconds since the epoch, UTC */
    int64_t expires_s;     /* the same, as it was when the key was put: see key_cache_put */
};

enum key_event {
    KEY_ESTABLISHED,
    KEY_EXPIRED,
    KEY_REVOKED, /* by whoever called key_cache_revoke */
    KEY_EVICTED,
    KEY_REVOKED_BY_CRL, /* by key_cache_revoke_by_crl or a review */
};

/* Called on the thread that caused the event, outside the cache's lock: so events of one key that
 * two threads cause may come in either order. Must not block. */
typedef void key_listener(enum key_event event, const struct key_info *info, void *context);

struct key_cache;

/* CAPACITY keys at most (1 to 16777215), PER_PEER (1 or more) for one pair of peer and local; the
 * oldest makes room. CAPACITY * 32 octets are locked memory; a key in the cache takes about 250
 * octets in all, and its evidence; little is used before. */
enum result key_cache_new(
    uint32_t capacity, uint32_t per_peer, struct key_cache **out, struct fault *fault) WARN_UNUSED;
void key_cache_free(struct key_cache *cache); /* wipes */
DEFINE_CLEANUP(struct key_cache *, key_cache_free)

/* The keys lie in a file of memory: who holds this descriptor, which stays ours, can hand them to
 * our successor. key_cache_leave frees all else and leaves them in it, as does any sudden death. */
int key_cache_memory(const struct key_cache *cache);
void key_cache_leave(struct key_cache *cache);

struct key_restored {
    uint32_t kept;
    uint32_t expired; /* meanwhile */
    uint32_t evicted; /* for bounds that are tighter now */
    uint32_t damaged; /* and not trusted */
};

/* A cache of what a predecessor left in FD, which is taken over: every key that was put and had not
 * gone, in the same order of age. Its capacity stays the predecessor's: when that is not CAPACITY,
 * the cache is only good for key_cache_resize. RESULT_BAD_INPUT, FAULT saying why, when no key can
 * be had from FD; it is then wiped. After other failures it is as it was. */
enum result key_cache_restore(int fd, uint32_t capacity, uint32_t per_peer, struct key_cache **out,
    struct key_restored *restored, struct fault *fault) WARN_UNUSED;
/* A new cache with the keys of OLD, or as many of the newest as it has room for. */
enum result key_cache_resize(const struct key_cache *old, uint32_t capacity, struct key_cache **out,
    struct fault *fault) WARN_UNUSED;

/* One listener, set before other threads use the cache. */
void key_cache_listen(struct key_cache *cache, key_listener *listener, void *context);

/* Copies all. The key lives expires_s - established_s seconds of CLOCK_BOOTTIME from now on: to set
 * the wall clock neither ends it nor prolongs it, and a restart goes on with what is left.
 * EVIDENCE: what the key's owner may be judged by later; opaque here, and kept as long as the key
 * lives. RESULT_CONFLICT when a live key has that id, RESULT_NO_MEMORY. */
enum result key_cache_put(struct key_cache *cache, const struct key_info *info,
    const uint8_t key[KEY_OCTETS], struct bytes evidence) WARN_UNUSED;

/* A live key into the caller's hands; KEY (secret memory, or wiped by the caller) may be NULL.
 * By peer: the newest live one; LOCAL NULL = any. RESULT_NOT_FOUND when there is none. */
enum result key_cache_get_by_id(struct key_cache *cache, const uint8_t id[KEY_ID_OCTETS],
    struct key_info *info, uint8_t key[KEY_OCTETS]) WARN_UNUSED;
enum result key_cache_get_by_peer(struct key_cache *cache, const char *peer, const char *local,
    struct key_info *info, uint8_t key[KEY_OCTETS]) WARN_UNUSED;

/* Both remove a live key; RESULT_NOT_FOUND when there is none. They differ in the event, which says
 * the cause: somebody asked for it, or a CRL revokes a certificate of the owner's path. */
enum result key_cache_revoke(struct key_cache *cache, const uint8_t id[KEY_ID_OCTETS]) WARN_UNUSED;
enum result key_cache_revoke_by_crl(struct key_cache *cache, const uint8_t id[KEY_ID_OCTETS])
    WARN_UNUSED;

/* True: revoke it. Called with the cache's lock held: short, no I/O, no call into the cache. */
typedef bool key_judge(const struct key_info *info, struct bytes evidence, void *context);

/* Has JUDGE look at up to MOST live keys, newest first, from where *CURSOR stands (0 = begin), and
 * revokes those for which it returns true; false when all have been seen. Keys put meanwhile may be
 * seen or not: begin once what JUDGE goes by is in force for new keys too. */
bool key_cache_review(
    struct key_cache *cache, uint64_t *cursor, unsigned most, key_judge *judge, void *context);

/* Walks live keys, newest first, in steps: *CURSOR starts as 0 and comes back changed; false at
 * the end. Keys that come and go meanwhile may be seen or not; the others are seen once. */
bool key_cache_next(struct key_cache *cache, uint64_t *cursor, struct key_info *info);

/* Removes what has expired by NOW_S of clock_steady_s, at most MOST keys; returns how many it
 * removed. */
unsigned key_cache_sweep(struct key_cache *cache, int64_t now_s, unsigned most);

uint32_t key_cache_count(const struct key_cache *cache);
uint32_t key_cache_capacity(const struct key_cache *cache);
