/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Key events on their way from any thread to the main loop. Thread-safe. */
#pragma once

#include "base/fault.h"
#include "keys/cache.h"

#define QUEUE_EVENTS_MAX 1024

struct queue;

/* FD becomes readable when there is something to take. */
enum result queue_new(struct queue **out, struct fault *fault) WARN_UNUSED;
void queue_free(struct queue *queue);
DEFINE_CLEANUP(struct queue *, queue_free)
int queue_fd(const struct queue *queue);

/* Never blocks. When there is no room, this event and all after it are lost until queue_take has
 * said so. */
void queue_put(struct queue *queue, enum key_event event, const struct key_info *info);

enum queue_taken { QUEUE_EMPTY, QUEUE_EVENT, QUEUE_LOST };
enum queue_taken queue_take(struct queue *queue, enum key_event *event, struct key_info *info)
    WARN_UNUSED;
/* Before the taking: what is put from here on makes the FD readable again. */
void queue_acknowledge(struct queue *queue);
