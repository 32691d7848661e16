/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever others send, and from wherever, an honest device gets through. Each address of the
 * loopback network is a transport peer of its own. */
#include "support/check_main.h"
#include "support/fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/raw.h"
#include "support/run.h"

#define DEVICES      100
#define LEAST        99 /* of them, that get through */
#define ADDRESSES    200
#define WINDOW       8 /* requests of a flood that are under way at a time */
#define REQUEST_SIZE 2048
#define RATE         20 /* Messages 1 a second in a device's name, which it has to bear */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void tear_down(void)
{
    http_use_address(NULL);
    fixture_stop();
}

/* --- floods --- */

/* What a flood sends, as fast as it is answered. */
struct flood {
    const char *from;   /* NULL: another one in each */
    unsigned addresses; /* 127.0.2.1 and on */

    pthread_t thread;
    char *content;
    pthread_mutex_t lock;
    pthread_cond_t counted;
    unsigned answered;
    unsigned opened; /* of them, by Message 2: the others were too fast */
    bool is_over;
};

static void send_create(const struct flood *flood, int fd, unsigned number)
{
    char request[REQUEST_SIZE], from[64];

    snprintf(from, sizeof(from), "C%u", number);
    int size = snprintf(request, sizeof(request),
        "POST " ENTRY " HTTP/1.1\r\n" HOST CREATE "X-M2M-Origin: %s\r\nX-M2M-RI: %u\r\n"
        "X-M2M-RVI: 3\r\nContent-Length: %zu\r\n\r\n%s",
        flood->from ? flood->from : from, number, strlen(flood->content), flood->content);
    ck_assert_int_lt(size, REQUEST_SIZE);
    raw_send(fd, request, (size_t)size);
}

static bool count_answer(struct flood *flood, const struct raw_answer *answer)
{
    pthread_mutex_lock(&flood->lock);
    flood->answered++;
    flood->opened += raw_status(answer) == 201;
    bool goes_on = !flood->is_over;
    pthread_cond_signal(&flood->counted);
    pthread_mutex_unlock(&flood->lock);
    return goes_on;
}

static void *send_flood(void *context)
{
    struct flood *flood = context;
    unsigned count = flood->addresses > WINDOW ? flood->addresses : WINDOW, sent = 0;
    int fds[ADDRESSES];
    bool goes_on = true;

    for (unsigned i = 0; i < count; i++) {
        char address[16];
        snprintf(address, sizeof(address), "127.0.2.%u", 1 + i % flood->addresses);
        http_use_address(address);
        fds[i] = raw_connect(daemon_.port);
    }
    for (; sent < WINDOW; sent++)
        send_create(flood, fds[sent % count], sent);
    for (unsigned received = 0; received < sent; received++) {
        static struct raw_answer answer;
        raw_receive(fds[received % count], &answer);
        goes_on = count_answer(flood, &answer);
        if (goes_on) {
            send_create(flood, fds[sent % count], sent);
            sent++;
        }
    }
    for (unsigned i = 0; i < count; i++)
        close(fds[i]);
    return NULL;
}

static void start_flood(struct flood *flood)
{
    flood->content = exchange_begin(meter);
    pthread_mutex_init(&flood->lock, NULL);
    pthread_cond_init(&flood->counted, NULL);
    ck_assert_int_eq(pthread_create(&flood->thread, NULL, send_flood, flood), 0);
}

/* Until COUNT more of its requests have been answered. */
static void await_flood(struct flood *flood, unsigned count)
{
    pthread_mutex_lock(&flood->lock);
    for (unsigned end = flood->answered + count; flood->answered < end;)
        pthread_cond_wait(&flood->counted, &flood->lock);
    pthread_mutex_unlock(&flood->lock);
}

static unsigned count_opened(struct flood *flood)
{
    pthread_mutex_lock(&flood->lock);
    unsigned opened = flood->opened;
    pthread_mutex_unlock(&flood->lock);
    return opened;
}

static void end_flood(struct flood *flood)
{
    pthread_mutex_lock(&flood->lock);
    flood->is_over = true;
    pthread_mutex_unlock(&flood->lock);
    pthread_join(flood->thread, NULL);
    pthread_cond_destroy(&flood->counted);
    pthread_mutex_destroy(&flood->lock);
    free(flood->content);
}

/* --- honest devices --- */

/* The resource, and Notify, where only From and the signature tell which exchange is meant. */
static const struct {
    enum run_carrier first, second;
    const char *path, *second_path; /* NULL: the exchange's own */
} transports[] = {
    {RUN_CREATE, RUN_UPDATE, RUN_ENTRY, NULL},
    {RUN_NOTIFY, RUN_NOTIFY, "/notify", "/notify"},
};

/* Cmeter's exchange; between Message 2 and Message 3 it has PASS do its part with CONTEXT. False
 * when it is refused. */
