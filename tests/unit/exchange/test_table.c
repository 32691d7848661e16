/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/check_main.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "exchange/budget.h"
#include "exchange/table.h"
#include "observe/log.h"
#include "observe/metrics.h"

/* A policy of which the table reads the limits alone. */
static struct snapshot *snapshot_with(struct policy_limits limits)
{
    struct policy *policy = calloc(1, sizeof(*policy));

    policy->limits = limits;
    return snapshot_new(policy, NULL, NULL, 1);
}

static const struct policy_limits ordinary = {.pending_exchanges = 100,
    .pending_per_originator = 2,
    .exchange_timeout_s = 30,
    .message_octets = 16384,
    .creates_per_s = 1000,
    .create_burst = 1000};

static struct exchange_table *table;
static struct snapshot *snapshot; /* NULL until a test makes it */
static struct displaced displaced;
static bool created;

static void set_up(void)
{
    log_set_level(LOG_ERR);
    ck_assert_int_eq(exchange_table_new(&table), RESULT_OK);
}

static void tear_down(void)
{
    exchange_table_free(table);
    snapshot_unref(snapshot);
}

static uint64_t fingerprint(const char *from, const char *id)
{
    return exchange_table_fingerprint(table, from, 1, id, bytes_of("message", 7));
}

static struct exchange_sender sender(const char *from, const char *peer)
{
    return (struct exchange_sender){.from = from, .peer = bytes_of_string(peer)};
}

/* PEER's, as a request of its own of FROM's. */
static enum result open_by(
    const char *from, const char *peer, const char *id, struct exchange **out)
{
    struct fault fault = FAULT_INIT;

    const struct exchange_sender by = sender(from, peer);
    return exchange_table_open(
        table, snapshot, &by, NULL, fingerprint(from, id), out, &created, &displaced, &fault);
}

static enum result open_one(const char *from, const char *id, struct exchange **out)
{
    return open_by(from, "peer", id, out);
}

/* How many candidates there are for a Message 3 of FROM by PEER. */
static size_t count_candidates(const char *from, const char *peer)
{
    const struct exchange_sender by = sender(from, peer);
    struct candidates candidates;
    struct fault fault = FAULT_INIT;

    ck_assert_int_eq(exchange_table_find_candidates(table, &by, &candidates, &fault), RESULT_OK);
    exchange_table_excuse(table, &by, candidates.count);
    for (size_t i = 0; i < candidates.count; i++)
        exchange_unref(candidates.exchanges[i]);
    return candidates.count;
}

START_TEST(finds_by_name_and_by_originator)
{
    struct exchange *opened;

    snapshot = snapshot_with(ordinary);
    ck_assert_int_eq(open_one("//sp/cse/Ca", "1", &opened), RESULT_OK);
    ck_assert(created);
    ck_assert_uint_eq(strlen(opened->name), 32);
    char name[EXCHANGE_NAME_OCTETS];
    memcpy(name, opened->name, sizeof(name));
    exchange_release(opened);

    struct exchange *found = exchange_table_find(table, name);
    ck_assert_ptr_eq(found, opened);
    exchange_release(found);
    ck_assert_uint_eq(count_candidates("//sp/cse/Ca", "peer"), 1);
    ck_assert_uint_eq(count_candidates("//sp/cse/Cb", "peer"), 0);
    ck_assert_ptr_null(exchange_table_find(table, "00000000000000000000000000000000"));
}
END_TEST

START_TEST(a_retransmission_opens_nothing)
{
    struct exchange *first, *again, *other;
    uint32_t pending, retained;

    snapshot = snapshot_with(ordinary);
    ck_assert_int_eq(open_one("//sp/cse/Ca", "1", &first), RESULT_OK);
    exchange_release(first);
    ck_assert_int_eq(open_one("//sp/cse/Ca", "1", &again), RESULT_OK);
    ck_assert(!created);
    ck_assert_ptr_eq(again, first);
    exchange_release(again);
    ck_assert_int_eq(open_one("//sp/cse/Cb", "1", &other), RESULT_OK);
    ck_assert(created); /* another originator's is another request */
    exchange_release(other);
    exchange_table_count(table, &pending, &retained);
    ck_assert_uint_eq(pending, 2);
}
END_TEST

