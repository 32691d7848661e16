/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "outbound/registration.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "onem2m/primitive.h"
#include "onem2m/status.h"

/* Resource types (TS-0004 6.3.4.2.1). */
#define TYPE_ACP        1
#define TYPE_AE         2
#define TYPE_REMOTE_CSE 16

#define RETRY_FIRST_MS 2000
#define RENEW_LEAST_MS 1000
#define ACP_NAME       "acp-e2ekeyd"

/* A CSE whose answers contradict each other (there is such a resource; there is none) would have us
 * send without end. The longest honest way has seven steps. */
#define STEPS_MOST 8

/* TS-0004 6.3.4.2.6: the operations that an access control rule grants, as a sum. */
#define GRANT_NOTIFY 16
#define GRANT_ALL    63

static const char *const state_names[] = {"registering", "registered", "failed"};
_Static_assert(ARRAY_SIZE(state_names) == REGISTRATION_STATE_COUNT, "each state has a name");

const char *registration_state_name(enum registration_state state)
{
    return state_names[state];
}

/* --- the requests --- */

/* Writes AT_S as TS-0004 6.3.3 has timestamps: in UTC, without zone. */
static json_t *timestamp(int64_t at_s)
{
    char text[32];
    struct tm parts;
    time_t at = (time_t)at_s;

    if (!gmtime_r(&at, &parts) || strftime(text, sizeof(text), "%Y%m%dT%H%M%S", &parts) == 0)
        return NULL;
    return json_string(text);
}

static json_t *points_of_access(const struct policy_registration *policy)
{
    json_t *list = json_array();

    for (size_t i = 0; i < policy->point_count; i++)
        (void)json_array_append_new(list, json_string(policy->points_of_access[i]));
    return list;
}

/* The attributes that may change are sent again in each Update: no others, as both tinyIoT and ACME
 * refuse those of a Create. "acpi" is left out while it is not known. */
static json_t *changeable(const struct registration *registration, int64_t now_s)
{
    const struct policy_registration *policy = registration->policy;
    json_t *acpi = registration->acp[0] != '\0' ? json_pack("[s]", registration->acp) : NULL;

    return json_pack("{s:o, s:b, s:o, s:o*}", "et", timestamp(now_s + policy->expires_s), "rr",
        true, "poa", points_of_access(policy), "acpi", acpi);
}

/* <remoteCSE>, TS-0001 9.6.4; "esi" is e2eSecInfo (TS-0004 6.3.5.52): certificates for ESPrim, and
 * for encryption and signatures of ESData. The certificates are at the entry point: tinyIoT takes
 * no request of more than one segment. <AE>, TS-0001 9.6.5. */
static json_t *resource(struct registration *registration, int64_t now_s)
{
    json_t *resource = changeable(registration, now_s);
    json_t *more;

    if (registration->policy->is_ae) {
        more = json_pack("{s:s, s:s, s:[s]}", "rn", registration->policy->name, "api",
            "Norg.e2ekeyd", "srv", "3");
    } else {
        char base[2 * IDENTIFIER_OCTETS];
        snprintf(
            base, sizeof(base), "%s/%s", registration->cse->cse_id, registration->cse->cse_base);
        more = json_pack("{s:s, s:s, s:i, s:[s]}", "cb", base, "csi", registration->cse->cse_id,
            "cst", 1, "srv", "3");
        if (!registration->was_without_esi && !registration->is_esi_refused)
            (void)json_object_set_new(more, "esi", json_pack("{s:[i,i,i]}", "esf", 43, 44, 45));
    }
    (void)json_object_update(resource, more);
    json_decref(more);
    return resource;
}

/* <accessControlPolicy>, TS-0001 9.6.2: everybody may notify us, as our own policy decides about
 * them; all else is for us. */
static json_t *access_policy(const struct registration *registration)
{
    const char *self = registration->policy->originator;

    return json_pack("{s:s, s:{s:[{s:[s], s:i}, {s:[s], s:i}]}, s:{s:[{s:[s], s:i}]}}", "rn",
        ACP_NAME, "pv", "acr", "acor", "all", "acop", GRANT_NOTIFY, "acor", self, "acop", GRANT_ALL,
        "pvs", "acr", "acor", self, "acop", GRANT_ALL);
}

