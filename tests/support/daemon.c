/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/daemon.h"

#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIRST_INHERITED_FD 3 /* sd_listen_fds(3) */

const char *daemon_file(const struct daemon *daemon, const char *name, ...)
{
    static _Thread_local char paths[4][DAEMON_PATH_OCTETS];
    static _Thread_local unsigned next;
    char *path = paths[next++ % 4];
    int folder = snprintf(path, DAEMON_PATH_OCTETS, "%s/", daemon->folder);
    va_list values;
    va_start(values, name);
    int rest = vsnprintf(path + folder, DAEMON_PATH_OCTETS - (size_t)folder, name, values);
    va_end(values);
    ck_assert_int_lt(folder + rest, DAEMON_PATH_OCTETS);
    return path;
}

char *daemon_log(const struct daemon *daemon)
{
    FILE *file = fopen(daemon_file(daemon, "stderr"), "re");
    char *text = NULL;
    size_t capacity = 0;
    if (!file || getdelim(&text, &capacity, 0, file) < 0) {
        free(text);
        text = strdup("");
    }
    if (file)
        fclose(file);
    ck_assert_ptr_nonnull(text);
    return text;
}

/* The end of what it said: Check takes no message of more than 8192 octets. */
static void give_up(const struct daemon *daemon, const char *what)
{
    enum { SAID_MOST = 7000 };
    const char *said = daemon_log(daemon);
    size_t octets = strlen(said);
    ck_abort_msg(
        "e2ekeyd: %s; it said:\n%s", what, said + (octets > SAID_MOST ? octets - SAID_MOST : 0));
}

/* --- folder, PKI and policy --- */

static void run(const char *const *command)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        execvp(command[0], (char *const *)command);
        _exit(127);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(status == 0, "%s failed", command[0]);
}

static void make_folder(struct daemon *daemon)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(daemon->folder, sizeof(daemon->folder), "%s/e2ekeyd.XXXXXX",
        temporary ? temporary : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(daemon->folder));
    snprintf(daemon->socket, sizeof(daemon->socket), "%s", daemon_file(daemon, "keys.sock"));
}

