/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libe2ekey against the real daemon. */
#include "client/e2ekey.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "support/check_main.h"
#include "support/daemon.h"

#define THREADS   8
#define GETS_EACH 500

static struct daemon daemon_;

/* A key with AE Cmeter, by e2ekeyctl; its octets. */
static void establish(uint8_t key[E2EKEY_KEY_OCTETS])
{
    const char *build = getenv("BUILD");
    char program[DAEMON_PATH_OCTETS], url[64], output[DAEMON_PATH_OCTETS];
    snprintf(program, sizeof(program), "%s/e2ekeyctl", build ? build : "build");
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/cse-in", daemon_.port);
    snprintf(output, sizeof(output), "%s", daemon_file(&daemon_, "key"));
    const char *arguments[] = {program, "exchange", "--url", url, "--from", "Cmeter",
        "--certificate", daemon_file(&daemon_, "meter.pem"), "--private-key",
        daemon_file(&daemon_, "meter.key"), "--anchors", daemon_file(&daemon_, "field-ca.pem"),
        "--server-identity", "//m2m.example/in-cse", "--server-name", "in-cse.m2m.example",
        "--output", output, NULL};
    pid_t pid;
    int status;
    ck_assert_int_eq(posix_spawn(&pid, program, NULL, NULL, (char **)arguments, environ), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    FILE *file = fopen(output, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(key, 1, E2EKEY_KEY_OCTETS, file), E2EKEY_KEY_OCTETS);
    fclose(file);
}

static struct e2ekey *connected(void)
{
    struct e2ekey *e2ekey;
    ck_assert_int_eq(e2ekey_connect(daemon_.socket, &e2ekey), E2EKEY_OK);
    return e2ekey;
}

struct task {
    struct e2ekey *e2ekey;
    uint8_t key[E2EKEY_KEY_OCTETS];
    unsigned wrong;
};

static void *get_many(void *context)
{
    struct task *task = context;
    for (int i = 0; i < GETS_EACH; i++) {
        struct e2ekey_key key;
        bool exists = i % 2 == 0;
        int error = e2ekey_get(task->e2ekey, exists ? "Cmeter" : "Cnobody", NULL, NULL, &key);
        task->wrong += error != (exists ? E2EKEY_OK : E2EKEY_NO_SUCH_KEY);
        task->wrong += exists && memcmp(key.key, task->key, sizeof(key.key)) != 0;
    }
    return NULL;
}

START_TEST(many_threads_share_a_handle)
{
    daemon_start(&daemon_, &(struct daemon_options){0});
    struct task task = {.e2ekey = connected()}, tasks[THREADS];
    pthread_t threads[THREADS];
    establish(task.key);
    for (int i = 0; i < THREADS; i++) {
        tasks[i] = task;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, get_many, &tasks[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_uint_eq(tasks[i].wrong, 0);
    }
    e2ekey_close(task.e2ekey);
    daemon_stop(&daemon_);
}
END_TEST

START_TEST(a_handle_outlives_the_daemon)
{
    daemon_start(&daemon_, &(struct daemon_options){0});
    uint8_t octets[E2EKEY_KEY_OCTETS];
    struct e2ekey_key key;
    struct e2ekey *e2ekey = connected();
    establish(octets);
    ck_assert_int_eq(e2ekey_get(e2ekey, "Cmeter", NULL, NULL, &key), E2EKEY_OK);
    ck_assert_int_eq(kill(daemon_.pid, SIGKILL), 0);
    ck_assert_int_eq(daemon_await_exit(&daemon_), 128 + SIGKILL);
    ck_assert_int_eq(e2ekey_get(e2ekey, "Cmeter", NULL, NULL, &key), E2EKEY_UNREACHABLE);
    daemon_launch(&daemon_, false);
    daemon_await_ready(&daemon_);
    ck_assert_int_eq(e2ekey_get(e2ekey, "Cmeter", NULL, NULL, &key), E2EKEY_NO_SUCH_KEY);
    e2ekey_close(e2ekey);
    daemon_stop(&daemon_);
}
END_TEST

START_TEST(lists_and_watches_leave_the_handle_free)
{
    daemon_start(&daemon_, &(struct daemon_options){0});
    uint8_t octets[E2EKEY_KEY_OCTETS];
    char event[E2EKEY_WORD_OCTETS];
    struct e2ekey_key key, other;
    struct e2ekey *e2ekey = connected();
    struct e2ekey_stream *list, *watch;
    establish(octets);
    ck_assert_int_eq(e2ekey_watch(e2ekey, &watch), E2EKEY_OK);
    ck_assert_int_eq(e2ekey_list(e2ekey, "Cmeter", NULL, &list), E2EKEY_OK);
    ck_assert_int_eq(e2ekey_next(list, DAEMON_TIMEOUT_MS, event, &key), E2EKEY_OK);
    ck_assert(!key.has_key);
    ck_assert_int_eq(e2ekey_get(e2ekey, NULL, key.key_id, NULL, &other), E2EKEY_OK);
    ck_assert_mem_eq(other.key, octets, sizeof(octets));
    ck_assert_int_eq(e2ekey_next(list, DAEMON_TIMEOUT_MS, event, &other), E2EKEY_END);
    ck_assert_int_eq(e2ekey_revoke(e2ekey, key.key_id), E2EKEY_OK);
    ck_assert_int_eq(e2ekey_next(watch, DAEMON_TIMEOUT_MS, event, &other), E2EKEY_OK);
    ck_assert_str_eq(event, "revoked");
    ck_assert_str_eq(other.key_id, key.key_id);
    ck_assert_int_eq(e2ekey_next(watch, 0, event, &other), E2EKEY_TIMED_OUT);
    e2ekey_stream_close(list);
    e2ekey_stream_close(watch);
    e2ekey_close(e2ekey);
    daemon_stop(&daemon_);
}
END_TEST

CHECK_MAIN("integration/client", many_threads_share_a_handle, a_handle_outlives_the_daemon,
    lists_and_watches_leave_the_handle_free)