static bool exchange(size_t transport, void (*pass)(void *context), void *context)
{
    enum run_carrier first = transports[transport].first, second = transports[transport].second;
    struct http_answer answer;
    struct run run;
    bool good;

    run_begin(&run, meter, RUN_SERVER_NAME);
    run_send(
        client, &daemon_, first, transports[transport].path, "Cmeter", "1", &run.message1, &answer);
    good = answer.status == (first == RUN_CREATE ? 201 : 200);
    if (good) {
        snprintf(run.path, sizeof(run.path), RUN_ENTRY "/%s", run_member(&answer, "rn"));
        run_take_message2(&run, answer.body);
        http_answer_release(&answer);
        pass(context);
        const char *path = transports[transport].second_path;
        run_send(client, &daemon_, second, path ? path : run.path, "Cmeter", "3", &run.message3,
            &answer);
        good = answer.status == 200;
    }
    if (!good)
        printf("# refused: %ld %s\n", answer.status, answer.body);
    http_answer_release(&answer);
    run_end(&run);
    return good;
}

/* What passes in a device's round trip. */
struct round_trip {
    struct flood *flood;
    unsigned requests;
};

static void pass_requests(void *context)
{
    const struct round_trip *trip = context;

    await_flood(trip->flood, trip->requests);
}

/* DEVICES come while FLOOD goes on, one after the other, each from an address of its own. How many
 * get through. */
static unsigned count_through(struct flood *flood, unsigned requests)
{
    struct round_trip trip = {flood, requests};
    unsigned good = 0;

    for (unsigned i = 0; i < DEVICES; i++) {
        char address[16];
        snprintf(address, sizeof(address), "127.0.3.%u", 1 + i);
        http_use_address(address);
        good += exchange(i % 2, pass_requests, &trip);
    }
    return good;
}

/* --- in a device's name --- */

#define SLOW_MS  3000 /* the round trip of a device far away */
#define QUICK_MS 50

/* The device's round trip is a time, whatever else happens; the flood goes on meanwhile, and opens
 * exchanges faster than at RATE. */
static void pass_slowly(void *context)
{
    struct flood *flood = context;
    unsigned before = count_opened(flood);
    int64_t began_ms = now_ms();

    while (now_ms() - began_ms < SLOW_MS)
        await_flood(flood, 1);
    unsigned opened = count_opened(flood) - before;
    printf("# %u Messages 1 in its name are answered in a round trip\n", opened);
    ck_assert_uint_gt(opened, RATE * SLOW_MS / 1000);
}

START_TEST(a_slow_device_gets_through_a_flood_in_its_name_from_elsewhere)
{
    struct flood flood = {.from = "Cmeter", .addresses = 1};

    fixture_start(NULL);
    start_flood(&flood);
    await_flood(&flood, 100);
    for (size_t i = 0; i < ARRAY_SIZE(transports); i++)
        ck_assert(exchange(i, pass_slowly, &flood));
    end_flood(&flood);
    tear_down();
}
END_TEST

/* Somebody who sends Messages 1 in a device's name from its own address: two in each of its round
 * trips of QUICK_MS. */
struct forger {
    unsigned opened;
};

