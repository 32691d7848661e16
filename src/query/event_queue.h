/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last key events, from any thread to the main loop, where each subscriber takes them at its
 * own pace. Thread-safe. */
#pragma once

#include "base/fault.h"
#include "keys/cache.h"

/* Events that are kept; a subscriber that is further behind has lost some. One store for all, so
 * that the memory of many slow subscribers has the bound of one. */
#define EVENT_QUEUE_MAX 16384

struct event_queue;

/* The descriptor becomes readable when something is put. */
enum result event_queue_new(struct event_queue **out, struct fault *fault) WARN_UNUSED;
void event_queue_free(struct event_queue *queue);
DEFINE_CLEANUP(struct event_queue *, event_queue_free)
/* A descriptor that is readable when there is something to take. The queue owns it. */
int event_queue_fd(const struct event_queue *queue);

/* Never blocks, and takes the place of the oldest event when the queue is full. */
void event_queue_put(struct event_queue *queue, enum key_event event, const struct key_info *info);

/* The place of the next event that will be put. */
uint64_t event_queue_end(struct event_queue *queue);

enum event_queue_taken { EVENT_QUEUE_EMPTY, EVENT_QUEUE_EVENT, EVENT_QUEUE_LOST };
/* The event at *CURSOR, which then moves on. EVENT_QUEUE_LOST: another one has its place by now. */
enum event_queue_taken event_queue_take(struct event_queue *queue, uint64_t *cursor,
    enum key_event *event, struct key_info *info) WARN_UNUSED;
/* Call it before event_queue_take: what is put later makes the descriptor readable again. */
void event_queue_acknowledge(struct event_queue *queue);
