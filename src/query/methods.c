/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/methods.h"

#include <string.h>

#include "base/secret.h"
#include "observe/histogram.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "query/service.h"

#define LIST_STEP_KEYS   256   /* looked at in one go */
#define LIST_STEP_OCTETS 16384 /* waiting for the client before the next go */

/* --- in common --- */

static enum result invalid(struct session *session, const char *parameter)
{
    return reply_error_about(session->out, ERROR_INVALID_PARAMETER, "parameter", parameter);
}

/* --- what the log says of who got and who was denied what --- */

struct occasion {
    int level;
    const char *message_id, *what; /* "read by" */
};

static const struct occasion read_by = {LOG_INFO, LOG_EVENT_READ, "read by"};
static const struct occasion denied_to = {LOG_NOTICE, LOG_EVENT_DENIED, "denied to"};
static const struct occasion revoked_by = {LOG_NOTICE, LOG_EVENT_REVOKED, "revoked by"};

static const char *asked_for(const struct call *call, const char *parameter)
{
    return json_string_value(json_object_get(call->parameters, parameter));
}

/* INFO: the key that CALL was about; NULL: all that is known is what the caller asked for. */
static void say(struct session *session, const struct call *call, const struct occasion *occasion,
    const struct key_info *info)
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
    say(session, call, &denied_to, NULL);
    return reply_error(session->out, ERROR_PERMISSION_DENIED);
}

static bool may(struct session *session, enum policy_right right, const char *peer)
{
    return caller_may(&session->caller, session->policy, right, peer);
}

static void begin_stream(struct session *session, const struct stream *stream)
{
    session->stream = *stream;
    if (stream->kind == STREAM_SUBSCRIPTION)
        atomic_fetch_add(session->methods->subscribers, 1);
}

void methods_end_stream(struct session *session)
{
    if (session->stream.kind == STREAM_SUBSCRIPTION)
        atomic_fetch_sub(session->methods->subscribers, 1);
    session->stream.kind = STREAM_NONE;
}

/* Which keys a caller means; "" = not given. */
struct selection {
    bool by_id;
    uint8_t id[KEY_ID_OCTETS];
    char peer[IDENTIFIER_OCTETS], local[IDENTIFIER_OCTETS];
};

/* TEXT NULL is not given: OUT is then "". */
static bool lengthen(const struct policy_cse *cse, const char *text, char out[IDENTIFIER_OCTETS])
{
    out[0] = '\0';
    return !text || identifier_absolute(cse->sp_id, cse->cse_id, text, out, NULL) == RESULT_OK;
}

/* The name of a parameter that is wrong, or NULL. */
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
    if (!lengthen(cse, peer, out->peer))
        return "peer";
    return lengthen(cse, local, out->local) ? NULL : "local";
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
    struct key_cache *cache = session->methods->cache;
    if (selection->by_id)
        return key_cache_get_by_id(cache, selection->id, info, key) == RESULT_OK &&
               is_selected(selection->peer, selection->local, info);
    const char *local = selection->local[0] != '\0' ? selection->local : NULL;
    return key_cache_get_by_peer(cache, selection->peer, local, info, key) == RESULT_OK;
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

    /* A key that policy does not show to this caller is to it as if it were not there. */
    struct key_info info;
    uint8_t key[KEY_OCTETS];
    bool found = find_key(session, &selection, &info, key);
    bool shown = found && may(session, RIGHT_GET, info.peer);
    enum result result =
        shown ? reply_key(session->out, &(struct key_reply){.info = &info, .key = key})
              : reply_error(session->out, ERROR_NO_SUCH_KEY);
    secret_wipe(key, sizeof(key));
    histogram_add(HISTOGRAM_LOOKUP, began_ns);
    if (found && !shown)
        say(session, call, &denied_to, &info);
    else if (shown && result == RESULT_OK && !call->oneway) /* which gets no reply */
        say(session, call, &read_by, &info);
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
    if (!find_key(session, &selection, &info, NULL))
        return reply_error(session->out, ERROR_NO_SUCH_KEY);
    if (!may(session, RIGHT_REVOKE, info.peer)) {
        say(session, call, &denied_to, &info);
        return reply_error(session->out, ERROR_NO_SUCH_KEY);
    }
    if (key_cache_revoke(session->methods->cache, selection.id) != RESULT_OK)
        return reply_error(session->out, ERROR_NO_SUCH_KEY);
    say(session, call, &revoked_by, &info);
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
    begin_stream(session, &stream);
    return RESULT_OK;
}

