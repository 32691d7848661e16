/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_load/reader.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/credential_dir.h"
#include "base/text.h"
#include "policy/texts.h"

#define POINTER_OCTETS 1024 /* longer pointers, to unknown members, are cut */

struct json_pointer {
    size_t size;
    char text[POINTER_OCTETS];
};

static void put(struct json_pointer *pointer, const char *text)
{
    for (; *text && pointer->size < POINTER_OCTETS - 1; text++)
        pointer->text[pointer->size++] = *text;
}

/* RFC 6901: within a member's name "~" is written "~0", and "/" is written "~1". */
static void put_member(struct json_pointer *pointer, const char *name)
{
    for (; *name; name++) {
        const char plain[] = {*name, '\0'};
        put(pointer, *name == '~' ? "~0" : *name == '/' ? "~1" : plain);
    }
}

static void put_position(struct json_pointer *pointer, const struct json_position *position)
{
    if (!position->parent)
        return;
    put_position(pointer, position->parent);
    put(pointer, "/");
    if (position->member) {
        put_member(pointer, position->member);
        return;
    }
    char index[24];
    snprintf(index, sizeof(index), "%zu", position->index);
    put(pointer, index);
}

struct source_position reader_position(struct reader *reader, const struct json_position *position)
{
    struct json_pointer pointer = {0};
    put_position(&pointer, position);
    return (struct source_position){
        .file = reader->file, .pointer = texts_copy(reader->policy->texts, pointer.text)};
}

static void add(struct reader *reader, bool warning, const struct json_position *position,
    const char *format, va_list arguments)
{
    struct json_pointer pointer = {0};
    put_position(&pointer, position);
    const struct source_position file_position = {.file = reader->file, .pointer = pointer.text};
    report_add(reader->report, warning, &file_position, format, arguments);
}

void reader_fault(
    struct reader *reader, const struct json_position *position, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(reader, false, position, format, arguments);
    va_end(arguments);
}

void reader_warning(
    struct reader *reader, const struct json_position *position, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(reader, true, position, format, arguments);
    va_end(arguments);
}

static const char *type_name(json_type type)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object",
        [JSON_ARRAY] = "an array",
        [JSON_STRING] = "a string",
        [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a number",
        [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",
        [JSON_NULL] = "null",
    };
    return names[type];
}

bool reader_expect(struct reader *reader, const struct json_position *position, const json_t *value,
    json_type type)
{
    if (json_typeof(value) == type)
        return true;
    reader_fault(
        reader, position, "must be %s, not %s", type_name(type), type_name(json_typeof(value)));
    return false;
}

size_t reader_array(struct reader *reader, const struct json_position *position,
    const json_t *value, size_t least, size_t most)
{
    if (!reader_expect(reader, position, value, JSON_ARRAY))
        return 0;
    const size_t count = json_array_size(value);
    if (count < least)
        reader_fault(reader, position, "is empty: leave it out or list something");
    if (count <= most)
        return count;
    reader_fault(reader, position, "has %zu entries; at most %zu are taken", count, most);
    return 0;
}

void list_append(char *list, size_t size, const char *name)
{
    const size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "", name);
}

static void unknown_member(struct reader *reader, const struct json_position *position,
    const struct member *members, size_t count)
{
    char known[256] = "";
    for (size_t i = 0; i < count; i++)
        list_append(known, sizeof(known), members[i].name);
    reader_fault(reader, position, "unknown member; known here: %s", known);
}

static const struct member *find_member(
    const struct member *members, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    return NULL;
}

void read_members(struct reader *reader, const struct json_position *position, json_t *object,
    const struct member *members, size_t count, void *structure)
{
    if (!reader_expect(reader, position, object, JSON_OBJECT))
        return;
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        const struct json_position below = {.parent = position, .member = name};
        const struct member *member = find_member(members, count, name);
        if (member)
            member->read(reader, &below, value, member, (char *)structure + member->offset);
        else
            unknown_member(reader, &below, members, count);
    }
    for (size_t i = 0; i < count; i++) {
        const struct json_position below = {.parent = position, .member = members[i].name};
        if (members[i].required && !json_object_get(object, members[i].name))
            reader_fault(reader, &below, "is missing");
    }
}

static bool is_stated(json_t *const *objects, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (json_object_get(objects[i], name))
            return true;
    return false;
}

