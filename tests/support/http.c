/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/http.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMEOUT_MS  30000L
#define ANSWER_MAX  (4u << 20)
#define HEADER_SIZE 1024

CURL *http_open(void)
{
    CURL *client = curl_easy_init();
    ck_assert_ptr_nonnull(client);
    return client;
}

void http_close(CURL *client)
{
    curl_easy_cleanup(client);
}

static size_t take_body(char *data, size_t one, size_t size, void *context)
{
    struct http_answer *answer = context;
    (void)one;
    ck_assert_uint_lt(answer->body_size + size, ANSWER_MAX);
    answer->body = realloc(answer->body, answer->body_size + size + 1);
    ck_assert_ptr_nonnull(answer->body);
    memcpy(answer->body + answer->body_size, data, size);
    answer->body_size += size;
    answer->body[answer->body_size] = 0;
    return size;
}

static size_t take_header(char *data, size_t one, size_t size, void *context)
{
    struct http_answer *answer = context;
    const char *colon = memchr(data, ':', size);
    (void)one;
    if (!colon) /* the status line, the empty line */
        return size;
    ck_assert_uint_lt(answer->header_count, HTTP_HEADERS_MAX);
    struct http_header *header = &answer->headers[answer->header_count++];
    header->name = strndup(data, (size_t)(colon - data));
    colon += 1 + strspn(colon + 1, " \t");
    header->value = strndup(colon, (size_t)(data + size - colon));
    header->value[strcspn(header->value, "\r\n")] = 0;
    return size;
}

const char *http_answer_header(const struct http_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->header_count; i++)
        if (strcasecmp(answer->headers[i].name, name) == 0)
            return answer->headers[i].value;
    return NULL;
}

void http_answer_release(struct http_answer *answer)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        free(answer->headers[i].name);
        free(answer->headers[i].value);
    }
    free(answer->body);
    *answer = (struct http_answer){0};
}

static const struct http_tls *tls_;

void http_use_tls(const struct http_tls *tls)
{
    tls_ = tls;
}

static _Thread_local const char *address_;

void http_use_address(const char *address)
{
    address_ = address;
}

static void set_tls(CURL *client, const struct http_tls *tls)
{
    curl_easy_setopt(client, CURLOPT_CAINFO, tls->anchors);
    curl_easy_setopt(client, CURLOPT_SSLCERT, tls->certificate);
    curl_easy_setopt(client, CURLOPT_SSLKEY, tls->private_key);
}

static void set_request(CURL *client, const char *url, const struct http_request *request)
{
    curl_easy_setopt(client, CURLOPT_URL, url);
    curl_easy_setopt(client, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(client, CURLOPT_PROXY, "");
    curl_easy_setopt(client, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(client, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
    if (request->body) {
        curl_easy_setopt(client, CURLOPT_POSTFIELDSIZE, (long)strlen(request->body));
        curl_easy_setopt(client, CURLOPT_POSTFIELDS, request->body);
    }
    curl_easy_setopt(client, CURLOPT_CUSTOMREQUEST, request->method);
}

void http_call(CURL *client, const char *address, const struct http_request *request,
    struct http_answer *answer)
{
    *answer = (struct http_answer){0};
    char url[2048];
    ck_assert_int_lt(snprintf(url, sizeof(url), "%s%s", address, request->path), (int)sizeof(url));
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; request->headers && request->headers[i]; i++)
        headers = curl_slist_append(headers, request->headers[i]);

    curl_easy_reset(client); /* keeps the connection */
    set_request(client, url, request);
    if (tls_)
        set_tls(client, tls_);
    if (address_)
        curl_easy_setopt(client, CURLOPT_INTERFACE, address_);
    curl_easy_setopt(client, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(client, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(client, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(client, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(client, CURLOPT_HEADERDATA, answer);
    CURLcode code = curl_easy_perform(client);
    ck_assert_msg(code == CURLE_OK, "%s: %s", url, curl_easy_strerror(code));
    curl_easy_getinfo(client, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_slist_free_all(headers);
}

/* "NAME: VALUE" into the next place, unless VALUE is NULL. */
static void add_header(char lines[][HEADER_SIZE], const char **list, size_t *count,
    const char *name, const char *value)
{
    if (!value)
        return;
    snprintf(lines[*count], HEADER_SIZE, "%s: %s", name, value);
    list[*count] = lines[*count];
    (*count)++;
}

void m2m_call(
    CURL *client, uint16_t port, const struct m2m_request *request, struct http_answer *answer)
{
    char lines[4][HEADER_SIZE], address[64];
    const char *list[HTTP_HEADERS_MAX + 1];
    size_t count = 0;
    add_header(lines, list, &count, "X-M2M-Origin", request->from);
    add_header(lines, list, &count, "X-M2M-RI", request->request_id);
    add_header(lines, list, &count, "X-M2M-RVI", "3");
    add_header(lines, list, &count, "Content-Type", request->content_type);
    for (size_t i = 0; request->headers && request->headers[i] && count < HTTP_HEADERS_MAX; i++)
        list[count++] = request->headers[i];
    list[count] = NULL;
    snprintf(address, sizeof(address), "%s://127.0.0.1:%u", tls_ ? "https" : "http", port);
    http_call(client, address,
        &(struct http_request){.method = request->method,
            .path = request->path,
            .headers = list,
            .body = request->body},
        answer);
}

int raw_try_connect(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    if (address_) {
        struct sockaddr_in own = {.sin_family = AF_INET};
        ck_assert_int_eq(inet_pton(AF_INET, address_, &own.sin_addr), 1);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

int raw_connect(uint16_t port)
{
    int fd = raw_try_connect(port);
    ck_assert_int_ge(fd, 0);
    return fd;
}

char *raw_call(uint16_t port, const void *octets, size_t size, int wait_ms, size_t *received)
{
    int fd = raw_connect(port);
    for (size_t sent = 0; sent < size;) { /* a server that hangs up early has its reasons */
        ssize_t part = send(fd, (const char *)octets + sent, size - sent, MSG_NOSIGNAL);
        if (part <= 0)
            break;
        sent += (size_t)part;
    }
    char *text = malloc(ANSWER_MAX + 1);
    ck_assert_ptr_nonnull(text);
    size_t total = 0;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (poll(&ready, 1, wait_ms) == 1) {
        ssize_t part = recv(fd, text + total, ANSWER_MAX - total, 0);
        if (part <= 0)
            break;
        total += (size_t)part;
    }
    text[total] = 0;
    close(fd);
    if (received)
        *received = total;
    return text;
}
