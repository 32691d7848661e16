/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_load/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "policy/index.h"
#include "policy/texts.h"
#include "policy_load/check.h"
#include "policy_load/sections.h"

#define FILE_OCTETS_MAX (16 << 20)
#define DROP_INS_MAX    256

struct document {
    const char *file, *folder; /* of policy->texts */
    json_t *root;
};

struct documents {
    size_t count;
    struct document document[2 + DROP_INS_MAX]; /* defaults, the policy file, drop-ins */
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
    AUTO_BUFFER struct buffer text = {0};
    struct fault fault = FAULT_INIT;
    if (file_read(path, FILE_OCTETS_MAX, &text, &fault) != RESULT_OK) {
        report_fault(report, NULL, "%s", fault.text);
        return;
    }
    json_error_t error;
    json_t *root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
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

static bool add_defaults(struct policy *policy, struct documents *documents)
{
    json_t *root = json_loads(policy_defaults, 0, NULL);
    policy->http.listen = texts_array(policy->texts, POLICY_LISTEN_MAX, sizeof(char *));
    policy->tls.suites =
        texts_array(policy->texts, policy_suite_count, sizeof(*policy->tls.suites));
    if (!root)
        return false; /* out of memory */
    documents->document[documents->count++] =
        (struct document){.file = "defaults", .folder = ".", .root = root};
    return true;
}

/* --- drop-ins --- */

static int is_drop_in(const struct dirent *entry)
{
    static const char suffix[] = ".json";
    const size_t size = strlen(entry->d_name);
    return entry->d_name[0] != '.' && size >= sizeof(suffix) &&
           strcmp(entry->d_name + size - (sizeof(suffix) - 1), suffix) == 0;
}

/* By octets, whatever the locale. */
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

static json_t *section_of(const struct document *document, const struct section *section)
{
    return json_object_get(document->root, section->name);
}

static bool is_section(const char *name)
{
    for (size_t i = 0; i < policy_section_count; i++)
        if (strcmp(policy_sections[i].name, name) == 0)
            return true;
    return false;
}

static void check_top(struct policy *policy, const struct document *document, struct report *report)
{
    struct reader reader = {policy, report, document->file, document->folder};
    const struct json_position whole = {0};
    if (!reader_expect(&reader, &whole, document->root, JSON_OBJECT))
        return;
    const char *name;
    json_t *value;
    json_object_foreach(document->root, name, value) if (!is_section(name))
        reader_fault(&reader, &(struct json_position){.parent = &whole, .member = name},
            "unknown member; known here: cse, http, socket, metrics, endpoints, trust, initiators,"
            " clients, tls, keys, limits");
}

/* One array for the entries of all files. */
static void *prepare_entries(
    struct policy *policy, const struct documents *documents, const struct section *section)
{
    size_t total = 0;
    for (size_t i = 0; i < documents->count; i++)
        total += json_array_size(section_of(&documents->document[i], section));
    void *entries =
        texts_array(policy->texts, total < section->most ? total : section->most, section->size);
    memcpy((char *)policy + section->offset, &entries, sizeof(entries));
    return entries;
}

static void read_entries(struct reader *reader, const struct json_position *position, json_t *array,
    const struct section *section, void *entries)
{
    size_t *count = (size_t *)(void *)((char *)reader->policy + section->count);
    const size_t more = reader_array(reader, position, array, section->least, section->most);
    if (more > section->most - *count) {
        reader_fault(
            reader, position, "all files together have more than %zu entries", section->most);
        return;
    }
    for (size_t i = 0; entries && i < more; i++) {
        const struct json_position below = {.parent = position, .index = i};
        void *entry = (char *)entries + section->size * (*count)++;
        const struct source_position place = reader_position(reader, &below);
        memcpy(entry, &place, sizeof(place));
        section->read(reader, &below, json_array_get(array, i), NULL, entry);
    }
}

static void read_section(struct policy *policy, const struct documents *documents,
    const struct section *section, struct report *report)
{
    const struct json_position whole = {0};
    const struct json_position position = {.parent = &whole, .member = section->name};
    void *entries = section->size > 0 ? prepare_entries(policy, documents, section) : NULL;
    for (size_t i = 0; i < documents->count; i++) {
        const struct document *document = &documents->document[i];
        struct reader reader = {policy, report, document->file, document->folder};
        json_t *value = section_of(document, section);
        if (value && section->size > 0)
            read_entries(&reader, &position, value, section, entries);
        else if (value)
            section->read(&reader, &position, value, NULL, (char *)policy + section->offset);
    }
}

/* What no default can stand in for; some file has to say it. */
static const struct {
    const char *section, *member; /* member NULL: the section itself */
    const char *what;
} required[] = {
    {"cse", NULL, "is missing: it names this CSE, by spId and cseId"},
    {"cse", "spId", "is missing: the domain name of the M2M service provider"},
    {"cse", "cseId", "is missing: the CSE-ID of this CSE, such as /in-cse"},
};

/* Also when what stands there is faulty: that has been said. */
static bool is_stated(const struct documents *documents, const char *section, const char *member)
{
    for (size_t i = 1; i < documents->count; i++) {
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

static void default_lists(struct policy *policy)
{
    if (policy->http.listen && policy->http.listen_count == 0) {
        policy->http.listen[0] = texts_copy(policy->texts, "127.0.0.1:8383");
        policy->http.listen_count = policy->http.listen[0] ? 1 : 0;
    }
    if (policy->tls.suites && policy->tls.suite_count == 0)
        while (policy->tls.suite_count < policy_suite_count) {
            policy->tls.suites[policy->tls.suite_count] = &policy_suites[policy->tls.suite_count];
            policy->tls.suite_count++;
        }
}

static void read_documents(struct policy *policy, const struct documents *documents,
    const char *file, struct report *report)
{
    for (size_t i = 0; i < documents->count; i++)
        check_top(policy, &documents->document[i], report);
    for (size_t i = 0; i < policy_section_count; i++)
        read_section(policy, documents, &policy_sections[i], report);
    default_lists(policy);
    check_required(documents, file, report);
    if (rule_index_build(policy))
        policy_check(policy, file, report);
}

static enum result load(
    struct policy *policy, const char *path, struct documents *documents, struct report *report)
{
    const size_t faults = report->faults;
    policy->texts = texts_new();
    if (!policy->texts || !add_defaults(policy, documents))
        return RESULT_NO_MEMORY;
    add_document(policy, path, documents, report);
    add_drop_ins(policy, path, documents, report);
    /* Without all files, what is missing or unknown could not be told. */
    if (report->faults == faults)
        read_documents(policy, documents, path, report);
    if (texts_failed(policy->texts))
        return RESULT_NO_MEMORY;
    return report->faults == faults ? RESULT_OK : RESULT_BAD_CONFIGURATION;
}

enum result policy_load(const char *path, struct policy **out, struct report *report)
{
    *out = NULL;
    CLEANUP(auto_policy_free) struct policy *policy = calloc(1, sizeof(*policy));
    CLEANUP(documents_release) struct documents documents = {0};
    const enum result result = policy ? load(policy, path, &documents, report) : RESULT_NO_MEMORY;
    if (result == RESULT_NO_MEMORY)
        report_fault(report, NULL, "out of memory");
    if (result == RESULT_OK)
        *out = TAKE_PTR(policy);
    return result;
}
