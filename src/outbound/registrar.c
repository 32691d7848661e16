/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The main thread alone changes anything here, and does so under the lock, which it does not need
 * to read. */
#include "outbound/registrar.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "observe/log.h"
#include "onem2m/status.h"
#include "outbound/client.h"

#define ENROLMENTS_MAX (2 * (size_t)POLICY_REGISTRATIONS_MAX) /* those being removed included */
#define MEDIA_TYPE     "application/json"

struct enrolment {
    struct registrar *registrar;
    struct snapshot *snapshot; /* whose policy its registration refers to */
    struct registration registration;
    bool is_ending;
    struct outbound_call *call; /* NULL: none is under way */
    sd_event_source *timer;     /* until the next request */
};

struct registrar {
    sd_event *loop;
    struct snapshot_slot *slot;
    struct outbound_client *client; /* NULL: nothing has been sent yet */
    bool has_ended;
    pthread_mutex_t lock;
    struct enrolment *enrolment[ENROLMENTS_MAX];
    size_t count; /* the first so many, the oldest first */
};

static struct registration_time time_now(void)
{
    struct registration_time now = {.steady_ms = clock_steady_ms(), .wall_s = clock_wall_s()};

    if (secret_random(&now.random, sizeof(now.random)) != RESULT_OK)
        now.random = (uint32_t)clock_steady_us();
    return now;
}

/* --- an enrolment --- */

static void enrolment_free(struct enrolment *enrolment)
{
    outbound_cancel(enrolment->call);
    sd_event_source_disable_unref(enrolment->timer);
    snapshot_unref(enrolment->snapshot);
    free(enrolment);
}

static void drop(struct registrar *registrar, size_t index)
{
    struct enrolment *enrolment = registrar->enrolment[index];

    pthread_mutex_lock(&registrar->lock);
    registrar->count--;
    memmove(registrar->enrolment + index, registrar->enrolment + index + 1,
        (registrar->count - index) * sizeof(struct enrolment *));
    pthread_mutex_unlock(&registrar->lock);
    enrolment_free(enrolment);
}

static size_t index_of(const struct enrolment *enrolment)
{
    size_t i = 0;
    while (enrolment->registrar->enrolment[i] != enrolment)
        i++;
    return i;
}

static void say_state(const struct registration *registration)
{
    const struct policy_registration *policy = registration->policy;

    if (registration->state == REGISTRATION_HOLDS)
        log_event(&(struct log_event){.level = LOG_INFO, .message_id = LOG_EVENT_REGISTERED},
            "registered at %s as %s, to be renewed in %lld s", policy->url, policy->originator,
            (long long)(registration->renew_ms - clock_steady_ms()) / 1000);
    else if (registration->state == REGISTRATION_FAILED)
        log_event(&(struct log_event){.level = LOG_WARNING, .message_id = LOG_EVENT_NOT_REGISTERED},
            "not registered at %s: %s: it is tried again, later and later", policy->url,
            registration->error);
    else
        log_event(&(struct log_event){.level = LOG_WARNING, .message_id = LOG_EVENT_NOT_REGISTERED},
            "%s no longer has our registration: registering again", policy->url);
}

static void say_removed(
    const struct registration *registration, const struct outbound_answer *answer)
{
    const char *url = registration->policy->url;

    if (answer->rsc == RSC_DELETED || answer->rsc == RSC_NOT_FOUND)
        log_event(&(struct log_event){.level = LOG_INFO, .message_id = LOG_EVENT_DEREGISTERED},
            "registration at %s removed", url);
    else
        log_event(&(struct log_event){.level = LOG_WARNING, .message_id = LOG_EVENT_DEREGISTERED},
            "registration at %s not removed, it stays until it expires: %s (response status code "
            "%d)",
            url, answer->error ? answer->error : "refused", answer->rsc);
}

static void take_answer(struct enrolment *enrolment, const struct outbound_answer *answer)
{
    struct registration *registration = &enrolment->registration;
    const struct registration_time now = time_now();
    const bool was_esi_refused = registration->is_esi_refused;
    const struct registration_answer taken = {
        .error = answer->error, .status = answer->status, .rsc = answer->rsc, .body = answer->body};

    pthread_mutex_lock(&enrolment->registrar->lock);
    bool has_changed = registration_take(registration, &now, &taken);
    pthread_mutex_unlock(&enrolment->registrar->lock);
    if (registration->is_esi_refused && !was_esi_refused)
        log_info("%s takes no e2eSecInfo (esi): registered without", registration->policy->url);
    if (has_changed)
        say_state(registration);
}

static void wait_until_due(struct enrolment *enrolment)
{
    const int64_t left_ms = enrolment->registration.due_ms - clock_steady_ms();

    (void)sd_event_source_set_time_relative(
        enrolment->timer, left_ms > 0 ? (uint64_t)left_ms * 1000 : 0);
    (void)sd_event_source_set_enabled(enrolment->timer, SD_EVENT_ONESHOT);
}

