/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "onem2m/content.h"

#include <string.h>

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
    if (root == CONTENT_SECI && !read->has_sit)
        return fault_set(fault, RESULT_BAD_REQUEST, "sit is missing");
    if (root == CONTENT_SECI && read->sit == SECURITY_INFO_RAND_OBJECT_REQUEST)
        return read->has_message
                   ? fault_set(fault, RESULT_BAD_REQUEST, "eckm has no place beside sit 3")
                   : RESULT_OK;
    if (root == CONTENT_SECI && read->sit != SECURITY_INFO_ESCERTKE)
        return fault_set(fault, RESULT_BAD_REQUEST,
            "sit is not %d (ESCertKE) or %d (request for a random object)", SECURITY_INFO_ESCERTKE,
            SECURITY_INFO_RAND_OBJECT_REQUEST);
    if (!read->has_message)
        return fault_set(fault, RESULT_BAD_REQUEST, "eckm is missing");
    if (read->message->size == 0)
        return fault_set(fault, RESULT_BAD_MESSAGE, "eckm is empty");
    return RESULT_OK;
}

/* Reads into READ, whose message is set; when this fails the message is empty. */
static enum result read_content(const struct request *request, enum content_root root,
    bool is_create, struct key_message *read, struct fault *fault)
{
    enum result result =
        or_first(request->serialization)->read(request->content, root, read, fault);
    if (result == RESULT_OK)
        result = check(read, root, is_create, fault);
    if (result != RESULT_OK)
        buffer_consume(read->message, read->message->size);
    return result;
}

enum result content_read_e2ek(const struct request *request, struct given_attributes *given,
    struct buffer *message, struct fault *fault)
{
    struct key_message read = {.message = message};

    TRY(read_content(request, CONTENT_E2EK, given != NULL, &read, fault));
    if (given)
        *given = read.given;
    return RESULT_OK;
}

enum result content_read_seci(const struct request *request, enum security_info *type,
    struct buffer *message, struct fault *fault)
{
    struct key_message read = {.message = message};

    TRY(read_content(request, CONTENT_SECI, false, &read, fault));
    *type = (enum security_info)read.sit;
    return RESULT_OK;
}

/* --- responses --- */

enum result content_write_e2ek(const struct e2ek *e2ek, const char *uri, struct response *response)
{
    return or_first(response->serialization)->write_e2ek(e2ek, uri, &response->content);
}

/* Sets the bits of the attributes that CSE_BASE is asked for. One that it does not have is a bad
 * request. */
static enum result choose_attributes(struct cse_base *cse_base, struct fault *fault)
{
#define NAME(name) #name,
    static const char *const names[] = {CSE_BASE_ATTRIBUTES(NAME)};
#undef NAME
    uint32_t all = (UINT32_C(1) << CSE_BASE_COUNT) - 1;

    if (cse_base->poa_count == 0)
        all &= ~(UINT32_C(1) << CSE_BASE_poa);
    cse_base->chosen = cse_base->only ? 0 : all;
    for (const char *at = cse_base->only ? cse_base->only : ""; *at;) {
        size_t size = strcspn(at, "+ "), i = 0;
        while (i < CSE_BASE_COUNT &&
               !(all >> i & 1 && strlen(names[i]) == size && memcmp(names[i], at, size) == 0))
            i++;
        if (i == CSE_BASE_COUNT)
            return fault_set(fault, RESULT_BAD_REQUEST,
                "atrl: this resource has no attribute \"%.*s\"", (int)size, at);
        cse_base->chosen |= UINT32_C(1) << i;
        at += size + (at[size] != '\0');
    }
    return cse_base->chosen != 0 ? RESULT_OK
                                 : fault_set(fault, RESULT_BAD_REQUEST, "atrl names no attribute");
}

enum result content_write_cse_base(
    struct cse_base *cse_base, struct response *response, struct fault *fault)
{
    const char *csz[ARRAY_SIZE(serializations)];

    for (size_t i = 0; i < ARRAY_SIZE(serializations); i++)
        csz[i] = serializations[i]->types[0].name;
    cse_base->csz = csz;
    cse_base->csz_count = ARRAY_SIZE(csz);
    TRY(choose_attributes(cse_base, fault));
    enum result result =
        or_first(response->serialization)->write_cse_base(cse_base, &response->content);
    return result == RESULT_OK ? result : fault_set(fault, result, "%s", result_text(result));
}

enum result content_write_seci(struct bytes message, struct response *response)
{
    return or_first(response->serialization)
        ->write_message(CONTENT_SECI, message, &response->content);
}

enum result content_write_rand_object(
    const struct rand_object_content *object, struct response *response)
{
    return or_first(response->serialization)->write_rand_object(object, &response->content);
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
