/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/caller.h"

#include <grp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "support/check_main.h"

#define METER "//m2m.example/in-cse/Cmeter"
#define PUMP  "//m2m.example/mn-cse/Cpump"

static char *in_cse[] = {"//m2m.example/in-cse/*"};
static char *mn_cse[] = {"//m2m.example/mn-cse/*"};
static char someone[] = "someone", unit[] = "no-such.service";

static int pair[2];

static struct caller ourselves(void)
{
    struct caller caller;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert_int_eq(caller_of(pair[0], &caller), RESULT_OK);
    return caller;
}

static void done(struct caller *caller)
{
    caller_release(caller);
    close(pair[0]);
    close(pair[1]);
}

static struct policy policy_of(struct policy_client *clients, size_t count)
{
    return (struct policy){.clients = clients, .client_count = count};
}

START_TEST(the_kernel_says_who_it_is)
{
    struct caller caller = ourselves();
    ck_assert_uint_eq(caller.uid, geteuid());
    ck_assert_uint_eq(caller.gid, getegid());
    ck_assert_int_eq(caller.pid, getpid());
    done(&caller);
}
END_TEST

START_TEST(nobody_may_without_an_entry)
{
    struct caller caller = ourselves();
    struct policy policy = policy_of(NULL, 0);
    ck_assert(!caller_may(&caller, &policy, RIGHT_GET, NULL));
    done(&caller);
}
END_TEST

START_TEST(every_condition_must_hold)
{
    struct caller caller = ourselves();
    uid_t us = geteuid(), other = us + 1;
    gid_t group = getegid(), no_group = (gid_t)-1;
    const struct {
        struct policy_client client;
        bool may;
    } cases[] = {
        {.may = true},
        {{.user_name = someone, .uid = us}, true},
        {{.user_name = someone, .uid = other}, false},
        {{.user_name = someone, .uid = (uid_t)-1}, false},
        {{.group_name = someone, .gid = group}, true},
        {{.group_name = someone, .gid = no_group}, false},
        {{.group_name = someone, .gid = 0x7ffffff0}, false},
        {{.user_name = someone, .uid = us, .group_name = someone, .gid = group}, true},
        {{.user_name = someone, .uid = us, .group_name = someone, .gid = no_group}, false},
        {{.user_name = someone, .uid = other, .group_name = someone, .gid = group}, false},
        {{.unit = unit}, false},
        {{.user_name = someone, .uid = us, .unit = unit}, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct policy_client client = cases[i].client;
        client.rights = RIGHT_GET;
        struct policy policy = policy_of(&client, 1);
        ck_assert_msg(
            caller_may(&caller, &policy, RIGHT_GET, METER) == cases[i].may, "case %zu", i);
        ck_assert(!caller_may(&caller, &policy, RIGHT_LIST, METER));
    }
    done(&caller);
}
END_TEST

START_TEST(supplementary_groups_count)
{
    gid_t groups[64];
    int count = getgroups(64, groups);
    if (geteuid() == 0) { /* else those that we happen to have */
        ck_assert_int_eq(setgroups(2, (gid_t[]){4711, 4712}), 0);
        count = getgroups(64, groups);
    }
    struct caller caller = ourselves();
    for (int i = 0; i < count; i++) {
        struct policy_client client = {
            .group_name = someone, .gid = groups[i], .rights = RIGHT_STATUS};
        struct policy policy = policy_of(&client, 1);
        ck_assert(caller_may(&caller, &policy, RIGHT_STATUS, NULL));
    }
    ck_assert(!caller.groups_known || caller.group_count == (size_t)count);
    done(&caller);
}
END_TEST

START_TEST(a_right_and_its_peers_stand_in_one_entry)
{
    struct caller caller = ourselves();
    struct policy_client clients[] = {
        {.rights = RIGHT_GET | RIGHT_LIST, .peers = in_cse, .peer_count = 1},
        {.rights = RIGHT_LIST, .peers = mn_cse, .peer_count = 1},
        {.rights = RIGHT_STATUS},
    };
    struct policy policy = policy_of(clients, ARRAY_SIZE(clients));
    ck_assert(caller_may(&caller, &policy, RIGHT_GET, METER));
    ck_assert(!caller_may(&caller, &policy, RIGHT_GET, PUMP));
    ck_assert(caller_may(&caller, &policy, RIGHT_GET, NULL));
    ck_assert(caller_may(&caller, &policy, RIGHT_LIST, METER));
    ck_assert(caller_may(&caller, &policy, RIGHT_LIST, PUMP));
    ck_assert(!caller_may(&caller, &policy, RIGHT_LIST, "//m2m.example/in-cse"));
    ck_assert(caller_may(&caller, &policy, RIGHT_STATUS, PUMP));
    ck_assert(!caller_may(&caller, &policy, RIGHT_REVOKE, NULL));
    done(&caller);
}
END_TEST

/* --- the process that connected --- */

typedef enum result tell(int fd, struct caller *out);
static tell *const ways[] = {caller_of, caller_of_old_kernel};

static int listening, held; /* our end of a pipe, with which the child ends */

/* A child that connects as user UID, and runs as ours until it is let go. */
static pid_t connecting_child(uid_t uid)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX}; /* the kernel picks a name */
    socklen_t size = sizeof(sa_family_t);
    int ends[2];
    char octet;
    listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    size = sizeof(address);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&address, &size), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    pid_t child = fork();
    if (child == 0) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        close(ends[0]);
        if (seteuid(uid) < 0 || connect(fd, (struct sockaddr *)&address, size) < 0 ||
            seteuid(getuid()) < 0 || write(ends[1], "", 1) != 1)
            _exit(1);
        (void)!read(ends[1], &octet, 1);
        _exit(0);
    }
    close(ends[1]);
    held = ends[0];
    ck_assert_int_eq(read(held, &octet, 1), 1);
    return child;
}

