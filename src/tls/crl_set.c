/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/crl_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/crl_notice.h"
#include "tls/distinguished_name.h"
#include "tls/evidence.h"
#include "tls/pem.h"
#include "tls/trust.h"

#define CRL_FILE_OCTETS_MAX ((size_t)16 * 1024 * 1024)

/* --- references --- */

static struct crl_file *file_ref(struct crl_file *file)
{
    if (file)
        atomic_fetch_add_explicit(&file->references, 1, memory_order_relaxed);
    return file;
}

static void crl_unref(struct trust_crl *crl)
{
    if (!crl || atomic_fetch_sub_explicit(&crl->references, 1, memory_order_acq_rel) != 1)
        return;
    crl_release(&crl->crl);
    buffer_release(&crl->der);
    free(crl);
}
DEFINE_CLEANUP(struct trust_crl *, crl_unref)

static struct crl_file *file_new(void)
{
    struct crl_file *file = calloc(1, sizeof(*file));
    if (file)
        file->references = 1;
    return file;
}

static void file_unref(struct crl_file *file)
{
    if (!file || atomic_fetch_sub_explicit(&file->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < file->count; i++)
        crl_unref(file->crls[i]);
    free(file->crls);
    free(file);
}
DEFINE_CLEANUP(struct crl_file *, file_unref)

struct crl_set *crl_set_of(struct trust_store *store, const struct trust_domain *domain)
{
    pthread_mutex_lock(&store->crls_lock);
    struct crl_set *set = domain->crls;
    if (set)
        atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    pthread_mutex_unlock(&store->crls_lock);
    return set;
}

void crl_set_unref(struct crl_set *set)
{
    if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < set->slot_count; i++) {
        file_unref(set->slots[i].file);
        file_unref(set->slots[i].kept);
        free(set->slots[i].why);
    }
    free(set);
}

/* --- reading a file --- */

static enum result read_crl(struct trust_crl *out, struct fault *fault)
{
    struct bytes der = buffer_bytes(&out->der);
    enum result result = crl_parse(der, &out->crl, fault);
    if (result == RESULT_OK)
        result = sha256_of(der, (struct bytes){0}, out->digest);
    if (result == RESULT_OK)
        result = evidence_issuer(out->crl.issuer, &out->issuer);
    if (result == RESULT_OK)
        result = evidence_old_issuer(out->crl.issuer, &out->old_issuer);
    return result;
}

/* FILE holds a reference of its own to CRL. False: no memory. */
static bool append(struct crl_file *file, struct trust_crl *crl)
{
    struct trust_crl **crls = reallocarray(file->crls, file->count + 1, sizeof(*crls));
    if (!crls)
        return false;
    atomic_fetch_add_explicit(&crl->references, 1, memory_order_relaxed);
    file->crls = crls;
    crls[file->count++] = crl;
    return true;
}

/* Takes DER over, if there is memory. */
static enum result add_crl(
    struct crl_file *file, size_t number, struct buffer *der, struct fault *fault)
{
    if (file->count == CRL_SET_MAX)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "more than %d", CRL_SET_MAX);
    CLEANUP(auto_crl_unref) struct trust_crl *crl = calloc(1, sizeof(*crl));
    if (!crl)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    crl->references = 1;
    crl->number = number;
    crl->der = *der;
    *der = (struct buffer){0};
    enum result result = read_crl(crl, fault);
    if (result == RESULT_OK && !append(file, crl))
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    return result;
}

/* For one who named the wrong file: what it holds instead. */
static enum result refuse_content(struct bytes text, const char *path, struct fault *fault)
{
    static const char begin[] = "-----BEGIN ";
    char label[32] = "";
    const char *found =
        text.size > 0 ? memmem(text.data, text.size, begin, sizeof(begin) - 1) : NULL;
    if (found) {
        size_t left = text.size - (size_t)(found - (const char *)text.data) - (sizeof(begin) - 1);
        bytes_escape(
            bytes_of(found + sizeof(begin) - 1, left < 31 ? left : 31), label, sizeof(label));
        label[strcspn(label, "-")] = '\0';
    }
    return fault_set(fault, RESULT_BAD_CONFIGURATION, "%s: no CRL: there is none in this file%s%s",
        path, found ? ", which holds a " : ", which is neither PEM nor DER", label);
}

