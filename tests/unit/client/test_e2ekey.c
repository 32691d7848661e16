/* SPDX-License-Identifier: MIT */
/* How the library bears with a far side that misbehaves: what a real daemon never sends. */
#include "client/e2ekey.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/check_main.h"

static char folder[64], path[128];
static int listening;
static pthread_t thread;

/* What is sent back, one a call; NULL: hang up. */
struct script {
    const char *const *replies;
    size_t count;
};

static void read_call(int fd)
{
    char octet = 'x';
    while (octet != '\0' && read(fd, &octet, 1) == 1)
        ;
}

static void *play(void *context)
{
    const struct script *script = context;
    int fd = -1;
    for (size_t i = 0; i < script->count; i++) {
        if (fd < 0)
            fd = accept(listening, NULL, NULL);
        read_call(fd);
        const char *reply = script->replies[i];
        if (reply && send(fd, reply, strlen(reply) + 1, MSG_NOSIGNAL) > 0)
            continue;
        close(fd);
        fd = -1;
    }
    read_call(fd); /* until the client leaves */
    if (fd >= 0)
        close(fd);
    return NULL;
}

static void start(struct script *script)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/client.XXXXXX", temporary ? temporary : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/keys.sock", folder);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    listening = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listening, 5), 0);
    if (script)
        ck_assert_int_eq(pthread_create(&thread, NULL, play, script), 0);
}