static void end(pid_t child)
{
    int status;
    close(held);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static int accepted(void)
{
    int fd = accept(listening, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    close(listening);
    return fd;
}

START_TEST(a_process_is_known_while_it_runs)
{
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct caller caller;
        char text[CALLER_TEXT_OCTETS];
        pid_t child = connecting_child(geteuid());
        int fd AUTO_CLOSE = accepted();
        ck_assert_int_eq(ways[i](fd, &caller), RESULT_OK);
        ck_assert(caller.pid == child && caller.uid == geteuid());
        ck_assert_int_ge(caller.pidfd, 0);
        caller_describe(&caller, text);
        ck_assert_int_ge(caller.pidfd, 0);
        end(child);
        caller_describe(&caller, text);
        ck_assert_int_lt(caller.pidfd, 0);
        ck_assert_ptr_nonnull(strstr(text, ", no unit"));
        ck_assert_uint_eq(caller.uid, geteuid());
        caller_release(&caller);
    }
}
END_TEST

START_TEST(a_process_that_has_ended_is_nobody_s)
{
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct caller caller;
        char text[CALLER_TEXT_OCTETS];
        end(connecting_child(geteuid()));
        int fd AUTO_CLOSE = accepted();
        ck_assert_int_eq(ways[i](fd, &caller), RESULT_OK);
        ck_assert_ptr_null(caller_describe(&caller, text).unit);
        ck_assert_int_lt(caller.pidfd, 0);
        ck_assert_uint_eq(caller.uid, geteuid());
        caller_release(&caller);
    }
}
END_TEST

/* What has the number by now may be another process: one of another user surely is. */
START_TEST(an_old_kernel_s_number_has_to_be_of_the_same_user)
{
    struct caller caller;
    if (geteuid() != 0)
        return;
    pid_t child = connecting_child(65534);
    int fd AUTO_CLOSE = accepted();
    ck_assert_int_eq(caller_of_old_kernel(fd, &caller), RESULT_OK);
    ck_assert(caller.uid == 65534 && caller.pid == child);
    ck_assert_int_lt(caller.pidfd, 0);
    end(child);
    caller_release(&caller);
}
END_TEST

/* As if the service manager had put it there. */
static void give_unit(struct caller *caller)
{
    caller->unit = strdup(unit);
    caller->unit_known = true;
}

START_TEST(a_unit_holds_for_the_process_that_connected_alone)
{
    struct policy_client client = {.unit = unit, .rights = RIGHT_GET};
    struct policy policy = policy_of(&client, 1);
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct caller caller;
        pid_t child = connecting_child(geteuid());
        int fd AUTO_CLOSE = accepted();
        ck_assert_int_eq(ways[i](fd, &caller), RESULT_OK);
        give_unit(&caller);
        caller.sender = child;
        ck_assert(caller_may(&caller, &policy, RIGHT_GET, METER));
        caller.sender = getpid();
        ck_assert(caller_may(&caller, &policy, RIGHT_GET, METER) == !caller.must_send);
        caller.sender = 0;
        ck_assert(caller_may(&caller, &policy, RIGHT_GET, METER) == !caller.must_send);
        caller.sender = child;
        end(child);
        ck_assert(!caller_may(&caller, &policy, RIGHT_GET, METER));
        caller_release(&caller);
    }
}
END_TEST

START_TEST(the_log_names_user_and_unit)
{
    char text[CALLER_TEXT_OCTETS];
    struct caller caller = ourselves();
    caller.sender = caller.pid;
    give_unit(&caller);
    caller.uid = 0;
    struct log_caller log = caller_describe(&caller, text);
    ck_assert_str_eq(text, "user root (0), unit no-such.service");
    ck_assert(log.uid == 0 && strcmp(log.user, "root") == 0 && strcmp(log.unit, unit) == 0);
    done(&caller);
    caller = ourselves();
    caller.uid = 0x7ffffff0;
    caller.unit_known = true;
    caller_describe(&caller, text);
    ck_assert_str_eq(text, "user 2147483632, no unit");
    done(&caller);
}
END_TEST

CHECK_MAIN("query/caller", the_kernel_says_who_it_is, nobody_may_without_an_entry,
    every_condition_must_hold, supplementary_groups_count, a_right_and_its_peers_stand_in_one_entry,
    a_process_is_known_while_it_runs, a_process_that_has_ended_is_nobody_s,
    an_old_kernel_s_number_has_to_be_of_the_same_user,
    a_unit_holds_for_the_process_that_connected_alone, the_log_names_user_and_unit)
