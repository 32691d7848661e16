/* SPDX-License-Identifier: MIT */
#include "client/e2ekey.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "client/varlink_reply.h"
#include "client/wire.h"

#define INTERFACE  "org.e2ekeyd.Keys."
#define TIMEOUT_MS 10000

_Static_assert(E2EKEY_KEY_OCTETS == REPLY_KEY_OCTETS, "a reply's key material fits the caller's");

struct e2ekey {
    char *path;
    pthread_mutex_t lock; /* protects what follows; held for the length of a call */
    int timeout;
    struct wire wire;
};

struct e2ekey_stream {
    bool is_list;
    int ended; /* what e2ekey_next returns from now on; E2EKEY_OK: more may come */
    struct wire wire;
};

const char *e2ekey_strerror(int error)
{
    switch ((enum e2ekey_error)error) {
    case E2EKEY_OK:
        return "done";
    case E2EKEY_NO_SUCH_KEY:
        return "no such key";
    case E2EKEY_DENIED:
        return "permission denied";
    case E2EKEY_UNREACHABLE:
        return "cannot reach e2ekeyd";
    case E2EKEY_TIMED_OUT:
        return "timed out";
    case E2EKEY_INVALID:
        return "malformed argument";
    case E2EKEY_PROTOCOL:
        return "not the answer of an e2ekeyd";
    case E2EKEY_EVENTS_LOST:
        return "events were lost";
    case E2EKEY_END:
        return "end of the list";
    case E2EKEY_NO_MEMORY:
        return "out of memory";
    }
    return "unknown error";
}

void e2ekey_wipe(struct e2ekey_key *key)
{
    explicit_bzero(key, sizeof(*key));
}

/* --- errors of the layers below, as enum e2ekey_error --- */

/* ERROR is what functions of client/wire.h return. */
static int error_of_wire(int error)
{
    switch (error) {
    case 0:
        return E2EKEY_OK;
    case ETIMEDOUT:
        return E2EKEY_TIMED_OUT;
    case EACCES:
        return E2EKEY_DENIED;
    case ENAMETOOLONG:
        return E2EKEY_INVALID;
    case EMSGSIZE:
        return E2EKEY_PROTOCOL;
    default:
        return E2EKEY_UNREACHABLE;
    }
}

static int error_of_varlink(const char *name)
{
    static const struct {
        const char *name;
        int error;
    } errors[] = {
        {"org.e2ekeyd.Keys.NoSuchKey", E2EKEY_NO_SUCH_KEY},
        {"org.e2ekeyd.Keys.EventsLost", E2EKEY_EVENTS_LOST},
        {"org.varlink.service.PermissionDenied", E2EKEY_DENIED},
        {"org.varlink.service.InvalidParameter", E2EKEY_INVALID},
    };
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (strcmp(errors[i].name, name) == 0)
            return errors[i].error;
    return E2EKEY_PROTOCOL;
}

/* Parses a reply. *ROOT is for the caller to release; on failure it is NULL. */
static int read_reply(const char *message, size_t size, json_t **root)
{
    const char *name;
    *root = varlink_reply_parse(message, size, &name);
    if (!*root)
        return E2EKEY_PROTOCOL;
    if (!name)
        return E2EKEY_OK;
    int error = error_of_varlink(name);
    json_decref(*root);
    *root = NULL;
    return error;
}

/* Reads the metadata in the member "key" of PARAMETERS. The key material is read elsewhere. */
static int read_key(const json_t *parameters, struct e2ekey_key *out)
{
    const json_t *key = json_object_get(parameters, "key");
    const struct {
        const char *name;
        char *text;
        size_t room;
    } texts[] = {
        {"keyId", out->key_id, sizeof(out->key_id)},
        {"peer", out->peer, sizeof(out->peer)},
        {"local", out->local, sizeof(out->local)},
        {"role", out->role, sizeof(out->role)},
        {"flavour", out->flavour, sizeof(out->flavour)},
        {"cipherSuite", out->cipher_suite, sizeof(out->cipher_suite)},
    };
    bool good = true;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && good; i++)
        good = varlink_reply_read_text(key, texts[i].name, texts[i].text, texts[i].room);
    return good && varlink_reply_read_time(key, "established", &out->established) &&
                   varlink_reply_read_time(key, "expires", &out->expires)
               ? E2EKEY_OK
               : E2EKEY_PROTOCOL;
}

static int connect_wire(struct wire *wire, const char *path, int timeout)
{
    return error_of_wire(wire_connect(wire, path, timeout));
}

