/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls of the daemon fail, or do less than was asked: at each of the calls of its kind in
 * turn, during an exchange, a question on the key socket, a start, and a reload. */
#include "support/check_main.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "faults/inject.h"
#include "support/varlink.h"
#include "tls/context.h"

#define POLICY                                                                                     \
    "{\"http\":{\"threads\":1},\"keys\":{\"perPeer\":64,\"capacity\":256},"                        \
    "\"limits\":{\"createsPerSecond\":100000,\"createBurst\":100000}}"

static struct daemon daemon_;
static struct initiator_credential *credential;

static void set_up(void)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_prepare(&daemon_, &(struct daemon_options){.policy = POLICY});
    credential = exchange_credential(&daemon_, "meter");
    inject_open(&daemon_);
}

static void tear_down(void)
{
    initiator_credential_free(credential);
    if (daemon_.pid > 0)
        daemon_stop(&daemon_);
    else
        daemon_remove(&daemon_);
    inject_close();
}

static void launch(void)
{
    inject_launch(&daemon_, false);
    ck_assert(inject_await_start(&daemon_));
}

#define SHORT (-1) /* no error: one octet at a time */

struct row {
    enum shim_call call;
    int errors[6]; /* 0 at the end */
};

static struct fault_plan plan_of(const struct row *row, size_t error, uint32_t first)
{
    int number = row->errors[error];

    return (struct fault_plan){.calls = row->call,
        .effect = number == SHORT ? SHIM_SHORT : SHIM_FAIL,
        .error = number == SHORT ? 0 : number,
        .first = first};
}

/* Calls TRY_IT with each error of each row at each call until there is no such call any more. */
static void try_all(const struct row *rows, size_t count, enum shim_thread thread,
    uint32_t (*try_it)(const struct fault_plan *plan))
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < ARRAY_SIZE(rows->errors) && rows[i].errors[j]; j++) {
            uint32_t at = inject_first();
            for (;; at++) {
                struct fault_plan plan = plan_of(&rows[i], j, at);
                plan.thread = thread;
                if (try_it(&plan) < at)
                    break;
            }
            ck_assert_msg(at > 1, "row %zu: there is no such call", i);
        }
    }
}

/* --- exchanges --- */

/* libmicrohttpd waits for an edge after recv said EAGAIN or gave less than it asked for, as the
 * kernel does not do while there is more: neither is tried here. */
static const struct row in_exchanges[] = {
    {SHIM_RECV, {EINTR, ECONNRESET, ENOMEM}},
    {SHIM_SEND | SHIM_SENDMSG, {EINTR, EAGAIN, EPIPE, ENOBUFS, SHORT}},
    {SHIM_ACCEPT, {EINTR, EMFILE, ENFILE, ECONNABORTED, ENOMEM}},
    {SHIM_EPOLL_WAIT, {EINTR}},
    {SHIM_EPOLL_CTL, {ENOMEM, ENOSPC}},
    {SHIM_GETRANDOM, {EINTR, EIO, ENOSYS, SHORT}},
};

static uint32_t exchange_with(const struct fault_plan *plan)
{
    inject(plan);
    (void)attempt_run(&daemon_, credential, false, "Cmeter");
    uint32_t seen = inject_end();
    ck_assert_msg(attempt_run(&daemon_, credential, false, "Cmeter"), "%s", inject_place());
    return seen;
}

START_TEST(exchanges)
{
    launch();
    try_all(in_exchanges, ARRAY_SIZE(in_exchanges), SHIM_OTHER_THREADS, exchange_with);
}
END_TEST