static void on_answer(const struct outbound_answer *answer, void *context)
{
    struct enrolment *enrolment = context;

    enrolment->call = NULL;
    if (enrolment->is_ending) {
        say_removed(&enrolment->registration, answer);
        drop(enrolment->registrar, index_of(enrolment));
        return;
    }
    take_answer(enrolment, answer);
    wait_until_due(enrolment);
}

/* libcurl is started for the first request: most daemons have nowhere to register. */
static enum result send_request(
    struct enrolment *enrolment, const struct outbound_request *request, struct fault *fault)
{
    struct registrar *registrar = enrolment->registrar;

    if (!registrar->client)
        TRY(outbound_client_new(registrar->loop, &registrar->client, fault));
    return outbound_send(registrar->client, request, on_answer, enrolment, &enrolment->call, fault);
}

static int on_due(sd_event_source *source, uint64_t now_us, void *context)
{
    struct enrolment *enrolment = context;
    struct registration *registration = &enrolment->registration;
    const struct policy_registration *policy = registration->policy;
    const struct registration_time now = time_now();
    struct registration_request content;
    struct fault fault = FAULT_INIT;

    (void)source;
    (void)now_us;
    registration_write(registration, &now, &content);
    const struct outbound_request request = {
        .method = content.method,
        .url = content.url,
        .from = policy->originator,
        .media_type = MEDIA_TYPE,
        .resource_type = content.resource_type,
        .body = bytes_of_string(content.body),
        .tls = {policy->anchors.path, policy->certificate.path, policy->private_key.path},
    };
    if (send_request(enrolment, &request, &fault) != RESULT_OK)
        on_answer(&(struct outbound_answer){.error = fault.text}, enrolment);
    return 0;
}

static struct enrolment *enrolment_new(struct registrar *registrar, struct snapshot *snapshot,
    const struct policy_registration *policy)
{
    const struct registration_time now = time_now();
    struct enrolment *enrolment = calloc(1, sizeof(*enrolment));

    if (!enrolment || sd_event_add_time_relative(registrar->loop, &enrolment->timer, CLOCK_BOOTTIME,
                          0, 1, on_due, enrolment) < 0) {
        free(enrolment);
        return NULL;
    }
    enrolment->registrar = registrar;
    enrolment->snapshot = snapshot_ref(snapshot);
    registration_begin(&enrolment->registration, policy, &snapshot->policy->cse, &now);
    return enrolment;
}

/* Has the CSE remove the registration, unless it cannot have it. */
static void end_enrolment(struct enrolment *enrolment)
{
    if (!enrolment->registration.is_maybe_there) {
        drop(enrolment->registrar, index_of(enrolment));
        return;
    }
    pthread_mutex_lock(&enrolment->registrar->lock);
    enrolment->is_ending = true;
    pthread_mutex_unlock(&enrolment->registrar->lock);
    outbound_cancel(TAKE_PTR(enrolment->call));
    enrolment->registration.step = STEP_REMOVE;
    enrolment->registration.due_ms = clock_steady_ms();
    wait_until_due(enrolment);
}

/* --- following the policy --- */

static bool is_same_file(const struct policy_file *a, const struct policy_file *b)
{
    return a->path && b->path ? strcmp(a->path, b->path) == 0 : a->path == b->path;
}

static bool is_same_resource(
    const struct policy_registration *a, const struct policy_registration *b)
{
    return strcmp(a->url, b->url) == 0 && strcmp(a->name, b->name) == 0 && a->is_ae == b->is_ae &&
           strcmp(a->originator, b->originator) == 0;
}

static bool is_same(const struct policy_registration *a, const struct policy_registration *b)
{
    bool same = a->point_count == b->point_count && a->expires_s == b->expires_s &&
                is_same_file(&a->anchors, &b->anchors) &&
                is_same_file(&a->certificate, &b->certificate) &&
                is_same_file(&a->private_key, &b->private_key);

    for (size_t i = 0; same && i < a->point_count; i++)
        same = strcmp(a->points_of_access[i], b->points_of_access[i]) == 0;
    return same;
}

static const struct policy_registration *find(
    const struct policy *policy, const struct policy_registration *wanted)
{
    for (size_t i = 0; i < policy->registration_count; i++)
        if (is_same_resource(&policy->registrations[i], wanted))
            return &policy->registrations[i];
    return NULL;
}

/* Makes ENROLMENT follow NEXT in SNAPSHOT. */
static void renew_enrolment(
    struct enrolment *enrolment, struct snapshot *snapshot, const struct policy_registration *next)
{
    struct registration *registration = &enrolment->registration;
    const struct registration_time now = time_now();
    const struct policy_cse *cse = &snapshot->policy->cse;
    const bool same = is_same(registration->policy, next) &&
                      strcmp(registration->cse->cse_base, cse->cse_base) == 0;