/* All that can be used goes to OUT. When something cannot, FAULT is the first such thing. */
static enum result read_all(
    struct bytes text, const char *path, struct crl_file *out, struct fault *fault)
{
    const struct bytes whole = text;
    enum result first = RESULT_OK;
    for (size_t number = 1;; number++) {
        AUTO_BUFFER struct buffer der = {.limit = CRL_FILE_OCTETS_MAX};
        struct fault why = FAULT_INIT;
        enum result result = pem_or_der_next(&text, "X509 CRL", &der, &why);
        if (result == RESULT_NOT_FOUND)
            return number > 1 ? first : refuse_content(whole, path, fault);
        if (result == RESULT_OK)
            result = add_crl(out, number, &der, &why);
        if (result != RESULT_OK && first == RESULT_OK)
            first = fault_set(fault, result, "%s: CRL %zu: %s", path, number, why.text);
        if (result == RESULT_NO_MEMORY)
            return fault_set(fault, result, "%s: out of memory", path);
    }
}

/* What was read of a file. */
struct reading {
    struct crl_file *file; /* NULL: nothing in it can be used */
    enum crl_problem problem;
    struct fault why;
};

static enum result read_file(const char *path, struct reading *out)
{
    AUTO_BUFFER struct buffer text = {0};
    CLEANUP(auto_file_unref) struct crl_file *file = file_new();
    *out = (struct reading){.problem = CRL_PROBLEM_UNREADABLE, .why = FAULT_INIT};
    if (!file)
        return fault_set(&out->why, RESULT_NO_MEMORY, "%s: out of memory", path);
    enum result result = file_read(path, CRL_FILE_OCTETS_MAX, &text, &out->why);
    if (result != RESULT_OK)
        return result;
    result = read_all(buffer_bytes(&text), path, file, &out->why);
    if (result == RESULT_NO_MEMORY)
        return result;
    out->problem = result == RESULT_OK ? CRL_PROBLEM_NONE : CRL_PROBLEM_UNUSABLE;
    if (file->count > 0)
        out->file = TAKE_PTR(file);
    return RESULT_OK;
}

/* --- what stays in force --- */

static bool counts(const struct crl_set *set, const struct trust_crl *crl)
{
    return crl_standing(set->store, set->domain, crl) == CRL_COUNTS;
}

static bool is_of_issuer(const struct trust_crl *crl, const struct trust_crl *other)
{
    return crl->issuer == other->issuer &&
           distinguished_name_equal(crl->crl.issuer, other->crl.issuer);
}

/* The first CRL of FILE that is older than OTHER of the same issuer, which signed it; NULL: none.
 */
static const struct trust_crl *find_older_than(
    const struct crl_set *set, const struct crl_file *file, const struct trust_crl *other)
{
    for (size_t i = 0; file && i < file->count; i++) {
        const struct trust_crl *each = file->crls[i];
        if (is_of_issuer(each, other) && crl_is_older(&each->crl, &other->crl))
            return counts(set, other) ? each : NULL;
    }
    return NULL;
}

/* The same of all those of PREVIOUS. */
static const struct trust_crl *find_older(
    const struct crl_set *set, const struct crl_file *file, const struct crl_file *previous)
{
    const struct trust_crl *older = NULL;
    for (size_t i = 0; previous && i < previous->count && !older; i++)
        older = find_older_than(set, file, previous->crls[i]);
    return older;
}

/* Does CRL stay in force when FILE is? It goes when one that its issuer signed takes its place. So
 * does one that nobody signed of whom we know, and that FILE does not name the issuer of, unless
 * FILE is not WHOLE. */
static bool stays(const struct crl_set *set, const struct trust_crl *crl,
    const struct crl_file *file, bool is_whole)
{
    const bool is_signed = counts(set, crl);
    bool is_named = false;
    for (size_t i = 0; file && i < file->count; i++) {
        const struct trust_crl *each = file->crls[i];
        if (!is_of_issuer(each, crl))
            continue;
        is_named = true;
        if (counts(set, each) && !(is_signed && crl_is_older(&each->crl, &crl->crl)))
            return false;
    }
    return is_signed || is_named || !is_whole;
}

/* Of CRLs that nobody signed of whom we know, one generation is kept: else there would be no end to
 * them. */
static bool has_place(
    const struct crl_set *set, const struct crl_file *kept, const struct trust_crl *crl)
{
    for (size_t i = 0; kept && i < kept->count; i++) {
        if (is_of_issuer(kept->crls[i], crl) && !counts(set, kept->crls[i]))
            return counts(set, crl);
    }
    return true;
}

/* Those in force in SLOT that stay so beside FILE, to *OUT; NULL: none does. */
static enum result find_kept(const struct crl_set *set, const struct crl_slot *slot,
    const struct crl_file *file, bool is_whole, struct crl_file **out)
{
    CLEANUP(auto_file_unref) struct crl_file *kept = file_new();
    if (!kept)
        return RESULT_NO_MEMORY;
    for (size_t i = 0; slot->kept && i < slot->kept->count; i++) {
        if (stays(set, slot->kept->crls[i], file, is_whole) && !append(kept, slot->kept->crls[i]))
            return RESULT_NO_MEMORY;
    }
    for (size_t i = 0; slot->file && i < slot->file->count; i++) {
        struct trust_crl *each = slot->file->crls[i];
        if (stays(set, each, file, is_whole) && has_place(set, slot->kept, each) &&
            !append(kept, each))
            return RESULT_NO_MEMORY;
    }
    *out = kept->count > 0 ? TAKE_PTR(kept) : NULL;
    return RESULT_OK;
}

