/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The content of the procedure's primitives in JSON, as an Initiating End-Point writes and reads
 * it. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"
#include "client/e2ekey.h"
#include "identity/identifier.h"

#define CONTENT_MESSAGE_MAX 65536 /* octets of one E2EKey message */

/* Returns {"m2m:e2ek":{"eckm":…}}, or {"m2m:seci":{"sit":6,"eckm":…}} if NOTIFY, for the caller to
 * free; NULL when out of memory. */
char *primitive_content_write(bool notify, struct bytes message);

/* The content of a response. Members that are absent are empty. Release it with
 * buffer_release(&….message). */
struct primitive_content {
    struct buffer message;          /* eckm, decoded */
    char key_id[E2EKEY_ID_OCTETS];  /* kid */
    char local[IDENTIFIER_OCTETS];  /* lid */
    char reason[FAULT_TEXT_OCTETS]; /* m2m:dbg, escaped for printing */
};

void primitive_content_read(struct bytes json, struct primitive_content *out);
