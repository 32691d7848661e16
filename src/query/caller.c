/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/caller.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-login.h>

enum result caller_of(int fd, struct caller *out)
{
    struct ucred credentials;
    socklen_t size = sizeof(credentials);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return RESULT_SYSTEM_ERROR;
    *out = (struct caller){
        .fd = fd, .uid = credentials.uid, .gid = credentials.gid, .pid = credentials.pid};
    return RESULT_OK;
}

void caller_release(struct caller *caller)
{
    free(caller->groups);
    free(caller->unit);
    *caller = (struct caller){.fd = -1};
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

static bool is_unit(struct caller *caller, const char *unit)
{
    if (!caller->unit_known) {
        caller->unit_known = true;
        if (sd_peer_get_unit(caller->fd, &caller->unit) < 0)
            caller->unit = NULL;
    }
    return caller->unit && strcmp(caller->unit, unit) == 0;
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