void daemon_change_policy(struct daemon *daemon, const char *patch)
{
    const char *path = daemon_file(daemon, "policy.json");
    json_error_t error;
    json_t *policy = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(policy, "%s: %s", path, error.text);
    json_t *change = json_loads(patch, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(change, "%s: %s", patch, error.text);
    ck_assert_int_eq(json_object_update_recursive(policy, change), 0);
    ck_assert_int_eq(json_dump_file(policy, path, JSON_INDENT(2)), 0);
    json_decref(change);
    json_decref(policy);
}

void daemon_prepare(struct daemon *daemon, const struct daemon_options *options)
{
    *daemon = (struct daemon){
        .pidfd = -1, .notify = -1, .inherited = {-1, -1}, .store = options->store, .stored = -1};
    make_folder(daemon);
    const struct passwd *user = getpwuid(geteuid());
    ck_assert_ptr_nonnull(user);
    char meters[16];
    snprintf(meters, sizeof(meters), "%u", options->meters);
    run((const char *[]){"scripts/mkpki", daemon->folder, "--listen", "127.0.0.1:0", "--socket",
        daemon->socket, "--user", user->pw_name, "--meters", meters, options->zoo ? "--zoo" : NULL,
        NULL});
    if (options->policy)
        daemon_change_policy(daemon, options->policy);
    daemon->watchdog_ms = options->watchdog_ms;
}

void daemon_remove(struct daemon *daemon)
{
    run((const char *[]){"rm", "-rf", daemon->folder, NULL});
}

/* --- sockets to hand over --- */

static int listen_http(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, SOMAXCONN), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static int bind_unix(int type, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    unlink(path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static int listen_unix(const char *path)
{
    int fd = bind_unix(SOCK_STREAM, path);
    ck_assert_int_eq(listen(fd, SOMAXCONN), 0);
    return fd;
}

/* --- the process --- */

static const char *daemon_program(void)
{
    static char path[DAEMON_PATH_OCTETS];
    const char *program = getenv("E2EKEYD"), *build = getenv("BUILD");
    snprintf(path, sizeof(path), "%s%s",
        program ? program
        : build ? build
                : "build",
        program ? "" : "/e2ekeyd");
    return path;
}

static void set_number(const char *name, long number)
{
    char text[24];
    snprintf(text, sizeof(text), "%ld", number);
    setenv(name, text, 1);
}

struct launch {
    const char *program, *policy, *notify, *log;
    int inherited[3]; /* HTTP, the key socket, the keys; -1: none */
    unsigned watchdog_ms;
};

static void hand_in(const int inherited[3])
{
    static const char *const names[] = {"http", "socket", "keys"};
    char listed[32] = "";
    int high[3], count = 0; /* out of the way: none may overwrite another */
    for (int i = 0; i < 3; i++)
        high[i] = inherited[i] < 0 ? -1 : fcntl(inherited[i], F_DUPFD_CLOEXEC, 100);
    for (int i = 0; i < 3; i++) {
        if (high[i] < 0)
            continue;
        if (dup2(high[i], FIRST_INHERITED_FD + count++) < 0)
            _exit(126);
        strcat(strcat(listed, listed[0] ? ":" : ""), names[i]);
    }
    if (count == 0)
        return;
    set_number("LISTEN_PID", getpid());
    set_number("LISTEN_FDS", count);
    setenv("LISTEN_FDNAMES", listed, 1);
}

/* In the child. Nothing of Check's in here: its own file descriptor may be among those that go. */
static void become_daemon(const struct launch *launch)
{
    int log = open(launch->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(126);
    unsetenv("JOURNAL_STREAM");
    setenv("NOTIFY_SOCKET", launch->notify, 1);
    if (launch->watchdog_ms > 0)
        set_number("WATCHDOG_USEC", 1000L * launch->watchdog_ms);
    hand_in(launch->inherited);
    execl(launch->program, "e2ekeyd", "--policy", launch->policy, (char *)NULL);
    perror(launch->program);
    _exit(127);
}

void daemon_launch(struct daemon *daemon, bool inherit)
{
    if (daemon->notify < 0)
        daemon->notify = bind_unix(SOCK_DGRAM, daemon_file(daemon, "notify"));
    if (inherit && daemon->inherited[0] < 0) {
        daemon->inherited[0] = listen_http(&daemon->port);
        daemon->inherited[1] = listen_unix(daemon->socket);
    }
    const struct launch launch = {.program = daemon_program(),
        .policy = daemon_file(daemon, "policy.json"),
        .notify = daemon_file(daemon, "notify"),
        .log = daemon_file(daemon, "stderr"),
        .inherited = {inherit ? daemon->inherited[0] : -1, inherit ? daemon->inherited[1] : -1,
            daemon->stored},
        .watchdog_ms = daemon->watchdog_ms};
    daemon->pid = fork();
    ck_assert_int_ge(daemon->pid, 0);
    if (daemon->pid == 0)
        become_daemon(&launch);
    daemon->pidfd = pidfd_open(daemon->pid, 0);
    ck_assert_int_ge(daemon->pidfd, 0);
}

static bool has_line(const char *text, const char *line)
{
    char copy[4096];
    snprintf(copy, sizeof(copy), "%s", text);
    for (char *rest = copy, *each; (each = strsep(&rest, "\n")) != NULL;)
        if (strcmp(each, line) == 0)
            return true;
    return false;
}

static void keep(struct daemon *daemon, int fd)
{
    if (daemon->stored >= 0)
        close(daemon->stored);
    daemon->stored = fd;
}

/* The store of a service manager with room for one descriptor. */
static void mind_store(struct daemon *daemon, const char *text, int fd)
{
    if (has_line(text, "FDSTOREREMOVE=1") && has_line(text, "FDNAME=keys"))
        keep(daemon, -1);
    if (fd >= 0 && daemon->store && daemon->stored < 0 && has_line(text, "FDSTORE=1") &&
        has_line(text, "FDNAME=keys"))
        keep(daemon, fd);
    else if (fd >= 0)
        close(fd);
}

/* The next datagram to the service manager; false when there is none (yet). */
static bool hear(struct daemon *daemon, char text[4096])
{
    union {
        struct cmsghdr header;
        char octets[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec octets = {.iov_base = text, .iov_len = 4095};
    struct msghdr message = {.msg_iov = &octets,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control)};
    ssize_t size = recvmsg(daemon->notify, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    ck_assert_int_ge(size, 0);
    text[size] = 0;
    int fd = -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    mind_store(daemon, text, fd);
    return true;
}

/* Takes the next datagram to the service manager: has it LINE among its lines? */
static bool next_notice_has(struct daemon *daemon, const char *line)
{
    char text[4096];
    return hear(daemon, text) && has_line(text, line);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool daemon_hears_notice(struct daemon *daemon, const char *line, int wait_ms)
{
    int64_t left_ms, end_ms = now_ms() + wait_ms;
    while ((left_ms = end_ms - now_ms()) > 0) {
        struct pollfd ready[] = {
            {.fd = daemon->notify, .events = POLLIN}, {.fd = daemon->pidfd, .events = POLLIN}};
        if (poll(ready, 2, (int)left_ms) <= 0)
            continue;
        if (!(ready[0].revents & POLLIN))
            give_up(daemon, "it exited");
        if (next_notice_has(daemon, line))
            return true;
    }
    return false;
}

void daemon_await_notice(struct daemon *daemon, const char *line)
{
    if (!daemon_hears_notice(daemon, line, DAEMON_TIMEOUT_MS))
        give_up(daemon, "it did not tell the service manager in time");
}

/* The port behind the last place in LOG that says BEFORE and "http(s)://127.0.0.1:"; 0: none. It
 * may have run before. */
static uint16_t find_port(const char *log, const char *before)
{
    uint16_t port = 0;
    for (const char *next = log; (next = strstr(next, before)) != NULL;) {
        next += strlen(before);
        if (sscanf(next, "http://127.0.0.1:%" SCNu16, &port) != 1)
            (void)sscanf(next, "https://127.0.0.1:%" SCNu16, &port);
    }
    return port;
}

/* The addresses are in the log by the time that it is ready. */
static void learn_ports(struct daemon *daemon)
{
    char *log = daemon_log(daemon);
    daemon->port = find_port(log, "listening on ");
    daemon->metrics_port = find_port(log, "metrics on ");
    free(log);
    if (daemon->port == 0)
        give_up(daemon, "it did not say which port it listens on");
}

void daemon_await_ready(struct daemon *daemon)
{
    daemon_await_notice(daemon, "READY=1");
    if (daemon->port == 0)
        learn_ports(daemon);
}

void daemon_reload(struct daemon *daemon)
{
    ck_assert_int_eq(kill(daemon->pid, SIGHUP), 0);
    daemon_await_notice(daemon, "RELOADING=1");
    daemon_await_notice(daemon, "READY=1");
}

int daemon_await_exit(struct daemon *daemon)
{
    struct pollfd ended = {.fd = daemon->pidfd, .events = POLLIN};
    if (poll(&ended, 1, DAEMON_TIMEOUT_MS) != 1)
        give_up(daemon, "it did not exit in time");
    int status;
    ck_assert_int_eq(waitpid(daemon->pid, &status, 0), daemon->pid);
    for (char text[4096]; hear(daemon, text);)
        ;
    close(daemon->pidfd);
    daemon->pidfd = -1;
    daemon->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void daemon_start(struct daemon *daemon, const struct daemon_options *options)
{
    daemon_prepare(daemon, options);
    daemon_launch(daemon, options->inherit);
    daemon_await_ready(daemon);
}

void daemon_stop(struct daemon *daemon)
{
    ck_assert_int_eq(kill(daemon->pid, SIGTERM), 0);
    ck_assert_int_eq(kill(daemon->pid, SIGINT), 0); /* no patience with pending exchanges */
    int status = daemon_await_exit(daemon);
    char ended[32];
    snprintf(ended, sizeof(ended), "exit status %d", status); /* of a signal 128 + its number */
    if (status != 0)
        give_up(daemon, ended);
    close(daemon->notify);
    keep(daemon, -1);
    for (int i = 0; i < 2; i++)
        if (daemon->inherited[i] >= 0)
            close(daemon->inherited[i]);
    daemon_remove(daemon);
}

/* --- its descriptors --- */

#define DESCRIPTORS_MS 15000 /* half of what libmicrohttpd itself gives to an idle connection */

unsigned daemon_count_descriptors(const struct daemon *daemon)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)daemon->pid);
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    unsigned count = 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2; /* . and .. */
}

void daemon_await_descriptors(const struct daemon *daemon, unsigned least, unsigned most)
{
    int64_t end_ms = now_ms() + DESCRIPTORS_MS;
    for (unsigned count; (count = daemon_count_descriptors(daemon)) < least || count > most;
         poll(NULL, 0, 1))
        ck_assert_msg(now_ms() < end_ms, "%u descriptors", count);
}
