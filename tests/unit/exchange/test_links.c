/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/check_main.h"

#include "base/cleanup.h"
#include "exchange/links.h"

static struct chains chains;

/* Two hashes that stand in the same chain, and one that does not. */
#define ONE   UINT64_C(7)
#define OTHER (ONE + CHAINS)
#define APART UINT64_C(8)

static struct {
    struct chain_link link;
    uint64_t hash;
} items[] = {{.hash = ONE}, {.hash = OTHER}, {.hash = ONE}, {.hash = APART}, {.hash = ONE}};

static void add_all(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(items); i++)
        chains_add(&chains, &items[i].link, items[i].hash, &items[i]);
}

/* Those of HASH are found from the newest to the oldest, and no others. */
static void expect(uint64_t hash, const size_t *numbers, size_t count)
{
    const struct chain_link *link = chains_find(&chains, hash);

    for (size_t i = 0; i < count; i++, link = chains_older(link)) {
        ck_assert_ptr_nonnull(link);
        ck_assert_ptr_eq(link->owner, &items[numbers[i]]);
    }
    ck_assert_ptr_null(link);
}

START_TEST(chains_tell_hashes_apart)
{
    add_all();
    expect(ONE, (const size_t[]){4, 2, 0}, 3);
    expect(OTHER, (const size_t[]){1}, 1);
    expect(APART, (const size_t[]){3}, 1);
    expect(ONE + 2 * CHAINS, NULL, 0);
    ck_assert_ptr_eq(chains_near(&chains, OTHER), &items[4].link);
}
END_TEST

/* Wherever it stands: the newest, in the middle, the oldest; and once more. */
START_TEST(what_is_removed_is_in_no_chain)
{
    static const struct {
        size_t removed, left[2];
    } rows[] = {{4, {2, 0}}, {2, {4, 0}}, {0, {4, 2}}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        chains = (struct chains){0};
        add_all();
        chains_remove(&items[rows[i].removed].link);
        chains_remove(&items[rows[i].removed].link);
        expect(ONE, rows[i].left, 2);
        expect(OTHER, (const size_t[]){1}, 1);
        chains_add(&chains, &items[rows[i].removed].link, APART, &items[rows[i].removed]);
        expect(APART, (const size_t[]){rows[i].removed, 3}, 2);
    }
}
END_TEST

START_TEST(a_queue_goes_by_age)
{
    static struct queue_link links[3];
    int owners[ARRAY_SIZE(links)];

    for (size_t gone = 0; gone < ARRAY_SIZE(links); gone++) {
        struct queue queue = {0};

        ck_assert_ptr_null(queue_oldest(&queue));
        for (size_t i = 0; i < ARRAY_SIZE(links); i++)
            queue_add(&queue, &links[i], &owners[i]);
        queue_remove(&queue, &links[gone]);
        ck_assert_uint_eq(queue.count, 2);
        for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
            if (i == gone)
                continue;
            ck_assert_ptr_eq(queue_oldest(&queue), &owners[i]);
            queue_remove(&queue, &links[i]);
        }
        ck_assert_ptr_null(queue_oldest(&queue));
        ck_assert_ptr_null(queue.newest);
    }
}
END_TEST

CHECK_MAIN(
    "exchange/links", chains_tell_hashes_apart, what_is_removed_is_in_no_chain, a_queue_goes_by_age)