/* Without random octets there is no Message 2, whatever wolfSSL falls back to, and no key. */
START_TEST(no_random_octets)
{
    static const int errors[] = {EIO, ENOSYS};
    struct attempt attempt;
    struct attempt_answer answer;

    launch();
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        attempt_begin(&attempt, credential, false, "Cmeter");
        inject(&(struct fault_plan){.calls = SHIM_GETRANDOM | SHIM_OPEN,
            .thread = SHIM_OTHER_THREADS,
            .error = errors[i],
            .count = SHIM_FOREVER});
        attempt_message1(&attempt, &daemon_, &answer);
        ck_assert_uint_gt(inject_hits(), 0);
        ck_assert_msg(answer.status == 500 && answer.rsc == 5000, "%s", answer.text);
        attempt_answer_release(&answer);
        inject_end();
        attempt_message1(&attempt, &daemon_, &answer);
        ck_assert_int_eq(answer.status, 201);
        attempt_answer_release(&answer);
        attempt_message3(&attempt, &daemon_, &answer);
        ck_assert_int_eq(answer.status, 200);
        attempt_answer_release(&answer);
        attempt_end(&attempt);
    }
}
END_TEST

/* The memory of a key is had before the key is written there. */
START_TEST(no_room_for_a_key)
{
    struct attempt attempt;
    struct attempt_answer answer;

    launch();
    attempt_begin(&attempt, credential, false, "Cmeter");
    attempt_message1(&attempt, &daemon_, &answer);
    attempt_answer_release(&answer);
    inject(&(struct fault_plan){.calls = SHIM_FALLOCATE, .error = ENOSPC, .count = SHIM_FOREVER});
    attempt_message3(&attempt, &daemon_, &answer);
    ck_assert_uint_gt(inject_hits(), 0);
    ck_assert_msg(answer.status == 500 && answer.rsc == 5000, "%s", answer.text);
    attempt_answer_release(&answer);
    inject_end();
    attempt_message3(&attempt, &daemon_, &answer);
    ck_assert_int_eq(answer.status, 404);
    attempt_answer_release(&answer);
    attempt_end(&attempt);
    inject(&(struct fault_plan){.calls = SHIM_FALLOCATE, .error = EINTR});
    ck_assert(attempt_run(&daemon_, credential, false, "Cmeter"));
    inject_end();
    ck_assert_uint_eq(inject_hits(), 1);
}
END_TEST

START_TEST(a_log_on_a_full_disk)
{
    ck_assert_int_eq(symlink("/dev/full", daemon_file(&daemon_, "stderr")), 0);
    inject_launch(&daemon_, true);
    ck_assert(inject_await_start(&daemon_));
    ck_assert(attempt_run(&daemon_, credential, false, "Cmeter"));
}
END_TEST

/* --- the key socket --- */

static const struct row on_the_socket[] = {
    {SHIM_ACCEPT, {EINTR, EMFILE, ENFILE, ECONNABORTED, ENOMEM}},
    {SHIM_RECV | SHIM_RECVMSG, {EINTR, EAGAIN, ECONNRESET, ENOMEM, SHORT}},
    {SHIM_SEND | SHIM_SENDMSG, {EINTR, EAGAIN, EPIPE, ENOBUFS, SHORT}},
    {SHIM_EPOLL_WAIT, {EINTR}},
    {SHIM_EPOLL_CTL, {ENOMEM, ENOSPC}},
};

/* The daemon may hang up on whom a call failed for; it answers the next. */
static uint32_t ask_with(const struct fault_plan *plan)
{
    static const char question[] = "{\"method\":\"org.varlink.service.GetInfo\"}";
    struct varlink varlink;
    json_t *reply;

    inject(plan);
    varlink_open(&varlink, daemon_.socket);
    reply = varlink_send(&varlink, question, sizeof(question)) ? varlink_receive(&varlink) : NULL;
    uint32_t seen = inject_end();
    ck_assert_msg(reply || inject_hits() > 0, "%s", inject_place());
    json_decref(reply);
    varlink_close(&varlink);

    varlink_open(&varlink, daemon_.socket);
    reply = varlink_call(&varlink, "org.varlink.service.GetInfo", NULL);
    ck_assert_str_eq(varlink_error(reply), "");
    json_decref(reply);
    varlink_close(&varlink);
    return seen;
}

START_TEST(questions)
{
    launch();
    try_all(on_the_socket, ARRAY_SIZE(on_the_socket), SHIM_MAIN_THREAD, ask_with);
}
END_TEST