/* --- the handle --- */

int e2ekey_connect(const char *path, struct e2ekey **out)
{
    *out = NULL;
    struct e2ekey *e2ekey = calloc(1, sizeof(*e2ekey));
    if (!e2ekey)
        return E2EKEY_NO_MEMORY;
    pthread_mutex_init(&e2ekey->lock, NULL);
    e2ekey->timeout = TIMEOUT_MS;
    e2ekey->wire.fd = -1;
    e2ekey->path = strdup(path ? path : E2EKEY_SOCKET);
    int error = e2ekey->path ? connect_wire(&e2ekey->wire, e2ekey->path, e2ekey->timeout)
                             : E2EKEY_NO_MEMORY;
    if (error == E2EKEY_OK)
        *out = e2ekey;
    else
        e2ekey_close(e2ekey);
    return error;
}

void e2ekey_close(struct e2ekey *e2ekey)
{
    if (!e2ekey)
        return;
    wire_close(&e2ekey->wire);
    pthread_mutex_destroy(&e2ekey->lock);
    free(e2ekey->path);
    free(e2ekey);
}

void e2ekey_set_timeout(struct e2ekey *e2ekey, int milliseconds)
{
    pthread_mutex_lock(&e2ekey->lock);
    e2ekey->timeout = milliseconds;
    pthread_mutex_unlock(&e2ekey->lock);
}

/* --- calls --- */

/* Returns the text of a call. Takes PARAMETERS over; they are NULL when jansson could not build
 * them, as some text was not UTF-8. Returns NULL then, and when memory is short. */
static char *call_text(const char *method, json_t *parameters, bool more)
{
    json_t *call = json_pack("{s:s, s:o}", "method", method, "parameters", parameters);
    if (more && json_object_set_new(call, "more", json_true()) < 0) {
        json_decref(call);
        return NULL;
    }
    char *text = json_dumps(call, JSON_COMPACT);
    json_decref(call);
    return text;
}

/* Makes one call with one reply; *ROOT is for the caller to release. KEY is where the key material
 * of the reply goes, or NULL if the method gives none. */
static int call_locked(struct e2ekey *e2ekey, const char *text, uint8_t *key, json_t **root)
{
    struct wire *wire = &e2ekey->wire;
    int error = E2EKEY_OK;
    if (wire_is_stale(wire)) {
        wire_close(wire);
        error = connect_wire(wire, e2ekey->path, e2ekey->timeout);
    }
    int64_t deadline = wire_deadline(e2ekey->timeout);
    char *message = NULL;
    size_t size = 0;
    if (error == E2EKEY_OK)
        error = error_of_wire(wire_send(wire, text, deadline));
    if (error == E2EKEY_OK)
        error = error_of_wire(wire_receive(wire, deadline, &message, &size));
    if (error != E2EKEY_OK) { /* or else a late reply would be taken for that to the next call */
        wire_close(wire);
        return error;
    }
    bool has_key = key && varlink_reply_cut_key(message, key);
    error = read_reply(message, size, root);
    if (error == E2EKEY_OK && key && !has_key) {
        json_decref(*root);
        error = E2EKEY_PROTOCOL;
    }
    return error;
}

static int call(
    struct e2ekey *e2ekey, const char *method, json_t *parameters, uint8_t *key, json_t **root)
{
    char *text = call_text(method, parameters, false);
    if (!text)
        return E2EKEY_INVALID;
    pthread_mutex_lock(&e2ekey->lock);
    int error = call_locked(e2ekey, text, key, root);
    pthread_mutex_unlock(&e2ekey->lock);
    free(text);
    return error;
}

int e2ekey_get(struct e2ekey *e2ekey, const char *peer, const char *key_id, const char *local,
    struct e2ekey_key *out)
{
    e2ekey_wipe(out);
    json_t *root;
    int error = call(e2ekey, INTERFACE "GetKey",
        json_pack("{s:s?, s:s?, s:s?}", "peer", peer, "keyId", key_id, "local", local), out->key,
        &root);
    if (error == E2EKEY_OK) {
        error = read_key(json_object_get(root, "parameters"), out);
        json_decref(root);
    }
    out->has_key = error == E2EKEY_OK;
    if (error != E2EKEY_OK)
        e2ekey_wipe(out);
    return error;
}

int e2ekey_revoke(struct e2ekey *e2ekey, const char *key_id)
{
    json_t *root;
    int error =
        call(e2ekey, INTERFACE "RevokeKey", json_pack("{s:s}", "keyId", key_id), NULL, &root);
    if (error == E2EKEY_OK)
        json_decref(root);
    return error;
}