START_TEST(fingerprints_tell_requests_apart)
{
    uint64_t one = exchange_table_fingerprint(table, "f", 1, "a", bytes_of("m", 1));

    ck_assert_uint_eq(one, exchange_table_fingerprint(table, "f", 1, "a", bytes_of("m", 1)));
    ck_assert_uint_ne(one, exchange_table_fingerprint(table, "f", 3, "a", bytes_of("m", 1)));
    ck_assert_uint_ne(one, exchange_table_fingerprint(table, "f", 1, "b", bytes_of("m", 1)));
    ck_assert_uint_ne(one, exchange_table_fingerprint(table, "f", 1, "a", bytes_of("n", 1)));
    ck_assert_uint_ne(one, exchange_table_fingerprint(table, "g", 1, "a", bytes_of("m", 1)));
}
END_TEST

/* Opened one after the other, two being the most of one originator and transport peer; and which
 * one each displaces, 0 = none. */
START_TEST(the_newest_of_a_pair_displaces_its_oldest)
{
    static const struct {
        const char *from, *peer;
        size_t displaced;
    } rows[] = {
        {"//sp/Sa", "1", 0}, /* the first */
        {"//sp/Sa", "1", 0},
        {"//sp/Sa", "2", 0}, /* in the same name from elsewhere */
        {"//sp/Sb", "1", 0},
        {"//sp/Sa", "1", 1},
        {"//sp/Sa", "1", 2},
        {"//sp/Sa", "2", 0},
        {"//sp/Sa", "2", 3},
        {"//sp/Sb", "", 0},
        {"//sp/Sb", "", 0},
        {"//sp/Sb", "", 9},
    };
    char names[ARRAY_SIZE(rows)][EXCHANGE_NAME_OCTETS];
    uint64_t count = metrics_read(METRIC_EXCHANGES_DISPLACED), gone = 0;

    snapshot = snapshot_with(ordinary);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct exchange *exchange;
        char id[8];

        snprintf(id, sizeof(id), "%zu", i);
        ck_assert_int_eq(open_by(rows[i].from, rows[i].peer, id, &exchange), RESULT_OK);
        memcpy(names[i], exchange->name, sizeof(names[i]));
        exchange_release(exchange);
        ck_assert_msg(!displaced.exchange == !rows[i].displaced, "row %zu", i);
        if (rows[i].displaced) {
            gone++;
            exchange = displaced.exchange;
            ck_assert_str_eq(exchange->name, names[rows[i].displaced - 1]);
            ck_assert_ptr_null(exchange_table_find(table, exchange->name));
            exchange_ref(exchange);
            displaced_end(&displaced);
            ck_assert_int_eq(exchange->state, EXCHANGE_FAILED);
            exchange_unref(exchange);
        }
    }
    ck_assert_uint_eq(metrics_read(METRIC_EXCHANGES_DISPLACED) - count, gone);
}
END_TEST

/* Message 3 came between its being taken out and its being ended. */
/* Every one gets in, and as many stay as may. */
START_TEST(a_full_table_takes_newcomers)
{
    struct policy_limits limits = ordinary;
    limits.pending_exchanges = 16;
    uint32_t pending, retained;

    snapshot = snapshot_with(limits);
    for (int i = 0; i < 100; i++) {
        struct exchange *exchange;
        char id[8];

        snprintf(id, sizeof(id), "%d", i);
        ck_assert_int_eq(open_by("//sp/Sa", id, id, &exchange), RESULT_OK);
        ck_assert(created && exchange != displaced.exchange);
        exchange_release(exchange);
        exchange_table_count(table, &pending, &retained);
        ck_assert_uint_le(pending, 16);
        displaced_end(&displaced);
    }
    ck_assert_uint_ge(pending, 12);
}
END_TEST

