/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/event_queue.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>

struct event_queue {
    int fd;
    pthread_mutex_t lock; /* protects everything below */
    uint64_t end;         /* events that were put, ever */
    struct {
        enum key_event event;
        struct key_info info;
    } entries[EVENT_QUEUE_MAX];
};

enum result event_queue_new(struct event_queue **out, struct fault *fault)
{
    struct event_queue *queue = calloc(1, sizeof(*queue));
    if (!queue)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    pthread_mutex_init(&queue->lock, NULL);
    queue->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (queue->fd < 0) {
        int error = errno;
        event_queue_free(queue);
        return fault_set(fault, RESULT_SYSTEM_ERROR, "eventfd: %s", strerror(error));
    }
    *out = queue;
    return RESULT_OK;
}

void event_queue_free(struct event_queue *queue)
{
    if (queue->fd >= 0)
        close(queue->fd);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

int event_queue_fd(const struct event_queue *queue)
{
    return queue->fd;
}

void event_queue_put(struct event_queue *queue, enum key_event event, const struct key_info *info)
{
    pthread_mutex_lock(&queue->lock);
    size_t place = queue->end++ % EVENT_QUEUE_MAX;
    queue->entries[place].event = event;
    queue->entries[place].info = *info;
    pthread_mutex_unlock(&queue->lock);
    eventfd_write(queue->fd, 1); /* fails only at its maximum, when it is readable anyway */
}

uint64_t event_queue_end(struct event_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    uint64_t end = queue->end;
    pthread_mutex_unlock(&queue->lock);
    return end;
}

enum event_queue_taken event_queue_take(
    struct event_queue *queue, uint64_t *cursor, enum key_event *event, struct key_info *info)
{
    enum event_queue_taken taken = EVENT_QUEUE_EMPTY;
    pthread_mutex_lock(&queue->lock);
    if (queue->end - *cursor > EVENT_QUEUE_MAX) {
        taken = EVENT_QUEUE_LOST;
    } else if (*cursor < queue->end) {
        size_t place = (*cursor)++ % EVENT_QUEUE_MAX;
        *event = queue->entries[place].event;
        *info = queue->entries[place].info;
        taken = EVENT_QUEUE_EVENT;
    }
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

void event_queue_acknowledge(struct event_queue *queue)
{
    eventfd_t count;
    if (eventfd_read(queue->fd, &count) < 0)
        return; /* nothing to acknowledge */
}