static json_t *content_of(struct registration *registration, int64_t now_s)
{
    const char *name = registration->policy->is_ae ? "m2m:ae" : "m2m:csr";

    switch (registration->step) {
    case STEP_CREATE:
        return json_pack("{s:o}", name, resource(registration, now_s));
    case STEP_CREATE_ACP:
        return json_pack("{s:o}", "m2m:acp", access_policy(registration));
    case STEP_RENEW:
        return json_pack("{s:o}", name, changeable(registration, now_s));
    default:
        return NULL;
    }
}

/* What each step sends, and the response status code by which the CSE says that it did so. */
static const struct {
    const char *method, *what;
    int done;
    bool is_at_base; /* else at our own resource … */
    bool is_at_acp;  /* … or at the ACP below it */
} steps[] = {
    [STEP_LOOK] = {"GET", "look", RSC_OK, false, false},
    [STEP_CREATE] = {"POST", "creation", RSC_CREATED, true, false},
    [STEP_LOOK_ACP] = {"GET", "look for the ACP", RSC_OK, false, true},
    [STEP_CREATE_ACP] = {"POST", "creation of the ACP", RSC_CREATED, false, false},
    [STEP_RENEW] = {"PUT", "renewal", RSC_UPDATED, false, false},
    [STEP_REMOVE] = {"DELETE", "removal", RSC_DELETED, false, false},
};
_Static_assert(ARRAY_SIZE(steps) == STEP_COUNT, "each step has its row");

void registration_write(struct registration *registration, const struct registration_time *now,
    struct registration_request *out)
{
    const struct policy_registration *policy = registration->policy;
    const enum registration_step step = registration->step;
    json_t *content = content_of(registration, now->wall_s);

    *out = (struct registration_request){.method = steps[step].method};
    snprintf(out->url, sizeof(out->url), "%s%s%s%s", policy->url, steps[step].is_at_base ? "" : "/",
        steps[step].is_at_base ? "" : policy->name, steps[step].is_at_acp ? "/" ACP_NAME : "");
    if (step == STEP_CREATE)
        out->resource_type = policy->is_ae ? TYPE_AE : TYPE_REMOTE_CSE;
    if (step == STEP_CREATE_ACP)
        out->resource_type = TYPE_ACP;
    if (content) /* of texts with bounds: it fits */
        (void)json_dumpb(content, out->body, sizeof(out->body) - 1, JSON_COMPACT);
    json_decref(content);
    registration->is_maybe_there |= step == STEP_CREATE;
}

/* --- the answers --- */

static bool enter(struct registration *registration, enum registration_state state, int64_t now_s)
{
    const bool is_new = registration->state != state;

    if (is_new) {
        registration->state = state;
        registration->since_s = now_s;
    }
    return is_new;
}

static void go_on(struct registration *registration, enum registration_step step, int64_t at_ms)
{
    registration->step = step;
    registration->due_ms = at_ms;
}

/* Retries after one to two seconds, then twice as much, up to five minutes. */
static int64_t retry_after_ms(const struct registration *registration, uint32_t random)
{
    int64_t most_ms = RETRY_FIRST_MS;

    for (unsigned i = 0; i < registration->failures && most_ms < REGISTRATION_RETRY_MOST_MS; i++)
        most_ms *= 2;
    if (most_ms > REGISTRATION_RETRY_MOST_MS)
        most_ms = REGISTRATION_RETRY_MOST_MS;
    return most_ms / 2 + random % (most_ms / 2);
}

static bool fail_with(struct registration *registration, const struct registration_time *now,
    const char *format, ...) PRINTF(3, 4);
static bool fail_with(
    struct registration *registration, const struct registration_time *now, const char *format, ...)
{
    char text[2 * REGISTRATION_ERROR_OCTETS];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    bytes_escape(bytes_of_string(text), registration->error, sizeof(registration->error));
    registration->was_without_esi = false;
    go_on(registration, STEP_LOOK, now->steady_ms + retry_after_ms(registration, now->random));
    registration->failures++;
    registration->steps = 0;
    return enter(registration, REGISTRATION_FAILED, now->wall_s);
}

