/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a function failed. A function that takes a struct fault sets it whenever it returns another
 * result than RESULT_OK, and only then. */
#pragma once

#include "base/result.h"

#define FAULT_TEXT_OCTETS 256
#define FAULT_NO_ALERT    (-1)

/* TEXT is the reason in one line for people, without key material.
 * The text is safe to log and to send: control characters and non-ASCII octets are escaped. */
struct fault {
    enum result result;
    int alert; /* TLS alert description (RFC 5246 7.2) to hand to the peer, or FAULT_NO_ALERT */
    char text[FAULT_TEXT_OCTETS];
};

#define FAULT_INIT ((struct fault){.result = RESULT_INTERNAL, .alert = FAULT_NO_ALERT})

/* Sets FAULT to RESULT and the reason (cut to fit), and returns RESULT, so that callers can
 * `return fault_set(…)`. FAULT may be NULL. Only fault_set_alert names an alert for the peer. */
enum result fault_set(struct fault *fault, enum result result, const char *format, ...)
    PRINTF(3, 4);
enum result fault_set_alert(
    struct fault *fault, enum result result, int alert, const char *format, ...) PRINTF(4, 5);
