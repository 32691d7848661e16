/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/binding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "onem2m/status.h"

/* Where to report a fault. NULL when the request has one already: only the first is kept. */
static struct fault *first(struct binding *binding)
{
    return binding->fault.result == RESULT_OK ? &binding->fault : NULL;
}

/* --- request line --- */

/* The methods (TS-0009 6.2.1), and the operations that allow them. POST is Notify without ty and
 * Create with it. HEAD is GET, but for the content of the response, which libmicrohttpd leaves out
 * (RFC 9110 9.3.2). */
static const struct {
    const char *method;
    enum operation operation;
    bool has_content;
    unsigned allowed_by;
} methods[] = {
    {"GET", OPERATION_RETRIEVE, false, OPERATION_BIT(OPERATION_RETRIEVE)},
    {"HEAD", OPERATION_RETRIEVE, false, OPERATION_BIT(OPERATION_RETRIEVE)},
    {"POST", OPERATION_NOTIFY, true,
        OPERATION_BIT(OPERATION_CREATE) | OPERATION_BIT(OPERATION_NOTIFY)},
    {"PUT", OPERATION_UPDATE, true, OPERATION_BIT(OPERATION_UPDATE)},
    {"DELETE", OPERATION_DELETE, false, OPERATION_BIT(OPERATION_DELETE)},
    {"OPTIONS", OPERATION_RETRIEVE, false, OPERATIONS_ALL},
};
#define METHODS_OCTETS 64 /* for the names of all, with a comma and a blank between each two */

static bool has_content(enum operation operation)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (methods[i].operation == operation)
            return methods[i].has_content;
    return false;
}

static void read_method(struct binding *binding, const char *method)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (strcmp(method, methods[i].method) == 0) {
            binding->request.operation = methods[i].operation;
            binding->request.asks_operations = methods[i].allowed_by == OPERATIONS_ALL;
            return;
        }
    binding->request.operation = OPERATION_RETRIEVE; /* so it is refused like one */
    binding->is_unknown_method = true;
    fault_set(first(binding), RESULT_NOT_ALLOWED, "method %.16s stands for no operation", method);
}

/* In absolute form (RFC 9112 3.2.2), scheme and host stand before the path. */
static const char *path_of(const char *target)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
        const char *host = text_after_caseless(target, schemes[i]);
        if (host)
            return strchrnul(host, '/');
    }
    return target;
}

/* Undoes percent-encoding (RFC 3986 2.1): RESULT_BAD_REQUEST when it is malformed or hides a NUL,
 * RESULT_NOT_FOUND when the text does not fit. */
WARN_UNUSED static enum result decode(const char *text, char *out, size_t size, struct fault *fault)
{
    for (char *const end = out + size - 1; *text && out < end; out++) {
        uint8_t octet = (uint8_t)*text++;
        if (octet == '%') {
            char digits[3] = {0};
            strncpy(digits, text, 2);
            if (!bytes_from_hex(digits, &octet, 1) || octet == 0)
                return fault_set(
                    fault, RESULT_BAD_REQUEST, "\"%%%s\" in the URI is no octet", digits);
            text += 2;
        }
        *out = (char)octet;
    }
    *out = '\0';
    return *text ? fault_set(fault, RESULT_NOT_FOUND, "the URI is too long to name a resource")
                 : RESULT_OK;
}

void binding_start(struct binding *binding, const char *method, const char *path)
{
    *binding = (struct binding){
        .request.to = binding->path,
        .fault = {.result = RESULT_OK, .alert = FAULT_NO_ALERT},
    };
    read_method(binding, method);
    if (decode(path_of(path), binding->path, sizeof(binding->path), first(binding)) != RESULT_OK)
        binding->path[0] = '\0';
}

/* --- headers --- */

static const char *const header_names[BINDING_HEADERS] = {
    [BINDING_FROM] = "X-M2M-Origin",
    [BINDING_REQUEST_ID] = "X-M2M-RI",
    [BINDING_RELEASE] = "X-M2M-RVI",
    [BINDING_EXPIRATION] = "X-M2M-RET",
    [BINDING_CONTENT_TYPE] = "Content-Type",
    [BINDING_CONTENT_LENGTH] = "Content-Length",
    [BINDING_TRANSFER_ENCODING] = "Transfer-Encoding",
    [BINDING_HOST] = "Host",
};

