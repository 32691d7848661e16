/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trust/crl_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "trust/issuer.h"
#include "x509/pem.h"

#define CRL_FILE_OCTETS_MAX ((size_t)16 * 1024 * 1024)

/* --- references --- */

struct crl_file *crl_file_ref(struct crl_file *file)
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

struct crl_file *crl_file_new(void)
{
    struct crl_file *file = calloc(1, sizeof(*file));
    if (file)
        file->references = 1;
    return file;
}

void crl_file_unref(struct crl_file *file)
{
    if (!file || atomic_fetch_sub_explicit(&file->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < file->count; i++)
        crl_unref(file->crls[i]);
    free(file->crls);
    free(file);
}

bool crl_file_append(struct crl_file *file, struct trust_crl *crl)
{
    struct trust_crl **crls = reallocarray(file->crls, file->count + 1, sizeof(*crls));
    if (!crls)
        return false;
    atomic_fetch_add_explicit(&crl->references, 1, memory_order_relaxed);
    file->crls = crls;
    crls[file->count++] = crl;
    return true;
}

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
        crl_file_unref(set->slots[i].file);
        crl_file_unref(set->slots[i].kept);
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

/* Appends the CRL in DER to FILE. Takes the octets of DER over where it can, and leaves DER empty
 * then; the caller releases DER in any case. */
static enum result add_crl(
    struct crl_file *file, size_t number, struct buffer *der, struct fault *fault)
{
    if (file->count == CRL_SET_MAX)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "more than %d", CRL_SET_MAX);
    struct trust_crl *crl CLEANUP(auto_crl_unref) = calloc(1, sizeof(*crl));
    if (!crl)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    crl->references = 1;
    crl->number = number;
    crl->der = *der;
    *der = (struct buffer){0};
    TRY(read_crl(crl, fault));
    if (!crl_file_append(file, crl))
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    return RESULT_OK;
}

/* For a file whose TEXT holds no CRL: sets a fault that says what it holds instead, for an operator
 * who named the wrong file. */
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

/* Puts all CRLs in TEXT that can be used into OUT. When some cannot, the result and FAULT are about
 * the first of them. */
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

enum result crl_file_read(const char *path, struct crl_reading *out)
{
    struct buffer text AUTO_BUFFER = {0};
    struct crl_file *file CLEANUP(auto_crl_file_unref) = crl_file_new();
    *out = (struct crl_reading){.problem = CRL_PROBLEM_UNREADABLE, .why = FAULT_INIT};
    if (!file)
        return fault_set(&out->why, RESULT_NO_MEMORY, "%s: out of memory", path);
    TRY(file_read(path, CRL_FILE_OCTETS_MAX, &text, &out->why));
    enum result result = read_all(buffer_bytes(&text), path, file, &out->why);
    if (result == RESULT_NO_MEMORY)
        return result;
    out->problem = result == RESULT_OK ? CRL_PROBLEM_NONE : CRL_PROBLEM_UNUSABLE;
    if (file->count > 0)
        out->file = TAKE_PTR(file);
    return RESULT_OK;
}
