/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mixed traffic on the real daemon for a given time, good and bad at once, and what the daemon has
 * of memory, descriptors and delay meanwhile: a line of CSV for each interval. scripts/soak runs
 * it, draws the lines and judges whether they are flat.
 *
 * Usage: soak SECONDS FILE */
#include <check.h>
#include <dirent.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/exchange.h"
#include "support/varlink.h"
#include "tls/context.h"

#define METERS       16
#define HONEST       2    /* threads */
#define INTERVALS    240  /* lines in all */
#define INTERVAL_MS  2000 /* at least, so that a line has enough exchanges in it */
#define SAMPLES_MAX  65536
#define RELOAD_S     5
#define KEYS_S       60 /* how long a key lives: within a minute as many go as come */
#define TIMEOUT_S    5  /* of an exchange that is abandoned */
#define IDLE_CLIENTS 8
#define PAUSE_US     2000 /* between two things that a thread does: a host that is busy, not full */

/* Delays that were seen in this interval. */
struct delays {
    pthread_mutex_t lock;
    double values[SAMPLES_MAX];
    size_t count;
};

static struct delays exchanges = {.lock = PTHREAD_MUTEX_INITIALIZER};
static struct delays lookups = {.lock = PTHREAD_MUTEX_INITIALIZER};
static struct daemon daemon_under_test;
static atomic_bool is_over;
static atomic_uint mistreated, refused;

static double now_ms(void)
{
    return (double)clock_steady_us() / 1000;
}

static void note_delay(struct delays *delays, double began_ms)
{
    pthread_mutex_lock(&delays->lock);
    if (delays->count < SAMPLES_MAX)
        delays->values[delays->count++] = now_ms() - began_ms;
    pthread_mutex_unlock(&delays->lock);
}

static int compare(const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;

    return (first > second) - (first < second);
}

/* Takes the delays of this interval: how many, and two of their quantiles. */
static size_t take_delays(struct delays *delays, double *p50, double *p99)
{
    pthread_mutex_lock(&delays->lock);
    size_t count = delays->count;
    qsort(delays->values, count, sizeof(double), compare);
    *p50 = count ? delays->values[count / 2] : 0;
    *p99 = count ? delays->values[count * 99 / 100] : 0;
    delays->count = 0;
    pthread_mutex_unlock(&delays->lock);
    return count;
}

/* --- the honest: devices that establish keys, and the AE that reads them --- */

static void look_up(struct varlink *varlink, const struct exported_key *exported)
{
    char id[2 * sizeof(exported->id) + 1];
    double began = now_ms();

    bytes_to_hex(bytes_of(exported->id, sizeof(exported->id)), id);
    json_t *reply =
        varlink_call(varlink, "org.e2ekeyd.Keys.GetKey", json_pack("{s:s}", "keyId", id));
    note_delay(&lookups, began);
    /* Another thread may have established the peer's next two keys, or revoked this one. */
    const char *error = varlink_error(reply);
    ck_assert_msg(
        error[0] == '\0' || strcmp(error, "org.e2ekeyd.Keys.NoSuchKey") == 0, "GetKey: %s", error);
    json_decref(reply);
}

static void *be_honest(void *context)
{
    unsigned first = *(const unsigned *)context * (METERS / HONEST);
    struct initiator_credential *credentials[METERS / HONEST];
    CURL *client = http_open();
    struct varlink varlink;

    varlink_open(&varlink, daemon_under_test.socket);
    for (unsigned i = 0; i < METERS / HONEST; i++) {
        char name[32];
        snprintf(name, sizeof(name), "meter-%u", first + i + 1);
        credentials[i] = exchange_credential(&daemon_under_test, name);
    }
    for (unsigned i = 0; !is_over; i = (i + 1) % (METERS / HONEST)) {
        struct exported_key exported;
        struct http_answer answer;
        char from[64];
        double began = now_ms();

        snprintf(from, sizeof(from), "Cmeter-%u", first + i + 1);
        if (exchange_run(client, &daemon_under_test, credentials[i], from, &exported, &answer)) {
            note_delay(&exchanges, began);
            look_up(&varlink, &exported);
        } else {
            fprintf(stderr, "soak: refused: %ld %s\n", answer.status, answer.body);
            http_answer_release(&answer);
            refused++;
        }
        usleep(PAUSE_US);
    }
    for (unsigned i = 0; i < METERS / HONEST; i++)
        initiator_credential_free(credentials[i]);
    varlink_close(&varlink);
    http_close(client);
    return NULL;
}

