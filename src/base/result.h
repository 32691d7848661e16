/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every function that can fail returns. base/fault.h has the reason that goes with it. */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"

/* Who has to act on a failure. Callers branch on this, not on single results. */
enum category {
    CATEGORY_DONE,           /* nothing to do */
    CATEGORY_PEER_FAULT,     /* what the peer sent is wrong; the same request will fail again */
    CATEGORY_NOT_AUTHORISED, /* well-formed, but this peer may not */
    CATEGORY_BUSY,           /* a bound is reached; later it may go through */
    CATEGORY_OURS,           /* our own fault or our host's */
};

/* name, category, text. onem2m/status maps each to its response status code and HTTP status. */
#define RESULT_LIST(X)                                                                             \
    X(OK, DONE, "done")                                                                            \
    X(BAD_REQUEST, PEER_FAULT, "malformed request")                                                \
    X(BAD_MESSAGE, PEER_FAULT, "not the E2EKey message due now")                                   \
    X(BAD_INPUT, PEER_FAULT, "malformed input")                                                    \
    X(TLS_REFUSED, PEER_FAULT, "TLS handshake refused")                                            \
    X(CERTIFICATE_REFUSED, PEER_FAULT, "certificate refused")                                      \
    X(NOT_AUTHORISED, NOT_AUTHORISED, "originator not authorised")                                 \
    X(NOT_FOUND, PEER_FAULT, "no such resource")                                                   \
    X(NOT_ALLOWED, PEER_FAULT, "operation not allowed on this resource")                           \
    X(WRONG_CHILD, PEER_FAULT, "resource type not creatable here")                                 \
    X(CONFLICT, PEER_FAULT, "exchange already done with other content")                            \
    X(UNSUPPORTED_MEDIA, PEER_FAULT, "unsupported media type")                                     \
    X(NOT_ACCEPTABLE, PEER_FAULT, "no acceptable media type")                                      \
    X(UNSUPPORTED_RELEASE, PEER_FAULT, "unsupported release version")                              \
    X(UNSUPPORTED_RESPONSE_TYPE, PEER_FAULT, "only blocking responses are supported")              \
    X(UNSUPPORTED_RESULT_CONTENT, PEER_FAULT, "result content not supported here")                 \
    X(UNSUPPORTED_NOTIFICATION, PEER_FAULT, "notification of a kind not supported here")           \
    X(REQUEST_EXPIRED, PEER_FAULT, "request expiration time has passed")                           \
    X(BUSY, BUSY, "over a limit")                                                                  \
    X(STOPPING, BUSY, "the daemon is stopping")                                                    \
    X(BAD_CONFIGURATION, OURS, "configuration error")                                              \
    X(NO_MEMORY, OURS, "out of memory")                                                            \
    X(SYSTEM_ERROR, OURS, "operating system error")                                                \
    X(INTERNAL, OURS, "internal error")

#define RESULT_ENUM(name, category, text) RESULT_##name,
enum result { RESULT_LIST(RESULT_ENUM) RESULT_COUNT };
#undef RESULT_ENUM

/* Leaves the calling function with CALL's result unless that is RESULT_OK. Whoever returns another
 * result has set the fault that it was given, so there is nothing to add. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum result try_result = (call);                                                           \
        if (try_result != RESULT_OK)                                                               \
            return try_result;                                                                     \
    } while (0)

/* RESULT; or RESULT_INTERNAL for a number outside of the enumeration, which only an error of ours
 * can bring about. The functions below call it. */
enum result result_known(enum result result);
enum category result_category(enum result result);
const char *result_text(enum result result); /* static, one line, lower case */
/* Static, in the form "bad-message": for metrics and the status. */
const char *result_name(enum result result);
