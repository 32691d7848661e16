/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trust domain with two CRL files, in a folder of its own, and certificates below its anchor. */
#pragma once

#include "trust/store.h"
#include "unit/x509/maker.h"

/* Valid by the host's clock too. */
#define FIELD_LONG_AGO INT64_C(1000000000)
#define FIELD_LATE     INT64_C(4000000000)

struct field {
    char folder[32], anchors_path[64], crl_paths[2][64];
    struct buffer leaf, below_sub, sub; /* by root; by sub; sub itself, by root */
};
extern struct field field;

/* The fixture of a test. */
void field_start(void);
void field_stop(void);

/* All that the store's CRLs give reason to say, as --check does; the caller releases it. */
struct report field_notices(struct trust_store *store);
/* They are one, a fault or a warning, which says TEXT. */
void field_expect_notice(struct trust_store *store, bool is_fault, const char *text);

void field_write_crl(const char *path, const struct crl_recipe *recipe);
/* Loads the root as a domain's anchor, with the first COUNT of the CRL files. */
enum result field_load(
    size_t count, bool require, struct trust_store **store, struct report *report);
/* The same, and it has to go well. */
struct trust_store *field_store(size_t count, bool require);
