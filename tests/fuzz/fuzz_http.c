/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any octets as an HTTP request: request line, headers and content, as libmicrohttpd would hand
 * them to the binding; the content, read as the media type says; the address; and a response. */
#include <stdio.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "http/binding.h"
#include "onem2m/content.h"
#include "onem2m/status.h"
#include "onem2m/target.h"

#define TEXT_OCTETS 8192
#define BODY_LIMIT  4096

static char *addresses[] = {"cse-in/ae1", "Cae1", "cse-in/ae1/below"};
static struct policy_endpoint endpoints[] = {
    {.name = "in-cse"},
    {.name = "ae1", .addresses = addresses, .address_count = ARRAY_SIZE(addresses)},
};
static const struct policy policy = {
    .cse =
        {
            .sp_id = "m2m.example",
            .cse_id = "/in-cse",
            .cse_base = "cse-in",
            .resource_name = "e2EKeyCSE",
            .resource_type = 30001,
        },
    .http.notify_path = "/notify",
    .endpoints = endpoints,
    .endpoint_count = ARRAY_SIZE(endpoints),
};

/* --- the request --- */

/* "METHOD TARGET VERSION" */
static const char *read_request_line(struct binding *binding, char *line)
{
    const char *method = strsep(&line, " ");
    char *target = line ? strsep(&line, " ") : NULL;
    char *query = target;
    const char *path = query ? strsep(&query, "?") : "";

    binding_start(binding, method, path);
    for (char *pair; (pair = query ? strsep(&query, "&") : NULL);) {
        const char *name = strsep(&pair, "=");
        binding_query(binding, name, pair);
    }
    return line ? line : "HTTP/1.1";
}

static void read_header(struct binding *binding, char *line)
{
    const char *name = strsep(&line, ":");

    if (line)
        binding_header(binding, name, line);
}

static void read_request(struct binding *binding, char *head)
{
    char *line = strsep(&head, "\n");
    const char *version = read_request_line(binding, line);

    while ((line = strsep(&head, "\n")))
        read_header(binding, line);
    binding_check_host(binding, version);
    binding_finish(binding, BODY_LIMIT);
}

/* --- its content --- */

static void check_content(const struct request *request)
{
    struct buffer message AUTO_BUFFER = {.limit = BODY_LIMIT};
    struct given_attributes given = {0};
    enum security_info type = SECURITY_INFO_ESCERTKE;
    struct fault fault = FAULT_INIT;
    enum result result =
        request->operation == OPERATION_NOTIFY
            ? content_read_seci(request, &type, &message, &fault)
            : content_read_e2ek(request, request->operation == OPERATION_CREATE ? &given : NULL,
                  &message, &fault);

    must(given.labels_octets <= LABELS_OCTETS);
    must(given.labels_octets == 0 || given.labels[given.labels_octets - 1] == '\0');

    must((result == RESULT_OK && type == SECURITY_INFO_ESCERTKE) == (message.size > 0));
    must(result == RESULT_OK || result == RESULT_BAD_MESSAGE || result == RESULT_BAD_REQUEST ||
         (result == RESULT_UNSUPPORTED_NOTIFICATION && request->operation == OPERATION_NOTIFY));
}

static void check_primitive(const struct request *request)
{
    struct target target;
    struct fault fault = FAULT_INIT;

    target_parse(&policy, request->operation, request->to, &target);
    must(strlen(target.name) < sizeof(target.name));
    must((target.name[0] != '\0') == (target.kind == TARGET_EXCHANGE));
    must(!target.endpoint || target.kind == TARGET_NOTIFY);
    if (primitive_check_release(request->release, &fault) == RESULT_OK)
        must(!request->release || strlen(request->release) <= 2);
    (void)!primitive_check_expiration(request->expiration, FUZZ_NOW_S * 1000000, &fault);
}

/* --- the response --- */

static void write_header(void *context, const char *name, const char *value)
{
    (void)context;
    must(name[0] != '\0');
    for (const char *c = value; *c; c++)
        must(*c >= ' ' && *c <= '~');
}

/* Refuses a request in which there is something wrong, and shows an exchange to any other. */
static void answer(const struct binding *binding)
{
    struct response response CLEANUP(response_release) = {.content.limit = 65536};
    const struct request *request = &binding->request;
    const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 40};

    response.serialization = binding_answer_serialization(binding);
    response.result = binding->fault.result;
    response.rsc = response.result == RESULT_OK ? RSC_OK : status_rsc(response.result);
    response.retry_after_s = response.result == RESULT_BUSY;
    struct e2ek e2ek = {.rn = "e",
        .ri = request->request_id && request->request_id[0] ? "r" : "s",
        .pi = "p",
        .ty = policy.cse.resource_type,
        .ct_s = FUZZ_NOW_S,
        .lt_s = FUZZ_NOW_S,
        .et_s = FUZZ_NOW_S,
        .est = EST_ESTABLISHED,
        .kid = "00",
        .lid = "//m2m.example/in-cse",
        .message = request->content};
    const struct refusal_content refusal = {.text = binding->fault.text,
        .alert = bytes_of(alert, sizeof(alert)),
        .root = request->operation == OPERATION_NOTIFY ? CONTENT_SECI : CONTENT_E2EK};
    if (response.result != RESULT_OK)
        must(content_write_refusal(&refusal, &response) == RESULT_OK);
    else if (request->operation == OPERATION_NOTIFY)
        must(content_write_seci(request->content, &response) == RESULT_OK);
    else
        must(content_write_e2ek(&e2ek, request->operation == OPERATION_CREATE ? "/u" : NULL,
                 &response) == RESULT_OK);
    if (request->operation == OPERATION_CREATE)
        snprintf(response.location, sizeof(response.location), "/in-cse/e");
    int status = binding_respond(binding, &response, write_header, NULL);
    must(status >= 200 && status < 600);
    must((response.result == RESULT_OK) == (status < 300));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct binding binding;
    char text[TEXT_OCTETS + 1];
    static const char blank_line[] = "\n\n";

    if (size > TEXT_OCTETS)
        return -1;
    fuzz_begin();
    memcpy(text, data, size);
    text[size] = '\0';
    char *end = memmem(text, size, blank_line, sizeof(blank_line) - 1);
    struct bytes content = {0};
    if (end) {
        *end = '\0';
        content = bytes_of(end + 2, size - (size_t)(end + 2 - text));
    }
    read_request(&binding, text);
    if (content.size > BODY_LIMIT)
        binding_refuse_body(&binding, BODY_LIMIT);
    else
        binding.request.content = content;
    check_primitive(&binding.request);
    check_content(&binding.request);
    answer(&binding);
    return 0;
}
