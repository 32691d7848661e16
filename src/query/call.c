/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/call.h"

#include <string.h>

static bool read_flag(const json_t *root, const char *name, bool *out)
{
    const json_t *value = json_object_get(root, name);
    *out = json_is_true(value);
    return !value || json_is_boolean(value) || json_is_null(value);
}

enum result call_parse(struct bytes message, struct call *out)
{
    *out = (struct call){0};
    json_t *root =
        json_loadb((const char *)message.data, message.size, JSON_REJECT_DUPLICATES, NULL);
    if (!root)
        return RESULT_BAD_INPUT;
    *out =
        (struct call){.root = root, .method = json_string_value(json_object_get(root, "method"))};
    json_t *parameters = json_object_get(root, "parameters");
    if (json_is_object(parameters))
        out->parameters = parameters;

    bool is_call = out->method && (!parameters || out->parameters || json_is_null(parameters));
    is_call = read_flag(root, "more", &out->more) && is_call;
    is_call = read_flag(root, "oneway", &out->oneway) && is_call;
    is_call = read_flag(root, "upgrade", &out->upgrade) && is_call;
    if (is_call)
        return RESULT_OK;
    call_release(out);
    return RESULT_BAD_INPUT;
}

void call_release(struct call *call)
{
    json_decref(call->root);
    *call = (struct call){0};
}

static const struct parameter *find_parameter(
    const struct parameter *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

const char *call_parameters(const struct call *call, const struct parameter *list, size_t count)
{
    const char *name;
    json_t *value;
    json_object_foreach(call->parameters, name, value)
    {
        const struct parameter *parameter = find_parameter(list, count, name);
        if (!parameter || !(json_is_string(value) || json_is_null(value)))
            return name;
        if (json_is_string(value))
            *parameter->value = json_string_value(value);
    }
    return NULL;
}
