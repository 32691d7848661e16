/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Terminating End-Point in memory, and initiators that send it requests. */
#pragma once

#include "exchange/procedure.h"
#include "tls/initiator.h"

#define STAGE_CSE_BASE    "/cse-in"
#define STAGE_ENTRY_POINT "/cse-in/e2EKeyCSE"
#define STAGE_NOTIFY      "/notify"

/* Credentials of initiators. */
enum stage_credential {
    STAGE_METER,    /* AE Cmeter, whom the policy authorises */
    STAGE_UNLISTED, /* an AE of another CSE, for which the policy has no rule */
    STAGE_STRANGER, /* says that it is Cmeter, by an authority that nobody trusts */
    STAGE_CREDENTIALS,
};

struct stage {
    char folder[32];
    struct snapshot_slot *slot;
    struct key_cache *cache;
    struct rand_objects *rand_objects;
    struct procedure *procedure;
    struct initiator_credential *credentials[STAGE_CREDENTIALS];
};
extern struct stage stage;

/* A fixture. */
void stage_open(void);
void stage_close(void);

/* --- requests --- */

/* What a member leaves out is absent from the request. */
struct stage_request {
    enum operation operation;
    const char *to, *from, *id;
    const char *ty, *rcn, *rt, *atrl, *release, *expiration;
    const char *json;     /* the content as it is, */
    struct bytes message; /* or else m2m:e2ek with this, m2m:seci for Notify, */
    const char *more;     /* and with these members: ",\"lbl\":[]" */
};
/* The caller releases the response. */
struct response stage_ask(const struct stage_request *request);

/* The octets of eckm in RESPONSE, which has to have it; the caller releases them. */
struct buffer stage_message(const struct response *response);
/* The TLS alert in RESPONSE, or FAULT_NO_ALERT. */
int stage_alert(const struct response *response);

/* --- exchanges --- */

struct stage_run {
    struct initiator *initiator;
    struct buffer message1, message3;
    char path[128]; /* of the exchange */
};

/* Message 1 of CREDENTIAL, not sent; SERVER_NAME for SNI, NULL = none. */
void stage_begin(struct stage_run *run, enum stage_credential credential, const char *server_name);
/* Message 1 created under <CSEBase>, answered with Message 2; Message 3 is then there to be sent.
 */
void stage_begin_and_create(
    struct stage_run *run, enum stage_credential credential, const char *from, const char *id);
/* Takes Message 2 out of RESPONSE. */
void stage_take_message2(struct stage_run *run, const struct response *response);
/* Takes Message 4 out of RESPONSE, and finds the exported key in the cache. */
void stage_take_message4(struct stage_run *run, const struct response *response);
void stage_end(struct stage_run *run);
