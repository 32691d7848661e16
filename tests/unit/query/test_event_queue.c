/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/event_queue.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "support/check_main.h"

static struct event_queue *queue;
static uint64_t cursor;

static void make_queue(void)
{
    ck_assert_int_eq(event_queue_new(&queue, NULL), RESULT_OK);
    cursor = event_queue_end(queue);
}

static void free_queue(void)
{
    event_queue_free(queue);
}

static void put(uint32_t number)
{
    struct key_info info = {0};
    memcpy(info.id, &number, sizeof(number));
    event_queue_put(queue, (enum key_event)(number % 4), &info);
}

static bool is_readable(void)
{
    struct pollfd poller = {.fd = event_queue_fd(queue), .events = POLLIN};
    return poll(&poller, 1, 0) == 1;
}

static uint32_t take(void)
{
    enum key_event event;
    struct key_info info;
    uint32_t number;
    ck_assert_int_eq(event_queue_take(queue, &cursor, &event, &info), EVENT_QUEUE_EVENT);
    memcpy(&number, info.id, sizeof(number));
    ck_assert_int_eq((int)event, (int)(number % 4));
    return number;
}

static enum event_queue_taken take_none(void)
{
    enum key_event event;
    struct key_info info;
    return event_queue_take(queue, &cursor, &event, &info);
}

START_TEST(events_come_out_in_order)
{
    ck_assert(!is_readable());
    for (uint32_t round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < 300; i++)
            put(i);
        ck_assert(is_readable());
        event_queue_acknowledge(queue);
        ck_assert(!is_readable());
        for (uint32_t i = 0; i < 300; i++)
            ck_assert_uint_eq(take(), i);
        ck_assert_int_eq(take_none(), EVENT_QUEUE_EMPTY);
    }
}
END_TEST

START_TEST(who_is_too_far_behind_has_lost_events)
{
    uint64_t slow = cursor;
    for (uint32_t i = 0; i < EVENT_QUEUE_MAX; i++)
        put(i);
    ck_assert_uint_eq(take(), 0); /* all are there still */
    put(EVENT_QUEUE_MAX);
    for (uint32_t i = 1; i <= EVENT_QUEUE_MAX; i++) /* and do not suffer from another's pace */
        ck_assert_uint_eq(take(), i);
    ck_assert_int_eq(take_none(), EVENT_QUEUE_EMPTY);
    cursor = slow;
    ck_assert_int_eq(take_none(), EVENT_QUEUE_LOST);
    cursor = event_queue_end(queue);
    ck_assert_int_eq(take_none(), EVENT_QUEUE_EMPTY);
}
END_TEST

#define PUTTERS  4
#define PUT_EACH 5000

static void *put_many(void *unused)
{
    (void)unused;
    for (uint32_t i = 0; i < PUT_EACH; i++)
        put(i);
    return NULL;
}

START_TEST(threads_may_put_at_once)
{
    pthread_t threads[PUTTERS];
    for (int i = 0; i < PUTTERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, put_many, NULL), 0);
    unsigned taken = 0;
    bool lost = false;
    struct pollfd poller = {.fd = event_queue_fd(queue), .events = POLLIN};
    while (taken < PUTTERS * PUT_EACH && !lost && poll(&poller, 1, 10000) == 1) {
        enum key_event event;
        struct key_info info;
        enum event_queue_taken what;
        event_queue_acknowledge(queue);
        while ((what = event_queue_take(queue, &cursor, &event, &info)) == EVENT_QUEUE_EVENT)
            taken++;
        lost = what == EVENT_QUEUE_LOST;
    }
    for (int i = 0; i < PUTTERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert(lost || taken == PUTTERS * PUT_EACH);
}
END_TEST

CHECK_MAIN_FIXTURE("query/event_queue", make_queue, free_queue, events_come_out_in_order,
    who_is_too_far_behind_has_lost_events, threads_may_put_at_once)
