/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Key events on their way from any thread to the main loop. Thread-safe. */
#pragma once

#include "base/fault.h"
#include "keys/cache.h"

#define EVENT_QUEUE_MAX 1024

struct event_queue;

/* The descriptor becomes readable when there is something to take. */
enum result event_queue_new(struct event_queue **out, struct fault *fault) WARN_UNUSED;
void event_queue_free(struct event_queue *queue);
DEFINE_CLEANUP(struct event_queue *, event_queue_free)
int event_queue_fd(const struct event_queue *queue);

/* Never blocks. When there is no room, this event and all after it are lost until event_queue_take
 * has said so. */
void event_queue_put(struct event_queue *queue, enum key_event event, const struct key_info *info);

enum event_queue_taken { EVENT_QUEUE_EMPTY, EVENT_QUEUE_EVENT, EVENT_QUEUE_LOST };
enum event_queue_taken event_queue_take(
    struct event_queue *queue, enum key_event *event, struct key_info *info) WARN_UNUSED;
/* Call it before event_queue_take: what is put later makes the descriptor readable again. */
void event_queue_acknowledge(struct event_queue *queue);