/* --- those who mean no good --- */

/* An exchange that is opened in the name of a device, and never goes on. */
static void abandon(struct initiator_credential *credential)
{
    char *content = exchange_begin(credential);
    CURL *client = http_open();
    struct http_answer answer;

    m2m_call(client, daemon_under_test.port,
        &(struct m2m_request){.method = "POST",
            .path = "/cse-in/e2EKeyCSE",
            .from = "Cmeter",
            .request_id = "abandoned",
            .content_type = "application/json;ty=30001",
            .body = content},
        &answer);
    http_answer_release(&answer);
    http_close(client);
    free(content);
}

/* A stranger's certificate, in a whole exchange that ends in a refusal. */
static void be_a_stranger(struct initiator_credential *credential)
{
    CURL *client = http_open();
    struct exported_key exported;
    struct http_answer answer;

    ck_assert(!exchange_run(client, &daemon_under_test, credential, "Cmeter", &exported, &answer));
    http_answer_release(&answer);
    http_close(client);
}

static void send_raw(const char *text)
{
    size_t received;

    free(raw_call(daemon_under_test.port, text, strlen(text), 1, &received));
}

static void send_half(struct initiator_credential *credential)
{
    (void)credential;
    send_raw("POST /cse-in/e2EKeyCSE HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n{\"m2m:");
}

static void send_nonsense(struct initiator_credential *credential)
{
    (void)credential;
    send_raw("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n");
}

static void send_no_message(struct initiator_credential *credential)
{
    (void)credential;
    send_raw("POST /notify HTTP/1.1\r\nHost: h\r\nX-M2M-Origin: Cmeter\r\nX-M2M-RI: 1\r\n"
             "X-M2M-RVI: 3\r\nContent-Type: application/json\r\nContent-Length: 37\r\n\r\n"
             "{\"m2m:seci\":{\"sit\":6,\"eckm\":\"AAAAAA\"}}");
}

static void stay_idle(struct initiator_credential *credential)
{
    static int idle[IDLE_CLIENTS];
    static unsigned next;

    (void)credential;
    if (idle[next] > 0)
        close(idle[next]);
    idle[next] = raw_connect(daemon_under_test.port);
    next = (next + 1) % IDLE_CLIENTS;
}

static void (*const mischiefs[])(struct initiator_credential *) = {
    abandon, be_a_stranger, send_half, send_nonsense, send_no_message, stay_idle};

static void *do_mischief(void *context)
{
    struct initiator_credential *stranger = exchange_credential(&daemon_under_test, "stranger");

    (void)context;
    for (size_t i = 0; !is_over; i = (i + 1) % (sizeof(mischiefs) / sizeof(mischiefs[0]))) {
        mischiefs[i](stranger);
        mistreated++;
        usleep(PAUSE_US);
    }
    initiator_credential_free(stranger);
    return NULL;
}

/* --- local programs, and the operator --- */

static void revoke_first(struct varlink *varlink)
{
    json_t *reply = varlink_call(varlink, "org.e2ekeyd.Keys.ListKeys", NULL);
    const char *id = json_string_value(
        json_object_get(json_object_get(json_object_get(reply, "parameters"), "key"), "keyId"));

    if (id)
        json_decref(
            varlink_call(varlink, "org.e2ekeyd.Keys.RevokeKey", json_pack("{s:s}", "keyId", id)));
    json_decref(reply);
}

static void *be_local(void *context)
{
    (void)context;
    while (!is_over) {
        struct varlink varlink, subscriber, broken;

        varlink_open(&subscriber, daemon_under_test.socket);
        varlink_begin(&subscriber, "org.e2ekeyd.Keys.Subscribe", NULL, "more");
        varlink_open(&broken, daemon_under_test.socket);
        varlink_send(&broken, "{\"method\":", 10);
        varlink_open(&varlink, daemon_under_test.socket);
        json_decref(varlink_call(&varlink, "org.e2ekeyd.Keys.GetStatus", NULL));
        revoke_first(&varlink);
        varlink_send(&varlink, "nonsense", sizeof("nonsense"));
        varlink_close(&varlink);
        varlink_close(&broken);
        usleep(50 * PAUSE_US);
        varlink_close(&subscriber);
    }
    return NULL;
}

