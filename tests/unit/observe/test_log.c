/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "support/check_main.h"

static int reader;

/* Each test runs in a process of its own, whose stderr is this pipe. */
static void catch_stderr(void)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    ck_assert_int_eq(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) > 0, 1);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    reader = ends[0];
    unsetenv("JOURNAL_STREAM");
    log_open("test");
}

/* All that was written since. */
static const char *caught(void)
{
    static char text[1 << 20];
    size_t used = 0;
    ssize_t got;
    while (
        used < sizeof(text) - 1 && (got = read(reader, text + used, sizeof(text) - 1 - used)) > 0)
        used += (size_t)got;
    text[used] = '\0';
    return text;
}

static size_t lines_in(const char *text)
{
    size_t lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

START_TEST(levels_are_named_and_held_to)
{
    log_error("a %d", 1);
    log_warning("b");
    log_info("c");
    log_debug("d");
    ck_assert_str_eq(caught(), "error: a 1\nwarning: b\ninfo: c\n");
    log_set_level(LOG_ERR);
    log_warning("e");
    ck_assert_str_eq(caught(), "");
    log_set_level(LOG_DEBUG);
    log_debug("f");
    ck_assert_str_eq(caught(), "debug: f\n");
}
END_TEST

START_TEST(a_text_is_one_line)
{
    log_info("two\nlines, \x1b[31m and %s", "\xe2\x80\xa8");
    ck_assert_str_eq(caught(), "info: two\\x0alines, \\x1b[31m and \\xe2\\x80\\xa8\n");
}
END_TEST

START_TEST(a_long_text_is_cut)
{
    char text[5000];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_event(&(struct log_event){.level = LOG_INFO,
                  .message_id = LOG_EVENT_REFUSED,
                  .peer = text,
                  .local = text,
                  .key_id = text,
                  .exchange = text,
                  .method = text,
                  .caller = &(struct log_caller){.uid = 7, .user = text, .unit = text},
                  .rsc = 4106},
        "%s", text);
    const char *line = caught();
    ck_assert_uint_lt(strlen(line), 4096);
    ck_assert_uint_gt(strlen(line), 2000);
    ck_assert_uint_eq(lines_in(line), 1);
    ck_assert_ptr_nonnull(strstr(line, " rsc=4106 method=a"));
    ck_assert_ptr_nonnull(strstr(line, " unit=a"));
}
END_TEST

/* Wherever the cut falls: also in what was escaped earlier, as the text of a fault is. */
START_TEST(a_cut_never_splits_an_escape)
{
    for (int length = 1000; length < 1030; length++) {
        log_info("%0*d%s", length, 0, "\\x0a");
        const char *line = caught(), *escape = strchr(line, '\\');
        ck_assert_uint_ge(strlen(line), 1000);
        ck_assert(!escape || strcmp(escape, "\\x0a\n") == 0);
    }
}
END_TEST

START_TEST(an_event_has_its_fields)
{
    log_event(&(struct log_event){.level = LOG_WARNING,
                  .message_id = LOG_EVENT_REFUSED,
                  .peer = "//sp/cse/C1\nerror: forged",
                  .exchange = "x1",
                  .rsc = 4103},
        "refused: %s", "no rule");
    ck_assert_str_eq(caught(),
        "warning: refused: no rule peer=//sp/cse/C1\\x0aerror: forged exchange=x1 rsc=4103\n");
    log_event(&(struct log_event){.level = LOG_DEBUG, .message_id = LOG_EVENT_REFUSED},
        "not at this level");
    ck_assert_str_eq(caught(), "");
}
END_TEST

START_TEST(one_kind_can_not_drown_the_log)
{
    const struct log_event refused = {.level = LOG_INFO, .message_id = LOG_EVENT_REFUSED};
    const struct log_event revoked = {.level = LOG_INFO, .message_id = LOG_EVENT_REVOKED};
    for (int i = 0; i < 1234; i++)
        log_event(&refused, "refused");
    ck_assert_uint_eq(lines_in(caught()), 100);
    log_event(&revoked, "revoked");
    ck_assert_str_eq(caught(), "info: revoked\n");
    log_say_suppressed();
    ck_assert_str_eq(caught(), "info: 1134 more of these suppressed\n");
    log_say_suppressed();
    ck_assert_str_eq(caught(), "");
}
END_TEST

static void deny(uid_t uid, int times)
{
    const struct log_caller caller = {.uid = uid};
    for (int i = 0; i < times; i++)
        log_event(
            &(struct log_event){
                .level = LOG_INFO, .message_id = LOG_EVENT_DENIED, .caller = &caller},
            "denied");
}

START_TEST(one_user_can_not_drown_another)
{
    const struct log_caller reader_caller = {.uid = 1000};
    deny(1000, 1000);
    ck_assert_uint_eq(lines_in(caught()), 100);
    deny(1001, 1);
    ck_assert_str_eq(caught(), "info: denied uid=1001\n");
    log_event(
        &(struct log_event){
            .level = LOG_INFO, .message_id = LOG_EVENT_READ, .caller = &reader_caller},
        "read");
    ck_assert_str_eq(caught(), "info: read uid=1000\n");
    log_say_suppressed();
    ck_assert_str_eq(caught(), "info: 900 more of these suppressed uid=1000\n");
    log_say_suppressed();
    ck_assert_str_eq(caught(), "");
}
END_TEST

/* And they leave what is told apart otherwise its own. */
START_TEST(users_past_the_table_share_a_bound)
{
    const struct log_event refused = {.level = LOG_INFO, .message_id = LOG_EVENT_REFUSED};
    struct log_event of_someone = refused;
    for (uid_t uid = 0; uid < 100; uid++)
        deny(uid, 10);
    ck_assert_uint_eq(lines_in(caught()), LOG_SHARES * 10 + 100);
    for (int i = 0; i < 300; i++)
        log_event(&refused, "forged");
    ck_assert_uint_eq(lines_in(caught()), 100);
    of_someone.share = 49;
    log_event(&of_someone, "real");
    ck_assert_str_eq(caught(), "info: real\n");
}
END_TEST

START_TEST(kinds_past_the_table_share_a_bound)
{
    for (int i = 0; i < 1000; i++) {
        char id[33];
        snprintf(id, sizeof(id), "%032d", i);
        log_event(&(struct log_event){.level = LOG_INFO, .message_id = id}, "kind");
    }
    ck_assert_uint_eq(lines_in(caught()), 31 + 100);
    log_say_suppressed();
    ck_assert_str_eq(caught(), "info: 869 more of these suppressed\n");
}
END_TEST

static void *chatter(void *letter)
{
    for (int i = 0; i < 500; i++)
        log_info("%s%s%s%s", (char *)letter, (char *)letter, (char *)letter, (char *)letter);
    return NULL;
}

START_TEST(lines_of_threads_do_not_mix)
{
    static char letters[4][51];
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        memset(letters[i], 'a' + (int)i, 50);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, chatter, letters[i]), 0);
    }
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    size_t lines = 0;
    for (const char *line = caught(); *line; line = strchr(line, '\n') + 1, lines++) {
        ck_assert_int_eq(strncmp(line, "info: ", 6), 0);
        for (size_t i = 7; i < 206; i++)
            ck_assert_int_eq(line[i], line[6]);
        ck_assert_int_eq(line[206], '\n');
    }
    ck_assert_uint_eq(lines, 2000);
}
END_TEST

