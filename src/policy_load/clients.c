/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section "clients": which local processes may ask for what. */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>

#include "policy/texts.h"
#include "policy_load/canonical.h"
#include "policy_load/sections.h"

#define FIELD(name)         .offset = offsetof(struct policy_client, name)
#define LOOKUP_OCTETS_MAX   (1 << 20) /* a group with very many members */
#define LOOKUP_OCTETS_START 4096

static const struct {
    const char *name;
    enum policy_right right;
} rights[] = {
    {"get", RIGHT_GET},
    {"list", RIGHT_LIST},
    {"revoke", RIGHT_REVOKE},
    {"subscribe", RIGHT_SUBSCRIBE},
    {"status", RIGHT_STATUS},
};

static unsigned right_bit(
    struct reader *reader, const struct json_position *position, const json_t *value)
{
    if (!reader_expect(reader, position, value, JSON_STRING))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(rights); i++)
        if (strcmp(rights[i].name, json_string_value(value)) == 0)
            return rights[i].right;
    char known[256] = "";
    for (size_t i = 0; i < ARRAY_SIZE(rights); i++)
        list_append(known, sizeof(known), rights[i].name);
    reader_fault(reader, position, "\"%.64s\" is not a right; known here: %s",
        json_string_value(value), known);
    return 0;
}

static void read_allow(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    (void)member;
    unsigned *allowed = field;
    const size_t count = reader_array(reader, position, value, 1, ARRAY_SIZE(rights));
    for (size_t i = 0; i < count; i++) {
        const struct json_position below = {.parent = position, .index = i};
        const unsigned right = right_bit(reader, &below, json_array_get(value, i));
        if (*allowed & right)
            reader_fault(reader, &below, "is listed twice");
        *allowed |= right;
    }
}

static const struct text_format peer = {identifier_is_deep_pattern,
    "an absolute identifier (//SP/CSE, //SP/CSE/Cxxx or //SP/Sxxx) or a pattern (//SP/CSE/*,"
    " //SP/**)",
    canonical_identity};

static void read_peers(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    struct policy_client *client = field;
    const size_t count = reader_array(reader, position, value, member->least, member->most);
    client->peers = texts_array(reader->policy->texts, count, sizeof(*client->peers));
    for (size_t i = 0; client->peers && i < count; i++) {
        const struct json_position below = {.parent = position, .index = i};
        client->peers[client->peer_count++] =
            reader_text(reader, &below, json_array_get(value, i), member->format);
    }
}

/* --- accounts: users and groups --- */

/* Reads TEXT as the number of an account. Returns false if it is none. */
static bool parse_id(const char *text, unsigned *id)
{
    const size_t size = strlen(text);
    if (size == 0 || size > 10 || strspn(text, "0123456789") != size)
        return false;
    const unsigned long number = strtoul(text, NULL, 10);
    *id = (unsigned)number;
    return number < UINT_MAX; /* which means "none" to the kernel */
}

/* Looks NAME up, with ROOM of SIZE octets for the entry. Returns 0 or an errno, as getpwnam_r(3)
 * does, and sets *ID only if there is such an account. */
typedef int look_up(const char *name, char *room, size_t size, unsigned *id);

static int look_up_user(const char *name, char *room, size_t size, unsigned *id)
{
    struct passwd entry, *found = NULL;
    const int error = getpwnam_r(name, &entry, room, size, &found);
    if (error == 0 && found)
        *id = found->pw_uid;
    return error;
}

static int look_up_group(const char *name, char *room, size_t size, unsigned *id)
{
    struct group entry, *found = NULL;
    const int error = getgrnam_r(name, &entry, room, size, &found);
    if (error == 0 && found)
        *id = found->gr_gid;
    return error;
}

/* Sets *ID to the number of the account NAME, which may be a number itself; UINT_MAX if there is no
 * such account. Returns 0 or an errno. */
static int find_account(const char *name, look_up *look, unsigned *id)
{
    *id = UINT_MAX;
    if (parse_id(name, id))
        return 0;
    int error = ERANGE;
    for (size_t size = LOOKUP_OCTETS_START; error == ERANGE && size <= LOOKUP_OCTETS_MAX;
         size *= 4) {
        char *room AUTO_FREE = malloc(size);
        error = room ? look(name, room, size, id) : ENOMEM;
    }
    return error;
}

/* Sets *ID to the number of the account NAME, which the file has under MEMBER. Without a name, or
 * if there is no such account, *ID is UINT_MAX, which no process has. */
static void resolve(struct reader *reader, const struct json_position *position, const char *name,
    const char *member, look_up *look, unsigned *id)
{
    *id = UINT_MAX;
    if (!name || !*name)
        return;
    const struct json_position below = {.parent = position, .member = member};
    const int error = find_account(name, look, id);
    /* Others, such as ENOENT, may mean that there is none (getpwnam_r(3)). */
    if (error == ENOMEM || error == EMFILE || error == ENFILE)
        reader_fault(reader, &below, "cannot look the %s up: %s", member, strerror(error));
    else if (*id == UINT_MAX)
        reader_warning(reader, &below,
            "there is no %s \"%s\": this entry lets nobody in until the policy is loaded again",
            member, name);
}

static const struct text_format account = {
    valid_account, "a name or number, as getent(1) knows it", NULL};
static const struct text_format unit = {valid_unit, "a unit such as meter.service", NULL};

static const struct member client_members[] = {
    {"user", read_text, FIELD(user_name), .format = &account},
    {"group", read_text, FIELD(group_name), .format = &account},
    {"unit", read_text, FIELD(unit), .format = &unit},
    {"allow", read_allow, FIELD(rights), true},
    {"peers", read_peers, .offset = 0, .least = 1, .most = POLICY_PEERS_MAX, .format = &peer},
};

static void read_client(
    struct reader *reader, const struct json_position *position, json_t *value, void *entry)
{
    struct policy_client *client = entry;
    read_members(reader, position, value, MEMBERS(client_members), client);
    resolve(reader, position, client->user_name, "user", look_up_user, &client->uid);
    resolve(reader, position, client->group_name, "group", look_up_group, &client->gid);
    if (json_is_object(value) && !client->user_name && !client->group_name && !client->unit)
        reader_fault(reader, position, "names nobody: give user, group or unit");
}

const struct section clients_section = {"clients", MEMBERS(client_members),
    offsetof(struct policy, clients), read_client, sizeof(struct policy_client), POLICY_CLIENTS_MAX,
    offsetof(struct policy, client_count)};
