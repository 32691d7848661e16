/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/caller.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <systemd/sd-login.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5, wherever numbers are not parisc's or sparc's */
#endif

#define ACCOUNT_OCTETS 4096

/* --- the process that connected --- */

/* -1 and errno when there is none to be had. */
static int peer_pidfd(int fd)
{
    int pidfd = -1;
    socklen_t size = sizeof(pidfd);
    return getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0 ? pidfd : -1;
}

static bool is_ours_to_mend(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM;
}

static bool note_senders(int fd)
{
    return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)) == 0;
}

void caller_listen(int listening)
{
    AUTO_CLOSE int pidfd = peer_pidfd(listening); /* whose, is of no interest */
    if (pidfd < 0 && errno == ENOPROTOOPT)
        (void)note_senders(listening); /* else units are not told, which lets nobody in */
}

static bool is_running(int pidfd)
{
    return poll(&(struct pollfd){.fd = pidfd, .events = POLLIN}, 1, 0) == 0;
}

/* The line is "Uid:", the real one, the effective one, and more. */
static bool runs_as(pid_t pid, uid_t uid)
{
    char path[32], line[256], *real_end;
    unsigned long effective = ULONG_MAX;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *status = fopen(path, "re");
    if (!status)
        return false;
    while (effective == ULONG_MAX && fgets(line, sizeof(line), status))
        if (strncmp(line, "Uid:", 4) == 0) {
            (void)strtoul(line + 4, &real_end, 10);
            effective = strtoul(real_end, NULL, 10);
        }
    fclose(status);
    return effective == uid;
}

static enum result credentials_of(int fd, struct caller *out)
{
    struct ucred credentials;
    socklen_t size = sizeof(credentials);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return RESULT_SYSTEM_ERROR;
    *out = (struct caller){.fd = fd,
        .uid = credentials.uid,
        .gid = credentials.gid,
        .pid = credentials.pid,
        .pidfd = -1};
    return RESULT_OK;
}

/* From when the pidfd is there, the number is that process' alone for as long as it runs. Which
 * process got the number before is not told; so it has to run as the user who connected, and to
 * send what is asked. */
enum result caller_of_old_kernel(int fd, struct caller *out)
{
    if (credentials_of(fd, out) != RESULT_OK || !note_senders(fd))
        return RESULT_SYSTEM_ERROR;
    out->must_send = true;
    if (out->pid <= 0)
        return RESULT_OK;
    AUTO_CLOSE int pidfd = pidfd_open(out->pid, 0);
    if (pidfd < 0 && is_ours_to_mend(errno))
        return RESULT_SYSTEM_ERROR;
    if (pidfd >= 0 && runs_as(out->pid, out->uid) && is_running(pidfd))
        out->pidfd = TAKE_FD(pidfd);
    return RESULT_OK;
}

enum result caller_of(int fd, struct caller *out)
{
    AUTO_CLOSE int pidfd = peer_pidfd(fd);
    if (pidfd < 0 && errno == ENOPROTOOPT)
        return caller_of_old_kernel(fd, out);
    if (pidfd < 0 && is_ours_to_mend(errno))
        return RESULT_SYSTEM_ERROR;
    enum result result = credentials_of(fd, out);
    if (result == RESULT_OK)
        out->pidfd = TAKE_FD(pidfd);
    return result;
}

static void forget_process(struct caller *caller)
{
    if (caller->pidfd >= 0)
        close(caller->pidfd);
    caller->pidfd = -1;
    free(caller->unit);
    caller->unit = NULL;
}

void caller_release(struct caller *caller)
{
    forget_process(caller);
    free(caller->groups);
    free(caller->user);
    *caller = (struct caller){.fd = -1, .pidfd = -1};
}

/* --- what the kernel knows besides --- */

static void learn_groups(struct caller *caller)
{
    caller->groups_known = true;
    socklen_t size = 0;
    if (getsockopt(caller->fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
        return;
    AUTO_FREE gid_t *groups = malloc(size);
    if (!groups || getsockopt(caller->fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
        return;
    caller->groups = TAKE_PTR(groups);
    caller->group_count = size / sizeof(gid_t);
}

static bool is_in_group(struct caller *caller, gid_t gid)
{
    if (gid == (gid_t)-1)
        return false;
    if (gid == caller->gid)
        return true;
    if (!caller->groups_known)
        learn_groups(caller);
    for (size_t i = 0; i < caller->group_count; i++)
        if (caller->groups[i] == gid)
            return true;
    return false;
}

/* NULL = none. The process is looked at last: if it still runs, the number was its own while the
 * unit was looked up by it, and the unit is that of a process that is there. */
static const char *unit_of(struct caller *caller)
{
    if (caller->pidfd < 0 || caller->pid <= 0)
        return NULL;
    if (!caller->unit_known) {
        int error = sd_pid_get_unit(caller->pid, &caller->unit);
        if (error < 0)
            caller->unit = NULL;
        caller->unit_known =
            error >= 0 || error == -ENODATA; /* else we may be short of something */
    }
    if (!is_running(caller->pidfd))
        forget_process(caller);
    return caller->must_send && caller->sender != caller->pid ? NULL : caller->unit;
}

static bool is_unit(struct caller *caller, const char *unit)
{
    const char *own = unit_of(caller);
    return own && strcmp(own, unit) == 0;
}

static const char *user_of(struct caller *caller)
{
    struct passwd entry, *found = NULL;
    char room[ACCOUNT_OCTETS];
    if (!caller->user_known && getpwuid_r(caller->uid, &entry, room, sizeof(room), &found) == 0 &&
        found)
        caller->user = strdup(found->pw_name);
    caller->user_known = true;
    return caller->user;
}

struct log_caller caller_describe(struct caller *caller, char text[CALLER_TEXT_OCTETS])
{
    const struct log_caller log = {
        .uid = caller->uid, .user = user_of(caller), .unit = unit_of(caller)};
    snprintf(text, CALLER_TEXT_OCTETS, "user %.255s%s%u%s, %s%.255s", log.user ? log.user : "",
        log.user ? " (" : "", (unsigned)log.uid, log.user ? ")" : "",
        log.unit ? "unit " : "no unit", log.unit ? log.unit : "");
    return log;
}

/* --- against policy --- */

static bool covers(const struct policy_client *client, const char *peer)
{
    if (!peer || client->peer_count == 0)
        return true;
    for (size_t i = 0; i < client->peer_count; i++)
        if (identifier_matches(client->peers[i], peer))
            return true;
    return false;
}

/* The unit last: it is the dearest to find out. */
static bool meets(struct caller *caller, const struct policy_client *client)
{
    if (client->user_name && (client->uid == (uid_t)-1 || client->uid != caller->uid))
        return false;
    if (client->group_name && !is_in_group(caller, client->gid))
        return false;
    return !client->unit || is_unit(caller, client->unit);
}

bool caller_may(
    struct caller *caller, const struct policy *policy, enum policy_right right, const char *peer)
{
    for (size_t i = 0; i < policy->client_count; i++) {
        const struct policy_client *client = &policy->clients[i];
        if ((client->rights & (unsigned)right) && covers(client, peer) && meets(caller, client))
            return true;
    }
    return false;
}
