/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_load/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/wipe.h"
#include "policy/index.h"
#include "policy/texts.h"
#include "policy_load/check.h"
#include "policy_load/sections.h"

#define FILE_OCTETS_MAX (16 << 20)
#define DROP_INS_MAX    256

struct document {
    const char *file, *folder; /* owned by policy->texts */
    json_t *root;
};

struct documents {
    size_t count;
    struct document document[1 + DROP_INS_MAX]; /* the policy file, then the drop-ins */
};

static void documents_release(struct documents *documents)
{
    for (size_t i = 0; i < documents->count; i++)
        json_decref(documents->document[i].root);
}

/* --- files to documents --- */

static char *folder_of(struct policy_texts *texts, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return texts_copy(texts, ".");
    return texts_format(texts, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

static void add_document(
    struct policy *policy, const char *path, struct documents *documents, struct report *report)
{
    struct buffer text AUTO_BUFFER = {0};
    struct fault fault = FAULT_INIT;
    if (file_read(path, FILE_OCTETS_MAX, &text, &fault) != RESULT_OK) {
        report_fault(report, NULL, "%s", fault.text);
        return;
    }
    json_error_t error;
    unsigned failures = wiping_failures();
    json_t *root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    if (wiping_failures() != failures) { /* there may be a result, with an octet too few */
        json_decref(root);
        report_fault(report, NULL, "%s: out of memory", path);
        return;
    }
    if (!root) {
        report_fault(
            report, NULL, "%s: line %d, column %d: %s", path, error.line, error.column, error.text);
        return;
    }
    documents->document[documents->count++] = (struct document){
        .file = texts_copy(policy->texts, path),
        .folder = folder_of(policy->texts, path),
        .root = root,
    };
}

/* --- drop-ins --- */

static int is_drop_in(const struct dirent *entry)
{
    static const char suffix[] = ".json";
    const size_t size = strlen(entry->d_name);
    return entry->d_name[0] != '.' && size >= sizeof(suffix) &&
           strcmp(entry->d_name + size - (sizeof(suffix) - 1), suffix) == 0;
}

/* Compares octets, so that the order does not depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_drop_ins(
    struct policy *policy, const char *path, struct documents *documents, struct report *report)
{
    const char *slash = strrchr(path, '/');
    const int beside = slash ? (int)(slash + 1 - path) : 0;
    const char *folder = texts_format(policy->texts, "%.*spolicy.d", beside, path);
    if (!folder)
        return;
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, is_drop_in, by_name);
    if (count < 0 && errno != ENOENT)
        report_fault(report, NULL, "%s: %s", folder, strerror(errno));
    if (count > DROP_INS_MAX)
        report_fault(
            report, NULL, "%s: %d files; at most %d are taken", folder, count, DROP_INS_MAX);
    for (int i = 0; i < count; i++) {
        const char *file = texts_format(policy->texts, "%s/%s", folder, entries[i]->d_name);
        if (file && count <= DROP_INS_MAX)
            add_document(policy, file, documents, report);
        free(entries[i]);
    }
    free(entries);
}

/* --- documents to a policy --- */

static bool is_section(const char *name)
{
    for (size_t i = 0; i < policy_section_count; i++)
        if (strcmp(policy_sections[i]->name, name) == 0)
            return true;
    return false;
}

static void unknown_section(struct reader *reader, const struct json_position *position)
{
    char known[256] = "";
    for (size_t i = 0; i < policy_section_count; i++)
        list_append(known, sizeof(known), policy_sections[i]->name);
    reader_fault(reader, position, "unknown member; known here: %s", known);
}

static void check_top(struct policy *policy, const struct document *document, struct report *report)
{
    struct reader reader = {policy, report, document->file, document->folder};
    const struct json_position whole = {0};
    if (!reader_expect(&reader, &whole, document->root, JSON_OBJECT))
        return;
    const char *name;
    json_t *value;
    json_object_foreach(document->root, name, value)
    {
        if (!is_section(name))
            unknown_section(&reader, &(struct json_position){.parent = &whole, .member = name});
    }
}

/* Allocates one array for the entries of all files. */
static void *prepare_entries(
    struct policy *policy, json_t *const *arrays, size_t count, const struct section *section)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += json_array_size(arrays[i]);
    void *entries = texts_array(
        policy->texts, total < section->most ? total : section->most, section->entry_size);
    memcpy((char *)policy + section->offset, &entries, sizeof(entries));
    return entries;
}

static void read_entries(struct reader *reader, const struct json_position *position, json_t *array,
    const struct section *section, void *entries)
{
    size_t *count = (size_t *)(void *)((char *)reader->policy + section->count_offset);
    const size_t more = reader_array(reader, position, array, 0, section->most);
    if (more > section->most - *count) {
        reader_fault(
            reader, position, "all files together have more than %zu entries", section->most);
        return;
    }
    for (size_t i = 0; entries && i < more; i++) {
        const struct json_position below = {.parent = position, .index = i};
        void *entry = (char *)entries + section->entry_size * (*count)++;
        const struct source_position place = reader_position(reader, &below);
        json_t *value = json_array_get(array, i);
        memcpy(entry, &place, sizeof(place));
        read_defaults(reader, &below, &value, 1, section->members, section->member_count, entry);
        section->read_entry(reader, &below, value, entry);
    }
}

static void read_section(struct policy *policy, const struct documents *documents,
    const struct section *section, struct report *report)
{
    const struct json_position whole = {0};
    const struct json_position position = {.parent = &whole, .member = section->name};
    struct reader defaults = {policy, report, "defaults", "."};
    json_t *values[ARRAY_SIZE(documents->document)];
    void *structure = (char *)policy + section->offset;

    for (size_t i = 0; i < documents->count; i++)
        values[i] = json_object_get(documents->document[i].root, section->name);
    if (section->read_entry)
        structure = prepare_entries(policy, values, documents->count, section);
    else
        read_defaults(&defaults, &position, values, documents->count, section->members,
            section->member_count, structure);
    for (size_t i = 0; i < documents->count; i++) {
        const struct document *document = &documents->document[i];
        struct reader reader = {policy, report, document->file, document->folder};
        if (values[i] && section->read_entry)
            read_entries(&reader, &position, values[i], section, structure);
        else if (values[i])
            read_members(
                &reader, &position, values[i], section->members, section->member_count, structure);
    }
}

/* What one of the files has to have. (The flag "required" of a member is about a single object.) */
static const struct {
    const char *section, *member; /* member NULL: the section itself */
    const char *what;
} required[] = {
    {"cse", NULL, "is missing: it names this CSE, by spId and cseId"},
    {"cse", "spId", "is missing: the domain name of the M2M service provider"},
    {"cse", "cseId", "is missing: the CSE-ID of this CSE, such as /in-cse"},
};

/* Returns whether one of the files has MEMBER in SECTION (or the section, if MEMBER is NULL). A
 * value of the wrong type counts, since that fault has been reported already. */
static bool is_stated(const struct documents *documents, const char *section, const char *member)
{
    for (size_t i = 0; i < documents->count; i++) {
        const json_t *root = documents->document[i].root;
        const json_t *value = json_is_object(root) ? json_object_get(root, section) : root;
        if (value && member && json_is_object(value))
            value = json_object_get(value, member);
        if (value)
            return true;
    }
    return false;
}

static void check_required(
    const struct documents *documents, const char *file, struct report *report)
{
    for (size_t i = 0; i < ARRAY_SIZE(required); i++) {
        const char *section = required[i].section, *member = required[i].member;
        if (is_stated(documents, section, member) ||
            (member && !is_stated(documents, section, NULL)))
            continue;
        char pointer[64];
        snprintf(
            pointer, sizeof(pointer), "/%s%s%s", section, member ? "/" : "", member ? member : "");
        report_fault(report, &(struct source_position){file, pointer}, "%s", required[i].what);
    }
}

/* By default, all suites may be used. */
static void default_suites(struct policy *policy)
{
    struct policy_tls *tls = &policy->tls;
    if (tls->suite_count > 0)
        return;
    tls->suites = texts_array(policy->texts, policy_suite_count, sizeof(*tls->suites));
    for (size_t i = 0; tls->suites && i < policy_suite_count; i++)
        tls->suites[tls->suite_count++] = &policy_suites[i];
}

static void read_documents(struct policy *policy, const struct documents *documents,
    const char *file, struct report *report)
{
    for (size_t i = 0; i < documents->count; i++)
        check_top(policy, &documents->document[i], report);
    for (size_t i = 0; i < policy_section_count; i++)
        read_section(policy, documents, policy_sections[i], report);
    default_suites(policy);
    check_required(documents, file, report);
    if (!texts_failed(policy->texts) && rule_index_build(policy))
        policy_check(policy, file, report);
}

static enum result load(
    struct policy *policy, const char *path, struct documents *documents, struct report *report)
{
    const size_t faults = report->faults;
    policy->texts = texts_new();
    if (!policy->texts)
        return RESULT_NO_MEMORY;
    add_document(policy, path, documents, report);
    add_drop_ins(policy, path, documents, report);
    /* If a file cannot be read, its members and names would be reported as missing. */
    if (report->faults == faults && !texts_failed(policy->texts))
        read_documents(policy, documents, path, report);
    if (texts_failed(policy->texts))
        return RESULT_NO_MEMORY;
    return report->faults == faults ? RESULT_OK : RESULT_BAD_CONFIGURATION;
}

enum result policy_load(const char *path, struct policy **out, struct report *report)
{
    *out = NULL;
    struct policy *policy CLEANUP(auto_policy_free) = calloc(1, sizeof(*policy));
    struct documents documents CLEANUP(documents_release) = {0};
    const enum result result = policy ? load(policy, path, &documents, report) : RESULT_NO_MEMORY;
    if (result == RESULT_NO_MEMORY)
        report_fault(report, NULL, "out of memory");
    if (result == RESULT_OK)
        *out = TAKE_PTR(policy);
    return result;
}
