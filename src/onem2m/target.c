/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads addresses in HTTP (TS-0009 6.2.2.2; TS-0001 7.2). Segments are views into the path. */
#include "onem2m/target.h"

#include <string.h>

#include "base/text.h"

static bool segment_is(struct bytes segment, const char *text)
{
    return bytes_equal(segment, bytes_of_string(text));
}

/* Takes the next segment off PATH, "/segment/segment…"; false when there is none. Empty ones are
 * passed over: whoever joins two addresses with one slash too many means what he would without. */
static bool take_segment(struct bytes *path, struct bytes *segment)
{
    while (path->size > 0 && path->data[0] == '/')
        *path = bytes_of(path->data + 1, path->size - 1);
    const uint8_t *slash = path->size > 0 ? memchr(path->data, '/', path->size) : NULL;
    size_t size = slash ? (size_t)(slash - path->data) : path->size;
    return size > 0 && bytes_take(path, size, segment);
}

static bool is_end(struct bytes path)
{
    struct bytes segment;

    return !take_segment(&path, &segment);
}

/* Sets OUT to the exchange whose name is SEGMENT. Leaves OUT as it is, TARGET_NONE, when REST shows
 * that SEGMENT is not the last one, or when the name is too long. */
static void end_with_name(struct bytes segment, struct bytes rest, struct target *out)
{
    if (!is_end(rest) || segment.size >= sizeof(out->name))
        return;
    memcpy(out->name, segment.data, segment.size);
    out->name[segment.size] = '\0';
    out->kind = TARGET_EXCHANGE;
}

/* Reads what follows <CSEBase> in a structured address: SEGMENT, which has to be the entry point,
 * and REST, which is empty or "/NAME" of an exchange. */
static void parse_structured(
    const struct policy_cse *cse, struct bytes segment, struct bytes rest, struct target *out)
{
    if (!segment_is(segment, cse->resource_name))
        return;
    if (!take_segment(&rest, &segment))
        out->kind = TARGET_ENTRY_POINT;
    else
        end_with_name(segment, rest, out);
}

/* Whether PATH is ADDRESS, of endpoints.resource. "-" stands for the name of the CSEBase, which
 * only a structured address begins with. */
static bool is_address(const struct policy_cse *cse, const char *address, struct bytes path)
{
    struct bytes wanted = bytes_of_string(address), part, segment;

    while (take_segment(&wanted, &part)) {
        bool is_base = part.data == (const uint8_t *)address && segment_is(part, cse->cse_base);
        if (!take_segment(&path, &segment) ||
            !(bytes_equal(segment, part) || (is_base && segment_is(segment, "-"))))
            return false;
    }
    return is_end(path);
}

/* PATH is relative to our CSE. Whether it is one of endpoints.resource. */
static bool parse_resource(const struct policy *policy, struct bytes path, struct target *out)
{
    for (size_t i = 0; i < policy->endpoint_count; i++)
        for (size_t j = 0; j < policy->endpoints[i].address_count; j++)
            if (is_address(&policy->cse, policy->endpoints[i].addresses[j], path)) {
                out->kind = TARGET_NOTIFY;
                out->endpoint = &policy->endpoints[i];
                return true;
            }
    return false;
}

/* PATH is relative to our CSE: structured, from <CSEBase> on, or an unstructured resource id. */
static void parse_cse_relative(const struct policy *policy, struct bytes path, struct target *out)
{
    const struct policy_cse *cse = &policy->cse;
    struct bytes segment, rest = path;

    if (parse_resource(policy, path, out) || !take_segment(&rest, &segment))
        return;
    if (segment_is(segment, cse->cse_base) || segment_is(segment, "-")) {
        if (!take_segment(&rest, &segment))
            out->kind = TARGET_CSE_BASE;
        else
            parse_structured(cse, segment, rest, out);
    } else if (segment_is(segment, cse->resource_name)) {
        parse_structured(cse, segment, rest, out);
    } else {
        end_with_name(segment, rest, out);
    }
}

/* PATH is "/in-cse", and then nothing or a path relative to that CSE. */
static void parse_sp_relative(const struct policy *policy, struct bytes path, struct target *out)
{
    struct bytes segment;

    if (!take_segment(&path, &segment) || !segment_is(segment, policy->cse.cse_id + 1))
        return;
    if (is_end(path))
        out->kind = TARGET_CSE_BASE;
    else
        parse_cse_relative(policy, path, out);
}

/* PATH is what follows "/_": "/m2m.example", and then as in an SP-relative one. */
static void parse_absolute(const struct policy *policy, struct bytes path, struct target *out)
{
    struct bytes segment;

    if (take_segment(&path, &segment) &&
        bytes_equal_caseless(segment, bytes_of_string(policy->cse.sp_id)))
        parse_sp_relative(policy, path, out);
}

/* Moves PATH past the last "/~" or "/_" in it and returns that character. When there is none,
 * returns NUL and leaves PATH as it is. There may be something before it, as a registered
 * pointOfAccess may have a path. No name of ours is "~" or "_". */
static char take_prefix(struct bytes *path)
{
    struct bytes segment, rest = *path;
    char form = '\0';

    while (take_segment(&rest, &segment))
        if (segment_is(segment, "~") || segment_is(segment, "_")) {
            form = (char)segment.data[0];
            *path = rest;
        }
    return form;
}

static void parse_address(const struct policy *policy, struct bytes path, struct target *out)
{
    switch (take_prefix(&path)) {
    case '~':
        parse_sp_relative(policy, path, out);
        break;
    case '_':
        parse_absolute(policy, path, out);
        break;
    default: /* SP-relative as in Content-Location, which peers may take for a path as it is */
        if (!parse_resource(policy, path, out))
            parse_sp_relative(policy, path, out);
        if (out->kind == TARGET_NONE)
            parse_cse_relative(policy, path, out);
    }
}

/* Moves PATH past NOTIFY_PATH; false, and PATH as it is, when it does not begin with that. */
static bool take_notify_path(const char *notify_path, struct bytes *path)
{
    struct bytes base = bytes_of_string(notify_path), rest = *path, wanted, segment;

    while (take_segment(&base, &wanted))
        if (!take_segment(&rest, &segment) || !bytes_equal(segment, wanted))
            return false;
    *path = rest;
    return true;
}

static const struct policy_endpoint *find_named(const struct policy *policy, struct bytes name)
{
    for (size_t i = 0; i < policy->endpoint_count; i++)
        if (segment_is(name, policy->endpoints[i].name))
            return &policy->endpoints[i];
    return NULL;
}

/* PATH is what follows http.notifyPath. */
static void parse_below_notify(
    const struct policy *policy, enum operation operation, struct bytes path, struct target *out)
{
    struct bytes first = {0}, rest = path;
    bool is_notify = !take_segment(&rest, &first) || operation == OPERATION_NOTIFY;

    parse_address(policy, path, out);
    if (is_notify && out->kind != TARGET_NOTIFY)
        *out = (struct target){.kind = TARGET_NOTIFY, .endpoint = find_named(policy, first)};
}

void target_parse(
    const struct policy *policy, enum operation operation, const char *text, struct target *out)
{
    struct bytes path = bytes_of_string(text);

    *out = (struct target){.kind = TARGET_NONE};
    if (path.size > 0 && path.data[0] != '/')
        return;
    if (is_end(path))
        out->kind = TARGET_NOTIFY;
    else if (take_notify_path(policy->http.notify_path, &path))
        parse_below_notify(policy, operation, path, out);
    else
        parse_address(policy, path, out);
}
