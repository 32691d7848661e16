/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/check_main.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "esprim/rand_object.h"

#define LIFETIME_US (INT64_C(1000000) * RAND_OBJECT_LIFETIME_S)

static struct rand_objects *objects;
static int64_t now_us = 1;

static void set_up(void)
{
    ck_assert_int_eq(rand_objects_new(&objects), RESULT_OK);
}

static void tear_down(void)
{
    rand_objects_free(objects);
}

static struct rand_object give(const char *originator, const char *peer)
{
    struct rand_object object;

    ck_assert_int_eq(
        rand_objects_give(objects, originator, bytes_of_string(peer), now_us++, &object),
        RESULT_OK);
    return object;
}

static bool is_known(const struct rand_object *object)
{
    struct rand_object found;

    if (!rand_objects_find(objects, object->id, now_us, &found))
        return false;
    ck_assert_str_eq(found.id, object->id);
    ck_assert_str_eq(found.value, object->value);
    ck_assert_str_eq(found.originator, object->originator);
    ck_assert_int_eq(found.expires_s, object->expires_s);
    return true;
}

/* An NCName as far as ASCII goes (TS-0004 6.3.5). */
static void expect_ncname(const char *text)
{
    ck_assert(isalpha((unsigned char)text[0]));
    for (; *text; text++)
        ck_assert(isalnum((unsigned char)*text));
}

START_TEST(what_is_given_is_found_until_it_expires)
{
    struct rand_object one = give("//sp/cse/Ca", "peer"), found;
    int64_t given_us = now_us - 1, left_s = one.expires_s - clock_wall_s();

    expect_ncname(one.id);
    expect_ncname(one.value);
    ck_assert_uint_eq(strlen(one.value), 33);
    ck_assert_str_eq(one.originator, "//sp/cse/Ca");
    ck_assert(left_s <= RAND_OBJECT_LIFETIME_S && left_s > RAND_OBJECT_LIFETIME_S - 60);
    ck_assert(is_known(&one));
    ck_assert(rand_objects_find(objects, one.id, given_us + LIFETIME_US - 1, &found));
    ck_assert(!rand_objects_find(objects, one.id, given_us + LIFETIME_US, &found));
}
END_TEST

START_TEST(each_is_another)
{
    struct rand_object all[RAND_OBJECTS_EACH];

    for (size_t i = 0; i < RAND_OBJECTS_EACH; i++) {
        all[i] = give("//sp/cse/Ca", "peer");
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(all[i].id, all[j].id);
            ck_assert_str_ne(all[i].value, all[j].value);
        }
    }
    for (size_t i = 0; i < RAND_OBJECTS_EACH; i++)
        ck_assert(is_known(&all[i]));
}
END_TEST

/* What no id of ours looks like, and ids of places where none is, or another. */
START_TEST(unknown_ids_are_not_found)
{
    static const char *const bad[] = {"", "u", "u00000000000000000000", "uffffffffffffffffffff",
        "s00000000000000000000", "u000000000000000000000", "u0000000000000000000",
        "u-0010000000000000000", "\xff", "u0000000000000000000\xff"};
    struct rand_object one = give("//sp/cse/Ca", "peer"), found;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert(!rand_objects_find(objects, bad[i], now_us, &found));
    char *last = &one.id[strlen(one.id) - 1];
    *last = *last == '0' ? '1' : '0';
    ck_assert(!is_known(&one));
}
END_TEST

/* One of whoever asks without end; in another's name, the other's own stay. */
START_TEST(the_oldest_of_an_originator_makes_room)
{
    struct rand_object first = give("//sp/cse/Ca", "peer");
    struct rand_object second = give("//sp/cse/Ca", "peer");
    struct rand_object elsewhere = give("//sp/cse/Ca", "another peer");
    struct rand_object another = give("//sp/cse/Cb", "peer");

    for (size_t i = 2; i < RAND_OBJECTS_EACH; i++)
        give("//sp/cse/Ca", "peer");
    ck_assert(is_known(&first));
    give("//sp/cse/Ca", "peer");
    ck_assert(!is_known(&first));
    ck_assert(is_known(&second));
    for (size_t i = 0; i < 100000; i++)
        give("//sp/cse/Ca", "peer");
    ck_assert(!is_known(&second));
    ck_assert(is_known(&elsewhere));
    ck_assert(is_known(&another));
}
END_TEST

/* Whatever comes in however many names, the newest are known. */
START_TEST(at_the_bound_the_oldest_make_room)
{
    struct rand_object first = give("//sp/cse/C0", "peer"), last;

    for (int i = 0; i < 16 * RAND_OBJECTS_MAX; i++) {
        char name[32];
        snprintf(name, sizeof(name), "//sp/cse/C%d", i + 1);
        last = give(name, "peer");
        ck_assert(is_known(&last));
    }
    ck_assert(!is_known(&first));
}
END_TEST

CHECK_MAIN_FIXTURE("esprim/rand_object", set_up, tear_down, what_is_given_is_found_until_it_expires,
    each_is_another, unknown_ids_are_not_found, the_oldest_of_an_originator_makes_room,
    at_the_bound_the_oldest_make_room)
