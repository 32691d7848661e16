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

/* Sets OUT to a target of KIND whose name is SEGMENT. Leaves OUT as it is, TARGET_NONE, when REST
 * shows that SEGMENT is not the last one, or when the name is too long. */
static void end_with_name(
    enum target_kind kind, struct bytes segment, struct bytes rest, struct target *out)
{
    if (!is_end(rest) || segment.size >= sizeof(out->name))
        return;
    memcpy(out->name, segment.data, segment.size);
    out->name[segment.size] = '\0';
    out->kind = kind;
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
        end_with_name(TARGET_EXCHANGE, segment, rest, out);
}

/* PATH is relative to our CSE: structured, from <CSEBase> on, or an unstructured resource id. */
static void parse_cse_relative(const struct policy_cse *cse, struct bytes path, struct target *out)
{
    struct bytes segment;

    if (!take_segment(&path, &segment))
        return;
    if (segment_is(segment, cse->cse_base) || segment_is(segment, "-")) {
        if (!take_segment(&path, &segment))
            out->kind = TARGET_CSE_BASE;
        else
            parse_structured(cse, segment, path, out);
    } else if (segment_is(segment, cse->resource_name)) {
        parse_structured(cse, segment, path, out);
    } else {
        end_with_name(TARGET_EXCHANGE, segment, path, out);
    }
}

/* PATH is "/in-cse", and then nothing or a path relative to that CSE. */
static void parse_sp_relative(const struct policy_cse *cse, struct bytes path, struct target *out)
{
    struct bytes segment;

    if (!take_segment(&path, &segment) || !segment_is(segment, cse->cse_id + 1))
        return;
    if (is_end(path))
        out->kind = TARGET_CSE_BASE;
    else
        parse_cse_relative(cse, path, out);
}

/* PATH is what follows "/_": "/m2m.example", and then as in an SP-relative one. */
static void parse_absolute(const struct policy_cse *cse, struct bytes path, struct target *out)
{
    struct bytes segment;

    if (take_segment(&path, &segment) && bytes_equal_caseless(segment, bytes_of_string(cse->sp_id)))
        parse_sp_relative(cse, path, out);
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

/* PATH is NOTIFY_PATH, with or without "/NAME" of an end-point; or it is empty, as with a
 * pointOfAccess that has no path. */
static bool parse_notify(const char *notify_path, struct bytes path, struct target *out)
{
    struct bytes base = bytes_of_string(notify_path), wanted, segment;

    if (!is_end(path))
        while (take_segment(&base, &wanted))
            if (!take_segment(&path, &segment) || !bytes_equal(segment, wanted))
                return false;
    if (!take_segment(&path, &segment))
        out->kind = TARGET_NOTIFY;
    else
        end_with_name(TARGET_NOTIFY, segment, path, out);
    return out->kind != TARGET_NONE;
}

void target_parse(
    const struct policy_cse *cse, const char *notify_path, const char *text, struct target *out)
{
    struct bytes path = bytes_of_string(text);

    *out = (struct target){.kind = TARGET_NONE};
    if (path.size > 0 && path.data[0] != '/')
        return;
    if (parse_notify(notify_path, path, out))
        return;
    switch (take_prefix(&path)) {
    case '~':
        parse_sp_relative(cse, path, out);
        break;
    case '_':
        parse_absolute(cse, path, out);
        break;
    default: /* SP-relative as in Content-Location, which peers may take for a path as it is */
        parse_sp_relative(cse, path, out);
        if (out->kind == TARGET_NONE)
            parse_cse_relative(cse, path, out);
    }
}