/* The step that begins a renewal. That of an <AE> begins with its ACP, which ends by itself one
 * day: it is created without an expiration time, so that the CSE sets the latest that it allows. */
static enum registration_step renewal(const struct registration *registration)
{
    return registration->policy->is_ae ? STEP_LOOK_ACP : STEP_RENEW;
}

static bool hold(struct registration *registration, const struct registration_time *now)
{
    int64_t look_ms = now->steady_ms + REGISTRATION_LOOK_MS;
    bool is_renewal_first = registration->renew_ms <= look_ms;

    registration->failures = 0;
    registration->steps = 0;
    registration->is_maybe_there = true;
    registration->error[0] = '\0';
    go_on(registration, is_renewal_first ? renewal(registration) : STEP_LOOK,
        is_renewal_first ? registration->renew_ms : look_ms);
    return enter(registration, REGISTRATION_HOLDS, now->wall_s);
}

/* The one resource in the answer: the value of the only member. NULL: there is none. Release *ROOT
 * afterwards. */
static const json_t *resource_of(const struct registration_answer *answer, json_t **root)
{
    *root = json_loadb((const char *)answer->body.data, answer->body.size, 0, NULL);
    void *only = json_object_size(*root) == 1 ? json_object_iter(*root) : NULL;
    return json_object_iter_value(only);
}

/* The CSE may have granted less than what was asked for. Our clock and the CSE's may differ: what
 * would have passed already, or would last longer than asked for, is taken for what was asked. */
static void take_expiration(
    struct registration *registration, const struct registration_time *now, const json_t *resource)
{
    int64_t left_s = registration->policy->expires_s, end_us;
    const char *text = json_string_value(json_object_get(resource, "et"));

    if (text && timestamp_read(text, &end_us) && end_us / 1000000 > now->wall_s &&
        end_us / 1000000 - now->wall_s < left_s)
        left_s = end_us / 1000000 - now->wall_s;
    int64_t half_ms = left_s * 500;
    registration->renew_ms = now->steady_ms + (half_ms > RENEW_LEAST_MS ? half_ms : RENEW_LEAST_MS);
}

/* A resource id goes back to the CSE in "acpi", and so into JSON alone. */
static bool take_acp(struct registration *registration, const json_t *resource)
{
    const char *id = json_string_value(json_object_get(resource, "ri"));

    if (!id || id[0] == '\0' || strlen(id) >= sizeof(registration->acp))
        return false;
    memcpy(registration->acp, id, strlen(id) + 1);
    return true;
}

static bool is_done(
    const struct registration *registration, const struct registration_answer *answer)
{
    return answer->rsc == steps[registration->step].done;
}

static bool refuse(struct registration *registration, const struct registration_time *now,
    const struct registration_answer *answer)
{
    const char *what = steps[registration->step].what;

    if (answer->error)
        return fail_with(registration, now, "%s: %s", what, answer->error);
    if (answer->rsc == 0)
        return fail_with(registration, now, "%s: no CSE answers: HTTP status %ld without X-M2M-RSC",
            what, answer->status);
    return fail_with(
        registration, now, "%s: refused with response status code %d", what, answer->rsc);
}

/* There is no resource of ours, or none any more. */
static bool create_again(struct registration *registration, const struct registration_time *now)
{
    go_on(registration, STEP_CREATE, now->steady_ms);
    return registration->state == REGISTRATION_HOLDS &&
           enter(registration, REGISTRATION_BEGUN, now->wall_s);
}

static bool take_look(struct registration *registration, const struct registration_time *now,
    const struct registration_answer *answer)
{
    if (answer->rsc == RSC_NOT_FOUND)
        return create_again(registration, now);
    if (!is_done(registration, answer))
        return refuse(registration, now, answer);
    registration->is_maybe_there = true;
    if (registration->state == REGISTRATION_HOLDS)
        return hold(registration, now);
    else /* what it holds may be from before a restart of ours, and so old */
        go_on(registration, renewal(registration), now->steady_ms);
    return false;
}

/* Some CSEs refuse esi: then it is tried without. That it was esi which they refused is known only
 * once it went through without, as ACME answers so to everything in its first seconds. */
