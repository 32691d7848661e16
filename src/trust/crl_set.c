/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trust/crl_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "trust/issuer.h"
#include "x509/distinguished_name.h"
#include "x509/pem.h"

#define CRL_FILE_OCTETS_MAX ((size_t)16 * 1024 * 1024)

/* --- references --- */

static struct crl_file *file_ref(struct crl_file *file)
{
    if (file)
        atomic_fetch_add_explicit(&file->references, 1, memory_order_relaxed);
    return file;
}

static void release_crl(struct trust_crl *crl)
{
    crl_release(&crl->crl);
    buffer_release(&crl->der);
}

static void file_unref(struct crl_file *file)
{
    if (!file || atomic_fetch_sub_explicit(&file->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < file->count; i++)
        release_crl(&file->crls[i]);
    free(file->crls);
    free(file);
}
DEFINE_CLEANUP(struct crl_file *, file_unref)

struct crl_set *crl_set_ref(struct crl_set *set)
{
    if (set)
        atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
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
    TRY(crl_parse(der, &out->crl, fault));
    if (sha256_of(der, (struct bytes){0}, out->digest) != RESULT_OK ||
        issuer_hash(out->crl.issuer, &out->issuer) != RESULT_OK ||
        issuer_old_hash(out->crl.issuer, &out->old_issuer) != RESULT_OK)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    return RESULT_OK;
}

/* Takes DER over, whatever it answers. */
static enum result add_crl(
    struct crl_file *file, size_t number, struct buffer *der, struct fault *fault)
{
    struct trust_crl crl CLEANUP(release_crl) = {.der = *der, .number = number};
    *der = (struct buffer){0};
    if (file->count == CRL_SET_MAX)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "more than %d", CRL_SET_MAX);
    TRY(read_crl(&crl, fault));
    struct trust_crl *crls = reallocarray(file->crls, file->count + 1, sizeof(*crls));
    if (!crls)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    file->crls = crls;
    crls[file->count++] = crl;
    crl = (struct trust_crl){0};
    return RESULT_OK;
}

/* TEXT has no CRL. Says what it holds instead, to an operator who named the wrong file. */
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

