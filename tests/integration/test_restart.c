/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test is the service manager, and keeps what it is given (FDSTORE=1): keys outlive the daemon,
 * however it ends, and nothing else that it is handed does harm. */
#include "support/check_main.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "support/exchange.h"
#include "support/varlink.h"
#include "tls/context.h"

#define METERS 8
#define EACH   50 /* at most, of one meter: fewer than keys.perPeer */
#define POLICY                                                                                     \
    "{\"keys\":{\"perPeer\":64},\"limits\":{\"createsPerSecond\":100000,\"createBurst\":100000}}"

static struct daemon daemon_;
static struct initiator_credential *credentials[METERS];
static struct exported_key exported[METERS][EACH];
static unsigned counts[METERS]; /* keys that the meter has Message 4 of */

static void set_up(bool store)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(
        &daemon_, &(struct daemon_options){
                      .policy = POLICY, .meters = METERS, .inherit = true, .store = store});
    for (unsigned i = 0; i < METERS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "meter-%u", i + 1);
        credentials[i] = exchange_credential(&daemon_, name);
    }
}

static void tear_down(void)
{
    for (unsigned i = 0; i < METERS; i++)
        initiator_credential_free(credentials[i]);
    daemon_stop(&daemon_);
}

/* One more key of that meter; false when it did not come to Message 4. */
static bool establish(unsigned meter, CURL *client)
{
    char from[16];
    struct http_answer answer;
    snprintf(from, sizeof(from), "Cmeter-%u", meter + 1);
    if (!exchange_run(
            client, &daemon_, credentials[meter], from, &exported[meter][counts[meter]], &answer)) {
        http_answer_release(&answer);
        return false;
    }
    counts[meter]++;
    return true;
}

static void establish_some(unsigned each)
{
    CURL *client = http_open();
    for (unsigned i = 0; i < METERS * each; i++)
        ck_assert(establish(i % METERS, client));
    http_close(client);
}

/* Ends it by SIGNAL and starts the next, which is handed what the last one left. */
static void restart(int signal)
{
    ck_assert_int_eq(kill(daemon_.pid, signal), 0);
    int status = daemon_await_exit(&daemon_);
    ck_assert_msg((status == 0) == (signal == SIGTERM || signal == SIGINT), "status %d", status);
    daemon_launch(&daemon_, true);
    daemon_await_ready(&daemon_);
}

/* --- what is there --- */

static void read_status(int *live, int *kept)
{
    struct varlink varlink;
    varlink_open(&varlink, daemon_.socket);
    json_t *reply = varlink_call(&varlink, "org.e2ekeyd.Keys.GetStatus", NULL);
    ck_assert_int_eq(json_unpack(reply, "{s:{s:{s:{s:i,s:b}}}}", "parameters", "status", "keys",
                         "live", live, "outliveRestarts", kept),
        0);
    json_decref(reply);
    varlink_close(&varlink);
}

static int count_live(void)
{
    int live, kept;
    read_status(&live, &kept);
    return live;
}

static bool are_kept(void)
{
    int live, kept;
    read_status(&live, &kept);
    return kept;
}

/* By key id, with the octets that the meter exported, and as that meter's. */
static bool is_there(struct varlink *varlink, unsigned meter, const struct exported_key *key)
{
    char id[33], text[BASE64_OCTETS(32) + 1], peer[64];
    bytes_to_hex(bytes_of(key->id, 16), id);
    base64_encode_text(bytes_of(key->key, 32), text);
    snprintf(peer, sizeof(peer), "//m2m.example/in-cse/Cmeter-%u", meter + 1);
    json_t *reply =
        varlink_call(varlink, "org.e2ekeyd.Keys.GetKey", json_pack("{s:s}", "keyId", id));
    const json_t *got = json_object_get(json_object_get(reply, "parameters"), "key");
    bool there = got != NULL;
    if (there) {
        ck_assert_str_eq(json_string_value(json_object_get(got, "peer")), peer);
        ck_assert(strcmp(json_string_value(json_object_get(got, "key")), text) == 0);
    }
    json_decref(reply);
    return there;
}

