/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exchanges that were begun and are never heard of again: their memory is there for those to come.
 *
 * 20 000 of them; with E2EKEYD_LONG=1 in the environment 100 000; fewer with a sanitizer. */
#include "support/check_main.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "support/run.h"
#include "tls/context.h"

#define THREADS 2
#define MANY    100000
#define RATE    "\"createsPerSecond\":1000000,\"createBurst\":1000000"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FEW         4000 /* they take their time, and keep what is freed */
#define KEPT_MOST   INT_MAX
#define GROWTH_MOST INT_MAX
#else
#define FEW         20000
#define KEPT_MOST   16384 /* kB, of the first time: tables and threads have grown to their size */
#define GROWTH_MOST 4096  /* kB, by the second time */
#endif

static struct daemon daemon_;
static char *message1; /* the content of a Create, the same in each: X-M2M-RI tells them apart */
static atomic_uint begun;
static unsigned last;

/* Each in the name of another originator. */
static void *begin_exchanges(void *unused)
{
    CURL *client = http_open();

    for (unsigned i; (i = atomic_fetch_add(&begun, 1)) < last;) {
        struct http_answer answer;
        char from[16];
        snprintf(from, sizeof(from), "C%u", i);
        m2m_call(client, daemon_.port,
            &(struct m2m_request){.method = "POST",
                .path = RUN_ENTRY,
                .from = from,
                .request_id = from,
                .content_type = "application/json;ty=30001",
                .body = message1},
            &answer);
        ck_assert_msg(answer.status == 201, "%ld: %s", answer.status, answer.body);
        http_answer_release(&answer);
    }
    http_close(client);
    return unused;
}

static void await_sweep(void)
{
    int64_t until_ms = clock_steady_ms() + DAEMON_TIMEOUT_MS;

    while (run_status_number(&daemon_, "exchanges", "pending") > 0) {
        ck_assert_int_lt(clock_steady_ms(), until_ms);
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
}

/* Returns when all of them are gone. */
static void abandon(unsigned count)
{
    pthread_t threads[THREADS];

    last += count;
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, begin_exchanges, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    await_sweep();
    atomic_store(&begun, last);
}

static long resident_kb(void)
{
    char path[64], line[256];
    long kb = -1;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)daemon_.pid);
    FILE *file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    while (kb < 0 && fgets(line, sizeof(line), file))
        (void)sscanf(line, "VmRSS: %ld kB", &kb);
    fclose(file);
    ck_assert_int_gt(kb, 0);
    return kb;
}

static void abandon_twice(const char *policy)
{
    unsigned count = getenv("E2EKEYD_LONG") ? MANY : FEW;

    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon_, &(struct daemon_options){.policy = policy});
    struct initiator_credential *meter = exchange_credential(&daemon_, "meter");
    message1 = exchange_begin(meter);
    long start_kb = resident_kb();
    int64_t start_ms = clock_steady_ms();
    abandon(count);
    long first_kb = resident_kb();
    abandon(count);
    long second_kb = resident_kb();
    printf(
        "# %u exchanges abandoned twice in %.1f s: %ld kB resident at the start, %ld kB after the "
        "first time, %ld kB after the second\n",
        count, (double)(clock_steady_ms() - start_ms) / 1000, start_kb, first_kb, second_kb);
    ck_assert_int_eq(run_status_number(&daemon_, "counters", "exchangesExpired") +
                         run_status_number(&daemon_, "counters", "exchangesDisplaced"),
        2 * count);
    ck_assert_int_le(first_kb, start_kb + KEPT_MOST);
    ck_assert_int_le(second_kb, first_kb + GROWTH_MOST);
    exchange_prove(&daemon_, meter, "Cmeter");
    free(message1);
    initiator_credential_free(meter);
    daemon_stop(&daemon_);
}

START_TEST(their_time_runs_out)
{
    abandon_twice("{\"limits\":{\"exchangeTimeout\":2," RATE "}}");
}
END_TEST

START_TEST(they_make_room)
{
    abandon_twice("{\"limits\":{\"exchangeTimeout\":1,\"pendingExchanges\":200," RATE "}}");
}
END_TEST

CHECK_MAIN("integration/abandoned", their_time_runs_out, they_make_room)
