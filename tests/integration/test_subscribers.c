/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many key events, to subscribers who read them at once, slowly, late, or not at all: who reads
 * gets all of them in order, who is too far behind is told, and nobody else waits for either. */
#include "support/check_main.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "query/event_queue.h"
#include "support/fixture.h"
#include "support/varlink.h"

#define KEYS     "org.e2ekeyd.Keys."
#define ID_CHARS 32 /* of a keyId */

/* A peer has one key: each exchange establishes one, and evicts the one before. */
#define POLICY                                                                                     \
    "{\"keys\":{\"perPeer\":1},\"limits\":{\"createsPerSecond\":100000,\"createBurst\":100000}}"
#define EXCHANGES     9500 /* more events than are kept and than the kernel has room for */
#define FIRST_PART    5001 /* 10 000 events and one: they are kept for whoever reads late */
#define EVENTS(count) (2 * (count)-1)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GROWTH_MOST_KB LONG_MAX
#else /* the ring, and what little each connection may have on its way */
#define GROWTH_MOST_KB ((long)(EVENT_QUEUE_MAX * sizeof(struct key_info) / 1024 + 8192))
#endif
#define DELAY_MOST_MS 100 /* of 99 look-ups in 100 */

static char ids[EXCHANGES + 1][ID_CHARS + 1];

/* --- subscribers --- */

struct subscriber {
    struct varlink varlink;
    unsigned next; /* the number of the event that it is to read next */
};

enum { QUICK, SLOW, LATE, DEAF, KINDS };
#define EACH 4
static struct subscriber subscribers[KINDS][EACH];

static json_t *call(struct varlink *varlink, const char *method, const char *peer)
{
    return varlink_call(varlink, method, peer ? json_pack("{s:s}", "peer", peer) : NULL);
}

/* The daemon has taken the subscriptions when a call that comes after them is answered. */
static void subscribe(struct subscriber *subscriber)
{
    struct varlink other;

    varlink_begin(&subscriber->varlink, KEYS "Subscribe", NULL, "more");
    varlink_open(&other, daemon_.socket);
    json_decref(call(&other, "org.varlink.service.GetInfo", NULL));
    varlink_close(&other);
}

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text ? text : "";
}

/* Reads one reply: the next event, or "told of a loss", when it returns false. Key 0 is established
 * by event 0, key N by event 2 N, after key N - 1 is evicted. */
static bool read_event(struct subscriber *subscriber)
{
    json_t *reply = varlink_receive(&subscriber->varlink);
    unsigned number = subscriber->next;

    ck_assert_msg(reply, "hung up on before event %u", number);
    bool is_event = strcmp(varlink_error(reply), KEYS "EventsLost") != 0;
    if (is_event) {
        const json_t *parameters = json_object_get(reply, "parameters");
        ck_assert_str_eq(varlink_error(reply), "");
        ck_assert_str_eq(text_of(parameters, "event"), number % 2 ? "evicted" : "established");
        ck_assert_str_eq(text_of(json_object_get(parameters, "key"), "keyId"), ids[number / 2]);
        subscriber->next++;
    }
    json_decref(reply);
    return is_event;
}

static void read_until(struct subscriber *subscriber, unsigned end)
{
    while (subscriber->next < end)
        ck_assert_msg(read_event(subscriber), "events lost after %u", subscriber->next);
}

/* --- exchanges and look-ups --- */

static double delays_ms[EXCHANGES];

static void establish(unsigned number)
{
    struct exported_key exported;
    struct http_answer answer;

    ck_assert_msg(exchange_run(client, &daemon_, meter, "Cmeter", &exported, &answer), "%ld %s",
        answer.status, answer.body);
    bytes_to_hex(bytes_of(exported.id, sizeof(exported.id)), ids[number]);
}

/* Somebody else asks for the key while the daemon tells subscribers of it. */
static void look_up(struct varlink *varlink, unsigned number)
{
    int64_t began_us = clock_steady_us();
    json_t *reply = call(varlink, KEYS "GetKey", "Cmeter");

    delays_ms[number] = (double)(clock_steady_us() - began_us) / 1000;
    ck_assert_str_eq(varlink_error(reply), "");
    const json_t *key = json_object_get(json_object_get(reply, "parameters"), "key");
    ck_assert_str_eq(text_of(key, "keyId"), ids[number]);
    json_decref(reply);
}

static int compare(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;

    return (first > second) - (first < second);
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

/* Exchanges up to END; the quick read each event of them at once, the slow one for each. */
static void establish_until(unsigned begin, unsigned end, struct varlink *other)
{
    for (unsigned number = begin; number < end; number++) {
        establish(number);
        look_up(other, number);
        for (size_t i = 0; i < EACH; i++) {
            read_until(&subscribers[QUICK][i], EVENTS(number + 1));
            read_until(&subscribers[SLOW][i], number + 1);
        }
    }
}

START_TEST(all_who_read_get_all)
{
    struct varlink other;

    fixture_start(POLICY);
    varlink_open(&other, daemon_.socket);
    for (size_t i = 0; i < (size_t)KINDS * EACH; i++) {
        varlink_open(&subscribers[i / EACH][i % EACH].varlink, daemon_.socket);
        subscribe(&subscribers[i / EACH][i % EACH]);
    }
    long before_kb = resident_kb();
    int64_t began_ms = clock_steady_ms();
    establish_until(0, FIRST_PART, &other);
    for (size_t i = 0; i < EACH; i++)
        read_until(&subscribers[LATE][i], EVENTS(FIRST_PART));
    establish_until(FIRST_PART, EXCHANGES, &other);
    long growth_kb = resident_kb() - before_kb;
    int64_t took_ms = clock_steady_ms() - began_ms;

    for (size_t i = 0; i < EACH; i++) {
        struct subscriber *deaf = &subscribers[DEAF][i];
        read_until(&subscribers[SLOW][i], EVENTS(EXCHANGES));
        read_until(&subscribers[LATE][i], EVENTS(EXCHANGES));
        while (read_event(deaf))
            ck_assert_uint_lt(deaf->next, EVENTS(EXCHANGES) - EVENT_QUEUE_MAX);
        ck_assert_uint_gt(deaf->next, 0);
        subscribe(deaf); /* it may begin anew */
        deaf->next = EVENTS(EXCHANGES);
    }
    establish(EXCHANGES);
    for (size_t i = 0; i < (size_t)KINDS * EACH; i++)
        read_until(&subscribers[i / EACH][i % EACH], EVENTS(EXCHANGES + 1));
    qsort(delays_ms, EXCHANGES, sizeof(delays_ms[0]), compare);
    printf("# %d events in %.1f s; look-ups: half in %.2f ms, 99 of 100 in %.2f ms, all in %.1f ms;"
           " %ld kB more\n",
        EVENTS(EXCHANGES), (double)took_ms / 1000, delays_ms[EXCHANGES / 2],
        delays_ms[EXCHANGES / 100 * 99], delays_ms[EXCHANGES - 1], growth_kb);
    ck_assert_double_lt(delays_ms[EXCHANGES / 100 * 99], DELAY_MOST_MS);
    ck_assert_int_lt(growth_kb, GROWTH_MOST_KB);

    for (size_t i = 0; i < (size_t)KINDS * EACH; i++)
        varlink_close(&subscribers[i / EACH][i % EACH].varlink);
    varlink_close(&other);
    fixture_stop();
}
END_TEST

CHECK_MAIN("integration/subscribers", all_who_read_get_all)
