/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A varlink client for tests: a JSON object and a NUL each way, nothing else. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct varlink {
    int fd;
    char *input; /* what came and was not returned yet */
    size_t size;
};

void varlink_open(struct varlink *varlink, const char *path);
void varlink_close(struct varlink *varlink);

/* Sends SIZE octets as they are; false when the other side has hung up. */
bool varlink_send(struct varlink *varlink, const void *octets, size_t size);
/* The next reply, a new reference; NULL: the other side has hung up. No reply in time fails the
 * test. */
json_t *varlink_receive(struct varlink *varlink);

/* Calls METHOD. PARAMETERS: taken over, may be NULL. FLAG: NULL, "more" or "oneway". */
void varlink_begin(
    struct varlink *varlink, const char *method, json_t *parameters, const char *flag);
/* One call and its one reply, whole: {"parameters":…} or {"error":…}. */
json_t *varlink_call(struct varlink *varlink, const char *method, json_t *parameters);
/* "" when REPLY is not an error. */
const char *varlink_error(const json_t *reply);
