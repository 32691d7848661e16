/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One varlink method call, as read; and the parameters that a method takes. */
#pragma once

#include <jansson.h>

#include "base/bytes.h"

struct call {
    json_t *root; /* owns the rest */
    const char *method;
    json_t *parameters; /* an object, or NULL */
    bool more, oneway, upgrade;
};

/* RESULT_BAD_INPUT when MESSAGE is no varlink call. */
enum result call_parse(struct bytes message, struct call *out) WARN_UNUSED;
void call_release(struct call *call);

/* A string parameter; absent and null are the same: *VALUE stays. */
struct parameter {
    const char *name;
    const char **value; /* into the call */
};

/* Fills in the COUNT parameters of LIST. The name of one that is of the wrong type or unknown, or
 * NULL when all is well. */
const char *call_parameters(const struct call *call, const struct parameter *list, size_t count)
    WARN_UNUSED;
