/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contents of the exchange's primitives, as an Initiating End-Point writes and reads them. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"
#include "client/e2ekey.h"
#include "identity/identifier.h"

#define CONTENT_MESSAGE_MAX 65536 /* octets of one E2EKey message */

/* {"m2m:e2ek":{"eckm":…}}, or {"m2m:seci":{"sit":6,"eckm":…}} for NOTIFY. NULL: out of memory. */
char *content_write(bool notify, struct bytes message);

/* What an answer holds; what it lacks stays empty. Release with buffer_release(&….message). */
struct content {
    struct buffer message;          /* eckm, decoded */
    char key_id[E2EKEY_ID_OCTETS];  /* kid */
    char local[IDENTIFIER_OCTETS];  /* lid */
    char reason[FAULT_TEXT_OCTETS]; /* m2m:dbg, fit to be printed */
};

void content_read(struct bytes json, struct content *out);
