/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One exchange from the initiator's side, step by step: to stop, or to go astray, at any of them.
 *
 *   run_open(&run, client, &daemon, credential, "Cmeter");   Messages 1 and 2
 *   run_send(…, &run.message3, &answer);                     or what a bad initiator would send
 *   run_finish(&run, client, &daemon, RUN_UPDATE, NULL);     Messages 3 and 4, and the key
 */
#pragma once

#include "support/exchange.h"

#define RUN_SERVER_NAME "in-cse.m2m.example"
#define RUN_ENTRY       "/cse-in/e2EKeyCSE"

struct run {
    struct initiator *initiator;
    struct buffer message1, message2, message3, message4;
    struct exported_key exported;
    const char *from;
    const char *flavour; /* of the key; NULL: aeId */
    char path[128];      /* the exchange's, once it is open */
};

void run_begin(struct run *run, struct initiator_credential *credential, const char *server_name);
void run_take_message2(struct run *run, const char *body);
void run_take_message4(struct run *run, const char *body);
void run_end(struct run *run);

/* How a message travels. */
enum run_carrier { RUN_CREATE, RUN_UPDATE, RUN_NOTIFY };

void run_send(CURL *client, const struct daemon *daemon, enum run_carrier carrier, const char *path,
    const char *from, const char *request_id, const struct buffer *message,
    struct http_answer *answer);

/* Where a Message 3 can go: to the exchange itself, to the entry point, and by Notify. */
struct run_place {
    enum run_carrier carrier;
    const char *path; /* NULL: the exchange's own */
};
#define RUN_PLACES 3
extern const struct run_place run_places[RUN_PLACES];

/* MESSAGE as RUN's Message 3, to PLACE, with the request identifier "m3". */
void run_send_message3(const struct run *run, CURL *client, const struct daemon *daemon,
    const struct run_place *place, const struct buffer *message, struct http_answer *answer);

/* A member of m2m:e2ek as text, "" when absent; one static buffer a thread. */
const char *run_member(const struct http_answer *answer, const char *name);

/* FROM's Create of Message 1, accepted, and Message 2 taken. */
void run_open(struct run *run, CURL *client, const struct daemon *daemon,
    struct initiator_credential *credential, const char *from);
/* Message 3, accepted (PATH NULL: addressed to the exchange), and the key where a local AE finds
 * it. Ends RUN. */
void run_finish(struct run *run, CURL *client, const struct daemon *daemon,
    enum run_carrier carrier, const char *path);
/* Retrieving the exchange gives this HTTP status. */
void run_expect_status(
    const struct run *run, CURL *client, const struct daemon *daemon, long status);

/* The number FIRST.SECOND in what the daemon says of itself (GetStatus). */
int64_t run_status_number(const struct daemon *daemon, const char *first, const char *second);

/* The key that a local AE reads for PEER is the one that RUN exported. */
void run_expect_key(const struct run *run, const struct daemon *daemon, const char *peer);
/* There is none for PEER. */
void run_expect_no_key(const struct daemon *daemon, const char *peer);
