/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"
#include "base/text.h"
#include "ctl/common.h"

struct http_client {
    CURL *curl;
    bool trace;
    unsigned retries;
    char error[CURL_ERROR_SIZE];
};

/* --- the trace --- */

/* Prints each line of DATA after PREFIX, with control characters escaped. */
static void show(const char *prefix, const char *data, size_t size)
{
    struct bytes rest = bytes_of(data, size);
    while (rest.size > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        size_t length = end ? (size_t)(end - rest.data) : rest.size, text = length;
        if (text > 0 && rest.data[text - 1] == '\r')
            text--;
        char *line AUTO_FREE = malloc(4 * text + 1);
        if (!line)
            return;
        bytes_escape(bytes_of(rest.data, text), line, 4 * text + 1);
        fprintf(stderr, "%s %s\n", prefix, line);
        length += end != NULL;
        rest = bytes_of(rest.data + length, rest.size - length);
    }
}

static int on_debug(CURL *curl, curl_infotype type, char *data, size_t size, void *context)
{
    (void)curl;
    (void)context;
    if (type == CURLINFO_HEADER_OUT || type == CURLINFO_DATA_OUT)
        show(">", data, size);
    if (type == CURLINFO_HEADER_IN || type == CURLINFO_DATA_IN)
        show("<", data, size);
    return 0;
}

/* --- the handle --- */

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct buffer *body = context;
    return buffer_append(body, data, size * count) == RESULT_OK ? size * count : 0;
}

int http_client_new(const struct http_options *options, struct http_client **out)
{
    struct http_client *http CLEANUP(auto_http_client_free) = calloc(1, sizeof(*http));
    if (!http || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        !(http->curl = curl_easy_init()))
        return fail(STATUS_USAGE, "libcurl does not start");
    http->trace = options->trace;
    http->retries = (unsigned)options->retries;
    CURL *curl = http->curl;
    CURLcode code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, options->timeout_s);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, options->trace ? 1L : 0L);
    if (code == CURLE_OK && options->authorities)
        code = curl_easy_setopt(curl, CURLOPT_CAINFO, options->authorities);
    if (code == CURLE_OK && options->certificate)
        code = curl_easy_setopt(curl, CURLOPT_SSLCERT, options->certificate);
    if (code == CURLE_OK && options->private_key)
        code = curl_easy_setopt(curl, CURLOPT_SSLKEY, options->private_key);
    if (code != CURLE_OK)
        return fail(STATUS_USAGE, "libcurl: %s", curl_easy_strerror(code));
    *out = TAKE_PTR(http);
    return STATUS_DONE;
}

void http_client_free(struct http_client *http)
{
    curl_easy_cleanup(http->curl);
    free(http);
}

/* --- one request --- */

/* Adds a header to LIST, and returns the new list. Frees LIST and returns NULL if the header is too
 * long or memory is out.
 */
static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
    char line[HTTP_VALUE_OCTETS];
    int length = snprintf(line, sizeof(line), "%s: %s", name, value);
    struct curl_slist *longer = length < (int)sizeof(line) ? curl_slist_append(list, line) : NULL;
    if (!longer)
        curl_slist_free_all(list);
    return longer;
}

/* TS-0009 6.4. The request id only has to differ from those of other requests. */
static struct curl_slist *make_headers(const struct http_client_request *request)
{
    uint8_t id[8];
    char id_text[2 * sizeof(id) + 1];
    if (secret_random(id, sizeof(id)) != RESULT_OK)
        return NULL;
    bytes_to_hex(bytes_of(id, sizeof(id)), id_text);
    char content_type[HTTP_VALUE_OCTETS];
    snprintf(content_type, sizeof(content_type), "%s%s%s", request->media_type,
        request->resource_type ? ";ty=" : "", request->resource_type ? request->resource_type : "");

    const char *const headers[][2] = {
        {"X-M2M-Origin", request->from},
        {"X-M2M-RI", id_text},
        {"X-M2M-RVI", "3"},
        {"Accept", request->media_type},
        {"Content-Type", request->body.size > 0 ? content_type : NULL},
    };
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        if (!headers[i][1])
            continue;
        list = add_header(list, headers[i][0], headers[i][1]);
        if (!list)
            return NULL;
    }
    return list;
}

