/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/methods.h"

#include <string.h>

#include "base/secret.h"
#include "observe/histogram.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "query/reply.h"
#include "query/service.h"

#define LIST_STEP_KEYS 256   /* looked at by one call of methods_list_more */
#define EVENTS_STEP    256   /* the same of methods_events_more */
#define STEP_OCTETS    16384 /* waiting for the client at which they look at no more */

static enum result invalid(struct session *session, const char *parameter)
{
    return reply_error_about(session->out, ERROR_INVALID_PARAMETER, "parameter", parameter);
}

/* --- the log: who got a key, and who was denied one --- */

struct occasion {
    int level;
    const char *message_id, *what; /* "read by" */
};

static const struct occasion read_by = {LOG_INFO, LOG_EVENT_READ, "read by"};
static const struct occasion denied_to = {LOG_NOTICE, LOG_EVENT_DENIED, "denied to"};
static const struct occasion revoked_by = {LOG_NOTICE, LOG_EVENT_REVOKED, "revoked by"};

/* A parameter as the caller gave it; NULL when it is missing or not a string. */
static const char *asked_for(const struct call *call, const char *parameter)
{
    return json_string_value(json_object_get(call->parameters, parameter));
}

/* Logs OCCASION. INFO is the key that CALL was about. NULL when no key was looked up: the log then
 * has what the caller asked for. */
static void log_occasion(struct session *session, const struct call *call,
    const struct occasion *occasion, const struct key_info *info)
{
    char who[CALLER_TEXT_OCTETS], id[2 * KEY_ID_OCTETS + 1];
    const struct log_caller caller = caller_describe(&session->caller, who);
    struct log_event event = {
        .level = occasion->level,
        .message_id = occasion->message_id,
        .peer = info ? info->peer : asked_for(call, "peer"),
        .local = info ? info->local : asked_for(call, "local"),
        .key_id = info ? id : asked_for(call, "keyId"),
        .method = call->method,
        .caller = &caller,
    };
    if (info)
        bytes_to_hex(bytes_of(info->id, KEY_ID_OCTETS), id);
    log_event(&event, "%s%s%.64s%s%.255s: %s %s", strrchr(call->method, '.') + 1,
        event.key_id ? " of key " : "", event.key_id ? event.key_id : "",
        event.peer ? " with " : "", event.peer ? event.peer : "", occasion->what, who);
}

static enum result denied(struct session *session, const struct call *call)
{
    metrics_add(METRIC_QUERIES_DENIED, 1);
    log_occasion(session, call, &denied_to, NULL);
    return reply_error(session->out, ERROR_PERMISSION_DENIED);
}

static bool may(struct session *session, enum policy_right right, const char *peer)
{
    return caller_may(&session->caller, session->policy, right, peer);
}

/* The keys that a caller asks for; "" = not given. */
struct selection {
    bool by_id;
    uint8_t id[KEY_ID_OCTETS];
    char peer[IDENTIFIER_OCTETS], local[IDENTIFIER_OCTETS];
};

/* Writes TEXT as an absolute identifier, or "" for NULL, a parameter that was not given. Returns
 * false when TEXT is malformed. */
static bool make_absolute(
    const struct policy_cse *cse, const char *text, char out[IDENTIFIER_OCTETS])
{
    out[0] = '\0';
    return !text || identifier_absolute(cse->sp_id, cse->cse_id, text, out, NULL) == RESULT_OK;
}

/* Reads the parameters of CALL into OUT. Returns the name of one that is wrong, or NULL. */
static const char *read_selection(
    struct session *session, const struct call *call, bool with_id, struct selection *out)
{
    const char *peer = NULL, *local = NULL, *id = NULL;
    const struct parameter parameters[] = {{"peer", &peer}, {"local", &local}, {"keyId", &id}};
    const char *bad = call_parameters(call, parameters, with_id ? 3 : 2);
    if (bad)
        return bad;
    const struct policy_cse *cse = &session->policy->cse;
    *out = (struct selection){.by_id = id};
    if (id && !bytes_from_hex(id, out->id, KEY_ID_OCTETS))
        return "keyId";
    if (!make_absolute(cse, peer, out->peer))
        return "peer";
    return make_absolute(cse, local, out->local) ? NULL : "local";
}

static bool is_selected(const char *peer, const char *local, const struct key_info *info)
{
    return (peer[0] == '\0' || strcmp(peer, info->peer) == 0) &&
           (local[0] == '\0' || strcmp(local, info->local) == 0);
}

/* --- GetKey, RevokeKey --- */

static bool find_key(
    struct session *session, const struct selection *selection, struct key_info *info, uint8_t *key)
{
    struct key_cache *cache = session->shared->cache;
    if (selection->by_id)
        return key_cache_find_by_id(cache, selection->id, info, key) &&
               is_selected(selection->peer, selection->local, info);
    const char *local = selection->local[0] != '\0' ? selection->local : NULL;
    return key_cache_find_by_peer(cache, selection->peer, local, info, key);
}

/* A key that policy does not show to this caller is answered as if there were none, and after the
 * same work: policy is asked about a peer of our CSE where there is no key, and the journal is told
 * in both cases, unless nothing is hidden from this caller. */
