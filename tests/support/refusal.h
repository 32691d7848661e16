/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every refusal has to be, whatever it refuses. */
#pragma once

#include <stdbool.h>

#include "support/http.h"

#define REFUSAL_ALERT_NONE 0

struct refusal {
    long status; /* HTTP */
    int rsc;
    int alert;        /* in eckm, fatal; or REFUSAL_ALERT_NONE: no eckm at all */
    const char *text; /* m2m:dbg has it in it */
};

/* ANSWER is that refusal: it echoes REQUEST_ID and RELEASE (NULL: is without the header), says why
 * in one line, has the alert in m2m:e2ek or, BY_NOTIFY, in m2m:seci, and nothing else; Retry-After
 * with 503 only. Releases ANSWER. CASE_NAME stands in what is said of a failure. */
void refusal_expect(const char *case_name, struct http_answer *answer,
    const struct refusal *expected, const char *request_id, const char *release, bool by_notify);