static enum result send_held(struct session *session, bool continues)
{
    struct stream *stream = &session->stream;
    if (stream->has_held)
        return reply_key(
            session->out, &(struct key_reply){.info = &stream->held, .continues = continues});
    return continues ? RESULT_OK : reply_error(session->out, ERROR_NO_SUCH_KEY);
}

/* Is INFO to be listed? */
static bool is_listed(struct session *session, const struct key_info *info)
{
    return is_selected(session->stream.peer, session->stream.local, info) &&
           may(session, RIGHT_LIST, info->peer);
}

enum result methods_list_more(struct session *session)
{
    struct stream *stream = &session->stream;
    CLEANUP(auto_snapshot_unref)
    struct snapshot *snapshot = snapshot_current(session->methods->slot);
    session->policy = snapshot->policy;
    for (int i = 0; i < LIST_STEP_KEYS && session->out->size < LIST_STEP_OCTETS; i++) {
        struct key_info info;
        if (!key_cache_next(session->methods->cache, &stream->cursor, &info)) {
            methods_end_stream(session);
            return send_held(session, false);
        }
        if (!is_listed(session, &info))
            continue;
        enum result result = send_held(session, true);
        if (result != RESULT_OK)
            return result;
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
    begin_stream(session, &(struct stream){.kind = STREAM_SUBSCRIPTION});
    return RESULT_OK;
}

enum result methods_event(
    struct session *session, enum key_event event, const struct key_info *info)
{
    CLEANUP(auto_snapshot_unref)
    struct snapshot *snapshot = snapshot_current(session->methods->slot);
    session->policy = snapshot->policy;
    if (may(session, RIGHT_SUBSCRIBE, info->peer))
        return reply_key(session->out,
            &(struct key_reply){.info = info, .event = event_names[event], .continues = true});
    if (may(session, RIGHT_SUBSCRIBE, NULL))
        return RESULT_OK;
    methods_end_stream(session);
    return reply_error(session->out, ERROR_PERMISSION_DENIED);
}

enum result methods_events_lost(struct session *session)
{
    methods_end_stream(session);
    return reply_error(session->out, ERROR_EVENTS_LOST);
}

/* --- GetStatus, GetMetrics --- */

static enum result get_status(struct session *session, const struct call *call)
{
    const char *bad = call_parameters(call, NULL, 0);
    if (!may(session, RIGHT_STATUS, NULL))
        return denied(session, call);
    if (bad)
        return invalid(session, bad);
    const struct query_reports *reports = session->methods->reports;
    return reply_json(
        session->out, json_pack("{s:o}", "status", reports->status(reports->context)));
}

static enum result get_metrics(struct session *session, const struct call *call)
{
    const char *bad = call_parameters(call, NULL, 0);
    if (!may(session, RIGHT_STATUS, NULL))
        return denied(session, call);
    if (bad)
        return invalid(session, bad);
    const struct query_reports *reports = session->methods->reports;
    return reply_json(session->out, json_pack("{s:o}", "text", reports->metrics(reports->context)));
}

/* --- which method it is --- */

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

/* NAME's interface is what stands before its last dot. */
static enum result not_found(struct session *session, const char *name)
{
    const char *dot = strrchr(name, '.');
    size_t length = dot ? (size_t)(dot - name) : strlen(name);
    if (service_has_interface(name, length))
        return reply_error_about(session->out, ERROR_METHOD_NOT_FOUND, "method", name);
    AUTO_FREE char *interface = strndup(name, length);
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

/* Takes back what a call has led to. */
static void unsay(struct session *session, size_t before)
{
    struct buffer *out = session->out;
    if (out->size > before)
        secret_wipe(out->data + before, out->size - before);
    out->size = before;
    methods_end_stream(session);
}

enum result methods_call(struct session *session, const struct call *call)
{
    metrics_add(METRIC_QUERIES, 1);
    CLEANUP(auto_snapshot_unref)
    struct snapshot *snapshot = snapshot_current(session->methods->slot);
    session->policy = snapshot->policy;
    size_t before = session->out->size;
    enum result result = dispatch(session, call);
    if (result == RESULT_OK && call->oneway)
        unsay(session, before);
    return result;
}
