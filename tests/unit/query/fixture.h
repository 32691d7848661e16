/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A real query server for tests, its loop on a thread, and a client that speaks in raw octets. */
#pragma once

#include <jansson.h>
#include <pthread.h>
#include <semaphore.h>

#include "keys/cache.h"
#include "policy/snapshot.h"
#include "query/server.h"

struct service {
    char folder[64], path[96];
    struct snapshot_slot *slot;
    struct key_cache *cache;
    struct query_server *server; /* the thread's */
    pthread_t thread;
    sem_t ready;
    int stop; /* eventfd */
};

/* CLIENTS: the policy's "clients", JSON, but for "user", which becomes the user of the test. Fails
 * the test when anything goes wrong. */
void service_start(struct service *service, const char *clients);
void service_stop(struct service *service);
void service_reload(struct service *service, const char *clients);

/* Key number NUMBER, with AE "//m2m.example/in-cse/C<number>", whose octets all are NUMBER. */
void service_put(struct service *service, uint32_t number);
void service_id(uint32_t number, char text[2 * KEY_ID_OCTETS + 1]);

/* --- the client: every wait has a bound, at which the test fails --- */

int service_connect(void);
void client_send(int fd, const char *text); /* and a NUL */
json_t *client_receive(int fd);             /* NULL: closed */
json_t *client_call(int fd, const char *text);
/* Reads one reply and compares it with WANTED, a JSON text. */
void client_expect(int fd, const char *wanted);
void client_expect_error(int fd, const char *error);
void client_expect_closed(int fd);
