/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "ctl/common.h"
#include "ctl/syntax.h"
#include "ctl/verbs.h"

static const struct syntax syntax = {
    .usage = "status",
    .about = "How the daemon is doing: what it serves, how many keys it holds, what it counted.",
};

static void print_value(const char *name, const json_t *value)
{
    if (json_is_string(value)) {
        printf("%-36s %s\n", name, json_string_value(value));
        return;
    }
    if (strcmp(name, "started") == 0 || strcmp(name, "now") == 0) {
        char when[TIME_TEXT_OCTETS] = "";
        format_time(json_integer_value(value), when);
        printf("%-36s %s\n", name, when);
        return;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    printf("%-36s %s\n", name, text ? text : "?");
    free(text);
}

static const char *text_of(const json_t *item, const char *name, const char *other)
{
    const char *text = json_string_value(json_object_get(item, name));
    return text ? text : other;
}

/* Prints one item of "certificates" or "crls": its state, when it ends, and its file. */
static void print_expiry(const char *list, const json_t *item)
{
    const char *state = text_of(item, "state", "?");
    const json_t *end = json_object_get(item, "expires");
    char name[256], when[TIME_TEXT_OCTETS] = "";
    snprintf(name, sizeof(name), "%.32s.%.200s", list,
        text_of(item, "endpoint", text_of(item, "trust", "?")));
    end = end ? end : json_object_get(item, "nextUpdate");
    if (!json_is_integer(end)) {
        printf("%-36s %s\n", name, state);
        return;
    }
    format_time(json_integer_value(end), when);
    printf("%-36s %s, %s %s  %s\n", name, state, strcmp(state, "expired") == 0 ? "ended" : "ends",
        when, text_of(item, "file", ""));
}

static void print_registration(const json_t *item)
{
    char since[TIME_TEXT_OCTETS] = "", next[TIME_TEXT_OCTETS] = "";
    const char *error = text_of(item, "error", "");
    format_time(json_integer_value(json_object_get(item, "since")), since);
    format_time(json_integer_value(json_object_get(item, "next")), next);
    printf("%-36s %s at %s as %s, since %s, next %s%s%s\n", "registration",
        text_of(item, "state", "?"), text_of(item, "url", "?"), text_of(item, "originator", "?"),
        since, next, error[0] != '\0' ? ": " : "", error);
}

/* Prints a line for each item: of a list of expiries, of the registrations or of the warnings. */
static void print_list(const char *list, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);
        if (strcmp(list, "registrations") == 0)
            print_registration(item);
        else if (json_is_object(item))
            print_expiry(list, item);
        else
            printf("%-36s %s\n", "warning", json_string_value(item));
    }
}

/* Prints the members of OBJECT; those of objects inside it by their whole path. */
static void print_object(const char *prefix, json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        char path[256];
        snprintf(path, sizeof(path), "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", name);
        if (json_is_object(value))
            print_object(path, value);
        else if (strcmp(path, "certificates") == 0 || strcmp(path, "crls") == 0 ||
                 strcmp(path, "warnings") == 0 || strcmp(path, "registrations") == 0)
            print_list(path, value);
        else
            print_value(path, value);
    }
}

static int print(const char *text)
{
    if (common.json) {
        puts(text);
        return STATUS_DONE;
    }
    json_t *status = json_loads(text, 0, NULL);
    if (!status)
        return fail(STATUS_REFUSED, "out of memory");
    print_object("", status);
    json_decref(status);
    return STATUS_DONE;
}

int verb_status(int argc, char **argv)
{
    int status = STATUS_USAGE;
    struct e2ekey *e2ekey CLEANUP(auto_e2ekey_close) = NULL;
    if (!syntax_read(&syntax, argc, argv, &status) || !open_socket(common.socket, &e2ekey, &status))
        return status;
    char *text AUTO_FREE = NULL;
    int error = e2ekey_status(e2ekey, &text);
    return error == E2EKEY_OK ? print(text) : fail_e2ekey(error);
}
