/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "onem2m/content.h"

#include "base/text.h"
#include "onem2m/json.h"

/* The first one is used for primitives that name none. */
static const struct serialization *const serializations[] = {&json_serialization};

_Static_assert(ARRAY_SIZE(serializations) * SERIALIZATION_TYPES_MAX <= CONTENT_TYPES_MAX,
    "every media type has its number");

static const struct serialization *or_first(const struct serialization *serialization)
{
    return serialization ? serialization : serializations[0];
}

/* --- media types --- */

const struct serialization_type *content_type(size_t number)
{
    for (size_t i = 0; i < ARRAY_SIZE(serializations); i++)
        for (size_t j = 0; j < SERIALIZATION_TYPES_MAX && serializations[i]->types[j].name; j++)
            if (number-- == 0)
                return &serializations[i]->types[j];
    return NULL;
}

const struct serialization *content_serialization(struct bytes name)
{
    for (size_t i = 0; i < ARRAY_SIZE(serializations); i++)
        for (size_t j = 0; j < SERIALIZATION_TYPES_MAX && serializations[i]->types[j].name; j++) {
            const char *ours = serializations[i]->types[j].name;
            if (bytes_equal_caseless(name, bytes_of_string(ours)))
                return serializations[i];
        }
    return NULL;
}

/* --- requests --- */

/* Checks what a request must have in every serialization. */
static enum result check(
    const struct key_message *read, enum content_root root, bool is_create, struct fault *fault)
{
    if (read->create_only && !is_create)
        return fault_set(
            fault, RESULT_BAD_REQUEST, "%s can only be given in Create", read->create_only);
    if (!read->has_message)
        return fault_set(fault, RESULT_BAD_REQUEST, "eckm is missing");
    if (root == CONTENT_SECI && !read->has_sit)
        return fault_set(fault, RESULT_BAD_REQUEST, "sit is missing");
    if (root == CONTENT_SECI && read->sit != SECURITY_INFO_ESCERTKE)
        return fault_set(
            fault, RESULT_BAD_REQUEST, "sit is not %d (ESCertKE)", SECURITY_INFO_ESCERTKE);
    if (read->message->size == 0)
        return fault_set(fault, RESULT_BAD_MESSAGE, "eckm is empty");
    return RESULT_OK;
}

static enum result read_message(const struct request *request, enum content_root root,
    struct given_attributes *given, struct buffer *message, struct fault *fault)
{
    struct key_message read = {.message = message};

    enum result result =
        or_first(request->serialization)->read(request->content, root, &read, fault);
    if (result == RESULT_OK)
        result = check(&read, root, given != NULL, fault);
    if (result != RESULT_OK)
        buffer_consume(message, message->size);
    else if (given)
        *given = read.given;
    return result;
}

enum result content_read_e2ek(const struct request *request, struct given_attributes *given,
    struct buffer *message, struct fault *fault)
{
    return read_message(request, CONTENT_E2EK, given, message, fault);
}

enum result content_read_seci(
    const struct request *request, struct buffer *message, struct fault *fault)
{
    return read_message(request, CONTENT_SECI, NULL, message, fault);
}

/* --- responses --- */

enum result content_write_e2ek(const struct e2ek *e2ek, const char *uri, struct response *response)
{
    return or_first(response->serialization)->write_e2ek(e2ek, uri, &response->content);
}

enum result content_write_seci(struct bytes message, struct response *response)
{
    return or_first(response->serialization)
        ->write_message(CONTENT_SECI, message, &response->content);
}

enum result content_write_refusal(const struct refusal_content *refusal, struct response *response)
{
    return or_first(response->serialization)->write_refusal(refusal, &response->content);
}

/* --- at the Initiating End-Point --- */

enum result content_write_message(const struct serialization *serialization, enum content_root root,
    struct bytes message, struct buffer *out)
{
    return or_first(serialization)->write_message(root, message, out);
}

enum result content_read_answer(const struct serialization *serialization, struct bytes content,
    struct answer_content *out, struct fault *fault)
{
    enum result result = or_first(serialization)->read_answer(content, out, fault);
    if (result != RESULT_OK)
        buffer_consume(&out->message, out->message.size);
    return result;
}