START_TEST(what_is_established_has_not_been_displaced)
{
    uint64_t count = metrics_read(METRIC_EXCHANGES_DISPLACED);
    struct exchange *exchange;

    snapshot = snapshot_with(ordinary);
    ck_assert_int_eq(open_one("//sp/Sa", "1", &exchange), RESULT_OK);
    exchange->state = EXCHANGE_ESTABLISHED;
    displaced = (struct displaced){exchange_ref(exchange), "pendingPerOriginator"};
    pthread_mutex_unlock(&exchange->lock);
    displaced_end(&displaced);
    ck_assert_int_eq(exchange->state, EXCHANGE_ESTABLISHED);
    ck_assert_uint_eq(metrics_read(METRIC_EXCHANGES_DISPLACED), count);
    exchange_unref(exchange);
}
END_TEST

START_TEST(once_closed_takes_only_what_it_has)
{
    struct exchange *exchange, *again;

    snapshot = snapshot_with(ordinary);
    ck_assert_int_eq(open_one("//sp/Sa", "1", &exchange), RESULT_OK);
    exchange_release(exchange);
    exchange_table_close(table);
    ck_assert_int_eq(open_one("//sp/Sa", "2", &again), RESULT_STOPPING);
    ck_assert_int_eq(open_one("//sp/Sa", "1", &again), RESULT_OK);
    ck_assert_ptr_eq(again, exchange);
    exchange_release(again);
}
END_TEST

START_TEST(holds_to_the_rate)
{
    struct policy_limits limits = ordinary;
    limits.creates_per_s = 1;
    limits.create_burst = 2;
    struct exchange *exchange;

    snapshot = snapshot_with(limits);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(open_one(i ? "//sp/Sa" : "//sp/Sb", "1", &exchange), RESULT_OK);
        exchange_release(exchange);
    }
    ck_assert_int_eq(open_one("//sp/Sc", "1", &exchange), RESULT_BUSY);
    /* A retransmission costs nothing. */
    ck_assert_int_eq(open_one("//sp/Sa", "1", &exchange), RESULT_OK);
    exchange_release(exchange);
}
END_TEST

/* Those of the sender's own transport peer, newest first, then those of others, up to a bound. */
START_TEST(random_objects_have_a_rate_of_their_own)
{
    struct policy_limits limits = ordinary;
    const struct exchange_sender by = sender("//sp/cse/Ca", "peer");
    struct fault fault = FAULT_INIT;
    struct exchange *opened;

    limits.creates_per_s = 1;
    limits.create_burst = 2;
    snapshot = snapshot_with(limits);
    unsigned admitted = 0;
    while (exchange_table_admit_rand_request(table, &limits, &by, &fault) == RESULT_OK)
        ck_assert_uint_lt(++admitted, 5);
    ck_assert_int_eq(fault.result, RESULT_BUSY);
    ck_assert_int_eq(open_one(by.from, "1", &opened), RESULT_OK);
    exchange_release(opened);
    exchange_table_close(table);
    ck_assert_int_eq(
        exchange_table_admit_rand_request(table, &limits, &by, &fault), RESULT_STOPPING);
}
END_TEST

START_TEST(candidates_are_ones_own_and_some_of_others)
{
    const struct exchange_sender by = sender("//sp/Sa", "own");
    struct exchange *own[2], *other, *others[CANDIDATES_OTHERS + 3];
    struct candidates candidates;
    struct fault fault = FAULT_INIT;

    snapshot = snapshot_with(ordinary);
    for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
        ck_assert_int_eq(open_by("//sp/Sa", "own", i ? "1" : "0", &own[i]), RESULT_OK);
        exchange_release(own[i]);
    }
    ck_assert_int_eq(open_by("//sp/Sb", "own", "b", &other), RESULT_OK);
    exchange_release(other);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        char peer[8];
        snprintf(peer, sizeof(peer), "%zu", i);
        ck_assert_int_eq(open_by("//sp/Sa", peer, peer, &others[i]), RESULT_OK);
        exchange_release(others[i]);
    }
    ck_assert_int_eq(exchange_table_find_candidates(table, &by, &candidates, &fault), RESULT_OK);
    ck_assert_uint_eq(candidates.count, ARRAY_SIZE(own) + CANDIDATES_OTHERS);
    ck_assert_ptr_eq(candidates.exchanges[0], own[1]);
    ck_assert_ptr_eq(candidates.exchanges[1], own[0]);
    for (size_t i = 0; i < CANDIDATES_OTHERS; i++)
        ck_assert_ptr_eq(candidates.exchanges[2 + i], others[ARRAY_SIZE(others) - 1 - i]);
    for (size_t i = 0; i < candidates.count; i++)
        exchange_unref(candidates.exchanges[i]);
}
END_TEST

