/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/query/fixture.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "policy_load/load.h"
#include "support/check_main.h"

#define PATIENCE_MS 30000

/* --- the policy --- */

static const char policy_text[] =
    "{\"cse\":{\"spId\":\"m2m.example\",\"cseId\":\"/in-cse\",\"cseBase\":\"cse-in\"},"
    "\"http\":{\"listen\":[\"127.0.0.1:0\"]},\"socket\":{\"path\":\"%s\"},"
    "\"endpoints\":[{\"name\":\"in-cse\",\"identity\":\"//m2m.example/in-cse\","
    "\"certificate\":\"in-cse.pem\",\"privateKey\":\"in-cse.key\"}],"
    "\"trust\":[{\"name\":\"field\",\"anchors\":\"field-ca.pem\"}],"
    "\"initiators\":[{\"flavour\":\"aeId\",\"identity\":\"//m2m.example/in-cse/*\","
    "\"trust\":\"field\"}]%s%s}";

/* CLIENTS as the policy wants them: each entry for this user, and no member at all without any. */
static char *for_us(const char *clients)
{
    json_t *entries = json_loads(clients, 0, NULL), *entry;
    ck_assert_ptr_nonnull(entries);
    const struct passwd *us = getpwuid(geteuid());
    ck_assert_ptr_nonnull(us);
    size_t i;
    json_array_foreach(entries, i, entry)
    {
        ck_assert_int_eq(json_object_set_new(entry, "user", json_string(us->pw_name)), 0);
    }
    char *text = i > 0 ? json_dumps(entries, 0) : strdup("");
    json_decref(entries);
    return text;
}

static struct snapshot *load(const struct service *service, const char *clients)
{
    char path[sizeof(service->folder) + 16];
    snprintf(path, sizeof(path), "%s/policy.json", service->folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    char *entries AUTO_FREE = for_us(clients);
    fprintf(file, policy_text, service->path, entries[0] != '\0' ? ",\"clients\":" : "", entries);
    ck_assert_int_eq(fclose(file), 0);

    struct report report = {0};
    struct policy *policy = NULL;
    enum result result = policy_load(path, &policy, &report);
    ck_assert_msg(result == RESULT_OK, "%s", report.count > 0 ? report.entries[0].text : "?");
    report_release(&report);
    unlink(path);
    struct snapshot *snapshot = snapshot_new(policy, NULL, NULL, 1);
    ck_assert_ptr_nonnull(snapshot);
    return snapshot;
}

void service_reload(struct service *service, const char *clients)
{
    snapshot_swap(service->slot, load(service, clients));
}

/* --- the server --- */

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

static int on_stop(sd_event_source *source, int fd, uint32_t events, void *context)
{
    (void)fd;
    (void)events;
    (void)context;
    return sd_event_exit(sd_event_source_get_event(source), 0);
}

static void *run_loop(void *context)
{
    static const struct query_reports reports = {.status = status, .metrics = metrics};
    struct service *service = context;
    sd_event *loop = NULL;
    ck_assert_int_ge(sd_event_new(&loop), 0);
    ck_assert_int_ge(sd_event_add_io(loop, NULL, service->stop, POLLIN, on_stop, NULL), 0);
    struct fault fault = FAULT_INIT;
    enum result result = query_server_new(
        loop, service->slot, service->cache, -1, &reports, &service->server, &fault);
    ck_assert_msg(result == RESULT_OK, "%s", fault.text);
    key_cache_listen(service->cache, query_server_notify, service->server);
    ck_assert_int_eq(sem_post(&service->ready), 0);
    ck_assert_int_eq(sd_event_loop(loop), 0);
    query_server_free(service->server);
    sd_event_unref(loop);
    return NULL;
}

void service_start(struct service *service, const char *clients)
{
    const char *temporary = getenv("TMPDIR");
    *service = (struct service){0};
    snprintf(service->folder, sizeof(service->folder), "%s/query.XXXXXX",
        temporary ? temporary : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(service->folder));
    ck_assert_int_eq(chdir(service->folder), 0); /* service_connect relies on it */
    snprintf(service->path, sizeof(service->path), "%s/keys.sock", service->folder);
    service->slot = snapshot_slot_new(load(service, clients));
    ck_assert_ptr_nonnull(service->slot);
    ck_assert_int_eq(key_cache_new(20000, 2, &service->cache, NULL), RESULT_OK);
    service->stop = eventfd(0, 0);
    ck_assert_int_ge(service->stop, 0);
    ck_assert_int_eq(sem_init(&service->ready, 0, 0), 0);
    ck_assert_int_eq(pthread_create(&service->thread, NULL, run_loop, service), 0);
    while (sem_wait(&service->ready) < 0)
        ck_assert_int_eq(errno, EINTR);
}

void service_stop(struct service *service)
{
    ck_assert_int_eq(eventfd_write(service->stop, 1), 0);
    ck_assert_int_eq(pthread_join(service->thread, NULL), 0);
    close(service->stop);
    sem_destroy(&service->ready);
    key_cache_free(service->cache);
    snapshot_slot_free(service->slot);
    ck_assert_int_ne(access(service->path, F_OK), 0); /* its socket went with it */
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(service->folder), 0);
}

