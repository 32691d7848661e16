/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps the registrations that the policy in force names, each by a state machine of its own
 * (registration.h), by requests from the event loop. For the main thread, except registrar_each. */
#pragma once

#include <systemd/sd-event.h>

#include "outbound/registration.h"
#include "policy/snapshot.h"

struct registrar;

/* Begins the registrations of the policy in SLOT, as soon as LOOP runs. */
enum result registrar_new(sd_event *loop, struct snapshot_slot *slot, struct registrar **out,
    struct fault *fault) WARN_UNUSED;
/* Sends nothing more, and leaves the CSEs as they are. NULL is allowed. */
void registrar_free(struct registrar *registrar);

/* To be called when there is a new policy in the slot: begins the registrations that are new in it,
 * removes those that it no longer has, and sends what has changed. */
void registrar_follow(struct registrar *registrar);

/* Has the CSEs remove all registrations, once: further calls do nothing. */
void registrar_end(struct registrar *registrar);
/* Whether no registration is left: all that were to be removed are, or could not be. */
bool registrar_is_empty(const struct registrar *registrar);

/* A registration as it is now; the texts are valid during the call. */
struct registration_report {
    const char *url, *originator;
    bool is_ae;
    enum registration_state state;
    int64_t since_s, next_s; /* on the wall clock: when the state began; the next request */
    const char *error;       /* the last one; "": none since it last held */
};
/* Calls EACH for every registration that is not being removed. For any thread; EACH must be short,
 * as the main thread may wait for it. */
void registrar_each(struct registrar *registrar,
    void (*each)(const struct registration_report *report, void *context), void *context);