/* A journal of our own, in a mount namespace of our own; -1 where neither the superuser nor a user
 * namespace may make one, and in a chroot, whose root is no mount to make private. */
static int journal_in_namespace(void)
{
    const struct sockaddr_un address = {
        .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return -1;
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return -1;
    ck_assert_int_eq(mount("test", "/run", "tmpfs", 0, NULL), 0);
    ck_assert_int_eq(mkdir("/run/systemd", 0700), 0);
    ck_assert_int_eq(mkdir("/run/systemd/journal", 0700), 0);
    int journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(journal, 0);
    ck_assert_int_eq(bind(journal, (const struct sockaddr *)&address, sizeof(address)), 0);
    return journal;
}

static void name_journal_stream(uintmax_t more)
{
    struct stat status;
    char stream[64];
    ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
        (uintmax_t)status.st_ino + more);
    setenv("JOURNAL_STREAM", stream, 1);
    log_open("e2ekeyd");
}

START_TEST(the_journal_gets_fields)
{
    char entry[4096];
    int journal = journal_in_namespace();
    if (journal < 0)
        return;
    name_journal_stream(0);
    log_event(&(struct log_event){.level = LOG_WARNING,
                  .message_id = LOG_EVENT_REFUSED,
                  .peer = "//sp/cse/C1\nPRIORITY=0",
                  .local = "//sp/cse",
                  .key_id = "00ff",
                  .exchange = "x1",
                  .rsc = 4106,
                  .method = "a.b.C",
                  .caller = &(struct log_caller){.uid = 33, .user = "www", .unit = "x\ny.service"}},
        "refused: %s", "expired");
    ssize_t size = recv(journal, entry, sizeof(entry) - 1, 0);
    ck_assert_int_gt(size, 0);
    entry[size] = '\0';
    ck_assert_str_eq(entry, "MESSAGE=refused: expired\n"
                            "E2EKEY_PEER=//sp/cse/C1\\x0aPRIORITY=0\n"
                            "E2EKEY_ENDPOINT=//sp/cse\n"
                            "E2EKEY_KEY_ID=00ff\n"
                            "E2EKEY_EXCHANGE=x1\n"
                            "E2EKEY_RSC=4106\n"
                            "E2EKEY_METHOD=a.b.C\n"
                            "E2EKEY_UID=33\n"
                            "E2EKEY_USER=www\n"
                            "E2EKEY_UNIT=x\\x0ay.service\n"
                            "PRIORITY=4\n"
                            "SYSLOG_IDENTIFIER=e2ekeyd\n"
                            "MESSAGE_ID=" LOG_EVENT_REFUSED "\n");
    log_info("plain");
    size = recv(journal, entry, sizeof(entry) - 1, 0);
    ck_assert_int_gt(size, 0);
    entry[size] = '\0';
    ck_assert_str_eq(entry, "MESSAGE=plain\nPRIORITY=6\nSYSLOG_IDENTIFIER=e2ekeyd\n");
    ck_assert_str_eq(caught(), "");
}
END_TEST

/* A child of a service inherits the variable, but its stderr may be elsewhere. */
START_TEST(another_s_journal_stream_is_not_ours)
{
    name_journal_stream(1);
    log_info("here");
    ck_assert_str_eq(caught(), "info: here\n");
}
END_TEST

CHECK_MAIN_FIXTURE("observe/log", catch_stderr, NULL, levels_are_named_and_held_to,
    a_text_is_one_line, a_long_text_is_cut, a_cut_never_splits_an_escape, an_event_has_its_fields,
    one_kind_can_not_drown_the_log, one_user_can_not_drown_another,
    users_past_the_table_share_a_bound, kinds_past_the_table_share_a_bound,
    lines_of_threads_do_not_mix, the_journal_gets_fields, another_s_journal_stream_is_not_ours)