/* libmicrohttpd leaves blanks at the end of a value. */
static struct bytes without_blanks(const char *value)
{
    value += strspn(value, " \t");
    struct bytes text = bytes_of_string(value);
    while (text.size > 0 && strchr(" \t", text.data[text.size - 1]))
        text.size--;
    return text;
}

static void keep_header(struct binding *binding, enum binding_header number, const char *value)
{
    struct bytes text = without_blanks(value);

    if (binding->has_header[number]) {
        binding->is_unreadable |=
            number == BINDING_CONTENT_LENGTH || number == BINDING_TRANSFER_ENCODING;
        fault_set(first(binding), RESULT_BAD_REQUEST, "%s comes twice", header_names[number]);
        return;
    }
    binding->has_header[number] = true;
    if (text.size >= sizeof(binding->header[number])) {
        fault_set(first(binding), RESULT_BAD_REQUEST, "%s is longer than %zu octets",
            header_names[number], sizeof(binding->header[number]) - 1);
        return;
    }
    memcpy(binding->header[number], text.data, text.size);
    binding->header[number][text.size] = '\0';
}

void binding_header(struct binding *binding, const char *name, const char *value)
{
    if (text_equal_caseless(name, "Accept"))
        media_accept_add(&binding->accept, value);
    for (size_t i = 0; i < BINDING_HEADERS; i++)
        if (text_equal_caseless(name, header_names[i]))
            keep_header(binding, (enum binding_header)i, value);
}

void binding_query(struct binding *binding, const char *name, const char *value)
{
    const struct {
        const char *name, **field;
        char *text;
        size_t size;
    } queries[] = {
        {"rt", &binding->request.response_type, binding->response_type, BINDING_QUERY_OCTETS},
        {"rcn", &binding->request.result_content, binding->result_content, BINDING_QUERY_OCTETS},
        {"atrl", &binding->request.attribute_list, binding->attribute_list,
            sizeof(binding->attribute_list)},
    };

    for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
        if (strcmp(name, queries[i].name) != 0)
            continue;
        if (*queries[i].field)
            fault_set(first(binding), RESULT_BAD_REQUEST, "%s comes twice", name);
        else if (decode(value ? value : "", queries[i].text, queries[i].size, NULL) != RESULT_OK)
            fault_set(first(binding), RESULT_BAD_REQUEST, "%s is malformed", name);
        *queries[i].field = queries[i].text;
    }
}

/* --- the request as a whole --- */

static const char *header(const struct binding *binding, enum binding_header number)
{
    return binding->has_header[number] ? binding->header[number] : NULL;
}

/* RFC 9112 3.2; TS-0009 6.4 */
void binding_check_host(struct binding *binding, const char *version)
{
    if (!binding->has_header[BINDING_HOST] && strcmp(version, "HTTP/1.0") != 0)
        fault_set(first(binding), RESULT_BAD_REQUEST, "Host is missing");
}

/* A request with two lengths, or with a coding that hides where its body ends (RFC 9112 6.3), may
 * look like another one to a proxy before us, and smuggle in a second request. */
static void check_framing(struct binding *binding, size_t body_limit)
{
    const char *coding = header(binding, BINDING_TRANSFER_ENCODING);
    const char *length = header(binding, BINDING_CONTENT_LENGTH);

    if (coding && (length || !text_equal_caseless(coding, "chunked"))) {
        fault_set(first(binding), RESULT_BAD_REQUEST,
            "Transfer-Encoding other than chunked, or beside Content-Length");
        binding->is_unreadable = true;
    }
    if (length && strtoull(length, NULL, 10) > body_limit) {
        binding_refuse_body(binding, body_limit);
        binding->is_unreadable = true;
    }
}

