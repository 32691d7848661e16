/* SPDX-License-Identifier: GPL-2.0-or-later */
/* make bench: the server's CPU per operation, in one table; ratios are within this run. Peers that
 * are not installed are left out. FILE (the one argument) receives the figures as JSON. */
#include "bench/bench.h"

#include <check.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/exchange.h"
#include "support/varlink.h"
#include "tls/context.h"

#define HANDSHAKES 2000
#define EXCHANGES  2000
#define LOOKUPS    20000
#define MANY       50

double bench_cpu_us(pid_t pid)
{
    clockid_t clock;
    struct timespec used;

    ck_assert_int_eq(clock_getcpuclockid(pid, &clock), 0);
    ck_assert_int_eq(clock_gettime(clock, &used), 0);
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

int bench_compare(const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;

    return (first > second) - (first < second);
}

/* --- redis, when it is installed --- */

struct redis {
    pid_t pid; /* 0: not installed */
    FILE *log;
    char socket[128];
};

static void redis_start(struct redis *redis, const struct daemon *daemon)
{
    int output[2];
    char *line = NULL;
    size_t capacity = 0;

    snprintf(redis->socket, sizeof(redis->socket), "%s", daemon_file(daemon, "redis.sock"));
    ck_assert_int_eq(pipe(output), 0);
    redis->pid = fork();
    if (redis->pid == 0) {
        dup2(output[1], STDOUT_FILENO);
        close(output[0]);
        close(output[1]);
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", redis->socket,
            "--save", "", "--appendonly", "no", "--dir", daemon->folder, (char *)NULL);
        _exit(127);
    }
    close(output[1]);
    redis->log = fdopen(output[0], "r");
    bool ready = false;
    while (!ready && getline(&line, &capacity, redis->log) > 0)
        ready = strcasestr(line, "ready to accept connections") != NULL;
    free(line);
    if (!ready) {
        waitpid(redis->pid, NULL, 0);
        fclose(redis->log);
        redis->pid = 0;
    }
}

static void redis_stop(struct redis *redis)
{
    if (redis->pid == 0)
        return;
    kill(redis->pid, SIGTERM);
    waitpid(redis->pid, NULL, 0);
    fclose(redis->log);
}

#define REDIS_SET                                                                                  \
    "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$44\r\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n"
#define REDIS_GET "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"

/* --- rows
 * ------------------------------------------------------------------------------------------ */

enum row {
    ROW_BARE,
    ROW_EXCHANGE,
    ROW_GETKEY_ONE,
    ROW_GETKEY_MANY,
    ROW_REDIS_ONE,
    ROW_REDIS_MANY,
    ROW_COUNT,
};

static const struct {
    const char *key, *name;
    enum row against; /* what the ratio is to */
} rows[ROW_COUNT] = {
    [ROW_BARE] = {"bareHandshake", "handshake in memory, wolfSSL alone", ROW_BARE},
    [ROW_EXCHANGE] = {"exchange", "exchange: 2 requests, handshake, key cached", ROW_BARE},
    [ROW_GETKEY_ONE] = {"getKey1", "GetKey, 1 connection", ROW_REDIS_ONE},
    [ROW_GETKEY_MANY] = {"getKey50", "GetKey, 50 connections", ROW_REDIS_MANY},
    [ROW_REDIS_ONE] = {"redisGet1", "redis GET, 1 connection", ROW_REDIS_ONE},
    [ROW_REDIS_MANY] = {"redisGet50", "redis GET, 50 connections", ROW_REDIS_MANY},
};

struct column {
    double cpu[BENCH_ROUNDS], p50[BENCH_ROUNDS], p99[BENCH_ROUNDS];
    unsigned count;
};

static void record(struct column *column, struct bench_cost cost)
{
    column->cpu[column->count] = cost.cpu_us;
    column->p50[column->count] = cost.p50_us;
    column->p99[column->count] = cost.p99_us;
    column->count++;
}

static double median(double *values, unsigned count)
{
    qsort(values, count, sizeof(*values), bench_compare);
    return values[count / 2];
}

static void round_of_lookups(struct column *columns, const struct daemon *daemon,
    const struct redis *redis, const char *call, size_t call_size)
{
    record(&columns[ROW_GETKEY_ONE],
        bench_lookup(daemon->pid, daemon->socket, call, call_size, "", 1, 1, LOOKUPS));
    record(&columns[ROW_GETKEY_MANY],
        bench_lookup(daemon->pid, daemon->socket, call, call_size, "", 1, MANY, LOOKUPS));
    if (redis->pid == 0)
        return;
    record(&columns[ROW_REDIS_ONE], bench_lookup(redis->pid, redis->socket, REDIS_GET,
                                        strlen(REDIS_GET), "=\r\n", 3, 1, LOOKUPS));
    record(&columns[ROW_REDIS_MANY], bench_lookup(redis->pid, redis->socket, REDIS_GET,
                                         strlen(REDIS_GET), "=\r\n", 3, MANY, LOOKUPS));
}