static void stop(const struct script *script)
{
    if (script)
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
    close(listening);
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

#define SCRIPT(...)                                                                                \
    static const char *const replies[] = {__VA_ARGS__};                                            \
    struct script script = {replies, sizeof(replies) / sizeof(replies[0])}

#define KEY_REPLY(material, end)                                                                   \
    "{\"parameters\":{\"key\":{\"keyId\":\"00112233445566778899aabbccddeeff\"," material           \
    "\"peer\":\"//sp/cse/Cx\",\"local\":\"//sp/cse\",\"role\":\"terminating\","                    \
    "\"flavour\":\"aeId\",\"cipherSuite\":\"S\",\"established\":5,\"expires\":6}}" end "}"
#define MATERIAL "\"key\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","

static void ck_assert_wiped(const struct e2ekey_key *key)
{
    static const struct e2ekey_key none;
    ck_assert_mem_eq(key, &none, sizeof(none));
}

START_TEST(a_key_comes_into_the_callers_hands)
{
    SCRIPT(KEY_REPLY(MATERIAL, ""));
    start(&script);
    struct e2ekey *e2ekey;
    struct e2ekey_key key;
    ck_assert_int_eq(e2ekey_connect(path, &e2ekey), E2EKEY_OK);
    ck_assert_int_eq(e2ekey_get(e2ekey, "Cx", NULL, NULL, &key), E2EKEY_OK);
    ck_assert(key.has_key);
    ck_assert_uint_eq(key.key[31], 31);
    ck_assert_str_eq(key.peer, "//sp/cse/Cx");
    e2ekey_wipe(&key);
    ck_assert_wiped(&key);
    e2ekey_close(e2ekey);
    stop(&script);
}
END_TEST

START_TEST(answers_that_are_none_are_refused)
{
    SCRIPT("", "x", "[]", "{}", "{\"parameters\":{}}", KEY_REPLY("", ""),
        KEY_REPLY("\"key\":\"short\",", ""), "{\"error\":\"org.e2ekeyd.Keys.NoSuchKey\"}");
    start(&script);
    struct e2ekey *e2ekey;
    struct e2ekey_key key;
    ck_assert_int_eq(e2ekey_connect(path, &e2ekey), E2EKEY_OK);
    for (size_t i = 0; i + 1 < script.count; i++) {
        ck_assert_int_eq(e2ekey_get(e2ekey, "Cx", NULL, NULL, &key), E2EKEY_PROTOCOL);
        ck_assert_wiped(&key);
    }
    ck_assert_int_eq(e2ekey_get(e2ekey, "Cx", NULL, NULL, &key), E2EKEY_NO_SUCH_KEY);
    ck_assert_wiped(&key);
    e2ekey_close(e2ekey);
    stop(&script);
}
END_TEST

START_TEST(errors_have_their_codes)
{
    SCRIPT("{\"error\":\"org.e2ekeyd.Keys.NoSuchKey\"}",
        "{\"error\":\"org.e2ekeyd.Keys.EventsLost\"}",
        "{\"error\":\"org.varlink.service.PermissionDenied\"}",
        "{\"error\":\"org.varlink.service.InvalidParameter\"}",
        "{\"error\":\"org.example.Other\"}");
    static const int errors[] = {
        E2EKEY_NO_SUCH_KEY, E2EKEY_EVENTS_LOST, E2EKEY_DENIED, E2EKEY_INVALID, E2EKEY_PROTOCOL};
    start(&script);
    struct e2ekey *e2ekey;
    ck_assert_int_eq(e2ekey_connect(path, &e2ekey), E2EKEY_OK);
    for (size_t i = 0; i < script.count; i++)
        ck_assert_int_eq(e2ekey_revoke(e2ekey, "00112233445566778899aabbccddeeff"), errors[i]);
    e2ekey_close(e2ekey);
    stop(&script);
}
END_TEST

#define REPLY_WITH(id, times)                                                                      \
    "{\"parameters\":{\"key\":{" MATERIAL "\"keyId\":\"" id                                        \
    "\",\"peer\":\"//sp/cse/Cx\",\"local\":\"//sp/cse\",\"role\":\"terminating\","                 \
    "\"flavour\":\"aeId\",\"cipherSuite\":\"S\"" times "}}}"
#define ID "00112233445566778899aabbccddeeff"

START_TEST(a_key_is_read_whole_or_not_at_all)
{
    SCRIPT(REPLY_WITH(ID, ",\"established\":5,\"expires\":6,\"new\":1"),
        REPLY_WITH(ID, ",\"established\":5"),
        REPLY_WITH(ID, ",\"established\":5,\"expires\":\"6\""),
        REPLY_WITH(ID "0", ",\"established\":5,\"expires\":6"));
    start(&script);
    struct e2ekey *e2ekey;
    struct e2ekey_key key;
    ck_assert_int_eq(e2ekey_connect(path, &e2ekey), E2EKEY_OK);
    ck_assert_int_eq(e2ekey_get(e2ekey, "Cx", NULL, NULL, &key), E2EKEY_OK);
    ck_assert_str_eq(key.key_id, ID);
    ck_assert_str_eq(key.cipher_suite, "S");
    ck_assert_int_eq(key.established, 5);
    ck_assert_int_eq(key.expires, 6);
    for (size_t i = 1; i < script.count; i++) {
        ck_assert_int_eq(e2ekey_get(e2ekey, "Cx", NULL, NULL, &key), E2EKEY_PROTOCOL);
        ck_assert_wiped(&key);
    }
    e2ekey_close(e2ekey);
    stop(&script);
}
END_TEST

START_TEST(a_daemon_that_was_started_anew_is_found_again)
{
    SCRIPT(KEY_REPLY(MATERIAL, ""), NULL, KEY_REPLY(MATERIAL, ""));
    start(&script);
    struct e2ekey *e2ekey;
    struct e2ekey_key key;
    ck_assert_int_eq(e2ekey_connect(path, &e2ekey), E2EKEY_OK);
    ck_assert_int_eq(e2ekey_get(e2ekey, "Cx", NULL, NULL, &key), E2EKEY_OK);
    ck_assert_int_eq(e2ekey_get(e2ekey, "Cx", NULL, NULL, &key), E2EKEY_UNREACHABLE);
    ck_assert_int_eq(e2ekey_get(e2ekey, "Cx", NULL, NULL, &key), E2EKEY_OK);
    e2ekey_close(e2ekey);
    stop(&script);
}
END_TEST

START_TEST(a_silent_daemon_times_out)
{
    start(NULL); /* connections wait in the queue, unread */
    struct e2ekey *e2ekey;
    struct e2ekey_key key;
    char *json;
    ck_assert_int_eq(e2ekey_connect(path, &e2ekey), E2EKEY_OK);
    e2ekey_set_timeout(e2ekey, 20);
    ck_assert_int_eq(e2ekey_get(e2ekey, "Cx", NULL, NULL, &key), E2EKEY_TIMED_OUT);
    ck_assert_int_eq(e2ekey_status(e2ekey, &json), E2EKEY_TIMED_OUT);
    ck_assert_ptr_null(json);
    struct e2ekey_stream *watch;
    char event[E2EKEY_WORD_OCTETS];
    ck_assert_int_eq(e2ekey_watch(e2ekey, &watch), E2EKEY_OK);
    ck_assert_int_eq(e2ekey_next(watch, 0, event, &key), E2EKEY_TIMED_OUT);
    ck_assert_int_eq(e2ekey_next(watch, 5, event, &key), E2EKEY_TIMED_OUT);
    ck_assert_int_ge(e2ekey_stream_fd(watch), 0);
    e2ekey_stream_close(watch);
    e2ekey_close(e2ekey);
    stop(NULL);
}
END_TEST

START_TEST(an_endless_answer_is_refused)
{
    static char endless[70000];
    memset(endless, ' ', sizeof(endless) - 1);
    static const char *replies[] = {endless};
    struct script script = {replies, 1};
    start(&script);
    struct e2ekey *e2ekey;
    ck_assert_int_eq(e2ekey_connect(path, &e2ekey), E2EKEY_OK);
    ck_assert_int_eq(e2ekey_revoke(e2ekey, "00112233445566778899aabbccddeeff"), E2EKEY_PROTOCOL);
    e2ekey_close(e2ekey);
    stop(&script);
}
END_TEST

static struct e2ekey_stream *list_of(void)
{
    struct e2ekey *e2ekey;
    struct e2ekey_stream *list;
    ck_assert_int_eq(e2ekey_connect(path, &e2ekey), E2EKEY_OK);
    e2ekey_close(e2ekey);
    ck_assert_int_eq(e2ekey_connect(path, &e2ekey), E2EKEY_OK);
    ck_assert_int_eq(e2ekey_list(e2ekey, NULL, NULL, &list), E2EKEY_OK);
    e2ekey_close(e2ekey); /* a list lives without its handle */
    return list;
}

START_TEST(a_list_ends)
{
    /* The first two are the handles of list_of, which leave without a call. */
    SCRIPT(NULL, NULL, KEY_REPLY("", ""));
    start(&script);
    struct e2ekey_stream *list = list_of();
    struct e2ekey_key key;
    char event[E2EKEY_WORD_OCTETS];
    ck_assert_int_eq(e2ekey_next(list, -1, event, &key), E2EKEY_OK);
    ck_assert_str_eq(event, "");
    ck_assert(!key.has_key);
    ck_assert_int_eq(e2ekey_next(list, -1, event, &key), E2EKEY_END);
    ck_assert_int_eq(e2ekey_next(list, -1, event, &key), E2EKEY_END);
    e2ekey_stream_close(list);
    stop(&script);
}
END_TEST

START_TEST(a_list_of_none_ends_at_once)
{
    SCRIPT(NULL, NULL, "{\"error\":\"org.e2ekeyd.Keys.NoSuchKey\",\"parameters\":{}}");
    start(&script);
    struct e2ekey_stream *list = list_of();
    struct e2ekey_key key;
    ck_assert_int_eq(e2ekey_next(list, -1, NULL, &key), E2EKEY_END);
    e2ekey_stream_close(list);
    stop(&script);
}
END_TEST

START_TEST(what_can_not_be_is_said_at_once)
{
    struct e2ekey *e2ekey;
    ck_assert_int_eq(e2ekey_connect("/no/such/socket", &e2ekey), E2EKEY_UNREACHABLE);
    ck_assert_ptr_null(e2ekey);
    char longest[200];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    ck_assert_int_eq(e2ekey_connect(longest, &e2ekey), E2EKEY_INVALID);

    start(NULL);
    struct e2ekey_key key;
    ck_assert_int_eq(e2ekey_connect(path, &e2ekey), E2EKEY_OK);
    ck_assert_int_eq(e2ekey_get(e2ekey, "\xff\xfe", NULL, NULL, &key), E2EKEY_INVALID);
    ck_assert_int_eq(e2ekey_revoke(e2ekey, NULL), E2EKEY_INVALID);
    e2ekey_close(e2ekey);
    e2ekey_close(NULL);
    e2ekey_stream_close(NULL);
    stop(NULL);
    for (int error = E2EKEY_NO_MEMORY - 1; error <= 1; error++)
        ck_assert_uint_gt(strlen(e2ekey_strerror(error)), 0);
}
END_TEST

CHECK_MAIN("client/e2ekey", a_key_comes_into_the_callers_hands, answers_that_are_none_are_refused,
    errors_have_their_codes, a_key_is_read_whole_or_not_at_all,
    a_daemon_that_was_started_anew_is_found_again, a_silent_daemon_times_out,
    an_endless_answer_is_refused, a_list_ends, a_list_of_none_ends_at_once,
    what_can_not_be_is_said_at_once)