static void note(
    struct crl_slot *slot, enum crl_problem problem, enum crl_remains remains, const char *why)
{
    free(slot->why);
    slot->problem = problem;
    slot->remains = remains;
    slot->why = problem == CRL_PROBLEM_NONE ? NULL : strdup(why);
}

static size_t count_of(const struct crl_file *file)
{
    return file ? file->count : 0;
}

/* READING is not taken, and what was in force in SLOT stays so. */
static void refuse(struct crl_slot *slot, struct reading *reading)
{
    file_unref(reading->file);
    note(slot, reading->problem,
        slot->file || slot->kept ? CRL_REMAINS_BEFORE : CRL_REMAINS_NOTHING, reading->why.text);
}

/* KEPT is taken over too. */
static void take(struct crl_slot *slot, struct reading *reading, struct crl_file *kept)
{
    file_unref(slot->file);
    file_unref(slot->kept);
    slot->file = reading->file;
    slot->kept = kept;
    note(slot, reading->problem, kept ? CRL_REMAINS_BEFORE : CRL_REMAINS_OTHERS, reading->why.text);
}

/* Beside what the other files have, is there room for FILE and KEPT in SLOT? */
static bool has_room(const struct crl_set *set, const struct crl_slot *slot,
    const struct crl_file *file, const struct crl_file *kept)
{
    size_t files = count_of(file), all_kept = count_of(kept);
    for (size_t i = 0; i < set->slot_count; i++) {
        if (&set->slots[i] != slot) {
            files += count_of(set->slots[i].file);
            all_kept += count_of(set->slots[i].kept);
        }
    }
    return files <= CRL_SET_MAX && all_kept <= CRL_SET_MAX;
}

static enum result say_older(struct fault *why, const char *path, const struct trust_crl *older)
{
    return fault_set(why, RESULT_BAD_CONFIGURATION,
        "%s: CRL %zu: older than the one of its issuer that is in force", path, older->number);
}

/* READING, which this takes over, succeeds what is in force in SLOT. Its CRLs are taken together or
 * not at all: who puts several into one file publishes them together. */
static enum result succeed(
    struct crl_set *set, struct crl_slot *slot, const char *path, struct reading *reading)
{
    CLEANUP(auto_file_unref) struct crl_file *kept = NULL;
    const struct trust_crl *older = NULL;
    enum result result = RESULT_OK;
    if (reading->file) {
        older = find_older(set, reading->file, slot->file);
        older = older ? older : find_older(set, reading->file, slot->kept);
        result = find_kept(set, slot, reading->file, reading->problem == CRL_PROBLEM_NONE, &kept);
    }
    if (older) {
        reading->problem = CRL_PROBLEM_OLDER;
        say_older(&reading->why, path, older);
    } else if (!has_room(set, slot, reading->file, kept)) {
        reading->problem = CRL_PROBLEM_UNUSABLE;
        fault_set(&reading->why, RESULT_BAD_CONFIGURATION,
            "%s: with it there are more than %d CRLs in the trust domain", path, CRL_SET_MAX);
    } else if (reading->file && result == RESULT_OK) {
        take(slot, reading, TAKE_PTR(kept));
        return RESULT_OK;
    }
    refuse(slot, reading);
    return result;
}

static enum result read_slot(struct crl_set *set, struct crl_slot *slot, const char *path)
{
    static const struct file_print never = {.changed_ns = -1};
    struct reading reading;
    slot->print = file_print_of(path);
    const bool is_there = !file_print_equal(&slot->print, &(struct file_print){0});
    const enum result result = read_file(path, &reading);
    /* What a file holds changes with the file; that it cannot be read may pass by itself. */
    if (reading.problem == CRL_PROBLEM_UNREADABLE && is_there)
        slot->print = never;
    else if (reading.problem == CRL_PROBLEM_UNREADABLE)
        reading.problem = CRL_PROBLEM_MISSING;
    const enum result taken = succeed(set, slot, path, &reading);
    return result == RESULT_NO_MEMORY ? result : taken;
}

/* What SLOT holds is as it was; whose it is we may know better. */
static enum result settle(const struct crl_set *set, struct crl_slot *slot)
{
    const struct crl_slot kept_alone = {.kept = slot->kept};
    struct crl_file *left;
    if (!slot->kept)
        return RESULT_OK;
    enum result result = find_kept(set, &kept_alone, slot->file, false, &left);
    if (result != RESULT_OK)
        return result;
    if (count_of(left) == slot->kept->count) {
        file_unref(left);
        return RESULT_OK;
    }
    file_unref(slot->kept);
    slot->kept = left;
    return RESULT_OK;
}