/* --- keys --- */

void service_put(struct service *service, uint32_t number)
{
    struct key_info info = {
        .local = "//m2m.example/in-cse",
        .role = KEY_ROLE_TERMINATING,
        .flavour = FLAVOUR_AE_ID,
        .cipher_suite = 0xc023,
        .established_s = clock_wall_s(),
        .expires_s = clock_wall_s() + 3600,
    };
    uint8_t key[KEY_OCTETS];
    memcpy(info.id, &number, sizeof(number));
    snprintf(info.peer, sizeof(info.peer), "//m2m.example/in-cse/C%u", number);
    memset(key, (int)number, sizeof(key));
    ck_assert_int_eq(key_cache_put(service->cache, &info, key, (struct bytes){0}), RESULT_OK);
}

void service_id(uint32_t number, char text[2 * KEY_ID_OCTETS + 1])
{
    uint8_t id[KEY_ID_OCTETS] = {0};
    memcpy(id, &number, sizeof(number));
    bytes_to_hex(bytes_of(id, sizeof(id)), text);
}

/* --- the client --- */

/* By a relative path, which is open to any user whom the folder itself lets in. */
int service_connect(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "keys.sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

void client_send(int fd, const char *text)
{
    size_t size = strlen(text) + 1;
    ck_assert_int_eq(send(fd, text, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* How much of TEXT was filled, up to the first NUL and with it; 0: closed. Nothing of what comes
 * after it is taken. */
static size_t receive_some(int fd, char *text, size_t room)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    if (poll(&poller, 1, PATIENCE_MS) != 1)
        ck_abort_msg("no reply in time");
    ssize_t there = recv(fd, text, room, MSG_PEEK);
    if (there <= 0)
        return 0;
    const char *end = memchr(text, '\0', (size_t)there);
    size_t size = end ? (size_t)(end - text) + 1 : (size_t)there;
    return recv(fd, text, size, 0) == (ssize_t)size ? size : 0;
}

json_t *client_receive(int fd)
{
    char text[8192];
    size_t size = 0, more;
    do {
        more = receive_some(fd, text + size, sizeof(text) - size);
        size += more;
    } while (more > 0 && text[size - 1] != '\0');
    if (more == 0)
        return NULL;
    json_t *reply = json_loadb(text, size - 1, JSON_REJECT_DUPLICATES, NULL);
    if (!reply)
        ck_abort_msg("not JSON: %s", text);
    return reply;
}

json_t *client_call(int fd, const char *text)
{
    client_send(fd, text);
    json_t *reply = client_receive(fd);
    ck_assert_ptr_nonnull(reply);
    return reply;
}

void client_expect(int fd, const char *wanted)
{
    json_t *reply = client_receive(fd), *other = json_loads(wanted, 0, NULL);
    ck_assert_ptr_nonnull(other);
    char *got = json_dumps(reply, JSON_COMPACT);
    ck_assert_msg(json_equal(reply, other), "got %s, wanted %s", got ? got : "nothing", wanted);
    free(got);
    json_decref(reply);
    json_decref(other);
}

void client_expect_error(int fd, const char *error)
{
    json_t *reply = client_receive(fd);
    const char *got = json_string_value(json_object_get(reply, "error"));
    ck_assert_msg(
        got && strcmp(got, error) == 0, "got %s, wanted %s", got ? got : "no error", error);
    json_decref(reply);
}

void client_expect_closed(int fd)
{
    char octet;
    ck_assert_uint_eq(receive_some(fd, &octet, 1), 0);
}
