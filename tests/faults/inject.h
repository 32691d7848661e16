/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has calls of the real daemon fail, be cut short, or be its last (tests/faults/shim.h), and plays
 * exchanges in which that may happen at any place. docs/contributing.md, "Faults", says how to
 * reproduce a call that a test complains of. */
#pragma once

#include "faults/shim.h"
#include "support/exchange.h"

/* What is to go wrong; .first and .count 0: the first call, one call. */
struct fault_plan {
    uint32_t calls; /* of enum shim_call */
    enum shim_thread thread;
    enum shim_effect effect;
    int error;
    uint32_t first, count;
};

/* After daemon_prepare: the shim's file in the daemon's folder. */
void inject_open(const struct daemon *daemon);
void inject_close(void);
/* daemon_launch, with the shim preloaded. */
void inject_launch(struct daemon *daemon, bool inherit);

void inject(const struct fault_plan *plan);
/* Nothing goes wrong any more. How many calls of the plan there were. */
uint32_t inject_end(void);
/* Sets the daemon's wall clock forward by so much from what it really is. */
void inject_wall_clock(int64_t seconds);
uint32_t inject_hits(void); /* of the last plan: how many calls went wrong */
int64_t inject_live(void);  /* the daemon's allocations */
/* Until there are WANTED, as a daemon releases what belongs to a connection after closing it. */
void inject_await_live(int64_t wanted);
/* The call that a series begins with: 1, or what FAULTS_FIRST in the environment says. */
uint32_t inject_first(void);
/* Whether the first call that went wrong was on behalf of e2ekeyd's own code, and not only within a
 * thread of a library. */
bool inject_was_ours(void);
/* Where the first call was that went wrong, for a failed assertion; static. */
const char *inject_place(void);

/* Waits until the daemon says that it is ready, and knows its port then, or ends: false. */
bool inject_await_start(struct daemon *daemon);
/* What the daemon has said since its log had FROM octets; the caller frees. */
char *inject_log(const struct daemon *daemon, size_t from);

/* --- exchanges in which anything may happen --- */

struct attempt_answer {
    int status; /* 0: the daemon hung up without a whole answer */
    int rsc;    /* X-M2M-RSC; 0: none */
    char location[128];
    const char *body; /* in .text */
    char *text;
};

struct attempt {
    bool is_notify;
    const char *from;
    struct initiator *initiator;
    struct buffer message, message3; /* what is sent now: Message 1, then Message 3 */
    struct exported_key exported;
    char path[256];
    unsigned number; /* in the request ids */
};

void attempt_begin(struct attempt *attempt, struct initiator_credential *credential, bool notify,
    const char *from);
void attempt_end(struct attempt *attempt);

/* Sends Message 1 or 3; sent again, it is the same request. On success the next message is ready,
 * or the key is. */
void attempt_message1(
    struct attempt *attempt, const struct daemon *daemon, struct attempt_answer *answer);
void attempt_message3(
    struct attempt *attempt, const struct daemon *daemon, struct attempt_answer *answer);
void attempt_answer_release(struct attempt_answer *answer);

/* Whether the local AE finds the key that the initiator has; another key under its id fails the
 * test. */
bool attempt_key_is_there(const struct attempt *attempt, const struct daemon *daemon);

/* A whole exchange of FROM, during which the plan may be at work. What the daemon answers is its
 * own fault (500 or 503, RSC 5000), or it hangs up before it has a request; then the message is
 * sent again, which goes well, or the exchange is gone. Whether it ended with a key: both sides
 * have it then. */
bool attempt_run(const struct daemon *daemon, struct initiator_credential *credential, bool notify,
    const char *from);
