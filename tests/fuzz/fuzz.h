/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets share. The same input always has the same run: the linker gives the targets
 * a clock that stands and random numbers that begin anew with each input (fuzz.c, and FUZZ_WRAPPED
 * in the Makefile). */
#pragma once

#include "base/bytes.h"

#define FUZZ_NOW_S INT64_C(1797292800) /* 2026-12-15: the wall clock of every input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Begins an input: random numbers and clocks are as they are at the beginning of every other. */
void fuzz_begin(void);

/* From here on random numbers are as they are after every other call with PHASE, whatever was drawn
 * before. */
void fuzz_random_from(uint64_t phase);
/* With $FUZZ_RECORD, a folder: writes OCTETS into its file NAME (tests/fuzz/make-corpus). */
void fuzz_record(const char *name, struct bytes octets);

/* Lets a minute pass, but for the wall clock. */
void fuzz_pass(void);

/* A property that holds of every input. */
void must(bool condition);

/* Takes a piece from the front of IN, behind its length of 16 bits; all that is left where that is
 * less. False at the end of IN. */
bool fuzz_take(struct bytes *in, struct bytes *piece) WARN_UNUSED;
/* Takes one octet from the front of IN; 0 at its end. */
uint8_t fuzz_octet(struct bytes *in);

/* A path in a folder of this process, in memory; one of eight static buffers. The folder has the
 * files of tests/fuzz/field, for their owner alone, and goes at the end. */
const char *fuzz_path(const char *name);
void fuzz_write(const char *name, struct bytes content);

void fuzz_append(struct buffer *out, const char *text);
/* The certificate in the file NAME of that folder, DER; the caller releases it. */
struct buffer fuzz_certificate(const char *name);

/* --- for targets that link policy_load --- */

struct policy;
/* That of the file NAME in the folder. It has to be one. */
struct policy *fuzz_policy(const char *name);
