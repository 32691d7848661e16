/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One registration at a CSE, as a state machine without input or output: it says which request is
 * due and when, and takes the answers. See registrar.h for who sends them.
 *
 * It looks whether its resource is there, creates it if not, and renews it when half of its time
 * has passed. In between it looks every minute whether it is still there, since a CSE may forget it
 * in a restart. After a failure it begins again by looking, later and later. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "policy/policy.h"

#define REGISTRATION_LOOK_MS       60000
#define REGISTRATION_RETRY_MOST_MS 300000
#define REGISTRATION_ERROR_OCTETS  160
#define REGISTRATION_BODY_OCTETS   4096
#define REGISTRATION_TARGET_OCTETS (POLICY_URL_OCTETS + 2 * POLICY_NAME_OCTETS)

enum registration_state {
    REGISTRATION_BEGUN,  /* not known yet whether it works */
    REGISTRATION_HOLDS,  /* the CSE has our resource */
    REGISTRATION_FAILED, /* the CSE refused, or did not answer; it is tried again */
    REGISTRATION_STATE_COUNT
};

/* What is to be sent. The ACP is that of an <AE>, below it. */
enum registration_step {
    STEP_LOOK,
    STEP_CREATE,
    STEP_LOOK_ACP,
    STEP_CREATE_ACP,
    STEP_RENEW,
    STEP_REMOVE,
    STEP_COUNT
};

/* Begin with registration_begin. For the owner to read: policy, cse, step, due_ms, state, since_s,
 * error, is_maybe_there. */
struct registration {
    const struct policy_registration *policy;
    const struct policy_cse *cse;
    enum registration_step step; /* what is sent next */
    int64_t due_ms;              /* when; on the steady clock */
    enum registration_state state;
    int64_t since_s;                       /* when the state began; on the wall clock */
    char error[REGISTRATION_ERROR_OCTETS]; /* why it failed last; printable ASCII */
    bool is_maybe_there;                   /* since we began, the CSE may have taken our resource */
    bool was_without_esi, is_esi_refused;
    char acp[IDENTIFIER_OCTETS]; /* the resource id of our ACP; "": not known */
    int64_t renew_ms;            /* when half of the granted time has passed */
    unsigned failures;           /* in a row */
    unsigned steps;              /* since the last time that the registration held or failed */
};

/* Now. The machine reads no clock of its own. */
struct registration_time {
    int64_t steady_ms;
    int64_t wall_s;
    uint32_t random; /* spreads retries */
};

/* An answer to the request of the current step: what the CSE sent, all unchecked. */
struct registration_answer {
    const char *error; /* no answer came, for this reason; NULL: one came */
    long status;       /* of HTTP */
    int rsc;           /* 0: none */
    struct bytes body;
};

/* The request of the current step. */
struct registration_request {
    const char *method;
    char url[REGISTRATION_TARGET_OCTETS];
    unsigned resource_type; /* 0: none */
    char body[REGISTRATION_BODY_OCTETS];
};

/* POLICY and CSE are kept, and have to outlive REGISTRATION. Begins by looking, at once. */
void registration_begin(struct registration *registration, const struct policy_registration *policy,
    const struct policy_cse *cse, const struct registration_time *now);
/* A reload has other values for what is registered: they are sent at once. */
void registration_change(struct registration *registration,
    const struct policy_registration *policy, const struct policy_cse *cse,
    const struct registration_time *now);
/* Writes the request of the current step. To be called when it is about to be sent. */
void registration_write(struct registration *registration, const struct registration_time *now,
    struct registration_request *out);
/* Takes the answer to it. Returns whether the state changed. */
bool registration_take(struct registration *registration, const struct registration_time *now,
    const struct registration_answer *answer);
/* What e2ekeyctl status and the metrics call STATE. */
const char *registration_state_name(enum registration_state state);