/* POST with a resource type is Create, without one Notify (TS-0009 6.2.1). */
static void check_content_type(struct binding *binding)
{
    const char *type = header(binding, BINDING_CONTENT_TYPE);
    char supported[MEDIA_LIST_OCTETS];

    if (!has_content(binding->request.operation))
        return;
    media_type_read(type ? type : "", &binding->type);
    binding->request.serialization = binding->type.serialization;
    if (binding->request.operation == OPERATION_NOTIFY && binding->type.has_resource_type) {
        binding->request.operation = OPERATION_CREATE;
        binding->request.resource_type = binding->type.resource_type;
    }
    if (binding->type.is_repeated)
        fault_set(first(binding), RESULT_BAD_REQUEST, "ty comes twice");
    else if (!type)
        fault_set(first(binding), RESULT_UNSUPPORTED_MEDIA, "Content-Type is missing");
    else if (!binding->type.serialization) {
        media_list(false, supported);
        fault_set(first(binding), RESULT_UNSUPPORTED_MEDIA, "content is taken as %s, in UTF-8",
            supported);
    }
}

static void check_accept(struct binding *binding)
{
    char supported[MEDIA_LIST_OCTETS];

    if (media_accept_choice(&binding->accept))
        return;
    media_list(true, supported);
    fault_set(first(binding), RESULT_NOT_ACCEPTABLE, "responses are %s", supported);
}

void binding_finish(struct binding *binding, size_t body_limit)
{
    check_framing(binding, body_limit);
    check_content_type(binding);
    check_accept(binding);
    binding->request.from = header(binding, BINDING_FROM);
    binding->request.request_id = header(binding, BINDING_REQUEST_ID);
    binding->request.release = header(binding, BINDING_RELEASE);
    binding->request.expiration = header(binding, BINDING_EXPIRATION);
}

void binding_refuse_body(struct binding *binding, size_t body_limit)
{
    fault_set(first(binding), RESULT_BAD_MESSAGE, "the body is larger than %zu octets", body_limit);
}

void binding_refuse_for_memory(struct binding *binding)
{
    fault_set(first(binding), RESULT_NO_MEMORY, "out of memory");
}

/* --- response --- */

/* The media type of the response: the one that Accept asks for, or the first of ours when we have
 * none that it accepts, since the refusal has to be written in some media type, too. */
static const char *answer_type(const struct binding *binding)
{
    const char *choice = media_accept_choice(&binding->accept);

    return choice ? choice : content_type(0)->name;
}

const struct serialization *binding_answer_serialization(const struct binding *binding)
{
    return content_serialization(bytes_of_string(answer_type(binding)));
}

/* Leaves the header out where the request had none, or one over MOST octets or with anything but
 * printable ASCII. */
static void echo(const struct binding *binding, enum binding_header number, size_t most,
    binding_writer *write, void *context)
{
    const char *value = binding->header[number];
    size_t length = strlen(value);

    if (length == 0 || length > most)
        return;
    for (size_t i = 0; i < length; i++)
        if (value[i] < ' ' || value[i] > '~')
            return;
    write(context, header_names[number], value);
}

static void write_number(binding_writer *write, void *context, const char *name, unsigned value)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", value);
    write(context, name, text);
}

/* The methods of OPERATIONS (RFC 9110 10.2.1). */
static void write_allow(unsigned operations, binding_writer *write, void *context)
{
    char text[METHODS_OCTETS] = "";
    size_t size = 0;

    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if ((operations & methods[i].allowed_by) != 0)
            size += (size_t)snprintf(
                text + size, sizeof(text) - size, "%s%s", size > 0 ? ", " : "", methods[i].method);
    write(context, "Allow", text);
}

int binding_respond(const struct binding *binding, const struct response *response,
    binding_writer *write, void *context)
{
    write_number(write, context, "X-M2M-RSC", (unsigned)response->rsc);
    echo(binding, BINDING_REQUEST_ID, REQUEST_ID_OCTETS - 1, write, context);
    echo(binding, BINDING_RELEASE, 8, write, context);
    if (response->content.size > 0)
        write(context, "Content-Type", answer_type(binding));
    if (response->location[0])
        write(context, "Content-Location", response->location);
    if (response->retry_after_s > 0)
        write_number(write, context, "Retry-After", response->retry_after_s);
    unsigned operations = binding->is_unknown_method ? OPERATIONS_ALL : response->operations;
    if (operations != 0)
        write_allow(operations, write, context);
    return status_http(response->result, response->rsc);
}
