/* SPDX-License-Identifier: MIT */
/* libe2ekey: pairwise end-to-end keys (oneM2M TS-0003 8.7) from the e2ekeyd of this host.
 *
 *   struct e2ekey *e2ekey;
 *   struct e2ekey_key key;
 *   int error = e2ekey_connect(NULL, &e2ekey);
 *   if (error == E2EKEY_OK)
 *       error = e2ekey_get(e2ekey, "//m2m.example/in-cse/Cmeter", NULL, NULL, &key);
 *   … use key.key …
 *   e2ekey_wipe(&key);
 *   e2ekey_close(e2ekey);
 *
 * A handle may be used by many threads at once; calls on it take turns. Lists and watches have
 * connections of their own, each for one thread at a time. Nothing here is global, and no signal
 * is raised or handled. */
#ifndef E2EKEY_H
#define E2EKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define E2EKEY_SOCKET "/run/e2ekeyd/keys.sock"

#define E2EKEY_KEY_OCTETS        32  /* pairwiseE2EKey */
#define E2EKEY_ID_OCTETS         33  /* 32 hex digits and a NUL */
#define E2EKEY_IDENTIFIER_OCTETS 256 /* with its NUL */
#define E2EKEY_WORD_OCTETS       64  /* with its NUL */

enum e2ekey_error {
    E2EKEY_OK = 0,
    E2EKEY_NO_SUCH_KEY = -1,
    E2EKEY_DENIED = -2,      /* the policy does not allow it to this user or unit */
    E2EKEY_UNREACHABLE = -3, /* no daemon, or it went away */
    E2EKEY_TIMED_OUT = -4,
    E2EKEY_INVALID = -5,     /* an argument is malformed */
    E2EKEY_PROTOCOL = -6,    /* the answer is not one of e2ekeyd */
    E2EKEY_EVENTS_LOST = -7, /* the caller read events too slowly; the watch has ended */
    E2EKEY_END = -8,         /* a list has ended */
    E2EKEY_NO_MEMORY = -9,
};

/* Describes ERROR in one line of lower case. Static. */
const char *e2ekey_strerror(int error);

struct e2ekey;        /* a handle */
struct e2ekey_stream; /* a list or a watch */

/* A key and its metadata. */
struct e2ekey_key {
    char key_id[E2EKEY_ID_OCTETS];
    char peer[E2EKEY_IDENTIFIER_OCTETS];  /* absolute */
    char local[E2EKEY_IDENTIFIER_OCTETS]; /* absolute */
    char role[E2EKEY_WORD_OCTETS];        /* "terminating" */
    char flavour[E2EKEY_WORD_OCTETS];     /* "aeId" */
    char cipher_suite[E2EKEY_WORD_OCTETS];
    int64_t established, expires; /* seconds since the epoch, UTC */
    bool has_key;                 /* whether .key is filled in: by e2ekey_get only */
    uint8_t key[E2EKEY_KEY_OCTETS];
};

/* Overwrites KEY with zeros in a way that the compiler cannot leave out. */
void e2ekey_wipe(struct e2ekey_key *key);

/* PATH is the daemon's socket, NULL for E2EKEY_SOCKET. On failure *OUT is NULL. The handle connects
 * again by itself after the daemon was restarted. */
int e2ekey_connect(const char *path, struct e2ekey **out);
void e2ekey_close(struct e2ekey *e2ekey); /* NULL is fine */
/* Sets how long a call may take. It is 10 000 ms unless set; a negative number means for ever. */
void e2ekey_set_timeout(struct e2ekey *e2ekey, int milliseconds);

/* Gets the newest live key with PEER, or the key whose id is KEY_ID (32 hex digits); one of the two
 * may be NULL. LOCAL, unless NULL, says which end-point of this host the key has to be of.
 * Identifiers may have any oneM2M form. OUT is wiped first. */
int e2ekey_get(struct e2ekey *e2ekey, const char *peer, const char *key_id, const char *local,
    struct e2ekey_key *out);
/* Takes the key with the id KEY_ID out of use. */
int e2ekey_revoke(struct e2ekey *e2ekey, const char *key_id);
/* Sets *JSON to the daemon's status as JSON text, for the caller to free. */
int e2ekey_status(struct e2ekey *e2ekey, char **json);
/* Sets *TEXT to the daemon's metrics as OpenMetrics text, for the caller to free. */
int e2ekey_metrics(struct e2ekey *e2ekey, char **text);

/* Lists live keys without key material, newest first; e2ekey_next reads them. A PEER or LOCAL of
 * NULL matches any. */
int e2ekey_list(
    struct e2ekey *e2ekey, const char *peer, const char *local, struct e2ekey_stream **out);
/* Watches for keys that are established, expire, are revoked or are evicted from now on;
 * e2ekey_next reads these events. */
int e2ekey_watch(struct e2ekey *e2ekey, struct e2ekey_stream **out);

/* Waits up to TIMEOUT milliseconds (negative: for ever) for the next key of a list or a watch.
 * EVENT (may be NULL) becomes "established", "expired", "revoked" or "evicted", and "" for a list.
 * After E2EKEY_TIMED_OUT this can be called again; after any other error the stream has ended. */
int e2ekey_next(struct e2ekey_stream *stream, int timeout, char event[E2EKEY_WORD_OCTETS],
    struct e2ekey_key *out);
/* Returns the descriptor to poll for reading. Before polling, call e2ekey_next with a timeout of 0
 * until it returns E2EKEY_TIMED_OUT, as the stream may hold keys that it has received already. */
int e2ekey_stream_fd(const struct e2ekey_stream *stream);
void e2ekey_stream_close(struct e2ekey_stream *stream); /* NULL is fine */

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