static void forge(void *context)
{
    struct forger *forger = context;
    int64_t began_ms = now_ms();
    struct http_answer answer;
    struct run run;
    char id[16];

    run_begin(&run, meter, RUN_SERVER_NAME);
    for (int i = 0; i < 2; i++) {
        snprintf(id, sizeof(id), "forged-%u", forger->opened++);
        run_send(client, &daemon_, RUN_CREATE, RUN_ENTRY, "Cmeter", id, &run.message1, &answer);
        ck_assert_int_eq(answer.status, 201);
        http_answer_release(&answer);
    }
    run_end(&run);
    while (now_ms() - began_ms < QUICK_MS)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

START_TEST(a_quick_device_gets_through_requests_in_its_name_from_its_own_address)
{
    struct forger forger = {0};
    unsigned good = 0;

    fixture_start(NULL);
    int64_t began_ms = now_ms();
    for (size_t i = 0; i < DEVICES; i++)
        good += exchange(i % 2, forge, &forger);
    int64_t took_ms = now_ms() - began_ms;
    printf("# %u of %d get through %.1f Messages 1 a second in its name\n", good, DEVICES,
        forger.opened * 1000.0 / (double)took_ms);
    ck_assert_uint_ge(good, LEAST);
    ck_assert_int_gt(forger.opened * INT64_C(1000), RATE * took_ms);
    ck_assert_int_gt(run_status_number(&daemon_, "counters", "exchangesDisplaced"), 0);
    tear_down();
}
END_TEST

/* --- floods of forged names --- */

/* What keeps a flood within its bounds. A sanitizer makes it so slow that it may stay below a rate
 * by itself. */
enum bound { BOUND_RATE, BOUND_TABLE };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EXCEEDS_RATES false
#else
#define EXCEEDS_RATES true
#endif

/* A flood that sends BEFORE requests until the first device comes, and WITHIN in each round trip:
 * more than BOUND lets it have. */
static void expect_through_flood(
    const char *policy, unsigned addresses, unsigned before, unsigned within, enum bound bound)
{
    struct flood flood = {.addresses = addresses};

    fixture_start(policy);
    start_flood(&flood);
    await_flood(&flood, before);
    unsigned good = count_through(&flood, within);
    end_flood(&flood);
    printf("# %u of %d devices get through %u requests, of which %u got Message 2, from %u "
           "addresses\n",
        good, DEVICES, flood.answered, flood.opened, addresses);
    ck_assert_uint_ge(good, LEAST);
    if (bound == BOUND_RATE)
        ck_assert(!EXCEEDS_RATES || flood.opened < flood.answered - DEVICES);
    else
        ck_assert_int_gt(run_status_number(&daemon_, "counters", "exchangesDisplaced"), DEVICES);
    tear_down();
}

/* Less than what such a flood sends. */
#define A_RATE "{\"limits\":{\"createsPerSecond\":500,\"createBurst\":1000}}"
#define A_TABLE                                                                                    \
    "{\"limits\":{\"pendingExchanges\":600,\"createsPerSecond\":1000000,\"createBurst\":1000000}}"

START_TEST(devices_find_the_rate_shared_with_one_address)
{
    expect_through_flood(A_RATE, 1, 2000, 10, BOUND_RATE);
}
END_TEST

START_TEST(devices_find_the_rate_shared_with_many)
{
    expect_through_flood(A_RATE, ADDRESSES, 4000, 10, BOUND_RATE);
}
END_TEST

START_TEST(devices_find_room_beside_one_address)
{
    expect_through_flood(A_TABLE, 1, 1500, 50, BOUND_TABLE);
}
END_TEST

START_TEST(devices_find_room_beside_many)
{
    expect_through_flood(A_TABLE, ADDRESSES, 1500, 50, BOUND_TABLE);
}
END_TEST

/* --- what is kept, and what is verified --- */

static void pass_nothing(void *context)
{
    (void)context;
}

START_TEST(an_originator_has_its_share_of_what_is_kept)
{
    fixture_start(NULL);
    for (size_t i = 0; i < 12; i++)
        ck_assert(exchange(i % 2, pass_nothing, NULL));
    ck_assert_int_eq(run_status_number(&daemon_, "exchanges", "retained"), 4);
    ck_assert_int_eq(run_status_number(&daemon_, "exchanges", "pending"), 0);
    tear_down();
}
END_TEST

/* Message 3 of an exchange that is over, again and again, while Cmeter has one pending. */
static void send_in_vain(void *context)
{
    const struct run *over = context;
    int64_t began_ms = now_ms(),
            before = run_status_number(&daemon_, "counters", "signaturesRefused");
    unsigned busy = 0;

    http_use_address("127.0.2.1");
    for (unsigned i = 0; i < 3000; i++) {
        struct http_answer answer;
        char id[16];
        snprintf(id, sizeof(id), "vain-%u", i);
        run_send(client, &daemon_, RUN_NOTIFY, "/notify", "Cmeter", id, &over->message3, &answer);
        ck_assert(answer.status == 403 || answer.status == 503);
        busy += answer.status == 503;
        if (answer.status == 503)
            ck_assert_str_eq(http_answer_header(&answer, "Retry-After"), "1");
        http_answer_release(&answer);
    }
    http_use_address(NULL);
    int64_t spent = run_status_number(&daemon_, "counters", "signaturesRefused") - before;
    ck_assert_int_eq(spent, 3000 - (int64_t)busy);
    ck_assert_int_le(spent, 512 + 128 * (now_ms() - began_ms + 1000) / 1000);
    ck_assert_uint_gt(busy, 0);
}

START_TEST(verifications_in_vain_have_a_budget_and_others_are_not_affected)
{
    struct run over;

    fixture_start(NULL);
    run_open(&over, client, &daemon_, meter, "Cother");
    ck_assert(exchange(1, send_in_vain, &over)); /* by Notify, from another address */
    run_end(&over);
    tear_down();
}
END_TEST

CHECK_MAIN("integration/newcomers", a_slow_device_gets_through_a_flood_in_its_name_from_elsewhere,
    a_quick_device_gets_through_requests_in_its_name_from_its_own_address,
    devices_find_the_rate_shared_with_one_address, devices_find_the_rate_shared_with_many,
    devices_find_room_beside_one_address, devices_find_room_beside_many,
    an_originator_has_its_share_of_what_is_kept,
    verifications_in_vain_have_a_budget_and_others_are_not_affected)
