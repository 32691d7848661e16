/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esprim/rand_object.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/secret.h"

struct occupant {
    struct rand_object object;
    uint64_t owner;      /* a hash */
    int64_t deadline_us; /* steady clock; 0: not in use. All live equally long, so the least is the
                            oldest */
};

struct rand_objects {
    pthread_mutex_t lock;
    struct hash_key key;
    struct occupant places[RAND_OBJECTS_MAX]; /* set by set */
};

enum result rand_objects_new(struct rand_objects **out)
{
    struct rand_objects *objects = calloc(1, sizeof(*objects));

    if (!objects)
        return RESULT_NO_MEMORY;
    enum result result = hash_key_new(&objects->key);
    if (result != RESULT_OK) {
        free(objects);
        return result;
    }
    pthread_mutex_init(&objects->lock, NULL);
    *out = objects;
    return RESULT_OK;
}

void rand_objects_free(struct rand_objects *objects)
{
    if (!objects)
        return;
    pthread_mutex_destroy(&objects->lock);
    free(objects);
}

static uint64_t hash_owner(
    const struct rand_objects *objects, const char *originator, struct bytes peer)
{
    const uint64_t parts[] = {
        hash_keyed(&objects->key, bytes_of_string(originator)), hash_keyed(&objects->key, peer)};

    return hash_keyed(&objects->key, bytes_of(parts, sizeof(parts)));
}

/* Where in SET the next object of OWNER goes: in place of its oldest when it has all that it may
 * have, else of the oldest of all, or where none is. */
static struct occupant *find_place(struct occupant *set, uint64_t owner)
{
    struct occupant *oldest = set, *own = NULL;
    unsigned count = 0;

    for (struct occupant *each = set; each < set + RAND_SET_OCCUPANTS; each++) {
        if (each->deadline_us < oldest->deadline_us)
            oldest = each;
        if (each->deadline_us == 0 || each->owner != owner)
            continue;
        count++;
        if (!own || each->deadline_us < own->deadline_us)
            own = each;
    }
    return count >= RAND_OBJECTS_EACH ? own : oldest;
}

/* An id is "u", as the object is not shared among originators (TS-0003 8.4.2); the number of its
 * place in two octets; and 64 random bits, so that no id comes twice, even over a restart. All in
 * hex. */
#define ID_PLACE  2
#define ID_RANDOM 8
_Static_assert(RAND_OBJECTS_MAX <= 1 << 8 * ID_PLACE, "the number of a place fits");
_Static_assert(RAND_OBJECT_ID_OCTETS == 1 + 2 * (ID_PLACE + ID_RANDOM) + 1, "an id fits");

enum result rand_objects_give(struct rand_objects *objects, const char *originator,
    struct bytes peer, int64_t now_us, struct rand_object *out)
{
    uint64_t owner = hash_owner(objects, originator, peer);
    uint8_t id[ID_PLACE + ID_RANDOM], value[16];

    TRY(secret_random(id, sizeof(id)));
    TRY(secret_random(value, sizeof(value)));
    out->value[0] = 'r'; /* an NCName does not begin with a digit */
    bytes_to_hex(bytes_of(value, sizeof(value)), out->value + 1);
    snprintf(out->originator, sizeof(out->originator), "%s", originator);
    out->expires_s = clock_wall_s() + RAND_OBJECT_LIFETIME_S;

    pthread_mutex_lock(&objects->lock);
    struct occupant *place =
        find_place(&objects->places[owner % RAND_SETS * RAND_SET_OCCUPANTS], owner);
    size_t number = (size_t)(place - objects->places);
    id[0] = (uint8_t)(number >> 8);
    id[1] = (uint8_t)number;
    out->id[0] = 'u';
    bytes_to_hex(bytes_of(id, sizeof(id)), out->id + 1);
    *place = (struct occupant){.object = *out,
        .owner = owner,
        .deadline_us = now_us + INT64_C(1000000) * RAND_OBJECT_LIFETIME_S};
    pthread_mutex_unlock(&objects->lock);
    return RESULT_OK;
}

bool rand_objects_find(
    struct rand_objects *objects, const char *id, int64_t now_us, struct rand_object *out)
{
    uint8_t octets[ID_PLACE + ID_RANDOM];

    if (id[0] != 'u' || !bytes_from_hex(id + 1, octets, sizeof(octets)))
        return false;
    size_t number = (size_t)octets[0] << 8 | octets[1];
    if (number >= RAND_OBJECTS_MAX)
        return false;

    pthread_mutex_lock(&objects->lock);
    const struct occupant *found = &objects->places[number];
    bool is_live = found->deadline_us > now_us && strcmp(found->object.id, id) == 0;
    if (is_live)
        *out = found->object;
    pthread_mutex_unlock(&objects->lock);
    return is_live;
}
