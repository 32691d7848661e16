/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trust/crl_set_load.h"

#include <stdlib.h>
#include <string.h>

#include "trust/crl_standing.h"
#include "x509/distinguished_name.h"

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

/* The first CRL of FILE that is older than OTHER, a CRL of the same issuer. NULL when there is
 * none, or when OTHER is not known to be signed by its issuer. */
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

/* The first CRL of FILE that is older, in the same sense, than any CRL of PREVIOUS. */
static const struct trust_crl *find_older(
    const struct crl_set *set, const struct crl_file *file, const struct crl_file *previous)
{
    const struct trust_crl *older = NULL;
    for (size_t i = 0; previous && i < previous->count && !older; i++)
        older = find_older_than(set, file, previous->crls[i]);
    return older;
}

/* Does CRL stay in force beside FILE, which replaces the file that held CRL? It goes when FILE
 * holds one of the same issuer that is signed and not older. A CRL whose signer we do not know also
 * goes when FILE holds none of its issuer, but only if all CRLs of FILE could be read (IS_WHOLE).
 */
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

/* May CRL be kept beside KEPT? Of the CRLs of an issuer whose signers we do not know, only one
 * generation is kept, since otherwise each new file would add another one. */
static bool has_place(
    const struct crl_set *set, const struct crl_file *kept, const struct trust_crl *crl)
{
    for (size_t i = 0; kept && i < kept->count; i++) {
        if (is_of_issuer(kept->crls[i], crl) && !counts(set, kept->crls[i]))
            return counts(set, crl);
    }
    return true;
}

/* Puts the CRLs in force in SLOT that stay in force beside FILE into *OUT, which is NULL when none
 * does. */