/* Puts all CRLs that can be used into OUT. FAULT is about the first one that cannot. */
static enum result read_all(
    struct bytes text, const char *path, struct crl_file *out, struct fault *fault)
{
    const struct bytes whole = text;
    enum result first = RESULT_OK;
    for (size_t number = 1;; number++) {
        struct buffer der AUTO_BUFFER = {.limit = CRL_FILE_OCTETS_MAX};
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
    struct buffer text AUTO_BUFFER = {0};
    struct crl_file *file CLEANUP(auto_file_unref) = calloc(1, sizeof(*file));
    *out = (struct reading){.problem = CRL_PROBLEM_UNREADABLE, .why = FAULT_INIT};
    if (!file)
        return fault_set(&out->why, RESULT_NO_MEMORY, "%s: out of memory", path);
    file->references = 1;
    TRY(file_read(path, CRL_FILE_OCTETS_MAX, &text, &out->why));
    enum result result = read_all(buffer_bytes(&text), path, file, &out->why);
    if (result == RESULT_NO_MEMORY)
        return result;
    out->problem = result == RESULT_OK ? CRL_PROBLEM_NONE : CRL_PROBLEM_UNUSABLE;
    if (file->count > 0)
        out->file = TAKE_PTR(file);
    return RESULT_OK;
}

/* --- what stays in force --- */

/* The first CRL of FILE that is older than one of PREVIOUS by the same issuer; NULL: none is. */
static const struct trust_crl *find_older(
    const struct crl_file *file, const struct crl_file *previous)
{
    for (size_t i = 0; previous && i < file->count; i++) {
        for (size_t j = 0; j < previous->count; j++) {
            const struct trust_crl *each = &file->crls[i], *other = &previous->crls[j];
            if (each->issuer == other->issuer &&
                distinguished_name_equal(each->crl.issuer, other->crl.issuer) &&
                crl_is_older(&each->crl, &other->crl))
                return each;
        }
    }
    return NULL;
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
static void keep(struct crl_slot *slot, struct reading *reading)
{
    file_unref(reading->file);
    note(slot, reading->problem,
        slot->file || slot->kept ? CRL_REMAINS_BEFORE : CRL_REMAINS_NOTHING, reading->why.text);
}

/* When only some CRLs of a file can be used, what the file held when it was last whole stays in
 * force beside them: they are newer, and of the other issuers there is nothing else. */
static void take(struct crl_slot *slot, struct reading *reading)
{
    struct crl_file *whole = slot->kept ? slot->kept : slot->file;
    if (slot->kept)
        file_unref(slot->file);
    if (reading->problem == CRL_PROBLEM_NONE) {
        file_unref(whole);
        whole = NULL;
    }
    slot->kept = whole;
    slot->file = reading->file;
    note(
        slot, reading->problem, whole ? CRL_REMAINS_BEFORE : CRL_REMAINS_OTHERS, reading->why.text);
}

/* How many CRLs SLOT may have, by what the others have. */
static size_t room_of(const struct crl_set *set, const struct crl_slot *slot)
{
    size_t others = 0;
    for (size_t i = 0; i < set->slot_count; i++) {
        if (&set->slots[i] != slot)
            others += count_of(set->slots[i].file) + count_of(set->slots[i].kept);
    }
    return CRL_SET_MAX - others;
}

static size_t count_with(const struct crl_slot *slot, const struct reading *reading)
{
    size_t before = count_of(slot->kept ? slot->kept : slot->file);
    return count_of(reading->file) + (reading->problem == CRL_PROBLEM_NONE ? 0 : before);
}

/* Puts READING, which this takes over, in force in SLOT in the place of what is. Its CRLs are taken
 * together or not at all: whoever puts several into one file publishes them together. */
static void put_in_force(
    struct crl_set *set, struct crl_slot *slot, const char *path, struct reading *reading)
{
    const struct trust_crl *older = NULL;
    if (reading->file) {
        older = find_older(reading->file, slot->file);
        older = older ? older : find_older(reading->file, slot->kept);
    }
    if (older) {
        reading->problem = CRL_PROBLEM_OLDER;
        fault_set(&reading->why, RESULT_BAD_CONFIGURATION,
            "%s: CRL %zu: older than the one of its issuer that is in force", path, older->number);
    } else if (reading->file && count_with(slot, reading) > room_of(set, slot)) {
        reading->problem = CRL_PROBLEM_UNUSABLE;
        fault_set(&reading->why, RESULT_BAD_CONFIGURATION,
            "%s: with it there are more than %d CRLs in the trust domain", path, CRL_SET_MAX);
    } else if (reading->file) {
        take(slot, reading);
        return;
    }
    keep(slot, reading);
}

static enum result read_slot(struct crl_set *set, struct crl_slot *slot, const char *path)
{
    static const struct file_print never = {.changed_ns = -1};
    struct reading reading;
    slot->print = file_print_of(path);
    const bool is_there = !file_print_equal(&slot->print, &(struct file_print){0});
    enum result result = read_file(path, &reading);
    /* What a file holds changes with the file; that it cannot be read may pass by itself. */
    if (reading.problem == CRL_PROBLEM_UNREADABLE && is_there)
        slot->print = never;
    put_in_force(set, slot, path, &reading);
    return result == RESULT_NO_MEMORY ? result : RESULT_OK;
}

/* --- the set --- */

static void gather_file(struct crl_set *set, size_t slot, const struct crl_file *file)
{
    for (size_t i = 0; file && i < file->count; i++) {
        set->slot_of[set->count] = slot;
        set->crls[set->count++] = &file->crls[i];
    }
}

static void gather(struct crl_set *set)
{
    set->count = 0;
    for (size_t i = 0; i < set->slot_count; i++) {
        gather_file(set, i, set->slots[i].file);
        gather_file(set, i, set->slots[i].kept);
    }
}

static void adopt(struct crl_slot *slot, const struct crl_slot *previous)
{
    slot->file = file_ref(previous->file);
    slot->kept = file_ref(previous->kept);
    slot->print = previous->print;
    note(slot, previous->problem, previous->remains, previous->why ? previous->why : "");
}

enum result crl_set_load(
    const struct policy_trust *trust, const struct crl_set *previous, struct crl_set **out)
{
    *out = NULL;
    if (trust->crl_count == 0)
        return RESULT_OK;
    struct crl_set *set CLEANUP(auto_crl_set_unref) = calloc(1, sizeof(*set));
    if (!set)
        return RESULT_NO_MEMORY;
    set->references = 1;
    set->slot_count = trust->crl_count;
    for (size_t i = 0; previous && i < set->slot_count; i++)
        adopt(&set->slots[i], &previous->slots[i]);
    for (size_t i = 0; i < set->slot_count; i++) {
        const struct file_print now = file_print_of(trust->crls[i].path);
        if (!previous || !file_print_equal(&now, &set->slots[i].print))
            TRY(read_slot(set, &set->slots[i], trust->crls[i].path));
    }
    gather(set);
    *out = TAKE_PTR(set);
    return RESULT_OK;
}

void crl_set_inherit(struct crl_set *set, const struct policy_trust *trust, size_t i,
    const struct crl_slot *previous)
{
    struct crl_slot *slot = &set->slots[i];
    const struct file_print print = slot->print;
    struct reading reading = {.file = slot->file, .problem = slot->problem, .why = FAULT_INIT};
    fault_set(&reading.why, RESULT_BAD_CONFIGURATION, "%s", slot->why ? slot->why : "");
    slot->file = NULL;
    if (count_of(previous->file) + count_of(previous->kept) <= room_of(set, slot))
        adopt(slot, previous);
    slot->print = print;
    put_in_force(set, slot, trust->crls[i].path, &reading);
    gather(set);
}
