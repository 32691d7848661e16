/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A varlink method call as it was received, and the reading of its parameters. */
#pragma once

#include <jansson.h>

#include "base/bytes.h"

struct call {
    json_t *root; /* owns all that follows */
    const char *method;
    json_t *parameters; /* an object, or NULL */
    bool more, oneway, upgrade;
};

/* RESULT_BAD_INPUT when MESSAGE is not a varlink call. Release with call_release. */
enum result call_parse(struct bytes message, struct call *out) WARN_UNUSED;
void call_release(struct call *call);

/* A string parameter. Where it is absent or null, *VALUE is not changed. */
struct parameter {
    const char *name;
    const char **value; /* into the call */
};

/* Reads the COUNT parameters of LIST. Returns the name of one that is unknown or not a string, NULL
 * when there is none. */
const char *call_parameters(const struct call *call, const struct parameter *list, size_t count)
    WARN_UNUSED;
