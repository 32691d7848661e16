/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any octets from a local process on the key socket, read, answered and written as on the daemon's
 * loop. The first octet says what the caller may do, and whether keys come and go. */
#include <fcntl.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "fuzz/stage.h"
#include "query/connection.h"
#include "unit/keys/sample.h"

#define KEYS      40U
#define TURNS_MAX 400

enum { MAY_ALL, MAY_SOME, MAY_NOTHING, POLICIES };

static struct snapshot_slot *slot;
static struct snapshot *snapshots[POLICIES];
static struct key_cache *cache;
static struct event_queue *events;
static int poller = -1;
static atomic_uint subscribers;
static bool is_open;

/* --- the daemon's side --- */

static json_t *status(void *context)
{
    (void)context;
    return json_pack("{s:i}", "answer", 42);
}

static json_t *metrics(void *context)
{
    (void)context;
    return json_string("# EOF\n");
}

static const struct query_reports reports = {.status = status, .metrics = metrics};

static const char *const clients[POLICIES] = {
    [MAY_ALL] =
        "[{\"user\":\"%s\",\"allow\":[\"get\",\"list\",\"revoke\",\"subscribe\",\"status\"]}]",
    [MAY_SOME] = "[{\"user\":\"%s\",\"allow\":[\"get\",\"list\",\"subscribe\"],"
                 "\"peers\":[\"//m2m.example/in-cse/C2\",\"//m2m.example/mn-cse/*\"]},"
                 "{\"user\":\"%s\",\"unit\":\"none.service\",\"allow\":[\"revoke\"]}]",
    [MAY_NOTHING] = "[{\"user\":\"no-such-user\",\"allow\":[\"get\"]}]",
};

static struct snapshot *snapshot_of(unsigned number)
{
    const struct passwd *us = getpwuid(geteuid());
    char entries[512], text[1024];

    must(us != NULL);
    const char *name = us ? us->pw_name : "";
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wformat-nonliteral"
    snprintf(entries, sizeof(entries), clients[number], name, name);
#pragma clang diagnostic pop
    snprintf(text, sizeof(text),
        "{\"cse\":{\"spId\":\"m2m.example\",\"cseId\":\"/in-cse\",\"cseBase\":\"cse-in\"},"
        "\"http\":{\"listen\":[\"127.0.0.1:0\"]},\"socket\":{\"path\":\"/s\"},"
        "\"endpoints\":[{\"name\":\"a\",\"identity\":\"//m2m.example/"
        "in-cse\",\"certificate\":\"c\","
        "\"privateKey\":\"k\"}],\"trust\":[{\"name\":\"t\",\"anchors\":\"a\"}],"
        "\"initiators\":[{\"flavour\":\"aeId\",\"identity\":\"//m2m.example/in-cse/*\","
        "\"trust\":\"t\"}],\"clients\":%s}",
        entries);
    fuzz_write("varlink.json", bytes_of_string(text));
    return snapshot_new(fuzz_policy("varlink.json"), NULL, NULL, number + 1);
}

static void open_service(void)
{
    if (is_open)
        return;
    is_open = true;
    for (unsigned i = 0; i < POLICIES; i++)
        snapshots[i] = snapshot_of(i);
    slot = snapshot_slot_new(snapshot_ref(snapshots[0]));
    poller = epoll_create1(EPOLL_CLOEXEC);
    must(slot && poller >= 0);
    must(event_queue_new(&events, NULL) == RESULT_OK);
}

static void put_keys(uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++) {
        char peer[64];
        snprintf(peer, sizeof(peer), "//m2m.example/in-cse/C%u", i);
        struct key_info info = sample_info(i, peer, 3600);
        must(put_sample(cache, &info) == RESULT_OK);
    }
}

/* --- the client's side --- */

/* What was answered is messages of JSON, each with its NUL. */
static void check_output(const char *text, size_t size)
{
    while (size > 0) {
        const char *end = memchr(text, 0, size);
        if (!end) /* the connection ended in between */
            return;
        json_t *reply = json_loadb(text, (size_t)(end - text), JSON_REJECT_DUPLICATES, NULL);
        must(json_is_object(reply));
        json_decref(reply);
        size -= (size_t)(end + 1 - text);
        text = end + 1;
    }
}

static char output[1 << 21];
static size_t output_size;

static void receive(int fd)
{
    for (ssize_t got;
         output_size < sizeof(output) &&
         (got = recv(fd, output + output_size, sizeof(output) - output_size, MSG_DONTWAIT)) > 0;)
        output_size += (size_t)got;
}

/* --- both --- */

static void mark_ended(struct connection *connection, void *context)
{
    *(bool *)context = true;
    connection_free(connection);
}

/* Serves CONNECTION until nothing is left to do; whether it goes on. */
static bool serve(struct connection *connection, const bool *ended, int client)
{
    struct epoll_event event;

    for (unsigned i = 0; i < TURNS_MAX && epoll_wait(poller, &event, 1, 0) == 1; i++) {
        connection_ready(connection, event.events);
        receive(client);
        if (*ended)
            return false;
    }
    return true;
}

/* One event of each kind; or so many that the client has lost some. */
static void send_events(struct connection *connection, const bool *ended, bool too_many)
{
    struct key_info info = sample_info(7, "//m2m.example/in-cse/C7", 3600);

    for (unsigned i = 0; too_many && i < EVENT_QUEUE_MAX; i++)
        event_queue_put(events, KEY_ESTABLISHED, &info);
    for (unsigned event = KEY_ESTABLISHED; event <= KEY_REVOKED_BY_CRL; event++) {
        event_queue_put(events, event, &info);
        if (!*ended && connection_is_subscribed(connection))
            connection_notify(connection);
    }
    event_queue_acknowledge(events);
}

static void converse(struct bytes in, bool has_events, bool too_many)
{
    const struct sessions sessions = {.slot = slot,
        .cache = cache,
        .reports = &reports,
        .events = events,
        .subscribers = &subscribers};
    struct connection *connection = NULL;
    struct caller caller;
    bool ended = false;
    int ends[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    must(caller_of(ends[0], &caller) == RESULT_OK);
    must(connection_new(poller, ends[0], &caller, &sessions, mark_ended, &ended, &connection) ==
         RESULT_OK);
    output_size = 0;
    must(send(ends[1], in.data, in.size, MSG_NOSIGNAL) == (ssize_t)in.size);
    bool goes_on = serve(connection, &ended, ends[1]);
    if (goes_on && has_events) {
        send_events(connection, &ended, too_many);
        goes_on = !ended;
    }
    receive(ends[1]);
    shutdown(ends[1], SHUT_WR);
    if (goes_on && serve(connection, &ended, ends[1]) && !ended)
        connection_free(connection);
    close(ends[1]);
    check_output(output, output_size);
    must(subscribers == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);

    fuzz_begin();
    open_service();
    uint8_t choice = fuzz_octet(&in);
    snapshot_swap(slot, snapshot_ref(snapshots[choice % POLICIES]));
    must(key_cache_new(64, 2, &cache, NULL) == RESULT_OK);
    put_keys(1, choice & 0x40 ? KEYS : 3);
    converse(in, choice & 0x80, choice & 0x20);
    key_cache_free(cache);
    return 0;
}