static enum result find_kept(const struct crl_set *set, const struct crl_slot *slot,
    const struct crl_file *file, bool is_whole, struct crl_file **out)
{
    struct crl_file *kept CLEANUP(auto_crl_file_unref) = crl_file_new();
    if (!kept)
        return RESULT_NO_MEMORY;
    for (size_t i = 0; slot->kept && i < slot->kept->count; i++) {
        if (stays(set, slot->kept->crls[i], file, is_whole) &&
            !crl_file_append(kept, slot->kept->crls[i]))
            return RESULT_NO_MEMORY;
    }
    for (size_t i = 0; slot->file && i < slot->file->count; i++) {
        struct trust_crl *each = slot->file->crls[i];
        if (stays(set, each, file, is_whole) && has_place(set, slot->kept, each) &&
            !crl_file_append(kept, each))
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

/* Releases READING, notes its problem, and leaves in force what is in force in SLOT. */
static void refuse(struct crl_slot *slot, struct crl_reading *reading)
{
    crl_file_unref(reading->file);
    note(slot, reading->problem,
        slot->file || slot->kept ? CRL_REMAINS_BEFORE : CRL_REMAINS_NOTHING, reading->why.text);
}

/* Puts READING in force in SLOT, and KEPT beside it. Takes both over. */
static void take(struct crl_slot *slot, struct crl_reading *reading, struct crl_file *kept)
{
    crl_file_unref(slot->file);
    crl_file_unref(slot->kept);
    slot->file = reading->file;
    slot->kept = kept;
    note(slot, reading->problem, kept ? CRL_REMAINS_BEFORE : CRL_REMAINS_OTHERS, reading->why.text);
}

/* Would the domain stay within its bounds with FILE and KEPT in SLOT, beside all other slots? */
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

/* Puts READING in force in SLOT, in place of what is in force there, or refuses it. Takes READING
 * over in any case. Its CRLs are taken together or not at all, since whoever puts several into one
 * file publishes them together. */
static enum result put_in_force(
    struct crl_set *set, struct crl_slot *slot, const char *path, struct crl_reading *reading)
{
    struct crl_file *kept CLEANUP(auto_crl_file_unref) = NULL;
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
    struct crl_reading reading;
    slot->print = file_print_of(path);
    const bool is_there = !file_print_equal(&slot->print, &(struct file_print){0});
    const enum result result = crl_file_read(path, &reading);
    /* A file that cannot be read is tried again even if it does not change: the reason may pass by
     * itself. A file with wrong content is read again only when it changes. */
    if (reading.problem == CRL_PROBLEM_UNREADABLE && is_there)
        slot->print = never;
    else if (reading.problem == CRL_PROBLEM_UNREADABLE)
        reading.problem = CRL_PROBLEM_MISSING;
    const enum result taken = put_in_force(set, slot, path, &reading);
    return result == RESULT_NO_MEMORY ? result : taken;
}

/* For a SLOT whose file has not changed: keys may have become known since it was read that verify
 * CRLs of the file. Those CRLs then replace the ones that were kept from before. */
static enum result settle(const struct crl_set *set, struct crl_slot *slot)
{
    const struct crl_slot kept_alone = {.kept = slot->kept};
    struct crl_file *left;
    if (!slot->kept)
        return RESULT_OK;
    TRY(find_kept(set, &kept_alone, slot->file, false, &left));
    if (count_of(left) == slot->kept->count) {
        crl_file_unref(left);
        return RESULT_OK;
    }
    crl_file_unref(slot->kept);
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
    slot->file = crl_file_ref(previous->file);
    slot->kept = crl_file_ref(previous->kept);
    slot->print = previous->print;
    note(slot, previous->problem, previous->remains, previous->why ? previous->why : "");
}

enum result crl_set_load(struct trust_store *store, const struct trust_domain *domain,
    const struct crl_set *previous, struct crl_set **out)
{
    const struct policy_trust *trust = domain->trust;
    *out = NULL;
    if (trust->crl_count == 0)
        return RESULT_OK;
    struct crl_set *set CLEANUP(auto_crl_set_unref) = calloc(1, sizeof(*set));
    if (!set)
        return RESULT_NO_MEMORY;
    set->references = 1;
    set->store = store;
    set->domain = domain;
    set->slot_count = trust->crl_count;
    for (size_t i = 0; previous && i < set->slot_count; i++)
        adopt(&set->slots[i], &previous->slots[i]);
    for (size_t i = 0; i < set->slot_count; i++) {
        const struct file_print now = file_print_of(trust->crls[i].path);
        if (!previous || !file_print_equal(&now, &set->slots[i].print))
            TRY(read_slot(set, &set->slots[i], trust->crls[i].path));
        else
            TRY(settle(set, &set->slots[i]));
    }
    gather(set);
    *out = TAKE_PTR(set);
    return RESULT_OK;
}

enum result crl_set_inherit(struct crl_set *set, size_t i, const struct crl_slot *previous)
{
    struct crl_slot *slot = &set->slots[i];
    const struct file_print print = slot->print;
    struct crl_reading reading = {.file = slot->file, .problem = slot->problem, .why = FAULT_INIT};
    fault_set(&reading.why, RESULT_BAD_CONFIGURATION, "%s", slot->why ? slot->why : "");
    slot->file = NULL;
    crl_file_unref(
        TAKE_PTR(slot->kept)); /* set when another slot with the same path was inherited */
    if (has_room(set, slot, previous->file, previous->kept))
        adopt(slot, previous);
    slot->print = print;
    enum result result = put_in_force(set, slot, set->domain->trust->crls[i].path, &reading);
    gather(set);
    return result;
}

/* Appends CRLs of FROM to KEPT: all of them, or with IS_NEWER_ALONE those that are newer than a CRL
 * of the same issuer in SLOT. Returns false when out of memory. */
static bool keep_newer(const struct crl_set *set, const struct crl_slot *slot,
    const struct crl_file *from, bool is_newer_alone, struct crl_file *kept)
{
    for (size_t i = 0; from && i < from->count; i++) {
        if ((!is_newer_alone || find_older_than(set, slot->file, from->crls[i])) &&
            !crl_file_append(kept, from->crls[i]))
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
    struct crl_file *kept CLEANUP(auto_crl_file_unref) = crl_file_new();
    if (!kept || !keep_newer(set, slot, slot->kept, false, kept) ||
        !keep_newer(set, slot, previous->file, true, kept) ||
        !keep_newer(set, slot, previous->kept, true, kept))
        return RESULT_NO_MEMORY;
    if (!has_room(set, slot, slot->file, kept))
        return RESULT_OK;
    crl_file_unref(slot->kept);
    slot->kept = TAKE_PTR(kept);
    say_older(&why, set->domain->trust->crls[i].path, older);
    note(slot, CRL_PROBLEM_OLDER, CRL_REMAINS_NEWER, why.text);
    gather(set);
    return RESULT_OK;
}
