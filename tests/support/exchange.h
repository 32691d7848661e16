/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole exchanges, played by the project's own initiator (src/tls/initiator.h). */
#pragma once

#include "support/daemon.h"
#include "support/http.h"
#include "tls/initiator.h"

/* The credential NAME.pem, NAME.key of the daemon's folder; release with
 * initiator_credential_free. */
struct initiator_credential *exchange_credential(const struct daemon *daemon, const char *name);

/* FROM establishes a key with the daemon by Create and Update, on CLIENT's connection. False, and
 * ANSWER the refusal, when the daemon refuses. */
bool exchange_run(CURL *client, const struct daemon *daemon,
    struct initiator_credential *credential, const char *from, struct exported_key *exported,
    struct http_answer *answer);

/* {"m2m:e2ek":{"eckm":MESSAGE}}; the caller frees. */
char *exchange_content(struct bytes message);
/* The eckm of a body m2m:e2ek or m2m:seci, appended to MESSAGE; fails the test without one. */
void exchange_message(const char *body, struct buffer *message);

/* One exchange by FROM goes through, without delay, and its key can be read at the socket. */
void exchange_prove(
    const struct daemon *daemon, struct initiator_credential *credential, const char *from);
/* The content of a Create, with a Message 1; the caller frees. */
char *exchange_begin(struct initiator_credential *credential);
