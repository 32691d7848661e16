/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/check_main.h"

#include "exchange/recent.h"

static struct recent recent;

/* One whose place is SET. */
static uint64_t hash_in(uint64_t set, uint64_t number)
{
    return set << 32 | number;
}

static void remember(uint64_t hash, int64_t now_us, double number)
{
    struct recent_entry *entry = recent_take(&recent, hash);

    entry->changed_us = now_us;
    entry->number = number;
}

START_TEST(remembers_what_it_was_told)
{
    ck_assert_ptr_null(recent_find(&recent, hash_in(3, 1)));
    ck_assert_ptr_null(recent_find(&recent, 0)); /* unused entries are nobody's */
    ck_assert_int_eq(recent_take(&recent, hash_in(3, 1))->changed_us, 0);
    ck_assert(recent_take(&recent, hash_in(3, 1))->number == 0);
    remember(hash_in(3, 1), 10, 1);
    remember(hash_in(3, 2), 20, 2);
    remember(hash_in(4, 1), 30, 3);
    ck_assert(recent_find(&recent, hash_in(3, 1))->number == 1);
    ck_assert(recent_take(&recent, hash_in(3, 2))->number == 2);
    ck_assert(recent_find(&recent, hash_in(4, 1))->number == 3);
    ck_assert_ptr_null(recent_find(&recent, hash_in(4, 2)));
}
END_TEST

START_TEST(the_longest_unchanged_makes_room)
{
    for (unsigned i = 0; i < RECENT_WAYS; i++)
        remember(hash_in(3, i), 100 + i, i);
    remember(hash_in(4, 0), 1, 1); /* older, but in another place */
    remember(hash_in(3, 0), 200, 7);
    remember(hash_in(3, 99), 201, 99);
    ck_assert_ptr_null(recent_find(&recent, hash_in(3, 1)));
    for (unsigned i = 0; i < RECENT_WAYS; i++)
        ck_assert((i == 1) == !recent_find(&recent, hash_in(3, i)));
    ck_assert(recent_find(&recent, hash_in(3, 0))->number == 7);
    ck_assert(recent_find(&recent, hash_in(3, 99))->number == 99);
    ck_assert_ptr_nonnull(recent_find(&recent, hash_in(4, 0)));
}
END_TEST

CHECK_MAIN("exchange/recent", remembers_what_it_was_told, the_longest_unchanged_makes_room)