/* What is not excused is spent: by originator and transport peer. */
START_TEST(verifications_in_vain_are_budgeted)
{
    const struct exchange_sender by = sender("//sp/Sa", "forger");
    struct candidates candidates;
    struct exchange *exchange;
    struct fault fault = FAULT_INIT;
    enum result result = RESULT_OK;
    size_t tries = 0;

    snapshot = snapshot_with(ordinary);
    ck_assert_int_eq(open_by("//sp/Sa", "honest", "1", &exchange), RESULT_OK);
    exchange_release(exchange);
    for (; tries < 100000 && result == RESULT_OK; tries++) {
        result = exchange_table_find_candidates(table, &by, &candidates, &fault);
        for (size_t i = 0; i < candidates.count; i++)
            exchange_unref(candidates.exchanges[i]);
    }
    ck_assert_int_eq(result, RESULT_BUSY);
    ck_assert_uint_eq(candidates.count, 0);
    ck_assert_uint_ge(tries, BUDGET_BURST);
    for (size_t i = 0; i < 2 * BUDGET_BURST; i++)
        ck_assert_uint_eq(count_candidates("//sp/Sa", "honest"), 1);
    ck_assert_uint_eq(count_candidates("//sp/Sb", "forger"), 0); /* there is nothing to verify */
}
END_TEST

START_TEST(out_of_time_is_not_found_and_swept)
{
    struct policy_limits limits = ordinary;
    limits.exchange_timeout_s = 0;
    struct exchange *exchange;
    uint32_t waiting, retained;
    char name[EXCHANGE_NAME_OCTETS];

    snapshot = snapshot_with(limits);
    ck_assert_int_eq(open_one("//sp/Sa", "1", &exchange), RESULT_OK);
    memcpy(name, exchange->name, sizeof(name));
    ck_assert_int_eq(
        exchange_transition(exchange->state, EXCHANGE_MESSAGE1, &exchange->state), RESULT_OK);
    exchange_release(exchange);
    ck_assert_ptr_null(exchange_table_find(table, name));
    ck_assert_uint_eq(count_candidates("//sp/Sa", "peer"), 0);
    unsigned awaited;
    ck_assert_uint_eq(exchange_table_sweep(table, 10, &awaited), 1);
    ck_assert_uint_eq(awaited, 1);
    exchange_table_count(table, &waiting, &retained);
    ck_assert_uint_eq(waiting, 0);
}
END_TEST

/* As soon as the et passes that its Create has given; the time-out is 30 s. */
START_TEST(an_exchange_ends_by_the_et_that_it_was_given)
{
    const struct given_attributes soon = {.et_us = clock_wall_us() + 50000};
    const struct exchange_sender by = sender("//sp/cse/Ca", "peer");
    char names[2][EXCHANGE_NAME_OCTETS];
    struct fault fault = FAULT_INIT;

    snapshot = snapshot_with(ordinary);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) { /* one pending, one established */
        struct exchange *opened;
        uint64_t request = fingerprint(by.from, i == 0 ? "1" : "2");
        ck_assert_int_eq(exchange_table_open(table, snapshot, &by, &soon, request, &opened,
                             &created, &displaced, &fault),
            RESULT_OK);
        memcpy(names[i], opened->name, sizeof(names[i]));
        if (i == 1)
            exchange_table_answered(table, opened, request + 1);
        exchange_release(opened);
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct exchange *found;
        while ((found = exchange_table_find(table, names[i]))) {
            exchange_release(found);
            ck_assert_int_lt(clock_wall_us(), soon.et_us + 10000000);
        }
        ck_assert_int_gt(clock_wall_us(), soon.et_us - 2000);
    }
    ck_assert_uint_eq(count_candidates(by.from, "peer"), 0);
}
END_TEST

