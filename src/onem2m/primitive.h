/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Request and response primitives (TS-0004 7.1), independent of the binding that carries them. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"
#include "identity/identifier.h"

enum operation { /* TS-0004 6.3.4.2.5 */
    OPERATION_CREATE = 1,
    OPERATION_RETRIEVE = 2,
    OPERATION_UPDATE = 3,
    OPERATION_DELETE = 4,
    OPERATION_NOTIFY = 5,
};

#define OPERATION_BIT(operation) (1u << (operation))
#define OPERATIONS_ALL           0x3eu

enum result_content { /* rcn, TS-0004 6.3.4.2.7 */
    RESULT_CONTENT_NOTHING = 0,
    RESULT_CONTENT_ATTRIBUTES = 1,
    RESULT_CONTENT_ADDRESS = 2,
    RESULT_CONTENT_ADDRESS_AND_ATTRIBUTES = 3,
};

#define REQUEST_ID_OCTETS 128 /* X-M2M-RI, NUL included; longer ones are refused */

/* An SP-relative address of an exchange, NUL included: a CSE-ID and three names at most. */
#define RESPONSE_ADDRESS_OCTETS 512

struct serialization; /* onem2m/serialization.h */

/* The strings belong to the binding, and are valid until the request is answered. */
struct request {
    enum operation operation;
    /* Asks only which operations the resource takes, as HTTP's OPTIONS does. This is no oneM2M
     * request, and needs none of what those need; OPERATION is Retrieve. */
    bool asks_operations;
    const char *to;   /* the path, percent-decoded, without query */
    const char *from; /* X-M2M-Origin as it came; NULL = absent */
    /* Who sent the request as far as the transport shows it, as opaque octets: requests of one
     * transport peer have the same ones. Empty: unknown. Valid as long as the request. */
    struct bytes peer;
    const char *request_id;     /* X-M2M-RI; NULL = absent */
    const char *release;        /* X-M2M-RVI; NULL = absent */
    const char *expiration;     /* X-M2M-RET; NULL = absent */
    const char *response_type;  /* rt, as it came; NULL = absent */
    const char *result_content; /* rcn, as it came; NULL = absent */
    const char *resource_type;  /* ty, as it came; NULL = absent */
    const char *attribute_list; /* atrl, percent-decoded; NULL = absent */
    struct bytes content;
    const struct serialization *serialization; /* of CONTENT; NULL: the one we prefer */
};

/* Zero-initialise; release with response_release. */
struct response {
    enum result result;
    int rsc;
    /* Content-Location: the structured address of what was created, SP-relative; "" = none */
    char location[RESPONSE_ADDRESS_OCTETS];
    unsigned operations;    /* OPERATION_BIT of each that the resource takes; 0 = not to be said */
    unsigned retry_after_s; /* 0 = none */
    struct buffer content;  /* size 0 = none */
    const struct serialization *serialization; /* to write content in; NULL: the one we prefer */
};

void response_release(struct response *response); /* wipes and frees the content */

/* Checks a request expiration (TS-0004 6.3.3): absolute "YYYYMMDDTHHMMSS[,ffffff]" UTC, or
 * milliseconds from now; NULL never expires. RESULT_REQUEST_EXPIRED when it has passed,
 * RESULT_BAD_REQUEST when it has neither form. */
enum result primitive_check_expiration(const char *expiration, int64_t now_us, struct fault *fault)
    WARN_UNUSED;
#define PRIMITIVE_RELEASES 6
extern const char *const primitive_releases[PRIMITIVE_RELEASES];
/* RESULT_OK for a release that is one of these, and for NULL; else RESULT_UNSUPPORTED_RELEASE. */
enum result primitive_check_release(const char *release, struct fault *fault) WARN_UNUSED;

#define TIMESTAMP_SHAPE  "YYYYMMDDTHHMMSS"
#define TIMESTAMP_OCTETS 16 /* NUL included */
/* Reads a time in TIMESTAMP_SHAPE (UTC), which may be followed by a comma and one to six digits of
 * a second, into microseconds since the epoch. False for any other text, and for a time that the
 * calendar does not have. */
bool timestamp_read(const char *text, int64_t *out_us) WARN_UNUSED;
/* Writes WALL_S, seconds since the epoch, as "YYYYMMDDTHHMMSS" (UTC). A time outside the years 1970
 * to 9999 becomes the nearest one within them. */
void timestamp_format(int64_t wall_s, char out[TIMESTAMP_OCTETS]);
