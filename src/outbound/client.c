/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "outbound/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/secret.h"
#include "token/gnutls_key.h"

struct outbound_client {
    sd_event *loop;
    sd_event_source *timer;
    CURLM *multi;
    struct outbound_call *first;
    size_t count;
};

struct outbound_call {
    struct outbound_client *client;
    struct outbound_call *next, *previous;
    CURL *curl;
    struct curl_slist *headers;
    size_t octets;    /* of the answer so far, headers included */
    int socket_error; /* errno, where a socket was refused; 0: none was */
    struct buffer body;
    outbound_answered *answered;
    void *context;
    char error[CURL_ERROR_SIZE];
};

/* --- a call --- */

static void link_call(struct outbound_call *call)
{
    struct outbound_client *client = call->client;

    call->next = client->first;
    if (call->next)
        call->next->previous = call;
    client->first = call;
    client->count++;
}

/* After this, CALL belongs to the caller alone. */
static void unlink_call(struct outbound_call *call)
{
    struct outbound_client *client = call->client;

    (void)curl_multi_remove_handle(client->multi, call->curl);
    if (call->previous)
        call->previous->next = call->next;
    else
        client->first = call->next;
    if (call->next)
        call->next->previous = call->previous;
    client->count--;
}

static void call_free(struct outbound_call *call)
{
    curl_easy_cleanup(call->curl);
    curl_slist_free_all(call->headers);
    buffer_release(&call->body);
    free(call);
}
DEFINE_CLEANUP(struct outbound_call *, call_free)

void outbound_cancel(struct outbound_call *call)
{
    if (!call)
        return;
    unlink_call(call);
    call_free(call);
}

/* --- its answer --- */

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    struct outbound_call *call = context;

    (void)data;
    call->octets += size * count;
    return call->octets <= OUTBOUND_ANSWER_OCTETS ? size * count : 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct outbound_call *call = context;

    call->octets += size * count;
    if (call->octets > OUTBOUND_ANSWER_OCTETS ||
        buffer_append(&call->body, data, size * count) != RESULT_OK)
        return 0;
    return size * count;
}

static const char *header(const struct outbound_call *call, const char *name)
{
    struct curl_header *found;
    bool there = curl_easy_header(call->curl, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK;
    return there ? found->value : "";
}

static void copy_value(const char *value, size_t size, char out[OUTBOUND_VALUE_OCTETS])
{
    snprintf(
        out, OUTBOUND_VALUE_OCTETS, "%.*s", size < OUTBOUND_VALUE_OCTETS ? (int)size : 0, value);
}

/* TS-0004 6.6: four digits. */
static int read_rsc(const char *text)
{
    bool is_number = strlen(text) == 4 && strspn(text, "0123456789") == 4;
    return is_number ? (int)strtol(text, NULL, 10) : 0;
}

/* What the sandbox of systemd/e2ekeyd.service forbids; libcurl only says that it could not connect.
 */
static const char *forbidden_by(const struct outbound_call *call)
{
    long error = call->socket_error;

    if (error == 0)
        (void)curl_easy_getinfo(call->curl, CURLINFO_OS_ERRNO, &error);
    if (error == EAFNOSUPPORT)
        return "the system gives no Internet socket, as where the unit has no "
               "RestrictAddressFamilies=AF_INET AF_INET6: see Sandbox in e2ekeyd(8)";
    if (error == ENETUNREACH)
        return "no network leads there, as where the unit has no PrivateNetwork=no: see Sandbox in "
               "e2ekeyd(8)";
    return NULL;
}

static const char *error_of(const struct outbound_call *call, CURLcode code)
{
    const char *forbidden = code == CURLE_COULDNT_CONNECT ? forbidden_by(call) : NULL;

    if (code == CURLE_OK)
        return NULL;
    if (forbidden)
        return forbidden;
    if (call->octets > OUTBOUND_ANSWER_OCTETS)
        return "the answer is longer than 65536 octets";
    return call->error[0] != '\0' ? call->error : curl_easy_strerror(code);
}

static void end_call(struct outbound_call *call, CURLcode code)
{
    struct outbound_answer answer = {
        .error = error_of(call, code),
        .rsc = read_rsc(header(call, "X-M2M-RSC")),
        .body = buffer_bytes(&call->body),
    };
    const char *location = header(call, "Content-Location");
    const char *type = header(call, "Content-Type");

    curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &answer.status);
    copy_value(location, strlen(location), answer.location);
    copy_value(type, strcspn(type, "; \t"), answer.media_type);
    unlink_call(call);
    call->answered(&answer, call->context);
    call_free(call);
}