/* --- starts --- */

static const struct row at_a_start[] = {
    {SHIM_OPEN, {EMFILE, ENFILE, EIO, ENOMEM}},
    {SHIM_FSTAT, {EIO}},
    {SHIM_READ, {EIO, EINTR, SHORT}},
    {SHIM_MMAP, {ENOMEM, EAGAIN}},
    {SHIM_MADVISE, {ENOMEM}},
    {SHIM_MLOCK, {ENOMEM, EPERM, EAGAIN}},
    {SHIM_MEMFD_CREATE, {EMFILE, ENFILE, ENOMEM}},
    {SHIM_FTRUNCATE, {ENOSPC, EIO}},
    {SHIM_GETRANDOM, {EIO, ENOSYS, EINTR, SHORT}},
    {SHIM_SOCKET, {EMFILE, ENFILE, ENOBUFS}},
    {SHIM_BIND, {EACCES, ENOSPC, EADDRINUSE}},
    {SHIM_LISTEN, {EADDRINUSE}},
    {SHIM_EPOLL_CREATE, {EMFILE, ENOMEM}},
    {SHIM_EPOLL_CTL, {ENOMEM, ENOSPC}},
    {SHIM_EVENTFD, {EMFILE}},
    {SHIM_TIMERFD, {EMFILE}},
    {SHIM_SIGNALFD, {EMFILE}},
    {SHIM_THREAD, {EAGAIN}},
    {SHIM_FLOCK, {EINTR, ENOLCK}},
};

/* It starts, and works; or ends with the reason in its log. */
static uint32_t start_with(const struct fault_plan *plan)
{
    char *before = daemon_log(&daemon_);
    size_t size = strlen(before);

    free(before);
    inject(plan);
    inject_launch(&daemon_, false);
    if (inject_await_start(&daemon_)) {
        uint32_t seen = inject_end();
        ck_assert(attempt_run(&daemon_, credential, false, "Cmeter"));
        ck_assert_int_eq(kill(daemon_.pid, SIGTERM), 0);
        ck_assert_int_eq(kill(daemon_.pid, SIGINT), 0);
        ck_assert_msg(daemon_await_exit(&daemon_) == 0, "%s", inject_place());
        return seen;
    }
    int status = daemon_await_exit(&daemon_);
    char *said = inject_log(&daemon_, size);
    ck_assert_msg(status == 1 && strstr(said, "error: ") && plan->error != EINTR &&
                      plan->effect != SHIM_SHORT,
        "%s: %s\nexit status %d: %s", inject_place(), strerror(plan->error), status, said);
    free(said);
    return inject_end();
}

START_TEST(starts)
{
    try_all(at_a_start, ARRAY_SIZE(at_a_start), SHIM_ANY_THREAD, start_with);
}
END_TEST

/* --- reloads --- */

static const struct row at_a_reload[] = {
    {SHIM_OPEN, {EMFILE, ENFILE, EIO, ENOMEM}},
    {SHIM_FSTAT, {EIO}},
    {SHIM_READ, {EIO, EINTR, SHORT}},
};

static uint32_t reload_with(const struct fault_plan *plan)
{
    inject(plan);
    ck_assert_int_eq(kill(daemon_.pid, SIGHUP), 0);
    ck_assert_msg(inject_await_start(&daemon_), "%s\nit ended", inject_place());
    uint32_t seen = inject_end();
    ck_assert_msg(attempt_run(&daemon_, credential, false, "Cmeter"), "%s", inject_place());
    return seen;
}

START_TEST(reloads)
{
    launch();
    try_all(at_a_reload, ARRAY_SIZE(at_a_reload), SHIM_MAIN_THREAD, reload_with);
}
END_TEST

CHECK_MAIN_FIXTURE("faults/system_calls", set_up, tear_down, exchanges, no_random_octets,
    no_room_for_a_key, a_log_on_a_full_disk, questions, starts, reloads)
