/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/caller.h"

#include <grp.h>
#include <sys/socket.h>

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

CHECK_MAIN("query/caller", the_kernel_says_who_it_is, nobody_may_without_an_entry,
    every_condition_must_hold, supplementary_groups_count, a_right_and_its_peers_stand_in_one_entry)