static void end_calls(struct outbound_client *client)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(client->multi, &left))) {
        struct outbound_call *call = NULL;
        CURLcode code = message->data.result;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call) == CURLE_OK)
            end_call(call, code);
    }
}

/* --- libcurl on the event loop --- */

static void act(struct outbound_client *client, curl_socket_t socket, int events)
{
    int running;

    (void)curl_multi_socket_action(client->multi, socket, events, &running);
    end_calls(client);
}

static int on_event(sd_event_source *source, int fd, uint32_t events, void *context)
{
    int action = (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                 (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                 (events & EPOLLERR ? CURL_CSELECT_ERR : 0);

    (void)source;
    act(context, fd, action);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t now_us, void *context)
{
    (void)source;
    (void)now_us;
    act(context, CURL_SOCKET_TIMEOUT, 0);
    return 0;
}

/* curl_socket_callback; WATCH is the event source of SOCKET once it has one. A failure that is
 * returned would put all calls for ever out of order; so a socket that cannot be watched, for lack
 * of memory, has its call end by the deadline. */
static int watch_socket(CURL *curl, curl_socket_t socket, int what, void *context, void *watch)
{
    struct outbound_client *client = context;
    sd_event_source *source = watch;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);

    (void)curl;
    if (what == CURL_POLL_REMOVE)
        sd_event_source_disable_unref(source);
    else if (source)
        (void)sd_event_source_set_io_events(source, events);
    else if (sd_event_add_io(client->loop, &source, socket, events, on_event, client) >= 0)
        (void)curl_multi_assign(client->multi, socket, source);
    return 0;
}

/* curl_multi_timer_callback; -1 stops the timer. */
static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct outbound_client *client = context;

    (void)multi;
    if (timeout_ms < 0) {
        (void)sd_event_source_set_enabled(client->timer, SD_EVENT_OFF);
        return 0;
    }
    (void)sd_event_source_set_time_relative(client->timer, (uint64_t)timeout_ms * 1000);
    (void)sd_event_source_set_enabled(client->timer, SD_EVENT_ONESHOT);
    return 0;
}

static enum result start_multi(struct outbound_client *client, struct fault *fault)
{
    int error = sd_event_add_time_relative(
        client->loop, &client->timer, CLOCK_BOOTTIME, 0, 1, on_timer, client);
    if (error < 0)
        return fault_set(fault, RESULT_SYSTEM_ERROR, "no timer for requests: %s", strerror(-error));
    (void)sd_event_source_set_enabled(client->timer, SD_EVENT_OFF);
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code == CURLE_OK && !(client->multi = curl_multi_init()))
        code = CURLE_OUT_OF_MEMORY; /* it does not say */
    if (code != CURLE_OK)
        return fault_set(
            fault, RESULT_NO_MEMORY, "libcurl does not start: %s", curl_easy_strerror(code));
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    return gnutls_key_register_url(fault);
}

enum result outbound_client_new(sd_event *loop, struct outbound_client **out, struct fault *fault)
{
    struct outbound_client *client CLEANUP(auto_outbound_client_free) = calloc(1, sizeof(*client));
    if (!client)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    client->loop = sd_event_ref(loop);
    TRY(start_multi(client, fault));
    *out = TAKE_PTR(client);
    return RESULT_OK;
}

void outbound_client_free(struct outbound_client *client)
{
    if (!client)
        return;
    while (client->first)
        outbound_cancel(client->first);
    curl_multi_cleanup(client->multi); /* it still calls set_timer */
    sd_event_source_disable_unref(client->timer);
    sd_event_unref(client->loop);
    free(client);
}

/* --- sending --- */

static bool add_header(struct outbound_call *call, const char *name, const char *value)
{
    char line[2 * OUTBOUND_VALUE_OCTETS];
    int length = snprintf(line, sizeof(line), "%s: %s", name, value);
    struct curl_slist *longer =
        length < (int)sizeof(line) ? curl_slist_append(call->headers, line) : NULL;

    if (longer)
        call->headers = longer;
    return longer != NULL;
}

