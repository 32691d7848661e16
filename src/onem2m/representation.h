/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON contents of primitives: m2m:e2ek, m2m:seci, m2m:dbg. What is read and what is written. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"
#include "onem2m/primitive.h"

enum exchange_state_value { /* est */
    EST_AWAITING_MESSAGE3 = 1,
    EST_ESTABLISHED = 2,
    EST_FAILED = 3,
};

/* {"m2m:e2ek":{"eckm":…[,"rn":…]}} of Create (RN_ALLOWED) and Update, or {"m2m:seci":{"sit":6,
 * "eckm":…}} of Notify. MESSAGE receives the decoded octets, at most MESSAGE->limit:
 * RESULT_BAD_MESSAGE when larger or empty; RESULT_BAD_REQUEST for everything else. */
enum result representation_read_e2ek(
    struct bytes json, bool rn_allowed, struct buffer *message, struct fault *fault) WARN_UNUSED;
enum result representation_read_seci(struct bytes json, struct buffer *message, struct fault *fault)
    WARN_UNUSED;

/* An <e2EKeyCSE> exchange or the entry point, as far as it is shown. */
struct e2ek {
    const char *rn, *ri, *pi;
    int ty;
    int64_t ct_s, lt_s;
    int64_t et_s;                     /* 0 leaves it out */
    int est;                          /* 0 leaves it out */
    const char *kid;                  /* hex; NULL leaves it out */
    const char *lid;                  /* NULL leaves it out */
    struct bytes message;             /* eckm, octets; empty leaves it out */
    const struct bytes *certificates; /* DER; with entry_point */
    size_t certificate_count;
    bool entry_point; /* adds esi */
};

/* OUT->limit is the caller's. Deterministic: the same input gives the same octets.
 * URI not NULL: wrapped as {"m2m:rce":{"uri":…,"m2m:e2ek":{…}}} (rcn 3). */
enum result representation_write_e2ek(const struct e2ek *e2ek, const char *uri, struct buffer *out)
    WARN_UNUSED;
enum result representation_write_seci(struct bytes message, struct buffer *out) WARN_UNUSED;
/* {"m2m:dbg":TEXT} with, where ALERT has octets, m2m:e2ek {est 3, eckm} or (NOTIFY) m2m:seci. */
enum result representation_write_refusal(
    const char *text, struct bytes alert, bool notify, struct buffer *out) WARN_UNUSED;