static unsigned count_there(void)
{
    struct varlink varlink;
    unsigned there = 0;
    varlink_open(&varlink, daemon_.socket);
    for (unsigned i = 0; i < METERS; i++)
        for (unsigned j = 0; j < counts[i]; j++)
            there += is_there(&varlink, i, &exported[i][j]);
    varlink_close(&varlink);
    return there;
}

static unsigned count_established(void)
{
    unsigned all = 0;
    for (unsigned i = 0; i < METERS; i++)
        all += counts[i];
    return all;
}

/* Nothing more and nothing less than what was established. */
static void assert_all_there(void)
{
    ck_assert_uint_eq(count_there(), count_established());
    ck_assert_int_eq(count_live(), count_established());
}

static void assert_logged(const char *text)
{
    char *log = daemon_log(&daemon_);
    ck_assert_msg(strstr(log, text), "not \"%s\" in:\n%s", text, log);
    free(log);
}

/* --- endings --- */

START_TEST(keys_outlive_every_ending)
{
    static const int signals[] = {SIGTERM, SIGKILL, SIGSEGV, SIGABRT};
    set_up(true);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        establish_some(1);
        restart(signals[i]);
        assert_all_there();
        ck_assert(are_kept());
    }
    assert_logged(
        "32 keys live on from before the restart; 0 expired, 0 made room, 0 were damaged");
    establish_some(1);
    assert_all_there();
    tear_down();
}
END_TEST

static atomic_bool ending;
static sem_t done; /* exchanges */

static void *keep_establishing(void *number)
{
    CURL *client = http_open();
    bool more = true;
    while (more && !atomic_load(&ending) && counts[(uintptr_t)number] < EACH) {
        more = establish((unsigned)(uintptr_t)number, client);
        sem_post(&done);
    }
    http_close(client);
    return NULL;
}

/* No key is lost whose Message 4 got out; those whose did not may be there or not. */
START_TEST(keys_outlive_a_kill_under_load)
{
    pthread_t threads[METERS];
    set_up(true);
    for (unsigned round = 0; round < 3; round++) {
        ck_assert_int_eq(sem_init(&done, 0, 0), 0);
        atomic_store(&ending, false);
        for (uintptr_t i = 0; i < METERS; i++)
            ck_assert_int_eq(pthread_create(&threads[i], NULL, keep_establishing, (void *)i), 0);
        for (unsigned i = 0; i < 5 * METERS; i++)
            ck_assert_int_eq(sem_wait(&done), 0);
        atomic_store(&ending, true);
        restart(SIGKILL);
        for (size_t i = 0; i < METERS; i++)
            ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_uint_ge(count_established(), (round + 1) * 3 * METERS);
        ck_assert_uint_eq(count_there(), count_established());
        ck_assert_int_ge(count_live(), count_established());
    }
    tear_down();
}
END_TEST

START_TEST(an_interrupt_forgets)
{
    set_up(true);
    establish_some(1);
    ck_assert_int_ge(daemon_.stored, 0);
    int memory AUTO_CLOSE = dup(daemon_.stored);
    ck_assert_int_ge(lseek(memory, 0, SEEK_DATA), 0);
    restart(SIGINT);
    ck_assert_int_eq(count_live(), 0);
    ck_assert_int_lt(lseek(memory, 0, SEEK_DATA), 0); /* given back, all of it */
    memset(counts, 0, sizeof(counts));
    establish_some(1);
    restart(SIGTERM);
    assert_all_there();
    tear_down();
}
END_TEST

START_TEST(without_a_store_keys_end_and_it_says_so)
{
    set_up(false);
    establish_some(1);
    const char *said = "keys end with this process";
    for (int i = 0; i < DAEMON_TIMEOUT_MS / 10; i++) {
        char *log = daemon_log(&daemon_);
        bool there = strstr(log, said) != NULL;
        free(log);
        if (there)
            break;
        poll(NULL, 0, 10);
    }
    assert_logged(said);
    ck_assert(!are_kept());
    restart(SIGTERM);
    ck_assert_int_eq(count_live(), 0);
    tear_down();
}
END_TEST

/* --- another policy --- */

