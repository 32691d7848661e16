/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Complete exchanges over HTTP: what the daemon spends on each. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "bench/bench.h"
#include "support/exchange.h"

#define THREADS 8

struct work {
    const struct daemon *daemon;
    struct initiator_credential **credentials;
    atomic_uint next;
    unsigned count;
};

static void *initiate(void *context)
{
    struct work *work = context;
    CURL *client = http_open();
    unsigned number;

    while ((number = atomic_fetch_add(&work->next, 1)) < work->count) {
        struct exported_key exported;
        struct http_answer answer;
        char from[64];

        snprintf(from, sizeof(from), "Cmeter-%u", number % BENCH_INITIATORS + 1);
        if (!exchange_run(client, work->daemon, work->credentials[number % BENCH_INITIATORS], from,
                &exported, &answer)) {
            fprintf(stderr, "bench: an exchange was refused: %s\n",
                answer.body ? answer.body : "no answer");
            abort();
        }
    }
    http_close(client);
    return NULL;
}

struct bench_cost bench_exchange(const struct daemon *daemon, unsigned count)
{
    struct initiator_credential *credentials[BENCH_INITIATORS];
    struct work work = {.daemon = daemon, .credentials = credentials, .count = count};
    pthread_t threads[THREADS];

    for (unsigned i = 0; i < BENCH_INITIATORS; i++) {
        char name[32];

        snprintf(name, sizeof(name), "meter-%u", i + 1);
        credentials[i] = exchange_credential(daemon, name);
    }
    double before = bench_cpu_us(daemon->pid);
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, initiate, &work), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    double used = bench_cpu_us(daemon->pid) - before;

    for (unsigned i = 0; i < BENCH_INITIATORS; i++)
        initiator_credential_free(credentials[i]);
    return (struct bench_cost){.cpu_us = used / count};
}
