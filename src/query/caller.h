/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is at the other end of a connection, as the kernel says, and what policy lets it do. */
#pragma once

#include "policy/policy.h"

struct caller {
    int fd; /* borrowed */
    uid_t uid;
    gid_t gid;
    pid_t pid;
    /* These two are asked for when a rule first needs them. */
    bool groups_known, unit_known;
    gid_t *groups; /* supplementary ones */
    size_t group_count;
    char *unit; /* systemd unit; NULL = none */
};

/* SO_PEERCRED: those who connected, whoever holds the connection now. */
enum result caller_of(int fd, struct caller *out) WARN_UNUSED;
void caller_release(struct caller *caller);

/* Is there an entry of "clients" that this caller meets, that gives RIGHT, and that covers PEER
 * (absolute; NULL = that covers anyone at all)? */
bool caller_may(struct caller *caller, const struct policy *policy, enum policy_right right,
    const char *peer) WARN_UNUSED;