static json_t *report(struct column *columns)
{
    json_t *json = json_object();

    printf("\n%-46s %8s %18s %7s %8s %8s\n", "server CPU per operation, median of 5", "us",
        "(min..max)", "ratio", "p50 us", "p99 us");
    for (int i = 0; i < ROW_COUNT; i++) {
        struct column *column = &columns[i];
        struct column *against = &columns[rows[i].against];

        if (column->count == 0)
            continue;
        double cpu = median(column->cpu, column->count);
        double base = against->count ? median(against->cpu, against->count) : 0;
        double p50 = median(column->p50, column->count);
        double p99 = median(column->p99, column->count);
        char range[32];
        snprintf(
            range, sizeof(range), "(%.1f..%.1f)", column->cpu[0], column->cpu[column->count - 1]);
        printf("%-46s %8.1f %18s", rows[i].name, cpu, range);
        if (base > 0)
            printf(" %7.2f", cpu / base);
        if (p50 > 0)
            printf("%*s %8.0f %8.0f", base > 0 ? 0 : 8, "", p50, p99);
        putchar('\n');
        json_object_set_new(json, rows[i].key,
            json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "cpu_us", cpu, "min_us", column->cpu[0],
                "max_us", column->cpu[column->count - 1], "ratio", base > 0 ? cpu / base : 0,
                "p50_us", p50, "p99_us", p99));
    }
    return json;
}

/* A key to ask for, and the varlink call that does. */
static size_t prepare_call(const struct daemon *daemon, char *call, size_t size)
{
    struct initiator_credential *credential = exchange_credential(daemon, "meter");
    CURL *client = http_open();
    struct exported_key exported;
    struct http_answer answer;
    char id[2 * sizeof(exported.id) + 1];

    ck_assert(exchange_run(client, daemon, credential, "Cmeter", &exported, &answer));
    bytes_to_hex(bytes_of(exported.id, sizeof(exported.id)), id);
    int used = snprintf(call, size,
        "{\"method\":\"org.e2ekeyd.Keys.GetKey\",\"parameters\":{\"keyId\":\"%s\"}}", id);
    http_close(client);
    initiator_credential_free(credential);
    return (size_t)used + 1; /* with the NUL that ends a varlink message */
}

static void print_failures(const struct daemon *daemon)
{
    struct varlink varlink;

    varlink_open(&varlink, daemon->socket);
    json_t *reply = varlink_call(&varlink, "org.e2ekeyd.Keys.GetStatus", NULL);
    json_t *refused =
        json_object_get(json_object_get(json_object_get(reply, "parameters"), "status"), "refused");
    char *text = json_dumps(refused, JSON_COMPACT);
    printf("failed handshakes by kind: %s\n", text ? text : "not known");
    free(text);
    json_decref(reply);
    varlink_close(&varlink);
}

/* Check's assertions work only within a test: the bench is one, without a time limit. */
static const char *output;

START_TEST(bench)
{
    static struct column columns[ROW_COUNT];
    struct daemon daemon;
    struct redis redis = {0};
    char call[256];

    puts("bench: certificates, the daemon, redis when it is installed");
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon,
        &(struct daemon_options){
            .policy = "{\"limits\":{\"createsPerSecond\":1000000,\"createBurst\":1000000}}",
            .meters = BENCH_INITIATORS});
    redis_start(&redis, &daemon);
    size_t call_size = prepare_call(&daemon, call, sizeof(call));
    if (redis.pid == 0)
        puts("bench: redis-server is not installed: its rows are left out");
    else
        bench_lookup(redis.pid, redis.socket, REDIS_SET, strlen(REDIS_SET), "OK\r\n", 4, 1, 1);

    for (int i = 0; i < BENCH_ROUNDS; i++) {
        printf("bench: round %d of %d\n", i + 1, BENCH_ROUNDS);
        fflush(stdout);
        record(&columns[ROW_BARE], bench_bare_handshake(&daemon, HANDSHAKES));
        record(&columns[ROW_EXCHANGE], bench_exchange(&daemon, EXCHANGES));
        round_of_lookups(columns, &daemon, &redis, call, call_size);
    }
    json_t *json = report(columns);
    print_failures(&daemon);
    redis_stop(&redis);
    daemon_stop(&daemon);
    if (output)
        ck_assert_int_eq(json_dump_file(json, output, JSON_INDENT(2)), 0);
    json_decref(json);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("bench");
    TCase *group = tcase_create("bench");
    SRunner *runner = srunner_create(suite);

    output = argc > 1 ? argv[1] : NULL;
    tcase_set_timeout(group, 0);
    tcase_add_test(group, bench);
    suite_add_tcase(suite, group);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_MINIMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