/* --- the set --- */

static void gather_file(struct crl_set *set, size_t slot, const struct crl_file *file, bool is_kept)
{
    for (size_t i = 0; file && i < file->count; i++) {
        set->slot_of[set->count] = slot;
        set->is_kept[set->count] = is_kept;
        set->crls[set->count++] = file->crls[i];
    }
}

static void gather(struct crl_set *set)
{
    set->count = 0;
    for (size_t i = 0; i < set->slot_count; i++) {
        gather_file(set, i, set->slots[i].file, false);
        gather_file(set, i, set->slots[i].kept, true);
    }
}

static void adopt(struct crl_slot *slot, const struct crl_slot *previous)
{
    slot->file = file_ref(previous->file);
    slot->kept = file_ref(previous->kept);
    slot->print = previous->print;
    note(slot, previous->problem, previous->remains, previous->why ? previous->why : "");
}

enum result crl_set_load(struct trust_store *store, const struct trust_domain *domain,
    const struct crl_set *previous, struct crl_set **out)
{
    const struct policy_trust *trust = domain->trust;
    enum result result = RESULT_OK;
    *out = NULL;
    if (trust->crl_count == 0)
        return RESULT_OK;
    CLEANUP(auto_crl_set_unref) struct crl_set *set = calloc(1, sizeof(*set));
    if (!set)
        return RESULT_NO_MEMORY;
    set->references = 1;
    set->store = store;
    set->domain = domain;
    set->slot_count = trust->crl_count;
    for (size_t i = 0; previous && i < set->slot_count; i++)
        adopt(&set->slots[i], &previous->slots[i]);
    for (size_t i = 0; i < set->slot_count && result == RESULT_OK; i++) {
        const struct file_print now = file_print_of(trust->crls[i].path);
        if (!previous || !file_print_equal(&now, &set->slots[i].print))
            result = read_slot(set, &set->slots[i], trust->crls[i].path);
        else
            result = settle(set, &set->slots[i]);
    }
    if (result != RESULT_OK)
        return result;
    gather(set);
    *out = TAKE_PTR(set);
    return RESULT_OK;
}

enum result crl_set_succeed(struct crl_set *set, size_t i, const struct crl_slot *previous)
{
    struct crl_slot *slot = &set->slots[i];
    const struct file_print print = slot->print;
    struct reading reading = {.file = slot->file, .problem = slot->problem, .why = FAULT_INIT};
    fault_set(&reading.why, RESULT_BAD_CONFIGURATION, "%s", slot->why ? slot->why : "");
    slot->file = NULL;
    file_unref(TAKE_PTR(slot->kept)); /* by another file of the same path */
    if (has_room(set, slot, previous->file, previous->kept))
        adopt(slot, previous);
    slot->print = print;
    enum result result = succeed(set, slot, set->domain->trust->crls[i].path, &reading);
    gather(set);
    return result;
}

/* To KEPT those of FROM that some CRL in SLOT is older than; false: no memory. */
static bool keep_newer(const struct crl_set *set, const struct crl_slot *slot,
    const struct crl_file *from, bool is_newer_alone, struct crl_file *kept)
{
    for (size_t i = 0; from && i < from->count; i++) {
        if ((!is_newer_alone || find_older_than(set, slot->file, from->crls[i])) &&
            !append(kept, from->crls[i]))
            return false;
    }
    return true;
}

enum result crl_set_keep_newer(struct crl_set *set, size_t i, const struct crl_slot *previous)
{
    struct crl_slot *slot = &set->slots[i];
    const struct trust_crl *older = find_older(set, slot->file, previous->file);
    struct fault why = FAULT_INIT;
    older = older ? older : find_older(set, slot->file, previous->kept);
    if (!older)
        return RESULT_OK;
    CLEANUP(auto_file_unref) struct crl_file *kept = file_new();
    if (!kept || !keep_newer(set, slot, slot->kept, false, kept) ||
        !keep_newer(set, slot, previous->file, true, kept) ||
        !keep_newer(set, slot, previous->kept, true, kept))
        return RESULT_NO_MEMORY;
    if (!has_room(set, slot, slot->file, kept))
        return RESULT_OK;
    file_unref(slot->kept);
    slot->kept = TAKE_PTR(kept);
    say_older(&why, set->domain->trust->crls[i].path, older);
    note(slot, CRL_PROBLEM_OLDER, CRL_REMAINS_NEWER, why.text);
    gather(set);
    return RESULT_OK;
}