/* TS-0009 6.4. The request id only has to differ from those of other requests. */
static bool add_headers(struct outbound_call *call, const struct outbound_request *request)
{
    uint8_t id[8];
    char id_text[2 * sizeof(id) + 1], type[OUTBOUND_VALUE_OCTETS];

    if (secret_random(id, sizeof(id)) != RESULT_OK)
        return false;
    bytes_to_hex(bytes_of(id, sizeof(id)), id_text);
    if (request->resource_type > 0)
        snprintf(type, sizeof(type), "%s;ty=%u", request->media_type, request->resource_type);
    else
        snprintf(type, sizeof(type), "%s", request->media_type);
    return add_header(call, "X-M2M-Origin", request->from) &&
           add_header(call, "X-M2M-RI", id_text) && add_header(call, "X-M2M-RVI", "3") &&
           add_header(call, "Accept", request->media_type) &&
           (request->body.size == 0 || add_header(call, "Content-Type", type));
}

/* curl_opensocket_callback, for the error that libcurl does not tell. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct outbound_call *call = context;
    int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);

    (void)purpose;
    call->socket_error = fd < 0 ? errno : 0;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* Keeps the first error in CODE. */
#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (code == CURLE_OK)                                                                      \
            code = curl_easy_setopt(call->curl, option, value);                                    \
    } while (0)

/* The system's authorities are left out: whom a CSE's certificate comes from, the policy says. */
static CURLcode set_tls(struct outbound_call *call, const struct outbound_tls *tls)
{
    char key[sizeof(GNUTLS_KEY_URL) + PATH_MAX];
    CURLcode code = CURLE_OK;

    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_CAINFO, tls->anchors);
    if (!tls->private_key)
        return code;
    if (snprintf(key, sizeof(key), GNUTLS_KEY_URL "%s", tls->private_key) >= (int)sizeof(key))
        return CURLE_SSL_CERTPROBLEM;
    SET(CURLOPT_SSLCERT, tls->certificate);
    SET(CURLOPT_SSLKEY, key);
    return code;
}

/* QUICK_EXIT: a call that ends while its name is being resolved leaves that thread alone, instead
 * of waiting for it. FORBID_REUSE: a small CSE is not held by a connection between two requests. */
static CURLcode prepare(struct outbound_call *call, const struct outbound_request *request)
{
    long timeout_ms = request->timeout_ms > 0 ? (long)request->timeout_ms : OUTBOUND_TIMEOUT_MS;
    CURLcode code = CURLE_OK;

    SET(CURLOPT_PRIVATE, call);
    SET(CURLOPT_ERRORBUFFER, call->error);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, call);
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_FORBID_REUSE, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)OUTBOUND_CONNECT_MS);
    SET(CURLOPT_TIMEOUT_MS, timeout_ms);
    SET(CURLOPT_HTTPHEADER, call->headers);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, call);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, call);
    if (request->body.size > 0) {
        SET(CURLOPT_POSTFIELDSIZE, (long)request->body.size);
        SET(CURLOPT_COPYPOSTFIELDS, request->body.data);
    }
    SET(CURLOPT_CUSTOMREQUEST, request->method);
    return code == CURLE_OK ? set_tls(call, &request->tls) : code;
}
#undef SET

enum result outbound_send(struct outbound_client *client, const struct outbound_request *request,
    outbound_answered *answered, void *context, struct outbound_call **out, struct fault *fault)
{
    if (client->count >= OUTBOUND_CALLS_MAX)
        return fault_set(fault, RESULT_BUSY, "%d requests are under way", OUTBOUND_CALLS_MAX);
    struct outbound_call *call CLEANUP(auto_call_free) = calloc(1, sizeof(*call));
    if (!call || !(call->curl = curl_easy_init()) || !add_headers(call, request))
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    call->client = client;
    call->answered = answered;
    call->context = context;
    call->body.limit = OUTBOUND_ANSWER_OCTETS;
    CURLcode code = prepare(call, request);
    if (code != CURLE_OK)
        return fault_set(fault, RESULT_BAD_INPUT, "%s: %s", request->url, curl_easy_strerror(code));
    if (curl_multi_add_handle(client->multi, call->curl) != CURLM_OK)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    link_call(call);
    *out = TAKE_PTR(call);
    return RESULT_OK;
}
