/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The receiverESPrimRandObjects that were given out to originators (TS-0003 8.4.2; TS-0004
 * 6.3.5.50): one random number each, from which the two sides derive a session key, so each has to
 * be known here until it expires. Thread-safe.
 *
 * There is room for RAND_OBJECTS_MAX. Each originator, by what it claims to be and the transport
 * peer that it comes from, has its place among RAND_SET_OCCUPANTS objects, of which it may have
 * RAND_OBJECTS_EACH. At either bound the oldest makes room. So whoever asks without end displaces
 * its own, and of others at most those few that share its place, which nobody outside can choose.
 */
#pragma once

#include "base/bytes.h"
#include "identity/identifier.h"

#define RAND_OBJECT_LIFETIME_S 3600
#define RAND_OBJECTS_EACH      4
#define RAND_SETS              2048
#define RAND_SET_OCCUPANTS     8
#define RAND_OBJECTS_MAX       (RAND_SETS * RAND_SET_OCCUPANTS)

#define RAND_OBJECT_ID_OCTETS    22 /* esri: NUL included */
#define RAND_OBJECT_VALUE_OCTETS 34 /* esrv: "r", 128 random bits in hex, and a NUL */

struct rand_object {
    char id[RAND_OBJECT_ID_OCTETS];       /* an NCName, unlike that of any other that is valid */
    char value[RAND_OBJECT_VALUE_OCTETS]; /* an NCName */
    char originator[IDENTIFIER_OCTETS];   /* whom it was given to, absolute */
    int64_t expires_s;                    /* wall clock */
};

struct rand_objects;

/* Fails as secret_random does, or with RESULT_NO_MEMORY. */
enum result rand_objects_new(struct rand_objects **out) WARN_UNUSED;
void rand_objects_free(struct rand_objects *objects);
DEFINE_CLEANUP(struct rand_objects *, rand_objects_free)

/* NOW_US is of the steady clock (clock_steady_us). */

/* Makes an object for ORIGINATOR, an absolute identifier, which asks through the transport peer
 * PEER (as in struct request), and remembers it. Fails as secret_random does. */
enum result rand_objects_give(struct rand_objects *objects, const char *originator,
    struct bytes peer, int64_t now_us, struct rand_object *out) WARN_UNUSED;

/* Finds the object that has ID, as a peer sent it; false when there is none, or it has expired. */
bool rand_objects_find(struct rand_objects *objects, const char *id, int64_t now_us,
    struct rand_object *out) WARN_UNUSED;
