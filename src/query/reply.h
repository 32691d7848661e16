/* SPDX-License-Identifier: GPL-2.0-or-later */
/* varlink replies. Each function appends one message with its NUL, or fails with buffer's errors
 * and appends nothing. */
#pragma once

#include <jansson.h>

#include "base/bytes.h"
#include "keys/cache.h"

#define ERROR_NO_SUCH_KEY            "org.e2ekeyd.Keys.NoSuchKey"
#define ERROR_EVENTS_LOST            "org.e2ekeyd.Keys.EventsLost"
#define ERROR_INTERFACE_NOT_FOUND    "org.varlink.service.InterfaceNotFound"
#define ERROR_METHOD_NOT_FOUND       "org.varlink.service.MethodNotFound"
#define ERROR_METHOD_NOT_IMPLEMENTED "org.varlink.service.MethodNotImplemented"
#define ERROR_INVALID_PARAMETER      "org.varlink.service.InvalidParameter"
#define ERROR_PERMISSION_DENIED      "org.varlink.service.PermissionDenied"
#define ERROR_EXPECTED_MORE          "org.varlink.service.ExpectedMore"

/* A reply with PARAMETERS, which it takes over; NULL fails with RESULT_NO_MEMORY, so that callers
 * need not check what jansson returned. */
enum result reply_json(struct buffer *out, json_t *parameters) WARN_UNUSED;
enum result reply_error(struct buffer *out, const char *error) WARN_UNUSED;
/* An error with one parameter, called NAME. */
enum result reply_error_about(
    struct buffer *out, const char *error, const char *name, const char *value) WARN_UNUSED;

struct key_reply {
    const struct key_info *info;
    const uint8_t *key; /* KEY_OCTETS; NULL leaves it out */
    const char *event;  /* NULL leaves it out */
    bool continues;     /* another reply to the same call follows */
};

/* Writes directly into OUT, so that key material passes through no memory that is not wiped. */
enum result reply_key(struct buffer *out, const struct key_reply *reply) WARN_UNUSED;