static const char *header(const struct http_client *http, const char *name)
{
    struct curl_header *found;
    bool there = curl_easy_header(http->curl, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK;
    return there ? found->value : "";
}

static int read_answer(
    const struct http_client *http, const char *url, struct http_client_answer *answer)
{
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    snprintf(answer->location, sizeof(answer->location), "%s", header(http, "Content-Location"));
    const char *type = header(http, "Content-Type");
    snprintf(
        answer->media_type, sizeof(answer->media_type), "%.*s", (int)strcspn(type, "; \t"), type);
    const char *rsc = header(http, "X-M2M-RSC");
    char *end;
    long number = strtol(rsc, &end, 10);
    if (rsc[0] == '\0' || *end != '\0' || number < 1000 || number > 9999)
        return fail(STATUS_UNREACHABLE, "no CSE answers at %s: HTTP status %ld without X-M2M-RSC",
            url, answer->status);
    answer->rsc = (int)number;
    return STATUS_DONE;
}

/* An HTTPS failure that other options can avoid is STATUS_USAGE, any other STATUS_UNREACHABLE. */
static int fail_curl(
    const struct http_client *http, CURLcode code, const char *url, unsigned attempts)
{
    const char *text = http->error[0] != '\0' ? http->error : curl_easy_strerror(code);
    switch ((int)code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return fail(STATUS_USAGE, "--url %s: %s", url, text);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return fail(STATUS_USAGE, "HTTPS with %s: %s", url, text);
    case CURLE_WRITE_ERROR:
        return fail(
            STATUS_UNREACHABLE, "the answer of %s is longer than %d octets", url, HTTP_ANSWER_MAX);
    }
    if (attempts > 1)
        return fail(STATUS_UNREACHABLE, "cannot reach %s, tried %u times: %s", url, attempts, text);
    return fail(STATUS_UNREACHABLE, "cannot reach %s: %s", url, text);
}

#define PAUSE_FIRST_MS 500U
#define PAUSE_MOST_MS  30000

/* Whether the same request may be answered at another time, as far as CODE and the answer say. */
static bool is_passing(const struct http_client *http, CURLcode code)
{
    long status = 0;

    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    switch ((int)code) {
    case CURLE_OK:
        return status == 503;
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return true;
    }
    return false;
}

/* How long to wait before the request is sent again, after ATTEMPTS; 0: it is not. Pauses double,
 * and have a part by chance, so that many that were refused together do not come back together. */
static unsigned pause_ms(const struct http_client *http, CURLcode code, unsigned attempts)
{
    uint8_t chance = 0;
    unsigned long asked_s = 0;

    if (attempts > http->retries || !is_passing(http, code))
        return 0;
    if (secret_random(&chance, sizeof(chance)) != RESULT_OK)
        return 0;
    unsigned own_ms = (PAUSE_FIRST_MS << (attempts - 1)) * (1024 + chance) / 1024;
    if (code == CURLE_OK)
        asked_s = strtoul(header(http, "Retry-After"), NULL, 10); /* 0 for a date */
    if (asked_s > PAUSE_MOST_MS / 1000) /* longer than anybody waits for a command */
        return 0;
    if (own_ms > PAUSE_MOST_MS)
        own_ms = PAUSE_MOST_MS;
    return asked_s * 1000 > own_ms ? (unsigned)asked_s * 1000 : own_ms;
}

static void wait_ms(unsigned ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

/* Sends the request that HTTP is set up for, as often as it may be sent. */
static CURLcode perform(struct http_client *http, struct http_client_answer *answer)
{
    for (unsigned attempts = 1;; attempts++) {
        buffer_release(&answer->body);
        *answer = (struct http_client_answer){.body.limit = HTTP_ANSWER_MAX, .attempts = attempts};
        http->error[0] = '\0';
        CURLcode code = curl_easy_perform(http->curl);
        unsigned ms = pause_ms(http, code, attempts);
        if (ms == 0)
            return code;
        if (http->trace)
            fprintf(stderr, "* %s: once more in %u ms\n",
                code == CURLE_OK ? "HTTP status 503" : curl_easy_strerror(code), ms);
        wait_ms(ms);
    }
}

int http_client_send(struct http_client *http, const struct http_client_request *request,
    struct http_client_answer *answer)
{
    CURL *curl = http->curl;
    struct curl_slist *headers = make_headers(request);
    if (!headers)
        return fail(STATUS_USAGE, "out of memory, or --from is too long");
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer->body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->body.size);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.data); /* NULL: none */
    curl_easy_setopt(curl, CURLOPT_POST, request->body.size > 0 ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (http->trace)
        fprintf(stderr, "* %s\n", request->title);
    CURLcode code = perform(http, answer);
    if (http->trace)
        fputc('\n', stderr);
    int status = code == CURLE_OK ? read_answer(http, request->url, answer)
                                  : fail_curl(http, code, request->url, answer->attempts);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    return status;
}

/* --- addresses --- */

DEFINE_CLEANUP(CURLU *, curl_url_cleanup)

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~' || strchr("?#\\", *text))
            return false;
    return true;
}