static bool take_creation(struct registration *registration, const struct registration_time *now,
    const struct registration_answer *answer, const json_t *resource)
{
    const bool is_bad = answer->rsc == RSC_BAD_REQUEST || answer->rsc == RSC_INTERNAL ||
                        (answer->rsc == 0 && answer->status == 500);

    if (answer->rsc == RSC_CONFLICT) {
        go_on(registration, renewal(registration), now->steady_ms);
        return false;
    }
    if (!answer->error && is_bad && !registration->policy->is_ae &&
        !registration->was_without_esi && !registration->is_esi_refused) {
        registration->was_without_esi = true;
        go_on(registration, STEP_CREATE, now->steady_ms);
        return false;
    }
    if (!is_done(registration, answer))
        return refuse(registration, now, answer);
    registration->is_esi_refused |= registration->was_without_esi;
    registration->was_without_esi = false;
    take_expiration(registration, now, resource);
    if (!registration->policy->is_ae)
        return hold(registration, now);
    go_on(registration, renewal(registration), now->steady_ms);
    return false;
}

static bool take_acp_look(struct registration *registration, const struct registration_time *now,
    const struct registration_answer *answer, const json_t *resource)
{
    if (answer->rsc == RSC_NOT_FOUND)
        go_on(registration, STEP_CREATE_ACP, now->steady_ms);
    else if (!is_done(registration, answer))
        return refuse(registration, now, answer);
    else if (!take_acp(registration, resource))
        return fail_with(registration, now, "look for the ACP: the answer has no resource id");
    else
        go_on(registration, STEP_RENEW, now->steady_ms);
    return false;
}

static bool take_acp_creation(struct registration *registration,
    const struct registration_time *now, const struct registration_answer *answer,
    const json_t *resource)
{
    if (answer->rsc == RSC_NOT_FOUND) /* what it would be below */
        return create_again(registration, now);
    if (!is_done(registration, answer))
        return refuse(registration, now, answer);
    if (!take_acp(registration, resource))
        return fail_with(registration, now, "creation of the ACP: the answer has no resource id");
    go_on(registration, STEP_RENEW, now->steady_ms);
    return false;
}

static bool take_renewal(struct registration *registration, const struct registration_time *now,
    const struct registration_answer *answer, const json_t *resource)
{
    if (answer->rsc == RSC_NOT_FOUND)
        return create_again(registration, now);
    if (!is_done(registration, answer))
        return refuse(registration, now, answer);
    take_expiration(registration, now, resource);
    return hold(registration, now);
}

static bool take(struct registration *registration, const struct registration_time *now,
    const struct registration_answer *answer, const json_t *resource)
{
    switch (registration->step) {
    case STEP_LOOK:
        return take_look(registration, now, answer);
    case STEP_CREATE:
        return take_creation(registration, now, answer, resource);
    case STEP_LOOK_ACP:
        return take_acp_look(registration, now, answer, resource);
    case STEP_CREATE_ACP:
        return take_acp_creation(registration, now, answer, resource);
    case STEP_RENEW:
        return take_renewal(registration, now, answer, resource);
    default:
        return false;
    }
}

bool registration_take(struct registration *registration, const struct registration_time *now,
    const struct registration_answer *answer)
{
    json_t *root = NULL;

    if (++registration->steps > STEPS_MOST)
        return fail_with(registration, now, "the CSE's answers contradict each other");
    const json_t *resource = resource_of(answer, &root);
    bool has_changed = take(registration, now, answer, resource);
    json_decref(root);
    return has_changed;
}

/* --- begin and change --- */

void registration_begin(struct registration *registration, const struct policy_registration *policy,
    const struct policy_cse *cse, const struct registration_time *now)
{
    *registration = (struct registration){
        .policy = policy, .cse = cse, .due_ms = now->steady_ms, .since_s = now->wall_s};
}

void registration_change(struct registration *registration,
    const struct policy_registration *policy, const struct policy_cse *cse,
    const struct registration_time *now)
{
    registration->policy = policy;
    registration->cse = cse;
    registration->failures = 0;
    registration->steps = 0;
    go_on(registration,
        registration->state == REGISTRATION_HOLDS ? renewal(registration) : STEP_LOOK,
        now->steady_ms);
}
