/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A server that stops while its threads accept connections. */
#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "http/server.h"
#include "support/check_main.h"

#define SLOW_US 200000

#define ROUNDS 200

static sem_t accepted;
static atomic_bool is_slow, is_over;

/* In libmicrohttpd's place: a thread that has a connection, and is slow to go on. */
int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict size, int flags)
{
    int connection = (int)syscall(SYS_accept4, fd, address.__sockaddr__, size, flags);
    if (connection < 0)
        return connection;
    sem_post(&accepted);
    if (is_slow)
        usleep(SLOW_US);
    return connection;
}

struct slow_scene {
    struct snapshot_slot *slot;
    struct key_cache *cache;
    struct rand_objects *rand_objects;
    struct procedure *procedure;
    struct http_server *server;
};

/* On the socket INHERITED, or when NULL on one of its own. */
static void open_scene(struct slow_scene *scene, const int *inherited)
{
    char *listen[] = {"127.0.0.1:0"};
    const struct policy policy = {.http = {.listen = listen, .listen_count = 1, .threads = 2}};
    struct fault fault = FAULT_INIT;
    sem_init(&accepted, 0, 0);
    struct report report CLEANUP(report_release) = {0};
    scene->slot = snapshot_slot_new(snapshot_new(calloc(1, sizeof(policy)), NULL, NULL, 1));
    ck_assert_ptr_nonnull(scene->slot);
    ck_assert_int_eq(key_cache_new(1, 1, &scene->cache, &fault), RESULT_OK);
    ck_assert_int_eq(rand_objects_new(&scene->rand_objects), RESULT_OK);
    ck_assert_int_eq(
        procedure_new(scene->slot, scene->cache, scene->rand_objects, &scene->procedure, &fault),
        RESULT_OK);
    ck_assert_int_eq(http_server_new(&policy, scene->slot, scene->procedure, inherited,
                         inherited ? 1 : 0, &scene->server, &report),
        RESULT_OK);
}

static void close_scene(struct slow_scene *scene)
{
    procedure_free(scene->procedure);
    rand_objects_free(scene->rand_objects);
    key_cache_free(scene->cache);
    snapshot_slot_free(scene->slot);
}

static int connect_to(const struct http_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *colon = strrchr(http_server_address(server, 0), ':');
    address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

START_TEST(who_is_being_accepted_is_heard)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct slow_scene scene;
    char answer[13] = "";
    open_scene(&scene, NULL);
    is_slow = true;
    int fd = connect_to(scene.server);
    ck_assert_int_eq(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
    sem_wait(&accepted);
    http_server_free(scene.server);
    ck_assert_int_eq(recv(fd, answer, 12, MSG_WAITALL), 12);
    ck_assert_str_eq(answer, "HTTP/1.1 400");
    close(fd);
    close_scene(&scene);
}
END_TEST

static void *keep_connecting(void *argument)
{
    const struct sockaddr_in *address = argument;
    while (!atomic_load(&is_over)) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void)connect(fd, (const struct sockaddr *)address, sizeof(*address));
        close(fd);
    }
    return NULL;
}

/* Threads are never told to stop accepting while they are at it: libmicrohttpd would abort. */
START_TEST(stops_while_others_come)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    pthread_t clients[2];
    struct slow_scene scene;
    int fd AUTO_CLOSE = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, SOMAXCONN), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&clients[i], NULL, keep_connecting, &address), 0);
    for (int i = 0; i < ROUNDS; i++) {
        int inherited = dup(fd);
        open_scene(&scene, &inherited);
        sem_wait(&accepted);
        http_server_free(scene.server);
        close_scene(&scene);
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(clients[i], NULL), 0);
}
END_TEST

CHECK_MAIN("http/stop", who_is_being_accepted_is_heard, stops_while_others_come)
