/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rate of new exchanges, and who gets how much of it, by a clock of the test's own. */
#include "support/check_main.h"

#include "base/cleanup.h"
#include "exchange/creates.h"

#define BEGIN_US INT64_C(100000000)
#define HONEST   UINT64_C(1) /* peers */
#define FLOODER  UINT64_C(1000)

static struct creates creates;

/* How many of COUNT at once PEER gets. */
static uint32_t take(
    const struct policy_limits *limits, uint64_t peer, uint32_t count, int64_t now_us)
{
    uint32_t taken = 0;

    for (uint32_t i = 0; i < count; i++)
        taken += creates_take(&creates, limits, peer << 32, now_us);
    return taken;
}

/* One peer alone: what it gets at once, and then in each second. */
START_TEST(holds_to_burst_and_rate)
{
    static const struct {
        struct policy_limits limits;
        uint32_t at_once;
    } rows[] = {
        {{.creates_per_s = 1, .create_burst = 1}, 1},
        {{.creates_per_s = 1, .create_burst = 2}, 2},
        {{.creates_per_s = 10, .create_burst = 4}, 3},
        {{.creates_per_s = 100, .create_burst = 600}, 400}, /* the half, and a third of the rest */
        {{.creates_per_s = 1000, .create_burst = 9000}, 6000},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct policy_limits *limits = &rows[i].limits;
        int64_t now_us = BEGIN_US;

        creates = (struct creates){0};
        ck_assert_uint_eq(take(limits, HONEST, 20000, now_us), rows[i].at_once);
        for (int j = 0; j < 1000; j++)
            (void)take(limits, HONEST, limits->creates_per_s, now_us += 10000);
        uint64_t taken = 0;
        for (int j = 0; j < 1000; j++)
            taken += take(limits, HONEST, limits->creates_per_s, now_us += 10000);
        ck_assert_uint_ge(taken + 1, 10 * (uint64_t)limits->creates_per_s);
        ck_assert_uint_le(taken, 10 * (uint64_t)limits->creates_per_s + 1);
        now_us += INT64_C(1000000000); /* no more than the burst is saved up */
        ck_assert_uint_eq(take(limits, HONEST, 20000, now_us), rows[i].at_once);
    }
}
END_TEST

/* FLOODERS ask without end, and each honest device once a second and whenever it comes. */
static const struct {
    const char *name;
    uint64_t flooders;
    uint32_t honest; /* at once, from one peer, each second */
    int begin;       /* after so many hundredths of a second */
} floods[] = {
    {"one address", 1, 1, 0},
    {"one address, 50 devices behind one", 1, 50, 0},
    {"200 addresses", 200, 1, 0},
    {"200 addresses, 5 devices behind one", 200, 5, 300}, /* the half is full again by then */
    {"900 addresses", 900, 1, 0},
};

START_TEST(who_has_not_had_its_share_finds_a_token)
{
    static const struct policy_limits limits = {.creates_per_s = 2000, .create_burst = 4000};

    for (size_t i = 0; i < ARRAY_SIZE(floods); i++) {
        int64_t now_us = BEGIN_US;
        uint64_t all = 0;

        creates = (struct creates){0};
        for (int tick = 0; tick < 3000; tick++, now_us += 10000) {
            for (uint64_t j = 0; j < floods[i].flooders; j++)
                all += take(&limits, FLOODER + j, 10000 / (uint32_t)floods[i].flooders + 1, now_us);
            if (tick % 100 != 50 || tick < floods[i].begin)
                continue;
            uint32_t got = take(&limits, HONEST, floods[i].honest, now_us);
            ck_assert_msg(got == floods[i].honest, "%s: %u of %u at tick %d", floods[i].name, got,
                floods[i].honest, tick);
        }
        ck_assert_uint_gt(all, UINT64_C(28) * 2000); /* what is not asked for is not lost */
        ck_assert_uint_le(all, UINT64_C(30) * 2000 + 4000);
    }
}
END_TEST

/* Though each then goes on as a flooder. */
START_TEST(each_newcomer_finds_its_first_token)
{
    static const struct policy_limits limits = {.creates_per_s = 2000, .create_burst = 4000};
    int64_t now_us = BEGIN_US;

    for (uint64_t i = 0; i < 1000; i++, now_us += 1000) {
        ck_assert_msg(take(&limits, HONEST + i, 1, now_us) == 1, "newcomer %u", (unsigned)i);
        for (uint64_t j = 0; j <= i; j++)
            (void)take(&limits, HONEST + j, j < i ? 3 : 5000, now_us);
    }
}
END_TEST

/* The first of a period does not pass for the only one. */
START_TEST(peers_count_on_into_the_next_period)
{
    static const struct policy_limits limits = {.creates_per_s = 1000, .create_burst = 1000};
    int64_t now_us = BEGIN_US;

    for (uint64_t i = 0; i < 99; i++)
        ck_assert_uint_eq(take(&limits, HONEST + i, 1, now_us), 1);
    now_us += CREATES_PERIOD_US;
    ck_assert_uint_eq(take(&limits, FLOODER, 10000, now_us), 500 + 4);
    now_us += 2 * CREATES_PERIOD_US;
    ck_assert_uint_eq(take(&limits, FLOODER, 10000, now_us), 500 + 167);
}
END_TEST

CHECK_MAIN("exchange/creates", peers_count_on_into_the_next_period, holds_to_burst_and_rate,
    who_has_not_had_its_share_finds_a_token, each_newcomer_finds_its_first_token)
