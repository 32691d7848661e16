/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/queue.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>

struct queue {
    int fd;
    pthread_mutex_t lock; /* over what follows */
    size_t first, count;
    bool lost;
    struct {
        enum key_event event;
        struct key_info info;
    } entries[QUEUE_EVENTS_MAX];
};

enum result queue_new(struct queue **out, struct fault *fault)
{
    struct queue *queue = calloc(1, sizeof(*queue));
    if (!queue)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    pthread_mutex_init(&queue->lock, NULL);
    queue->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (queue->fd < 0) {
        int error = errno;
        queue_free(queue);
        return fault_set(fault, RESULT_SYSTEM_ERROR, "eventfd: %s", strerror(error));
    }
    *out = queue;
    return RESULT_OK;
}

void queue_free(struct queue *queue)
{
    if (queue->fd >= 0)
        close(queue->fd);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

int queue_fd(const struct queue *queue)
{
    return queue->fd;
}

void queue_put(struct queue *queue, enum key_event event, const struct key_info *info)
{
    pthread_mutex_lock(&queue->lock);
    queue->lost = queue->lost || queue->count == QUEUE_EVENTS_MAX;
    if (!queue->lost) {
        size_t last = (queue->first + queue->count++) % QUEUE_EVENTS_MAX;
        queue->entries[last].event = event;
        queue->entries[last].info = *info;
    }
    pthread_mutex_unlock(&queue->lock);
    eventfd_write(queue->fd, 1); /* fails only when it is readable beyond any doubt */
}

enum queue_taken queue_take(struct queue *queue, enum key_event *event, struct key_info *info)
{
    enum queue_taken taken = QUEUE_EMPTY;
    pthread_mutex_lock(&queue->lock);
    if (queue->count > 0) {
        *event = queue->entries[queue->first].event;
        *info = queue->entries[queue->first].info;
        queue->first = (queue->first + 1) % QUEUE_EVENTS_MAX;
        queue->count--;
        taken = QUEUE_EVENT;
    } else if (queue->lost) {
        queue->lost = false;
        taken = QUEUE_LOST;
    }
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

void queue_acknowledge(struct queue *queue)
{
    eventfd_t count;
    if (eventfd_read(queue->fd, &count) < 0)
        return; /* nothing to acknowledge */
}