void read_defaults(struct reader *reader, const struct json_position *position,
    json_t *const *objects, size_t object_count, const struct member *members, size_t count,
    void *structure)
{
    for (size_t i = 0; i < count; i++) {
        const struct json_position below = {.parent = position, .member = members[i].name};
        const struct member *member = &members[i];
        if (!member->default_json || is_stated(objects, object_count, member->name))
            continue;
        json_t *value = json_loads(member->default_json, JSON_DECODE_ANY, NULL);
        if (value)
            member->read(reader, &below, value, member, (char *)structure + member->offset);
        else
            report_fault(reader->report, NULL, "out of memory");
        json_decref(value);
    }
}

void read_bool(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    (void)member;
    if (json_is_boolean(value))
        *(bool *)field = json_is_true(value);
    else
        reader_fault(
            reader, position, "must be true or false, not %s", type_name(json_typeof(value)));
}

/* 30 and 30.0 are the same number in JSON. */
void read_number(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    if (!json_is_number(value)) {
        reader_fault(reader, position, "must be a number, not %s", type_name(json_typeof(value)));
        return;
    }
    const double number = json_number_value(value);
    if (floor(number) != number || number < member->least || number > member->most)
        reader_fault(
            reader, position, "must be a whole number from %u to %u", member->least, member->most);
    else
        *(uint32_t *)field = (uint32_t)number;
}

char *reader_text(struct reader *reader, const struct json_position *position, const json_t *value,
    const struct text_format *format)
{
    const char *given = "";
    if (reader_expect(reader, position, value, JSON_STRING)) {
        given = json_string_value(value);
        if (!format->accepts(given)) {
            reader_fault(reader, position, "\"%.128s\" is not %s", given, format->what);
            given = "";
        }
    }
    char *text = texts_copy(reader->policy->texts, given);
    if (text && *text && format->canonicalise)
        format->canonicalise(text);
    return text;
}

void read_text(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    *(char **)field = reader_text(reader, position, value, member->format);
}

/* --- files --- */

static bool is_path(const char *text)
{
    const size_t size = strnlen(text, PATH_MAX);
    if (size == 0 || size == PATH_MAX)
        return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return true;
}

static char *credential_path(
    struct reader *reader, const struct json_position *position, const char *name)
{
    if (!credential_name_is_valid(name)) {
        reader_fault(reader, position,
            "\"%.128s\" is not the name of a credential: write credential:NAME, without slashes",
            name);
        return NULL;
    }
    const char *folder = credential_dir();
    if (!folder) {
        reader_fault(reader, position,
            "there are no credentials here ($CREDENTIALS_DIRECTORY is not set): run under systemd"
            " with LoadCredential=%.128s, or name a file",
            name);
        return NULL;
    }
    return texts_format(reader->policy->texts, "%s/%s", folder, name);
}

char *reader_path(struct reader *reader, const struct json_position *position, const char *text)
{
    struct policy_texts *texts = reader->policy->texts;
    const char *credential = credential_name(text);
    if (credential)
        return credential_path(reader, position, credential);
    if (text[0] == '/' || strcmp(reader->folder, ".") == 0)
        return texts_copy(texts, text);
    return texts_format(
        texts, "%s%s%s", reader->folder, strcmp(reader->folder, "/") == 0 ? "" : "/", text);
}

void read_file(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    static const struct text_format path = {
        is_path, "the path of a file, or credential:NAME", NULL};
    (void)member;
    struct policy_file *file = field;
    file->place = reader_position(reader, position);
    const char *text = reader_text(reader, position, value, &path);
    if (!text || !*text)
        return;
    if (is_token_uri(text))
        reader_fault(reader, position,
            "only the private key of an end-point may be on a PKCS#11 token: name a file");
    else
        file->path = reader_path(reader, position, text);
}

void read_private_key(struct reader *reader, const struct json_position *position, json_t *value,
    const struct member *member, void *field)
{
    static const struct text_format uri = {
        is_path, "a pkcs11: URI of up to 4095 octets without control characters", NULL};
    struct policy_file *file = field;
    const char *text = json_string_value(value);
    if (!text || !is_token_uri(text)) {
        read_file(reader, position, value, member, field);
        return;
    }
    file->place = reader_position(reader, position);
    file->path = reader_text(reader, position, value, &uri);
}
