/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/event_queue.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "support/check_main.h"

static void put(struct event_queue *queue, uint32_t number)
{
    struct key_info info = {0};
    memcpy(info.id, &number, sizeof(number));
    event_queue_put(queue, (enum key_event)(number % 4), &info);
}

static bool is_readable(const struct event_queue *queue)
{
    struct pollfd poller = {.fd = event_queue_fd(queue), .events = POLLIN};
    return poll(&poller, 1, 0) == 1;
}

static uint32_t take(struct event_queue *queue)
{
    enum key_event event;
    struct key_info info;
    uint32_t number;
    ck_assert_int_eq(event_queue_take(queue, &event, &info), EVENT_QUEUE_EVENT);
    memcpy(&number, info.id, sizeof(number));
    ck_assert_int_eq((int)event, (int)(number % 4));
    return number;
}

static enum event_queue_taken take_none(struct event_queue *queue)
{
    enum key_event event;
    struct key_info info;
    return event_queue_take(queue, &event, &info);
}

START_TEST(events_come_out_in_order)
{
    struct event_queue *queue CLEANUP(auto_event_queue_free) = NULL;
    ck_assert_int_eq(event_queue_new(&queue, NULL), RESULT_OK);
    ck_assert(!is_readable(queue));
    for (uint32_t round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < 300; i++)
            put(queue, i);
        ck_assert(is_readable(queue));
        event_queue_acknowledge(queue);
        ck_assert(!is_readable(queue));
        for (uint32_t i = 0; i < 300; i++)
            ck_assert_uint_eq(take(queue), i);
        ck_assert_int_eq(take_none(queue), EVENT_QUEUE_EMPTY);
    }
}
END_TEST

START_TEST(what_is_lost_is_said_where_it_is_missing)
{
    struct event_queue *queue CLEANUP(auto_event_queue_free) = NULL;
    ck_assert_int_eq(event_queue_new(&queue, NULL), RESULT_OK);
    for (uint32_t i = 0; i < EVENT_QUEUE_MAX + 5; i++)
        put(queue, i);
    ck_assert_uint_eq(take(queue), 0);
    put(queue, 77); /* there is room again, but it would come before the news of the loss */
    for (uint32_t i = 1; i < EVENT_QUEUE_MAX; i++)
        ck_assert_uint_eq(take(queue), i);
    ck_assert_int_eq(take_none(queue), EVENT_QUEUE_LOST);
    ck_assert_int_eq(take_none(queue), EVENT_QUEUE_EMPTY);
    put(queue, 78);
    ck_assert_uint_eq(take(queue), 78);
}
END_TEST

#define PUTTERS  4
#define PUT_EACH 5000

static void *put_many(void *queue)
{
    for (uint32_t i = 0; i < PUT_EACH; i++)
        put(queue, i);
    return NULL;
}

START_TEST(threads_may_put_at_once)
{
    struct event_queue *queue CLEANUP(auto_event_queue_free) = NULL;
    ck_assert_int_eq(event_queue_new(&queue, NULL), RESULT_OK);
    pthread_t threads[PUTTERS];
    for (int i = 0; i < PUTTERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, put_many, queue), 0);
    unsigned taken = 0;
    bool lost = false;
    struct pollfd poller = {.fd = event_queue_fd(queue), .events = POLLIN};
    while (taken < PUTTERS * PUT_EACH && !lost && poll(&poller, 1, 10000) == 1) {
        enum key_event event;
        struct key_info info;
        enum event_queue_taken what;
        event_queue_acknowledge(queue);
        for (; (what = event_queue_take(queue, &event, &info)) != EVENT_QUEUE_EMPTY; taken++)
            lost = lost || what == EVENT_QUEUE_LOST;
    }
    for (int i = 0; i < PUTTERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert(lost || taken == PUTTERS * PUT_EACH);
}
END_TEST

CHECK_MAIN("query/event_queue", events_come_out_in_order, what_is_lost_is_said_where_it_is_missing,
    threads_may_put_at_once)
