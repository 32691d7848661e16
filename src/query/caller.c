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

/* A pidfd of the process that connected to FD; -1 and errno when the kernel gives none. */
static int peer_pidfd(int fd)
{
    int pidfd = -1;
    socklen_t size = sizeof(pidfd);
    return getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0 ? pidfd : -1;
}

/* Whether ERROR is a lack of descriptors or memory, so that the same call may succeed later. */
static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM;
}

static bool record_senders(int fd)
{
    return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)) == 0;
}

void caller_listen(int listening)
{
    int pidfd AUTO_CLOSE = peer_pidfd(listening); /* only errno matters here */
    if (pidfd < 0 && errno == ENOPROTOOPT)
        (void)record_senders(listening); /* if it fails, nobody is admitted by unit */
}

static bool is_running(int pidfd)
{
    return poll(&(struct pollfd){.fd = pidfd, .events = POLLIN}, 1, 0) == 0;
}

/* Whether the effective user of PID is UID. In the line that begins with "Uid:", the real user
 * comes first, then the effective one. */
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

/* While the process that a pidfd stands for runs, no other process has its id. But before we had
 * the pidfd, the id may have passed from the process that connected to another one. So the process
 * has to run as the user who connected, and to send each call itself. */
enum result caller_of_old_kernel(int fd, struct caller *out)
{
    if (credentials_of(fd, out) != RESULT_OK || !record_senders(fd))
        return RESULT_SYSTEM_ERROR;
    out->must_send = true;
    if (out->pid <= 0)
        return RESULT_OK;
    int pidfd AUTO_CLOSE = pidfd_open(out->pid, 0);
    if (pidfd < 0 && is_shortage(errno))
        return RESULT_SYSTEM_ERROR;
    if (pidfd >= 0 && runs_as(out->pid, out->uid) && is_running(pidfd))
        out->pidfd = TAKE_FD(pidfd);
    return RESULT_OK;
}

enum result caller_of(int fd, struct caller *out)
{
    int pidfd AUTO_CLOSE = peer_pidfd(fd);
    if (pidfd < 0 && errno == ENOPROTOOPT)
        return caller_of_old_kernel(fd, out);
    if (pidfd < 0 && is_shortage(errno))
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

/* --- groups, unit and user name, looked up when needed --- */

static void learn_groups(struct caller *caller)
{
    caller->groups_known = true;
    socklen_t size = 0;
    if (getsockopt(caller->fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
        return;
    gid_t *groups AUTO_FREE = malloc(size);
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

/* The unit of the process that connected; NULL = none, or the process has ended. That is checked
 * after the look-up: if the process still runs, its id was its own during the look-up, and the unit
 * that was found is that of this process. */
static const char *unit_of(struct caller *caller)
{
    if (caller->pidfd < 0 || caller->pid <= 0)
        return NULL;
    if (!caller->unit_known) {
        int error = sd_pid_get_unit(caller->pid, &caller->unit);
        if (error < 0)
            caller->unit = NULL;
        /* Other errors may be a shortage: the unit is looked up again next time. */
        caller->unit_known = error >= 0 || error == -ENODATA;
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

/* --- what policy lets a caller do --- */

static bool covers(const struct policy_client *client, const char *peer)
{
    if (!peer || client->peer_count == 0)
        return true;
    for (size_t i = 0; i < client->peer_count; i++)
        if (identifier_matches(client->peers[i], peer))
            return true;
    return false;
}

/* The unit comes last, as it costs most to look up. */
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
