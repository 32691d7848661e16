/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "faults/inject.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "support/varlink.h"

#define ENTRY_POINT "/cse-in/e2EKeyCSE"
#define PATIENCE_MS 5000 /* for anything that comes at once */

static struct shim *shim;

static const char *build(void)
{
    const char *folder = getenv("BUILD");

    return folder ? folder : "build";
}

void inject_open(const struct daemon *daemon)
{
    int fd AUTO_CLOSE = open(daemon_file(daemon, "faults"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, sizeof(*shim)), 0);
    shim = mmap(NULL, sizeof(*shim), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert(shim != MAP_FAILED);
}

void inject_close(void)
{
    munmap(shim, sizeof(*shim));
    shim = NULL;
}

void inject_launch(struct daemon *daemon, bool inherit)
{
    char path[DAEMON_PATH_OCTETS];

    snprintf(path, sizeof(path), "%s/tests/faults/shim.so", build());
    shim->live = 0;
    setenv("LD_PRELOAD", path, 1);
    setenv("FAULTS", daemon_file(daemon, "faults"), 1);
    daemon_launch(daemon, inherit);
    unsetenv("LD_PRELOAD");
}

void inject(const struct fault_plan *plan)
{
    shim->calls = plan->calls;
    shim->thread = plan->thread;
    shim->effect = plan->effect;
    shim->error = plan->error;
    shim->first = plan->first ? plan->first : 1;
    shim->count = plan->count ? plan->count : 1;
    shim->seen = shim->hit = shim->deciding = shim->frame_count = 0;
    shim->armed = 1;
}

uint32_t inject_end(void)
{
    shim->armed = 0;
    while (shim->deciding > 0 && shim->hit == 0)
        sched_yield();
    return shim->seen;
}

void inject_wall_clock(int64_t seconds)
{
    shim->wall_s = seconds;
}

uint32_t inject_hits(void)
{
    return shim->hit;
}

int64_t inject_live(void)
{
    return shim->live;
}

void inject_await_live(int64_t wanted)
{
    for (int waited_ms = 0; inject_live() != wanted; waited_ms++) {
        ck_assert_msg(waited_ms < PATIENCE_MS, "%s\n%ld allocations more than there should be",
            inject_place(), (long)(inject_live() - wanted));
        poll(NULL, 0, 1);
    }
}

uint32_t inject_first(void)
{
    const char *first = getenv("FAULTS_FIRST");

    return first ? (uint32_t)strtoul(first, NULL, 10) : 1;
}

/* Within the program; 0: elsewhere. */
static uintptr_t offset_of(const void *frame)
{
    enum { PROGRAM_OCTETS_MAX = 1 << 24 };
    uintptr_t offset = (uintptr_t)frame - shim->base;

    return offset < PROGRAM_OCTETS_MAX ? offset : 0;
}

bool inject_was_ours(void)
{
    for (uint32_t i = 0; i < shim->frame_count; i++)
        if (offset_of(shim->frames[i]) > 0)
            return true;
    return false;
}

const char *inject_place(void)
{
    static char text[256 + 24 * SHIM_FRAMES];
    int used =
        snprintf(text, sizeof(text), "calls %#x, %s: number %u of %u: addr2line -fpe %s/e2ekeyd",
            shim->calls, shim->effect == SHIM_FAIL ? strerror(shim->error) : "cut short or killed",
            shim->first, shim->seen, build());

    for (uint32_t i = 0; i < shim->frame_count; i++)
        if (offset_of(shim->frames[i]) > 0)
            used += snprintf(text + used, sizeof(text) - (size_t)used, " %#lx",
                (unsigned long)offset_of(shim->frames[i]));
    return text;
}

/* --- starting --- */

char *inject_log(const struct daemon *daemon, size_t from)
{
    char *log = daemon_log(daemon);

    ck_assert_uint_ge(strlen(log), from);
    memmove(log, log + from, strlen(log + from) + 1);
    return log;
}

static void learn_port(struct daemon *daemon)
{
    static const char before[] = "listening on http://127.0.0.1:";
    char *log = daemon_log(daemon), *place = NULL;

    for (char *next = log; (next = strstr(next, before)) != NULL; next++)
        place = next; /* the last: it may have run before */
    if (place)        /* else it had no memory to say so */
        daemon->port = (uint16_t)strtoul(place + strlen(before), NULL, 10);
    free(log);
}

bool inject_await_start(struct daemon *daemon)
{
    struct pollfd ready[] = {
        {.fd = daemon->notify, .events = POLLIN}, {.fd = daemon->pidfd, .events = POLLIN}};
    char text[4096];

    for (;;) {
        ck_assert_msg(poll(ready, 2, DAEMON_TIMEOUT_MS) > 0, "%s\nit hangs", inject_place());
        ssize_t size = recv(daemon->notify, text, sizeof(text) - 1, MSG_DONTWAIT);
        if (size < 0 && ready[1].revents)
            return false;
        if (size < 0)
            continue;
        text[size] = '\0';
        if (strstr(text, "READY=1")) {
            learn_port(daemon);
            return true;
        }
    }
}

/* --- exchanges --- */

void attempt_begin(
    struct attempt *attempt, struct initiator_credential *credential, bool notify, const char *from)
{
    static unsigned next;
    struct fault fault = FAULT_INIT;

    *attempt = (struct attempt){.is_notify = notify, .from = from, .number = ++next};
    attempt->message.limit = attempt->message3.limit = 65536;
    ck_assert_msg(initiator_start(credential, "in-cse.m2m.example", &attempt->initiator,
                      &attempt->message, &fault) == RESULT_OK,
        "%s", fault.text);
}

void attempt_end(struct attempt *attempt)
{
    initiator_free(attempt->initiator);
    buffer_release(&attempt->message);
    buffer_release(&attempt->message3);
}

void attempt_answer_release(struct attempt_answer *answer)
{
    free(answer->text);
    *answer = (struct attempt_answer){0};
}

static const char *header(const char *text, const char *name)
{
    const char *found = strcasestr(text, name);

    return found ? found + strlen(name) : NULL;
}

/* All octets have come: as many as Content-Length says. */
static bool is_whole(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n"), *length = header(text, "\r\nContent-Length: ");

    return strncmp(text, "HTTP/1.1 ", 9) == 0 && end && length && length < end &&
           strlen(end + 4) == strtoul(length, NULL, 10);
}

static void send_request(
    const struct daemon *daemon, const char *request, struct attempt_answer *answer)
{
    *answer = (struct attempt_answer){0};
    int64_t began_ms = clock_steady_ms();
    answer->text = raw_call(daemon->port, request, strlen(request), PATIENCE_MS, NULL);
    ck_assert_msg(clock_steady_ms() - began_ms < PATIENCE_MS, "%s\nit hangs", inject_place());
    if (!is_whole(answer->text))
        return;
    const char *rsc = header(answer->text, "\r\nX-M2M-RSC: ");
    const char *location = header(answer->text, "\r\nContent-Location: ");
    answer->status = atoi(answer->text + 9);
    answer->rsc = rsc ? atoi(rsc) : 0;
    answer->body = strstr(answer->text, "\r\n\r\n") + 4;
    if (location)
        snprintf(answer->location, sizeof(answer->location), "%.*s", (int)strcspn(location, "\r\n"),
            location);
}

static void send_message(struct attempt *attempt, const struct daemon *daemon, const char *method,
    const char *path, const char *type, const struct buffer *message, unsigned number,
    struct attempt_answer *answer)
{
    char *text = malloc(BASE64_OCTETS(message->size) + 1), *content, *request;

    ck_assert_ptr_nonnull(text);
    base64_encode_text(buffer_bytes(message), text);
    ck_assert_int_gt(asprintf(&content,
                         attempt->is_notify ? "{\"m2m:seci\":{\"sit\":6,\"eckm\":\"%s\"}}"
                                            : "{\"m2m:e2ek\":{\"eckm\":\"%s\"}}",
                         text),
        0);
    ck_assert_int_gt(
        asprintf(&request,
            "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            "X-M2M-Origin: %s\r\nX-M2M-RI: f%u-%u\r\nX-M2M-RVI: 3\r\n"
            "Content-Type: application/json%s\r\nContent-Length: %zu\r\n\r\n%s",
            method, path, attempt->from, attempt->number, number, type, strlen(content), content),
        0);
    send_request(daemon, request, answer);
    free(request);
    free(content);
    free(text);
}

void attempt_message1(
    struct attempt *attempt, const struct daemon *daemon, struct attempt_answer *answer)
{
    struct buffer message2 AUTO_BUFFER = {.limit = 65536};
    struct fault fault = FAULT_INIT;

    send_message(attempt, daemon, "POST", ENTRY_POINT, attempt->is_notify ? "" : ";ty=30001",
        &attempt->message, 1, answer);
    if (answer->status / 100 != 2)
        return;
    exchange_message(answer->body, &message2);
    ck_assert_msg(initiator_answer(attempt->initiator, buffer_bytes(&message2),
                      "//m2m.example/in-cse", &attempt->message3, &fault) == RESULT_OK,
        "%s", fault.text);
    ck_assert(attempt->is_notify || answer->location[0] == '/');
    snprintf(attempt->path, sizeof(attempt->path), "%s%s", attempt->is_notify ? "" : "/~",
        attempt->is_notify ? ENTRY_POINT : answer->location);
}

void attempt_message3(
    struct attempt *attempt, const struct daemon *daemon, struct attempt_answer *answer)
{
    struct buffer message4 AUTO_BUFFER = {.limit = 65536};
    struct fault fault = FAULT_INIT;

    send_message(attempt, daemon, attempt->is_notify ? "POST" : "PUT", attempt->path, "",
        &attempt->message3, 3, answer);
    if (answer->status / 100 != 2)
        return;
    exchange_message(answer->body, &message4);
    ck_assert_msg(initiator_finish(attempt->initiator, buffer_bytes(&message4), &attempt->exported,
                      &fault) == RESULT_OK,
        "%s", fault.text);
}

bool attempt_key_is_there(const struct attempt *attempt, const struct daemon *daemon)
{
    char id[2 * sizeof(attempt->exported.id) + 1], text[BASE64_OCTETS(32) + 1];
    struct varlink varlink;

    bytes_to_hex(bytes_of(attempt->exported.id, sizeof(attempt->exported.id)), id);
    base64_encode_text(bytes_of(attempt->exported.key, sizeof(attempt->exported.key)), text);
    varlink_open(&varlink, daemon->socket);
    json_t *reply =
        varlink_call(&varlink, "org.e2ekeyd.Keys.GetKey", json_pack("{s:s}", "keyId", id));
    const json_t *got = json_object_get(json_object_get(reply, "parameters"), "key");
    if (got)
        ck_assert_str_eq(json_string_value(json_object_get(got, "key")), text);
    else
        ck_assert_str_eq(varlink_error(reply), "org.e2ekeyd.Keys.NoSuchKey");
    bool there = got != NULL;
    json_decref(reply);
    varlink_close(&varlink);
    return there;
}

/* It hangs up only where libmicrohttpd cannot go on with the connection. */
static bool is_our_fault(const struct attempt_answer *answer)
{
    if (answer->status == 0)
        return !inject_was_ours();
    return (answer->status == 500 || answer->status == 503) && answer->rsc == 5000;
}

/* One message, which may fail; then it is sent again. Returns the status of the last answer. */
static int send_until_clear(const struct daemon *daemon,
    void (*send)(
        struct attempt *attempt, const struct daemon *daemon, struct attempt_answer *answer),
    struct attempt *attempt)
{
    struct attempt_answer answer;

    for (uint32_t tries = 0;; tries++) {
        send(attempt, daemon, &answer);
        if (answer.status / 100 == 2 || tries == shim->hit)
            break;
        ck_assert_msg(is_our_fault(&answer), "%s\n%s", inject_place(), answer.text);
        attempt_answer_release(&answer);
    }
    int status = answer.status;
    ck_assert_msg(status / 100 == 2 || status == 404, "%s\nagain: %s", inject_place(), answer.text);
    attempt_answer_release(&answer);
    return status;
}

bool attempt_run(const struct daemon *daemon, struct initiator_credential *credential, bool notify,
    const char *from)
{
    struct attempt attempt;

    attempt_begin(&attempt, credential, notify, from);
    ck_assert_int_ne(send_until_clear(daemon, attempt_message1, &attempt), 404);
    bool good = send_until_clear(daemon, attempt_message3, &attempt) != 404;
    if (good)
        ck_assert(attempt_key_is_there(&attempt, daemon));
    attempt_end(&attempt);
    return good;
}
