/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds conf/policy.schema.json and conf/e2ekeyd-policy.5 to the loader's tables: names, bounds and
 * defaults are the same in all three. Runs in the top folder. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "policy_load/sections.h"
#include "support/check_main.h"

/* --- the schema --- */

static json_t *schema;

/* The definition that NODE refers to, or NODE itself. */
static json_t *resolve(json_t *node)
{
    static const char start[] = "#/$defs/";
    const char *reference = json_string_value(json_object_get(node, "$ref"));
    if (!reference)
        return node;
    ck_assert_msg(strncmp(reference, start, strlen(start)) == 0, "%s", reference);
    return json_object_get(json_object_get(schema, "$defs"), reference + strlen(start));
}

/* What NODE, or the definition that it refers to, says under KEYWORD; NULL: nothing. */
static const json_t *stated(json_t *node, const char *keyword)
{
    const json_t *own = json_object_get(node, keyword);
    return own ? own : json_object_get(resolve(node), keyword);
}

static void check_keyword(json_t *node, const char *where, const char *keyword, json_t *expected)
{
    const json_t *found = stated(node, keyword);
    ck_assert_msg(
        expected ? json_equal(found, expected) : !found, "schema: %s: %s", where, keyword);
    json_decref(expected);
}

static json_t *default_of(const struct member *member)
{
    json_t *value = NULL;
    if (member->default_json) {
        value = json_loads(member->default_json, JSON_DECODE_ANY, NULL);
        ck_assert_msg(value != NULL, "%s: the default is not JSON", member->name);
    }
    return value;
}

static void check_schema_member(json_t *node, const char *where, const struct member *member)
{
    const bool number = member->read == read_number;
    ck_assert_msg(node != NULL, "schema: %s is missing", where);
    check_keyword(node, where, "default", default_of(member));
    if (number || member->read == read_bool)
        check_keyword(node, where, "type", json_string(number ? "integer" : "boolean"));
    if (number) {
        check_keyword(node, where, "minimum", json_integer(member->least));
        check_keyword(node, where, "maximum", json_integer(member->most));
    } else if (member->most > 0) {
        check_keyword(node, where, "type", json_string("array"));
        check_keyword(
            node, where, "minItems", member->least > 0 ? json_integer(member->least) : NULL);
        check_keyword(node, where, "maxItems", json_integer(member->most));
    }
}

/* --- the manual page --- */

static char *manual;

/* Returns a copy of what stands from the line that begins with START up to END or OTHER_END. */
static char *part(const char *text, const char *start, const char *end, const char *other_end)
{
    const char *found = strstr(text, start);
    while (found && !strchr(" \n", found[strlen(start)]))
        found = strstr(found + 1, start);
    if (!found)
        return NULL;
    const char *a = strstr(found + 1, end), *b = strstr(found + 1, other_end);
    const char *stop = a && (!b || a < b) ? a : b;
    return stop ? strndup(found, (size_t)(stop - found)) : strdup(found);
}

/* Whether TEXT has PHRASE, in upper or lower case, in one line or two, and not as a part of longer
 * numbers. */
static bool says(char *text, const char *phrase)
{
    for (char *end = text; (end = strchr(end, '\n'));)
        *end = ' ';
    for (const char *at = text + 1; (at = strcasestr(at, phrase)); at++)
        if (!isdigit((unsigned char)at[-1]) && !isdigit((unsigned char)at[strlen(phrase)]))
            return true;
    return false;
}

static void check_manual_default(const char *entry, const char *where, const struct member *member)
{
    char expected[128];
    json_t *value = default_of(member), *first = json_array_get(value, 0);
    const char *text = json_string_value(first ? first : value);
    snprintf(expected, sizeof(expected), text ? " Pq Ql %s\n" : " Pq %s\n",
        text ? text : member->default_json);
    const char *found = strstr(entry, expected);
    ck_assert_msg(found && found < strchr(entry + 1, '\n'), "manual: %s: not%s", where, expected);
    json_decref(value);
}

static void check_manual_member(const char *section, const char *where, const struct member *member)
{
    char heading[64], bounds[64];
    snprintf(heading, sizeof(heading), "\n.It Cm %s", member->name);
    char *entry AUTO_FREE = part(section, heading, "\n.It Cm ", "\n.El\n");
    if (!member->default_json && member->most == 0)
        return;
    ck_assert_msg(entry != NULL, "manual: %s is missing", where);
    if (member->default_json)
        check_manual_default(entry, where, member);
    if (member->read == read_number)
        snprintf(bounds, sizeof(bounds), "%u to %u", member->least, member->most);
    else
        snprintf(bounds, sizeof(bounds), "up to %u", member->most);
    ck_assert_msg(member->most == 0 || says(entry, bounds), "manual: %s: not %s", where, bounds);
}

/* --- both --- */

static char *read_whole(const char *path)
{
    struct buffer text AUTO_BUFFER = {0};
    struct fault fault = FAULT_INIT;
    ck_assert_msg(file_read(path, 1 << 20, &text, &fault) == RESULT_OK, "%s", fault.text);
    return strndup((const char *)text.data, text.size);
}

static void load_both(void)
{
    char *text AUTO_FREE = read_whole("conf/policy.schema.json");
    schema = json_loads(text, 0, NULL);
    manual = read_whole("conf/e2ekeyd-policy.5");
    ck_assert(schema && manual);
}

static void release_both(void)
{
    json_decref(schema);
    free(manual);
}

static json_t *schema_of(const struct section *section)
{
    json_t *drop_in = json_object_get(json_object_get(schema, "$defs"), "dropIn");
    json_t *node = json_object_get(json_object_get(drop_in, "properties"), section->name);
    ck_assert_msg(node != NULL, "schema: %s is missing", section->name);
    if (!section->read_entry)
        return resolve(node);
    check_keyword(node, section->name, "maxItems", json_integer((json_int_t)section->most));
    return resolve(json_object_get(node, "items"));
}

static char *manual_of(const struct section *section)
{
    char heading[64], bounds[64];
    snprintf(heading, sizeof(heading), "\n.Ss %s", section->name);
    char *text = part(manual, heading, "\n.Ss ", "\n.Sh ");
    ck_assert_msg(text != NULL, "manual: %s is missing", section->name);
    char *introduction AUTO_FREE = part(text, heading, "\n.Bl ", "\n.It ");
    snprintf(bounds, sizeof(bounds), "up to %zu", section->most);
    ck_assert_msg(!section->read_entry || says(introduction, bounds), "manual: %s: not %s",
        section->name, bounds);
    return text;
}

START_TEST(schema_and_manual_have_the_facts_of_the_loader)
{
    for (size_t i = 0; i < policy_section_count; i++) {
        const struct section *section = policy_sections[i];
        json_t *properties = json_object_get(schema_of(section), "properties");
        char *text AUTO_FREE = manual_of(section);
        for (size_t j = 0; j < section->member_count; j++) {
            const struct member *member = &section->members[j];
            char where[64];
            snprintf(where, sizeof(where), "%s.%s", section->name, member->name);
            check_schema_member(json_object_get(properties, member->name), where, member);
            check_manual_member(text, where, member);
        }
        ck_assert_msg(json_object_size(properties) == section->member_count,
            "schema: %s has members that the loader does not know", section->name);
    }
}
END_TEST

CHECK_MAIN_FIXTURE(
    "policy_load/facts", load_both, release_both, schema_and_manual_have_the_facts_of_the_loader)
