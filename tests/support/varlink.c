/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/varlink.h"

#include <check.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TIMEOUT_MS 30000
#define REPLY_MAX  (4u << 20)

void varlink_open(struct varlink *varlink, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path) + 1);
    *varlink = (struct varlink){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ck_assert_int_ge(varlink->fd, 0);
    ck_assert_int_eq(connect(varlink->fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

void varlink_close(struct varlink *varlink)
{
    close(varlink->fd);
    free(varlink->input);
    *varlink = (struct varlink){.fd = -1};
}

bool varlink_send(struct varlink *varlink, const void *octets, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t part = send(varlink->fd, (const char *)octets + sent, size - sent, MSG_NOSIGNAL);
        if (part <= 0)
            return false;
        sent += (size_t)part;
    }
    return true;
}

/* More input; false at the end of it. */
static bool fill(struct varlink *varlink)
{
    struct pollfd ready = {.fd = varlink->fd, .events = POLLIN};
    ck_assert_msg(poll(&ready, 1, TIMEOUT_MS) == 1, "no reply on the key socket");
    ck_assert_uint_lt(varlink->size, REPLY_MAX);
    varlink->input = realloc(varlink->input, varlink->size + 65536);
    ck_assert_ptr_nonnull(varlink->input);
    ssize_t part = recv(varlink->fd, varlink->input + varlink->size, 65536, 0);
    if (part <= 0)
        return false;
    varlink->size += (size_t)part;
    return true;
}

json_t *varlink_receive(struct varlink *varlink)
{
    const char *end;
    while (!varlink->size || !(end = memchr(varlink->input, 0, varlink->size)))
        if (!fill(varlink))
            return NULL;
    json_error_t error;
    json_t *reply = json_loads(varlink->input, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(reply, "not JSON: %s: %s", varlink->input, error.text);
    varlink->size -= (size_t)(end + 1 - varlink->input);
    memmove(varlink->input, end + 1, varlink->size);
    return reply;
}

void varlink_begin(
    struct varlink *varlink, const char *method, json_t *parameters, const char *flag)
{
    json_t *call = json_pack("{s:s, s:o*}", "method", method, "parameters", parameters);
    ck_assert_ptr_nonnull(call);
    if (flag)
        json_object_set_new(call, flag, json_true());
    char *text = json_dumps(call, JSON_COMPACT);
    ck_assert(varlink_send(varlink, text, strlen(text) + 1));
    free(text);
    json_decref(call);
}

json_t *varlink_call(struct varlink *varlink, const char *method, json_t *parameters)
{
    varlink_begin(varlink, method, parameters, NULL);
    json_t *reply = varlink_receive(varlink);
    ck_assert_msg(reply, "%s: the key socket hung up", method);
    return reply;
}

const char *varlink_error(const json_t *reply)
{
    const char *error = json_string_value(json_object_get(reply, "error"));
    return error ? error : "";
}