    pthread_mutex_lock(&enrolment->registrar->lock);
    if (same) {
        registration->policy = next;
        registration->cse = cse;
    } else {
        registration_change(registration, next, cse, &now);
    }
    pthread_mutex_unlock(&enrolment->registrar->lock);
    snapshot_unref(enrolment->snapshot);
    enrolment->snapshot = snapshot_ref(snapshot);
    if (same)
        return;
    outbound_cancel(TAKE_PTR(enrolment->call));
    wait_until_due(enrolment);
}

static bool is_begun(struct registrar *registrar, const struct policy_registration *policy)
{
    for (size_t i = 0; i < registrar->count; i++)
        if (!registrar->enrolment[i]->is_ending &&
            is_same_resource(registrar->enrolment[i]->registration.policy, policy))
            return true;
    return false;
}

/* A removal of the same resource that is under way gives way; where there is no room, the oldest
 * removal does. */
static void make_room(struct registrar *registrar, const struct policy_registration *policy)
{
    for (size_t i = registrar->count; i-- > 0;)
        if (registrar->enrolment[i]->is_ending &&
            is_same_resource(registrar->enrolment[i]->registration.policy, policy))
            drop(registrar, i);
    for (size_t i = 0; registrar->count == ENROLMENTS_MAX && i < registrar->count; i++)
        if (registrar->enrolment[i]->is_ending)
            drop(registrar, i);
}

static void begin(struct registrar *registrar, struct snapshot *snapshot,
    const struct policy_registration *policy)
{
    make_room(registrar, policy);
    struct enrolment *enrolment = enrolment_new(registrar, snapshot, policy);
    if (!enrolment) {
        log_error("out of memory: no registration at %s", policy->url);
        return;
    }
    pthread_mutex_lock(&registrar->lock);
    registrar->enrolment[registrar->count++] = enrolment;
    pthread_mutex_unlock(&registrar->lock);
}

void registrar_follow(struct registrar *registrar)
{
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) = snapshot_current(registrar->slot);
    const struct policy *policy = snapshot->policy;

    for (size_t i = registrar->count; i-- > 0;) {
        struct enrolment *enrolment = registrar->enrolment[i];
        const struct policy_registration *next = find(policy, enrolment->registration.policy);
        if (!enrolment->is_ending && next)
            renew_enrolment(enrolment, snapshot, next);
        else if (!enrolment->is_ending)
            end_enrolment(enrolment);
    }
    for (size_t i = 0; i < policy->registration_count; i++)
        if (!is_begun(registrar, &policy->registrations[i]))
            begin(registrar, snapshot, &policy->registrations[i]);
}

/* --- begin and end --- */

enum result registrar_new(
    sd_event *loop, struct snapshot_slot *slot, struct registrar **out, struct fault *fault)
{
    struct registrar *registrar = calloc(1, sizeof(*registrar));

    if (!registrar)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    pthread_mutex_init(&registrar->lock, NULL);
    registrar->loop = sd_event_ref(loop);
    registrar->slot = slot;
    registrar_follow(registrar);
    *out = registrar;
    return RESULT_OK;
}

void registrar_free(struct registrar *registrar)
{
    if (!registrar)
        return;
    while (registrar->count > 0)
        drop(registrar, registrar->count - 1);
    outbound_client_free(registrar->client);
    sd_event_unref(registrar->loop);
    pthread_mutex_destroy(&registrar->lock);
    free(registrar);
}

void registrar_end(struct registrar *registrar)
{
    if (registrar->has_ended)
        return;
    registrar->has_ended = true;
    for (size_t i = registrar->count; i-- > 0;)
        if (!registrar->enrolment[i]->is_ending)
            end_enrolment(registrar->enrolment[i]);
}

bool registrar_is_empty(const struct registrar *registrar)
{
    return registrar->count == 0;
}

void registrar_each(struct registrar *registrar,
    void (*each)(const struct registration_report *report, void *context), void *context)
{
    pthread_mutex_lock(&registrar->lock);
    for (size_t i = 0; i < registrar->count; i++) {
        const struct registration *registration = &registrar->enrolment[i]->registration;
        const int64_t left_ms = registration->due_ms - clock_steady_ms();
        if (registrar->enrolment[i]->is_ending)
            continue;
        each(
            &(struct registration_report){
                .url = registration->policy->url,
                .originator = registration->policy->originator,
                .is_ae = registration->policy->is_ae,
                .state = registration->state,
                .since_s = registration->since_s,
                .next_s = clock_wall_s() + (left_ms > 0 ? left_ms / 1000 : 0),
                .error = registration->error,
            },
            context);
    }
    pthread_mutex_unlock(&registrar->lock);
}