START_TEST(an_answered_exchange_is_kept_for_retransmissions)
{
    struct exchange *exchange;
    uint32_t waiting, retained;

    snapshot = snapshot_with(ordinary);
    ck_assert_int_eq(open_one("//sp/Sa", "1", &exchange), RESULT_OK);
    exchange_table_answered(table, exchange, fingerprint("//sp/Sa", "3"));
    ck_assert(exchange_table_is_answered_by(table, exchange, fingerprint("//sp/Sa", "3")));
    ck_assert(!exchange_table_is_answered_by(table, exchange, fingerprint("//sp/Sa", "4")));
    exchange_release(exchange);
    ck_assert_uint_eq(count_candidates("//sp/Sa", "peer"), 0);
    struct exchange *found = exchange_table_find_answered(table, fingerprint("//sp/Sa", "3"));
    ck_assert_ptr_eq(found, exchange);
    exchange_release(found);
    ck_assert_ptr_null(exchange_table_find_answered(table, fingerprint("//sp/Sb", "3")));
    exchange_table_count(table, &waiting, &retained);
    ck_assert_uint_eq(waiting, 0);
    ck_assert_uint_eq(retained, 1);
}
END_TEST

/* Opened by FROM and answered at once; its name into NAME. */
static void establish(const char *from, unsigned number, char name[EXCHANGE_NAME_OCTETS])
{
    struct exchange *exchange;
    char id[16];

    snprintf(id, sizeof(id), "%u", number);
    ck_assert_int_eq(open_by(from, id, id, &exchange), RESULT_OK);
    memcpy(name, exchange->name, EXCHANGE_NAME_OCTETS);
    exchange_table_answered(table, exchange, fingerprint(from, id) + 1);
    exchange_release(exchange);
}

static bool is_there(const char *name)
{
    struct exchange *found CLEANUP(auto_exchange_release) = exchange_table_find(table, name);

    return found;
}

/* Two are one originator's, wherever its requests came from; and three are all. */
START_TEST(the_newest_are_retained)
{
    static const struct {
        const char *from;
        int gone; /* the row whose exchange makes room; -1: none */
    } rows[] = {{"//sp/Sa", -1}, {"//sp/Sa", -1}, {"//sp/Sb", -1}, {"//sp/Sa", 0}, {"//sp/Sa", 1},
        {"//sp/Sc", 2}, {"//sp/Sc", 3}, {"//sp/Sc", 5}};
    struct policy_limits limits = ordinary;
    limits.pending_exchanges = 3;
    char names[ARRAY_SIZE(rows)][EXCHANGE_NAME_OCTETS];
    bool there[ARRAY_SIZE(rows)] = {false};
    uint32_t pending, retained;

    snapshot = snapshot_with(limits);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        establish(rows[i].from, i, names[i]);
        there[i] = true;
        if (rows[i].gone >= 0)
            there[rows[i].gone] = false;
        for (unsigned j = 0; j <= i; j++)
            ck_assert_msg(is_there(names[j]) == there[j], "%u after %u", j, i);
    }
    exchange_table_count(table, &pending, &retained);
    ck_assert_uint_eq(pending, 0);
    ck_assert_uint_eq(retained, 3);
}
END_TEST

CHECK_MAIN_FIXTURE("exchange/table", set_up, tear_down, finds_by_name_and_by_originator,
    a_retransmission_opens_nothing, fingerprints_tell_requests_apart,
    the_newest_of_a_pair_displaces_its_oldest, a_full_table_takes_newcomers,
    what_is_established_has_not_been_displaced, once_closed_takes_only_what_it_has,
    holds_to_the_rate, random_objects_have_a_rate_of_their_own,
    candidates_are_ones_own_and_some_of_others, verifications_in_vain_are_budgeted,
    out_of_time_is_not_found_and_swept, an_exchange_ends_by_the_et_that_it_was_given,
    an_answered_exchange_is_kept_for_retransmissions, the_newest_are_retained)