int e2ekey_status(struct e2ekey *e2ekey, char **json)
{
    *json = NULL;
    json_t *root;
    int error = call(e2ekey, INTERFACE "GetStatus", json_object(), NULL, &root);
    if (error != E2EKEY_OK)
        return error;
    const json_t *status = json_object_get(json_object_get(root, "parameters"), "status");
    if (json_is_object(status))
        *json = json_dumps(status, JSON_COMPACT);
    json_decref(root);
    return *json ? E2EKEY_OK : E2EKEY_PROTOCOL;
}

int e2ekey_metrics(struct e2ekey *e2ekey, char **text)
{
    *text = NULL;
    json_t *root;
    int error = call(e2ekey, INTERFACE "GetMetrics", json_object(), NULL, &root);
    if (error != E2EKEY_OK)
        return error;
    const json_t *metrics = json_object_get(json_object_get(root, "parameters"), "text");
    if (json_is_string(metrics))
        *text = strdup(json_string_value(metrics));
    json_decref(root);
    return *text ? E2EKEY_OK : E2EKEY_PROTOCOL;
}

/* --- lists and watches --- */

static int open_stream(struct e2ekey *e2ekey, const char *method, json_t *parameters, bool is_list,
    struct e2ekey_stream **out)
{
    *out = NULL;
    char *text = call_text(method, parameters, true);
    if (!text)
        return E2EKEY_INVALID;
    pthread_mutex_lock(&e2ekey->lock);
    int timeout = e2ekey->timeout;
    pthread_mutex_unlock(&e2ekey->lock);

    struct e2ekey_stream *stream = calloc(1, sizeof(*stream));
    int error = stream ? connect_wire(&stream->wire, e2ekey->path, timeout) : E2EKEY_NO_MEMORY;
    if (error == E2EKEY_OK) {
        stream->is_list = is_list;
        error = error_of_wire(wire_send(&stream->wire, text, wire_deadline(timeout)));
    }
    free(text);
    if (error == E2EKEY_OK)
        *out = stream;
    else
        e2ekey_stream_close(stream);
    return error;
}

int e2ekey_list(
    struct e2ekey *e2ekey, const char *peer, const char *local, struct e2ekey_stream **out)
{
    return open_stream(e2ekey, INTERFACE "ListKeys",
        json_pack("{s:s?, s:s?}", "peer", peer, "local", local), true, out);
}

int e2ekey_watch(struct e2ekey *e2ekey, struct e2ekey_stream **out)
{
    return open_stream(e2ekey, INTERFACE "Subscribe", json_object(), false, out);
}

static int read_item(
    const struct e2ekey_stream *stream, const json_t *root, char *event, struct e2ekey_key *out)
{
    const json_t *parameters = json_object_get(root, "parameters");
    int error = read_key(parameters, out);
    if (event)
        event[0] = '\0';
    if (error == E2EKEY_OK && event && !stream->is_list &&
        !varlink_reply_read_text(parameters, "event", event, E2EKEY_WORD_OCTETS))
        return E2EKEY_PROTOCOL;
    return error;
}

int e2ekey_next(struct e2ekey_stream *stream, int timeout, char event[E2EKEY_WORD_OCTETS],
    struct e2ekey_key *out)
{
    e2ekey_wipe(out);
    if (stream->ended != E2EKEY_OK)
        return stream->ended;
    char *message;
    size_t size;
    json_t *root = NULL;
    int error = error_of_wire(wire_receive(&stream->wire, wire_deadline(timeout), &message, &size));
    if (error == E2EKEY_TIMED_OUT)
        return error;
    if (error == E2EKEY_OK)
        error = read_reply(message, size, &root);
    if (error == E2EKEY_NO_SUCH_KEY && stream->is_list) /* the reply for an empty list */
        error = E2EKEY_END;
    if (error == E2EKEY_OK)
        error = read_item(stream, root, event, out);
    stream->ended = error;
    if (error == E2EKEY_OK && !json_is_true(json_object_get(root, "continues")))
        stream->ended = E2EKEY_END;
    json_decref(root);
    return error;
}

int e2ekey_stream_fd(const struct e2ekey_stream *stream)
{
    return stream->wire.fd;
}

void e2ekey_stream_close(struct e2ekey_stream *stream)
{
    if (!stream)
        return;
    wire_close(&stream->wire);
    free(stream);
}
