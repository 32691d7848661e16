/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service manager's watchdog hears nothing while any HTTP thread stands still. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "support/check_main.h"
#include "support/daemon.h"
#include "support/http.h"

#define WATCHDOG_MS 1000
#define FED         "WATCHDOG=1"
#define FILES       128 /* twice what HTTP takes for its connections */

/* Fills in the HTTP threads of the daemon; returns how many. */
static size_t http_threads(const struct daemon *daemon, pid_t *out, size_t most)
{
    char path[300], name[32];
    size_t count = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", (int)daemon->pid);
    DIR *tasks = opendir(path);
    ck_assert_ptr_nonnull(tasks);
    for (const struct dirent *entry; (entry = readdir(tasks)) && count < most;) {
        snprintf(path, sizeof(path), "/proc/%d/task/%s/comm", (int)daemon->pid, entry->d_name);
        FILE *file = fopen(path, "re");
        if (!file)
            continue;
        if (fgets(name, sizeof(name), file) && strncmp(name, "MHD-", 4) == 0)
            out[count++] = (pid_t)strtol(entry->d_name, NULL, 10);
        fclose(file);
    }
    closedir(tasks);
    return count;
}

/* False where this user may not: the daemon lets no process of its own user trace it. */
static bool stop_thread(pid_t thread)
{
    int status;
    if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0) {
        ck_assert_int_eq(errno, EPERM);
        return false;
    }
    ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, thread, NULL, NULL), 0);
    ck_assert_int_eq(waitpid(thread, &status, __WALL), thread);
    return true;
}

static void let_go(pid_t thread)
{
    ck_assert_int_eq(ptrace(PTRACE_DETACH, thread, NULL, NULL), 0);
}

static void expect_log(struct daemon *daemon, const char *text, bool wanted)
{
    daemon_await_notice(daemon, FED); /* what belongs to the one before is written by now */
    char *log = daemon_log(daemon);
    ck_assert_msg((strstr(log, text) != NULL) == wanted, "%s", log);
    free(log);
}

/* Each of the threads in turn. */
static void expect_no_feeding_without(struct daemon *daemon, size_t count)
{
    pid_t threads[8];
    daemon_await_notice(daemon, FED);
    for (int64_t end_ms = clock_steady_ms() + DAEMON_TIMEOUT_MS;
         http_threads(daemon, threads, 8) < count;) { /* each gives itself its name */
        ck_assert_int_lt(clock_steady_ms(), end_ms);
        daemon_await_notice(daemon, FED);
    }
    for (size_t i = 0; i < count; i++) {
        if (!stop_thread(threads[i]))
            return;
        while (daemon_hears_notice(daemon, FED, WATCHDOG_MS))
            ;
        let_go(threads[i]);
        daemon_await_notice(daemon, FED);
    }
    expect_log(daemon, "an HTTP thread makes no progress: the watchdog is not fed", true);
    expect_log(daemon, "all HTTP threads make progress again", true);
}

static void watch(const char *policy, size_t threads)
{
    struct daemon daemon;
    daemon_start(&daemon, &(struct daemon_options){.policy = policy, .watchdog_ms = WATCHDOG_MS});
    expect_no_feeding_without(&daemon, threads);
    daemon_stop(&daemon);
}

START_TEST(one_thread)
{
    watch("{\"http\":{\"threads\":1}}", 1);
}
END_TEST

START_TEST(each_thread_of_a_pool)
{
    watch("{\"http\":{\"threads\":3}}", 3);
}
END_TEST

START_TEST(each_thread_of_https)
{
    watch("{\"http\":{\"threads\":2,"
          "\"tls\":{\"certificate\":\"http.pem\",\"privateKey\":\"http.key\"}}}",
        2);
}
END_TEST

START_TEST(each_thread_of_each_listener)
{
    watch("{\"http\":{\"threads\":1,\"listen\":[\"127.0.0.1:0\",\"[::1]:0\"]}}", 2);
}
END_TEST

START_TEST(the_main_loop)
{
    struct daemon daemon;
    daemon_start(&daemon, &(struct daemon_options){.watchdog_ms = WATCHDOG_MS});
    daemon_await_notice(&daemon, FED);
    if (stop_thread(daemon.pid)) {
        while (daemon_hears_notice(&daemon, FED, WATCHDOG_MS))
            ;
        let_go(daemon.pid);
        daemon_await_notice(&daemon, FED);
    }
    daemon_stop(&daemon);
}
END_TEST

/* No stall: the pool has no room to look into. */
START_TEST(a_full_pool_is_not_a_stall)
{
    struct daemon daemon;
    struct rlimit files;
    int fds[FILES];
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
    ck_assert_int_eq(
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){.rlim_cur = FILES, .rlim_max = files.rlim_max}),
        0);
    daemon_start(&daemon, &(struct daemon_options){.policy = "{\"http\":{\"threads\":1}}",
                              .watchdog_ms = 4 * WATCHDOG_MS});
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
    for (int i = 0; i < FILES; i++)
        fds[i] = raw_connect(daemon.port);
    for (int i = 0; i < 6; i++)
        daemon_await_notice(&daemon, FED);
    for (int i = 0; i < FILES; i++)
        close(fds[i]);
    expect_log(&daemon, "no progress", false);
    daemon_stop(&daemon);
}
END_TEST

CHECK_MAIN("integration/watchdog", one_thread, each_thread_of_a_pool, each_thread_of_https,
    each_thread_of_each_listener, the_main_loop, a_full_pool_is_not_a_stall)
