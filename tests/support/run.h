/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One exchange from the initiator's side, step by step: to stop, or to go astray, at any of them.
 *
 *   run_begin(&run, credential, RUN_SERVER_NAME);            Message 1
 *   run_send(…, RUN_CREATE, …, &run.message1, &answer);
 *   run_take_message2(&run, answer.body);                    Message 3
 *   run_send(…, RUN_UPDATE, …, &run.message3, &answer);
 *   run_take_message4(&run, answer.body);
 *   run_expect_key(&run, &daemon, "Cmeter");
 *   run_end(&run);
 */
#pragma once

#include "support/exchange.h"

#define RUN_SERVER_NAME "in-cse.m2m.example"
#define RUN_ENTRY       "/cse-in/e2EKeyCSE"

struct run {
    struct initiator *initiator;
    struct buffer message1, message2, message3, message4;
    struct exported_key exported;
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

/* A member of m2m:e2ek as text, "" when absent; one static buffer a thread. */
const char *run_member(const struct http_answer *answer, const char *name);

/* The key that a local AE reads for PEER is the one that RUN exported. */
void run_expect_key(const struct run *run, const struct daemon *daemon, const char *peer);
/* There is none for PEER. */
void run_expect_no_key(const struct daemon *daemon, const char *peer);