static bool is_shown(struct session *session, const struct call *call, enum policy_right right,
    const struct key_info *found)
{
    char nobody[IDENTIFIER_OCTETS];
    bool is_known = make_absolute(&session->policy->cse, "Cnobody", nobody);
    bool may_see = may(session, right, found ? found->peer : is_known ? nobody : "");
    if (found && may_see)
        return true;
    if (!may(session, right, ""))
        log_occasion(session, call, &denied_to, found);
    return false;
}

static enum result get_key(struct session *session, const struct call *call)
{
    int64_t began_ns = histogram_now_ns();
    struct selection selection;
    const char *bad = read_selection(session, call, true, &selection);
    const char *peer = !bad && selection.peer[0] != '\0' ? selection.peer : NULL;
    if (!may(session, RIGHT_GET, peer))
        return denied(session, call);
    if (bad)
        return invalid(session, bad);
    if (!selection.by_id && !peer)
        return invalid(session, "keyId");

    struct key_info info;
    uint8_t key[KEY_OCTETS];
    bool found = find_key(session, &selection, &info, key);
    bool shown = is_shown(session, call, RIGHT_GET, found ? &info : NULL);
    enum result result =
        shown ? reply_key(session->out, &(struct key_reply){.info = &info, .key = key})
              : reply_error(session->out, ERROR_NO_SUCH_KEY);
    secret_wipe(key, sizeof(key));
    histogram_add(HISTOGRAM_LOOKUP, began_ns);
    if (shown && result == RESULT_OK && !call->oneway) /* oneway: without a reply */
        log_occasion(session, call, &read_by, &info);
    return result;
}

static enum result revoke_key(struct session *session, const struct call *call)
{
    const char *id = NULL;
    const struct parameter parameters[] = {{"keyId", &id}};
    const char *bad = call_parameters(call, parameters, ARRAY_SIZE(parameters));
    if (!may(session, RIGHT_REVOKE, NULL))
        return denied(session, call);
    struct selection selection = {.by_id = true};
    if (bad || !id || !bytes_from_hex(id, selection.id, KEY_ID_OCTETS))
        return invalid(session, bad ? bad : "keyId");

    struct key_info info;
    bool found = find_key(session, &selection, &info, NULL);
    if (!is_shown(session, call, RIGHT_REVOKE, found ? &info : NULL) ||
        key_cache_revoke(session->shared->cache, selection.id) != RESULT_OK)
        return reply_error(session->out, ERROR_NO_SUCH_KEY);
    log_occasion(session, call, &revoked_by, &info);
    return reply_json(session->out, json_object());
}

/* --- ListKeys --- */

static enum result list_keys(struct session *session, const struct call *call)
{
    struct selection selection;
    const char *bad = read_selection(session, call, false, &selection);
    const char *peer = !bad && selection.peer[0] != '\0' ? selection.peer : NULL;
    if (!may(session, RIGHT_LIST, peer))
        return denied(session, call);
    if (bad)
        return invalid(session, bad);
    if (!call->more)
        return reply_error(session->out, ERROR_EXPECTED_MORE);
    struct stream stream = {.kind = STREAM_LIST};
    memcpy(stream.peer, selection.peer, sizeof(stream.peer));
    memcpy(stream.local, selection.local, sizeof(stream.local));
    session_begin_stream(session, &stream);
    return RESULT_OK;
}

/* Sends the key that was held back; CONTINUES: another one follows. */
static enum result send_held(struct session *session, bool continues)
{
    struct stream *stream = &session->stream;
    if (stream->has_held)
        return reply_key(
            session->out, &(struct key_reply){.info = &stream->held, .continues = continues});
    return continues ? RESULT_OK : reply_error(session->out, ERROR_NO_SUCH_KEY);
}

static bool is_listed(struct session *session, const struct key_info *info)
{
    return is_selected(session->stream.peer, session->stream.local, info) &&
           may(session, RIGHT_LIST, info->peer);
}

enum result methods_list_more(struct session *session)
{
    struct stream *stream = &session->stream;
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) =
        snapshot_current(session->shared->slot);
    session->policy = snapshot->policy;
    for (int i = 0; i < LIST_STEP_KEYS && session->out->size < STEP_OCTETS; i++) {
        struct key_info info;
        if (!key_cache_next(session->shared->cache, &stream->cursor, &info)) {
            session_end_stream(session);
            return send_held(session, false);
        }
        if (!is_listed(session, &info))
            continue;
        TRY(send_held(session, true));
        stream->held = info;
        stream->has_held = true;
    }
    return RESULT_OK;
}

/* --- Subscribe --- */

static const char *const event_names[] = {
    [KEY_ESTABLISHED] = "established",
    [KEY_EXPIRED] = "expired",
    [KEY_REVOKED] = "revoked",
    [KEY_REVOKED_BY_CRL] = "revoked",
    [KEY_EVICTED] = "evicted",
};

