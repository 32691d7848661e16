/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who makes room: floods of some kinds, and how the exchanges of others fare. */
#include "support/check_main.h"

#include "exchange/peers.h"

#define MOST      400
#define HONEST    UINT64_C(1) /* peers; floods come from others */
#define FLOODER   UINT64_C(2)
#define MANY      UINT64_C(1000)    /* and on */
#define FRESH     UINT64_C(1000000) /* and on */
#define NOW_US    INT64_C(1000000)
#define EXCHANGES 100000
#define HOUR_US   INT64_C(3600000000)

static struct peers peers;
static struct policy policy = {.limits = {.pending_exchanges = MOST}};
static struct snapshot snapshot = {.policy = &policy};
static struct exchange *exchanges; /* room for EXCHANGES */
static size_t used;

static void set_up(void)
{
    exchanges = calloc(EXCHANGES, sizeof(*exchanges));
    ck_assert_ptr_nonnull(exchanges);
    used = 0;
    ck_assert_int_eq(peers_init(&peers), RESULT_OK);
    peers.key = (struct hash_key){{1, 2}}; /* the same by chance each time */
}

static void tear_down(void)
{
    while (peers.count > 0)
        peers_remove(&peers, peers.pending[0]);
    peers_release(&peers);
    peers = (struct peers){0};
    free(exchanges);
}

/* A newcomer of PEER, which displaces another or none. */
static struct exchange *come(uint64_t peer)
{
    struct exchange *exchange = &exchanges[used];

    ck_assert_uint_lt(used, EXCHANGES);
    exchange->number = used++;
    exchange->snapshot = &snapshot;
    ck_assert_int_eq(peers_add(&peers, exchange, peer), RESULT_OK);
    struct exchange *displaced = peers_find_displaced(&peers, MOST, NOW_US);
    ck_assert_ptr_ne(displaced, exchange);
    if (displaced)
        peers_remove(&peers, displaced);
    ck_assert_uint_le(peers.count, MOST);
    return exchange;
}

/* Whether EXCHANGE is there still, which then ends well. */
static bool establish(struct exchange *exchange)
{
    if (!exchange->peer)
        return false;
    peers_established(&peers, exchange, NOW_US);
    peers_remove(&peers, exchange);
    return true;
}

START_TEST(none_makes_room_up_to_half)
{
    for (int i = 0; i < MOST / 2 + 1; i++)
        come(FLOODER);
    ck_assert_uint_eq(peers.count, MOST / 2 + 1);
}
END_TEST

/* Beyond half it is by chance, the more likely the fuller; the bound is never passed. */
START_TEST(more_make_room_the_fuller_it_is)
{
    size_t came = 0, reached[2];

    for (size_t i = 0; i < 2; i++) {
        while (peers.count < (3 + i) * MOST / 4 - (i ? 20 : 0))
            come(MANY + came++);
        reached[i] = came;
    }
    ck_assert_uint_gt(reached[0], 3 * MOST / 4); /* some have been displaced by then */
    ck_assert_uint_gt(reached[1] - reached[0], 2 * (reached[0] - MOST / 2));
    for (int i = 0; i < 10 * MOST; i++)
        come(MANY + came++);
    ck_assert_uint_gt(peers.count, MOST - 60);
}
END_TEST

/* How a flood comes, and the honest peer between: HONEST exchanges at a time, one for each FLOOD
 * newcomers, each answered once DELAY newcomers have come. */
static const struct {
    const char *name;
    uint64_t flooders; /* 0: each newcomer is one of its own */
    size_t honest, delay;
    bool is_known; /* the honest peer has established many of late; else it is another each time */
    double least;  /* share of honest exchanges that get through */
} floods[] = {
    {"one peer, an honest device", 1, 1, 4 * MOST, false, 1},
    {"one peer, honest devices behind one", 1, 20, MOST, false, 0.99},
    {"200 peers, an honest device", 200, 1, MOST, false, 0.99},
    {"each another, a quick device", 0, 1, MOST / 2, false, 0.99},
    {"each another, a transit CSE", 0, 20, MOST / 2, true, 0.99},
};

START_TEST(honest_exchanges_get_through_a_flood)
{
    for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
        size_t good = 0, rounds = 40;

        tear_down();
        set_up();
        for (int j = 0; floods[i].is_known && j < 100; j++)
            ck_assert(establish(come(HONEST)));
        for (size_t j = 0; j < 2 * MOST; j++)
            come(MANY + (floods[i].flooders ? j % floods[i].flooders : j));
        for (size_t round = 0; round < rounds; round++) {
            uint64_t peer = floods[i].is_known ? HONEST : FRESH + round;
            struct exchange *honest[20];
            for (size_t j = 0; j < floods[i].honest; j++)
                honest[j] = come(peer);
            for (size_t j = 0; j < floods[i].delay; j++)
                come(MANY + (floods[i].flooders ? j % floods[i].flooders : used));
            for (size_t j = 0; j < floods[i].honest; j++)
                good += establish(honest[j]);
        }
        ck_assert_msg((double)good >= floods[i].least * (double)(rounds * floods[i].honest),
            "%s: %zu of %zu", floods[i].name, good, rounds * floods[i].honest);
    }
}
END_TEST

/* What a peer has established counts for an hour, and up to a 16th of the bound. */
START_TEST(credit_fades_and_is_bounded)
{
    struct exchange *flood[MOST];

    for (int i = 0; i < 3 * MOST; i++)
        ck_assert(establish(come(FLOODER)));
    struct exchange *quiet = come(HONEST);
    for (size_t i = 0; i < MOST - 1; i++) /* 399 of 1 + 25: more than one */
        flood[i] = come(FLOODER);
    for (int i = 0; i < MOST; i++)
        come(FLOODER);
    ck_assert_ptr_nonnull(quiet->peer);
    ck_assert_ptr_null(flood[0]->peer);

    tear_down();
    set_up();
    for (int i = 0; i < 20; i++)
        ck_assert(establish(come(FLOODER)));
    struct exchange *old = come(HONEST), *two[] = {come(FLOODER), come(FLOODER)};
    come(MANY);
    ck_assert_ptr_eq(peers_find_displaced(&peers, 1, NOW_US), old); /* 2 of 1 + 20: less than one */
    ck_assert_ptr_eq(peers_find_displaced(&peers, 1, NOW_US + HOUR_US), two[0]);
}
END_TEST

CHECK_MAIN_FIXTURE("exchange/peers", set_up, tear_down, none_makes_room_up_to_half,
    more_make_room_the_fuller_it_is, honest_exchanges_get_through_a_flood,
    credit_fades_and_is_bounded)