/* The path of URL without slashes at its end, or "" when it has none; the caller frees. */
static char *copy_path(CURLU *parts)
{
    char *path = NULL, *copy = NULL;

    if (curl_url_get(parts, CURLUPART_PATH, &path, 0) == CURLUE_OK)
        copy = strdup(path);
    curl_free(path);
    for (size_t size = copy ? strlen(copy) : 0; size > 0 && copy[size - 1] == '/'; size--)
        copy[size - 1] = '\0';
    return copy;
}

static bool is_segment(const char *name)
{
    return name[0] != '\0' && is_plain(name) && !strchr(name, '/') && !strchr(name, '%') &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* PARTS as a text, with PATH and nothing behind it. */
static bool write_url(CURLU *parts, const char *path, char out[HTTP_URL_OCTETS])
{
    char *text = NULL;
    bool good = curl_url_set(parts, CURLUPART_PATH, path, 0) == CURLUE_OK &&
                curl_url_set(parts, CURLUPART_QUERY, NULL, 0) == CURLUE_OK &&
                curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_URL, &text, 0) == CURLUE_OK &&
                snprintf(out, HTTP_URL_OCTETS, "%s", text) < HTTP_URL_OCTETS;
    curl_free(text);
    return good;
}

bool http_client_descend(
    const char *url, const char *parent, const char *name, char out[HTTP_URL_OCTETS])
{
    if (!is_segment(parent) || !is_segment(name))
        return false;
    CURLU *parts CLEANUP(auto_curl_url_cleanup) = curl_url();
    if (!parts || curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK)
        return false;
    char *base AUTO_FREE = copy_path(parts);
    const char *last = base ? strrchr(base, '/') : NULL;
    bool is_parent = last && strcmp(last + 1, parent) == 0;
    char path[HTTP_URL_OCTETS];
    int length = base ? snprintf(path, sizeof(path), "%s%s%s/%s", base, is_parent ? "" : "/",
                            is_parent ? "" : parent, name)
                      : -1;
    return length > 0 && length < (int)sizeof(path) && write_url(parts, path, out);
}

/* TS-0009 6.2.2.2: absolute ids stand after "/_", SP-relative ones after "/~", others after "/". */
static bool path_of(const char *location, char out[HTTP_VALUE_OCTETS + 4])
{
    const char *prefix = "/";
    if (strncmp(location, "//", 2) == 0) {
        prefix = "/_/";
        location += 2;
    } else if (location[0] == '/') {
        prefix = strncmp(location, "/~/", 3) == 0 || strncmp(location, "/_/", 3) == 0 ? "" : "/~";
    }
    int length = snprintf(out, HTTP_VALUE_OCTETS + 4, "%s%s", prefix, location);
    return location[0] != '\0' && is_plain(location) && length < HTTP_VALUE_OCTETS + 4;
}

bool http_client_locate(const char *url, const char *location, char out[HTTP_URL_OCTETS])
{
    char path[HTTP_VALUE_OCTETS + 4];
    if (!path_of(location, path))
        return false;
    CURLU *parts CLEANUP(auto_curl_url_cleanup) = curl_url();
    return parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
           write_url(parts, path, out);
}