START_TEST(another_capacity_moves_the_keys)
{
    struct stat old, new;
    set_up(true);
    establish_some(2);
    ck_assert_int_eq(fstat(daemon_.stored, &old), 0);
    daemon_change_policy(&daemon_, "{\"keys\":{\"capacity\":200}}");
    restart(SIGTERM);
    assert_all_there();
    ck_assert_int_eq(fstat(daemon_.stored, &new), 0);
    ck_assert_uint_ne(old.st_ino, new.st_ino);
    restart(SIGKILL);
    assert_all_there();
    daemon_change_policy(&daemon_, "{\"keys\":{\"capacity\":10}}");
    restart(SIGTERM);
    ck_assert_int_eq(count_live(), 10);
    ck_assert_uint_eq(count_there(), 10);
    assert_logged("10 keys live on from before the restart; 0 expired, 6 made room");
    tear_down();
}
END_TEST

START_TEST(a_policy_that_does_not_load_loses_no_key)
{
    set_up(true);
    establish_some(1);
    ck_assert_int_eq(kill(daemon_.pid, SIGKILL), 0);
    daemon_await_exit(&daemon_);
    daemon_change_policy(&daemon_, "{\"keys\":{\"capacity\":-1}}");
    daemon_launch(&daemon_, true);
    ck_assert_int_eq(daemon_await_exit(&daemon_), 1);
    daemon_change_policy(&daemon_, "{\"keys\":{\"capacity\":100000}}");
    daemon_launch(&daemon_, true);
    daemon_await_ready(&daemon_);
    assert_all_there();
    tear_down();
}
END_TEST

/* --- what it is handed --- */

static int garbage(void)
{
    char octets[4096];
    int fd = memfd_create("garbage", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    memset(octets, 0xa5, sizeof(octets));
    ck_assert_int_ge(fd, 0);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(write(fd, octets, sizeof(octets)), sizeof(octets));
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
    return fd;
}

static int other_end(void)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    close(ends[1]);
    return ends[0];
}

START_TEST(what_is_no_store_is_refused_and_replaced)
{
    static const char *const reasons[] = {
        "it holds no keys of ours", "it is not a memfd", "it is not a memfd"};
    set_up(true);
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        establish_some(1);
        close(daemon_.stored);
        daemon_.stored = i == 0   ? garbage()
                         : i == 1 ? other_end()
                                  : open("/dev/null", O_RDWR | O_CLOEXEC);
        restart(SIGKILL);
        char line[160];
        snprintf(line, sizeof(line), "what the service manager passed as \"keys\" is of no use: %s",
            reasons[i]);
        assert_logged(line);
        ck_assert_int_eq(count_live(), 0);
        memset(counts, 0, sizeof(counts));
        establish_some(1);
        restart(SIGKILL);
        assert_all_there();
    }
    tear_down();
}
END_TEST

/* Octets of keys, slots and texts are overwritten where they lie: what is given out is right, and
 * the rest is gone. */
START_TEST(damaged_keys_are_not_given_out)
{
    set_up(true);
    establish_some(4);
    ck_assert_int_eq(kill(daemon_.pid, SIGKILL), 0);
    daemon_await_exit(&daemon_);
    off_t page = sysconf(_SC_PAGESIZE);
    for (off_t at = page + 200; at < page + 700; at += 100) { /* slots of 64 octets */
        uint8_t octet;
        ck_assert_int_eq(pread(daemon_.stored, &octet, 1, at), 1);
        octet ^= 0xa5;
        ck_assert_int_eq(pwrite(daemon_.stored, &octet, 1, at), 1);
    }
    daemon_launch(&daemon_, true);
    daemon_await_ready(&daemon_);
    ck_assert_uint_eq(count_there(), count_established() - 5);
    ck_assert_int_eq(count_live(), count_established() - 5);
    assert_logged(
        "27 keys live on from before the restart; 0 expired, 0 made room, 5 were damaged");
    tear_down();
}
END_TEST

CHECK_MAIN("integration/restart", keys_outlive_every_ending, keys_outlive_a_kill_under_load,
    an_interrupt_forgets, without_a_store_keys_end_and_it_says_so, another_capacity_moves_the_keys,
    a_policy_that_does_not_load_loses_no_key, what_is_no_store_is_refused_and_replaced,
    damaged_keys_are_not_given_out)
