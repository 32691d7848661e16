/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of a certificate, and why, for people and for scripts. */
#pragma once

#include "base/fault.h"
#include "policy/match.h"
#include "trust/path.h"

/* What it was judged by. */
struct bench {
    const char *file;
    bool raw_public_key; /* that of FILE alone */
    struct policy *policy;
    struct trust_store *trust;
    size_t endpoint;
    int64_t now_s;
    char from[IDENTIFIER_OCTETS]; /* absolute; "" = not said */
};

struct judgement {
    enum result result;
    struct fault fault; /* why not */
    size_t presented;   /* certificates */
    struct names names;
    struct path_verdict path;
    struct authorisation authorised; /* .rule NULL: none */
};

/* All of it, as common.json says; the exit status. */
int judgement_print(const struct bench *bench, const struct judgement *judgement);
