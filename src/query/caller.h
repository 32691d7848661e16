/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is at the other end of a connection, as the kernel knows it, and what the policy lets it do.
 *
 * User and groups are those that the process had when it connected (SO_PEERCRED): they hold for
 * whoever has the connection now. The unit is that of the process that connected, and holds only
 * while that process runs. A pidfd shows whether it does; a process id does not, since another
 * process may have it by now. Before Linux 6.5 the kernel has no pidfd for a connection: there the
 * process must also send each call itself. */
#pragma once

#include "observe/log.h"
#include "policy/policy.h"

struct caller {
    int fd; /* borrowed */
    uid_t uid;
    gid_t gid;
    pid_t pid;      /* of the process that connected; 0: it has none in our PID namespace */
    int pidfd;      /* of that same process; -1: it has ended */
    bool must_send; /* its unit counts only for calls that it sent itself */
    pid_t sender;   /* the process that sent the call in hand (struct frame), for .must_send */
    /* These are asked for when a rule or the log first needs them. */
    bool groups_known, unit_known, user_known;
    gid_t *groups; /* supplementary ones */
    size_t group_count;
    char *unit; /* systemd unit; NULL = none */
    char *user; /* the name of .uid; NULL = none */
};

/* Where the kernel has no pidfd for a connection, makes a listening socket record who sends what.
 * Its connections do so from their start, before they are accepted. */
void caller_listen(int listening);

/* Finds out who connected to FD. Release OUT with caller_release; on failure there is nothing to
 * release. */
enum result caller_of(int fd, struct caller *out) WARN_UNUSED;
/* The same with what a kernel before 6.5 offers. caller_of calls it there; otherwise for tests. */
enum result caller_of_old_kernel(int fd, struct caller *out) WARN_UNUSED;
void caller_release(struct caller *caller);

/* Whether policy has an entry in "clients" that this caller meets, that gives RIGHT, and that
 * covers PEER (absolute). PEER NULL: it does not matter which peers the entry covers. */
bool caller_may(struct caller *caller, const struct policy *policy, enum policy_right right,
    const char *peer) WARN_UNUSED;

#define CALLER_TEXT_OCTETS 600
/* Describes CALLER for the log: returns the log's fields, which live as long as CALLER, and writes
 * a text such as "user meter-ae (1000), unit meter.service". */
struct log_caller caller_describe(struct caller *caller, char text[CALLER_TEXT_OCTETS]);