static enum result subscribe(struct session *session, const struct call *call)
{
    const char *bad = call_parameters(call, NULL, 0);
    if (!may(session, RIGHT_SUBSCRIBE, NULL))
        return denied(session, call);
    if (bad)
        return invalid(session, bad);
    if (!call->more)
        return reply_error(session->out, ERROR_EXPECTED_MORE);
    session_begin_stream(session, &(struct stream){.kind = STREAM_SUBSCRIPTION});
    return RESULT_OK;
}

/* Nothing at all, not even for a moment, of a key that this caller may not see. */
static enum result send_event(
    struct session *session, enum key_event event, const struct key_info *info)
{
    if (may(session, RIGHT_SUBSCRIBE, info->peer))
        return reply_key(session->out,
            &(struct key_reply){.info = info, .event = event_names[event], .continues = true});
    if (may(session, RIGHT_SUBSCRIBE, NULL))
        return RESULT_OK;
    session_end_stream(session);
    return reply_error(session->out, ERROR_PERMISSION_DENIED);
}

enum result methods_events_more(struct session *session, bool *more)
{
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) =
        snapshot_current(session->shared->slot);
    session->policy = snapshot->policy;
    *more = true;
    for (int i = 0; i < EVENTS_STEP && session->out->size < STEP_OCTETS &&
                    session->stream.kind == STREAM_SUBSCRIPTION;
         i++) {
        enum key_event event;
        struct key_info info;
        switch (event_queue_take(session->shared->events, &session->stream.cursor, &event, &info)) {
        case EVENT_QUEUE_EMPTY:
            *more = false;
            return RESULT_OK;
        case EVENT_QUEUE_LOST:
            session_end_stream(session);
            return reply_error(session->out, ERROR_EVENTS_LOST);
        case EVENT_QUEUE_EVENT:
            TRY(send_event(session, event, &info));
        }
    }
    return RESULT_OK;
}

/* --- GetStatus, GetMetrics --- */

/* Replies with the one member NAME, whose value REPORT makes. */
static enum result send_report(struct session *session, const struct call *call, const char *name,
    json_t *(*report)(void *context))
{
    const char *bad = call_parameters(call, NULL, 0);
    if (!may(session, RIGHT_STATUS, NULL))
        return denied(session, call);
    if (bad)
        return invalid(session, bad);
    void *context = session->shared->reports->context;
    return reply_json(session->out, json_pack("{s:o}", name, report(context)));
}

static enum result get_status(struct session *session, const struct call *call)
{
    return send_report(session, call, "status", session->shared->reports->status);
}

static enum result get_metrics(struct session *session, const struct call *call)
{
    return send_report(session, call, "text", session->shared->reports->metrics);
}

/* --- the table of methods --- */

static const struct method {
    const char *name;
    enum result (*run)(struct session *session, const struct call *call);
} methods[] = {
    {KEYS_INTERFACE ".GetKey", get_key},
    {KEYS_INTERFACE ".ListKeys", list_keys},
    {KEYS_INTERFACE ".RevokeKey", revoke_key},
    {KEYS_INTERFACE ".Subscribe", subscribe},
    {KEYS_INTERFACE ".GetStatus", get_status},
    {KEYS_INTERFACE ".GetMetrics", get_metrics},
    {SERVICE_INTERFACE ".GetInfo", service_get_info},
    {SERVICE_INTERFACE ".GetInterfaceDescription", service_get_interface_description},
};

/* Replies that the method NAME, or its interface, which is the part before the last dot, is
 * unknown.
 */
static enum result not_found(struct session *session, const char *name)
{
    const char *dot = strrchr(name, '.');
    size_t length = dot ? (size_t)(dot - name) : strlen(name);
    if (service_has_interface(name, length))
        return reply_error_about(session->out, ERROR_METHOD_NOT_FOUND, "method", name);
    char *interface AUTO_FREE = strndup(name, length);
    if (!interface)
        return RESULT_NO_MEMORY;
    return reply_error_about(session->out, ERROR_INTERFACE_NOT_FOUND, "interface", interface);
}

static enum result dispatch(struct session *session, const struct call *call)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (strcmp(methods[i].name, call->method) != 0)
            continue;
        if (call->upgrade) /* no method of ours turns the connection into something else */
            return reply_error_about(
                session->out, ERROR_METHOD_NOT_IMPLEMENTED, "method", call->method);
        return methods[i].run(session, call);
    }
    return not_found(session, call->method);
}

/* Removes what a oneway call has led to: the replies after the first BEFORE octets of output, and
 * the stream. */
static void drop_replies(struct session *session, size_t before)
{
    struct buffer *out = session->out;
    if (out->size > before)
        secret_wipe(out->data + before, out->size - before);
    out->size = before;
    session_end_stream(session);
}

enum result methods_call(struct session *session, const struct call *call)
{
    metrics_add(METRIC_QUERIES, 1);
    struct snapshot *snapshot CLEANUP(auto_snapshot_unref) =
        snapshot_current(session->shared->slot);
    session->policy = snapshot->policy;
    size_t before = session->out->size;
    enum result result = dispatch(session, call);
    if (result == RESULT_OK && call->oneway)
        drop_replies(session, before);
    return result;
}