static void *be_the_operator(void *context)
{
    (void)context;
    while (!is_over) {
        daemon_reload(&daemon_under_test);
        for (unsigned i = 0; i < RELOAD_S * 10 && !is_over; i++)
            usleep(100000);
    }
    return NULL;
}

/* --- what the daemon has --- */

static long read_status(const char *member)
{
    char path[64], line[256];
    long value = -1;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)daemon_under_test.pid);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, member, strlen(member)) == 0)
            value = strtol(line + strlen(member), NULL, 10);
    fclose(file);
    return value;
}

static unsigned count_descriptors(void)
{
    char path[64];
    unsigned count = 0;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)daemon_under_test.pid);
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2; /* "." and ".." */
}

static double cpu_ms(void)
{
    clockid_t clock;
    struct timespec used;

    ck_assert_int_eq(clock_getcpuclockid(daemon_under_test.pid, &clock), 0);
    ck_assert_int_eq(clock_gettime(clock, &used), 0);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

static void write_line(FILE *out, double began_ms, double interval_s, double used_ms)
{
    double exchange_p50, exchange_p99, lookup_p50, lookup_p99;
    size_t count = take_delays(&exchanges, &exchange_p50, &exchange_p99);

    take_delays(&lookups, &lookup_p50, &lookup_p99);
    fprintf(out, "%.0f,%ld,%ld,%u,%.1f,%.3f,%.2f,%.2f,%.3f,%.3f,%u,%u\n",
        (now_ms() - began_ms) / 1000, read_status("VmRSS:"), read_status("VmLck:"),
        count_descriptors(), (double)count / interval_s, used_ms / (double)(count ? count : 1),
        exchange_p50, exchange_p99, lookup_p50, lookup_p99, (unsigned)mistreated,
        (unsigned)refused);
    fflush(out);
}

static unsigned seconds;
static const char *output;

static void sample(FILE *out)
{
    double interval_ms = seconds * 1000.0 / INTERVALS;
    double began = now_ms();

    if (interval_ms < INTERVAL_MS)
        interval_ms = INTERVAL_MS;
    fprintf(out,
        "seconds,rss_kb,locked_kb,descriptors,exchanges_per_s,cpu_ms_per_exchange,"
        "exchange_p50_ms,exchange_p99_ms,lookup_p50_ms,lookup_p99_ms,mistreated,refused\n");
    while (now_ms() - began < seconds * 1000.0) {
        double used = cpu_ms();
        double from = now_ms();
        usleep((useconds_t)(interval_ms * 1000));
        write_line(out, began, (now_ms() - from) / 1000, cpu_ms() - used);
    }
}

START_TEST(soak)
{
    static const unsigned numbers[HONEST] = {0, 1};
    pthread_t threads[HONEST + 3];
    char policy[256];

    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    snprintf(policy, sizeof(policy),
        "{\"keys\":{\"lifetime\":%d},\"limits\":{\"exchangeTimeout\":%d}}", KEYS_S, TIMEOUT_S);
    daemon_start(&daemon_under_test, &(struct daemon_options){.policy = policy, .meters = METERS});
    FILE *out = fopen(output, "w");
    ck_assert_ptr_nonnull(out);
    for (unsigned i = 0; i < HONEST; i++)
        pthread_create(&threads[i], NULL, be_honest, (void *)&numbers[i]);
    pthread_create(&threads[HONEST], NULL, do_mischief, NULL);
    pthread_create(&threads[HONEST + 1], NULL, be_local, NULL);
    pthread_create(&threads[HONEST + 2], NULL, be_the_operator, NULL);
    sample(out);
    is_over = true;
    for (unsigned i = 0; i < HONEST + 3; i++)
        pthread_join(threads[i], NULL);
    fclose(out);
    daemon_stop(&daemon_under_test);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("soak");
    TCase *group = tcase_create("soak");
    SRunner *runner = srunner_create(suite);

    if (argc != 3) {
        fputs("Usage: soak SECONDS FILE\n", stderr);
        return 2;
    }
    seconds = (unsigned)strtoul(argv[1], NULL, 10);
    output = argv[2];
    tcase_set_timeout(group, 0);
    tcase_add_test(group, soak);
    suite_add_tcase(suite, group);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_MINIMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
