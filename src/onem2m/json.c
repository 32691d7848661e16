/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading is left to jansson. Writing is direct: the shapes are few, and base64 is encoded
 * in place. */
#include "onem2m/json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "base/wipe.h"
#include "onem2m/primitive.h"

#define COMMON_OCTETS 1024 /* usually enough for all of an exchange but eckm */

/* --- reading --- */

DEFINE_CLEANUP(json_t *, json_decref)

typedef enum result read_member(json_t *value, struct key_message *out, struct fault *fault);

static enum result read_rn(json_t *value, struct key_message *out, struct fault *fault)
{
    out->create_only = "rn";
    return json_string_length(value) > 0 ? RESULT_OK
                                         : fault_set(fault, RESULT_BAD_REQUEST, "rn is not a name");
}

static enum result read_et(json_t *value, struct key_message *out, struct fault *fault)
{
    const char *text = json_string_value(value);

    out->create_only = "et";
    return text && timestamp_read(text, &out->given.et_us)
               ? RESULT_OK
               : fault_set(fault, RESULT_BAD_REQUEST, "et is not a time, " TIMESTAMP_SHAPE);
}

/* jansson refuses strings with a NUL in them. */
static enum result read_lbl(json_t *value, struct key_message *out, struct fault *fault)
{
    struct given_attributes *given = &out->given;
    json_t *each;
    size_t i;

    out->create_only = "lbl";
    if (!json_is_array(value))
        return fault_set(fault, RESULT_BAD_REQUEST, "lbl is not a list");
    json_array_foreach(value, i, each)
    {
        size_t size = json_string_length(each) + 1;
        if (size == 1)
            return fault_set(fault, RESULT_BAD_REQUEST, "lbl has an element that is not a text");
        if (size > sizeof(given->labels) - given->labels_octets)
            return fault_set(fault, RESULT_BAD_REQUEST,
                "lbl is larger than %d octets, with one for each text", LABELS_OCTETS);
        memcpy(given->labels + given->labels_octets, json_string_value(each), size);
        given->labels_octets += size;
    }
    return RESULT_OK;
}

/* Some CSEs turn 6 into 6.0 when they forward it. */
static enum result read_sit(json_t *value, struct key_message *out, struct fault *fault)
{
    double number = json_number_value(value); /* 0 for what is not a number */

    (void)fault;
    out->has_sit = true;
    out->sit = number >= 1 && number <= UINT8_MAX ? (int)number : 0;
    if (out->sit != number)
        out->sit = 0;
    return RESULT_OK;
}

static enum result decode_eckm(const json_t *value, struct buffer *out, struct fault *fault)
{
    struct bytes text = bytes_of(json_string_value(value), json_string_length(value));

    if (!json_is_string(value))
        return fault_set(fault, RESULT_BAD_REQUEST, "eckm is not a string");
    enum result result = base64_decode_spaced(text, out); /* TS-0004 6.3.3: xs:base64Binary */
    switch (result) {
    case RESULT_OK:
        return RESULT_OK;
    case RESULT_BUSY:
        return fault_set(fault, RESULT_BAD_MESSAGE, "eckm is larger than %zu octets", out->limit);
    case RESULT_BAD_INPUT:
        return fault_set(
            fault, RESULT_BAD_REQUEST, "eckm is not base64 (RFC 4648 section 4, with padding)");
    default:
        return fault_set(fault, result, "%s", result_text(result));
    }
}

static enum result read_eckm(json_t *value, struct key_message *out, struct fault *fault)
{
    out->has_message = true;
    return decode_eckm(value, out->message, fault);
}

static const struct {
    enum content_root root;
    const char *name;
    read_member *read;
} members[] = {
    {CONTENT_E2EK, "eckm", read_eckm},
    {CONTENT_E2EK, "et", read_et},
    {CONTENT_E2EK, "lbl", read_lbl},
    {CONTENT_E2EK, "rn", read_rn},
    {CONTENT_SECI, "eckm", read_eckm},
    {CONTENT_SECI, "sit", read_sit},
};

static const char *const root_names[] = {[CONTENT_E2EK] = "m2m:e2ek", [CONTENT_SECI] = "m2m:seci"};

static read_member *find_reader(enum content_root root, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        if (members[i].root == root && strcmp(members[i].name, name) == 0)
            return members[i].read;
    return NULL;
}

static enum result parse(struct bytes content, json_t **out, struct fault *fault)
{
    json_error_t error;
    unsigned failures = wiping_failures();

    *out = NULL;
    if (content.size == 0)
        return fault_set(fault, RESULT_BAD_REQUEST, "content is not JSON: it is empty");
    *out = json_loadb((const char *)content.data, content.size, JSON_REJECT_DUPLICATES, &error);
    /* Also with a result: where jansson has no memory for an octet of a string, it leaves it out.
     */
    if (wiping_failures() != failures)
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    return *out
               ? RESULT_OK
               : fault_set(fault, RESULT_BAD_REQUEST, "content is not JSON: line %d, column %d: %s",
                     error.line, error.column, error.text);
}

/* Refuses the notifications that oneM2M has and we do not take (m2m:sgn, m2m:seci of another kind)
 * by that, whatever else they hold: their senders have nothing to correct. */
static enum result check_notification(const json_t *whole, struct fault *fault)
{
    void *first = json_object_iter((json_t *)whole);
    const char *name = first && json_object_size(whole) == 1 ? json_object_iter_key(first) : "";
    struct key_message kind = {0};

    if (strncmp(name, "m2m:", 4) == 0 && strcmp(name, root_names[CONTENT_E2EK]) != 0 &&
        strcmp(name, root_names[CONTENT_SECI]) != 0)
        return fault_set(fault, RESULT_UNSUPPORTED_NOTIFICATION,
            "%s is not taken here: a notification is m2m:seci", name);
    TRY(read_sit(
        json_object_get(json_object_get(whole, root_names[CONTENT_SECI]), "sit"), &kind, fault));
    switch (kind.sit) {
    case 0: /* no kind at all */
    case SECURITY_INFO_RAND_OBJECT_REQUEST:
    case SECURITY_INFO_ESCERTKE:
        return RESULT_OK;
    default:
        return fault_set(fault, RESULT_UNSUPPORTED_NOTIFICATION,
            "m2m:seci with sit %d is not taken here", kind.sit);
    }
}

static enum result read_json(
    struct bytes content, enum content_root root, struct key_message *out, struct fault *fault)
{
    const char *name;
    json_t *value;
    json_t *whole CLEANUP(auto_json_decref) = NULL;

    TRY(parse(content, &whole, fault));
    if (root == CONTENT_SECI)
        TRY(check_notification(whole, fault));
    json_t *object = json_object_get(whole, root_names[root]);
    if (!json_is_object(object) || json_object_size(whole) != 1)
        return fault_set(fault, RESULT_BAD_REQUEST,
            "content is not {\"%s\":{...}} and nothing else", root_names[root]);
    json_object_foreach(object, name, value)
    {
        read_member *read = find_reader(root, name);
        if (!read)
            return fault_set(fault, RESULT_BAD_REQUEST, "unknown member \"%s\"", name);
        TRY(read(value, out, fault));
    }
    return RESULT_OK;
}

/* OUT stays empty if the text is absent, or if it has to be WHOLE and is too long. */
static void read_text(const json_t *object, const char *name, bool whole, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (text && (!whole || strlen(text) < size))
        bytes_escape(bytes_of_string(text), out, size);
}

static enum result read_answer(
    struct bytes content, struct answer_content *out, struct fault *fault)
{
    json_t *whole CLEANUP(auto_json_decref) = NULL;

    TRY(parse(content, &whole, fault));
    const json_t *object = json_object_get(whole, root_names[CONTENT_E2EK]);
    if (!object)
        object = json_object_get(whole, root_names[CONTENT_SECI]);
    read_text(whole, "m2m:dbg", false, out->reason, sizeof(out->reason));
    read_text(object, "kid", true, out->key_id, sizeof(out->key_id));
    read_text(object, "lid", true, out->local, sizeof(out->local));
    read_text(object, "rn", true, out->name, sizeof(out->name));
    read_text(object, "pi", true, out->parent, sizeof(out->parent));
    const char *expires = json_string_value(json_object_get(object, "kex"));
    int64_t expires_us;
    if (expires && timestamp_read(expires, &expires_us))
        out->key_expires_s = expires_us / 1000000;
    const json_t *eckm = json_object_get(object, "eckm");
    return eckm ? decode_eckm(eckm, &out->message, fault) : RESULT_OK;
}

/* --- writing: after a failure, nothing more is written --- */

struct json_writer {
    struct buffer *out;
    enum result result;
};

static void put(struct json_writer *writer, const void *data, size_t size)
{
    if (writer->result == RESULT_OK)
        writer->result = buffer_append(writer->out, data, size);
}

static void put_text(struct json_writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

/* Everything beyond ASCII is copied as it is. */
static void put_escaped(struct json_writer *writer, const char *text)
{
    char escape[JSON_ESCAPE_OCTETS];

    while (*text) {
        size_t plain = 0, size = 0;
        while (text[plain] && (size = json_escape(text[plain], escape)) == 1)
            plain++;
        put(writer, text, plain);
        text += plain;
        if (*text) {
            put(writer, escape, size);
            text++;
        }
    }
}

/* In these, NAME is what comes before the value: `"rn":` for the first member of an object,
 * `,"rn":` for others. */
static void put_string(struct json_writer *writer, const char *name, const char *value)
{
    if (!value)
        return;
    put_text(writer, name);
    put_text(writer, "\"");
    put_escaped(writer, value);
    put_text(writer, "\"");
}

static void put_number(struct json_writer *writer, const char *name, int value)
{
    char text[16];

    put_text(writer, name);
    snprintf(text, sizeof(text), "%d", value);
    put_text(writer, text);
}

static void put_time(struct json_writer *writer, const char *name, int64_t wall_s)
{
    char text[TIMESTAMP_OCTETS];

    timestamp_format(wall_s, text);
    put_string(writer, name, text);
}

/* A list of the texts in TEXTS, of which each is ended by a NUL. */
static void put_texts(struct json_writer *writer, const char *name, struct bytes texts)
{
    const char *text = (const char *)texts.data, *end = text + texts.size;

    put_text(writer, name);
    for (const char *between = "["; text < end; text += strlen(text) + 1, between = ",")
        put_string(writer, between, text);
    put_text(writer, "]");
}

static void put_base64(struct json_writer *writer, const char *name, struct bytes octets)
{
    put_text(writer, name);
    put_text(writer, "\"");
    if (writer->result == RESULT_OK)
        writer->result = base64_encode(octets, writer->out);
    put_text(writer, "\"");
}

/* e2eSecInfo (TS-0004 6.3.5.52). Its features are the certificates' uses: ESPrim (43), ESData
 * encryption (44), ESData signature (45). */
static void put_security_info(struct json_writer *writer, const char *name, bool esprim,
    const struct bytes *certificates, size_t certificate_count)
{
    put_text(writer, name);
    put_text(writer, esprim ? "{\"esf\":[43,44,45]" : "{\"esf\":[44,45]");
    put_text(writer, ",\"escert\":[");
    for (size_t i = 0; i < certificate_count; i++)
        put_base64(writer, i > 0 ? "," : "", certificates[i]);
    put_text(writer, "]}");
}

static void put_e2ek(struct json_writer *writer, const struct e2ek *e2ek)
{
    put_string(writer, "\"m2m:e2ek\":{\"rn\":", e2ek->rn);
    put_number(writer, ",\"ty\":", e2ek->ty);
    put_string(writer, ",\"ri\":", e2ek->ri);
    put_string(writer, ",\"pi\":", e2ek->pi);
    put_time(writer, ",\"ct\":", e2ek->ct_s);
    put_time(writer, ",\"lt\":", e2ek->lt_s);
    if (e2ek->et_s != 0)
        put_time(writer, ",\"et\":", e2ek->et_s);
    if (e2ek->labels.size > 0)
        put_texts(writer, ",\"lbl\":", e2ek->labels);
    if (e2ek->est != 0)
        put_number(writer, ",\"est\":", e2ek->est);
    put_string(writer, ",\"kid\":", e2ek->kid);
    if (e2ek->kex_s != 0)
        put_time(writer, ",\"kex\":", e2ek->kex_s);
    put_string(writer, ",\"lid\":", e2ek->lid);
    if (e2ek->message.size > 0)
        put_base64(writer, ",\"eckm\":", e2ek->message);
    if (e2ek->entry_point)
        put_security_info(
            writer, ",\"esi\":", e2ek->esprim, e2ek->certificates, e2ek->certificate_count);
    put_text(writer, "}");
}

/* Reserves the memory at once, instead of piece by piece. */
static enum result reserve(struct buffer *out, size_t message_octets)
{
    size_t size = COMMON_OCTETS + BASE64_OCTETS(message_octets);
    size_t room = out->limit - out->size;
    return buffer_reserve(out, size < room ? size : room);
}

static enum result write_e2ek(const struct e2ek *e2ek, const char *uri, struct buffer *out)
{
    struct json_writer writer = {.out = out, .result = reserve(out, e2ek->message.size)};

    if (uri) {
        put_string(&writer, "{\"m2m:rce\":{\"uri\":", uri);
        put_text(&writer, ",");
    } else {
        put_text(&writer, "{");
    }
    put_e2ek(&writer, e2ek);
    put_text(&writer, uri ? "}}" : "}");
    return writer.result;
}

static void put_strings(
    struct json_writer *writer, const char *name, const char *const *values, size_t count)
{
    put_text(writer, name);
    put_text(writer, "[");
    for (size_t i = 0; i < count; i++)
        put_string(writer, i > 0 ? "," : "", values[i]);
    put_text(writer, "]");
}

static void put_cse_base_attribute(
    struct json_writer *writer, const struct cse_base *cse_base, enum cse_base_attribute attribute)
{
    switch (attribute) {
    case CSE_BASE_rn:
        put_string(writer, "\"rn\":", cse_base->rn);
        break;
    case CSE_BASE_ty:
        put_number(writer, "\"ty\":", RESOURCE_TYPE_CSE_BASE);
        break;
    case CSE_BASE_ri:
        put_string(writer, "\"ri\":", cse_base->ri);
        break;
    case CSE_BASE_ct:
        put_time(writer, "\"ct\":", cse_base->ct_s);
        break;
    case CSE_BASE_lt:
        put_time(writer, "\"lt\":", cse_base->lt_s);
        break;
    case CSE_BASE_cst: /* an IN-CSE */
        put_text(writer, "\"cst\":1");
        break;
    case CSE_BASE_csi:
        put_string(writer, "\"csi\":", cse_base->csi);
        break;
    case CSE_BASE_srt:
        for (size_t i = 0; i < cse_base->srt_count; i++)
            put_number(writer, i > 0 ? "," : "\"srt\":[", cse_base->srt[i]);
        put_text(writer, "]");
        break;
    case CSE_BASE_poa:
        put_strings(writer, "\"poa\":", cse_base->poa, cse_base->poa_count);
        break;
    case CSE_BASE_rr:
        put_text(writer, "\"rr\":true");
        break;
    case CSE_BASE_srv:
        put_strings(writer, "\"srv\":", cse_base->srv, cse_base->srv_count);
        break;
    case CSE_BASE_csz:
        put_strings(writer, "\"csz\":", cse_base->csz, cse_base->csz_count);
        break;
    case CSE_BASE_esi:
        put_security_info(writer, "\"esi\":", cse_base->esprim, cse_base->certificates,
            cse_base->certificate_count);
        break;
    case CSE_BASE_COUNT:
        break;
    }
}

static enum result write_cse_base(const struct cse_base *cse_base, struct buffer *out)
{
    struct json_writer writer = {.out = out, .result = reserve(out, 0)};
    const char *before = "{\"m2m:cb\":{";

    for (int i = 0; i < CSE_BASE_COUNT; i++)
        if (cse_base->chosen >> i & 1) {
            put_text(&writer, before);
            put_cse_base_attribute(&writer, cse_base, (enum cse_base_attribute)i);
            before = ",";
        }
    put_text(&writer, "}}");
    return writer.result;
}

static enum result write_message(enum content_root root, struct bytes message, struct buffer *out)
{
    struct json_writer writer = {.out = out, .result = reserve(out, message.size)};

    if (root == CONTENT_SECI)
        put_number(&writer, "{\"m2m:seci\":{\"sit\":", SECURITY_INFO_ESCERTKE);
    else
        put_text(&writer, "{\"m2m:e2ek\":{");
    put_base64(&writer, root == CONTENT_SECI ? ",\"eckm\":" : "\"eckm\":", message);
    put_text(&writer, "}}");
    return writer.result;
}

static enum result write_rand_object(const struct rand_object_content *object, struct buffer *out)
{
    struct json_writer writer = {.out = out, .result = reserve(out, 0)};

    put_number(&writer, "{\"m2m:seci\":{\"sit\":", SECURITY_INFO_RAND_OBJECT);
    put_string(&writer, ",\"ero\":{\"esri\":", object->id);
    put_string(&writer, ",\"esrv\":", object->value);
    put_time(&writer, ",\"esrx\":", object->expires_s);
    put_text(&writer, ",\"esks\":[1],\"espa\":[12]}}}"); /* TS-0004 6.3.4.2.36 and 37 */
    return writer.result;
}

static enum result write_refusal(const struct refusal_content *refusal, struct buffer *out)
{
    struct json_writer writer = {.out = out, .result = reserve(out, refusal->alert.size)};

    put_string(&writer, "{\"m2m:dbg\":", refusal->text);
    if (refusal->alert.size > 0) {
        if (refusal->root == CONTENT_SECI)
            put_number(&writer, ",\"m2m:seci\":{\"sit\":", SECURITY_INFO_ESCERTKE);
        else
            put_number(&writer, ",\"m2m:e2ek\":{\"est\":", EST_FAILED);
        put_base64(&writer, ",\"eckm\":", refusal->alert);
        put_text(&writer, "}");
    }
    put_text(&writer, "}");
    return writer.result;
}

/* TS-0009 6.4 */
const struct serialization json_serialization = {
    .types =
        {
            {"application/json", .is_answer = true},
            {"application/vnd.onem2m-res+json", .is_answer = true},
            {"application/vnd.onem2m-ntfy+json", .is_answer = false},
        },
    .read = read_json,
    .read_answer = read_answer,
    .write_e2ek = write_e2ek,
    .write_cse_base = write_cse_base,
    .write_message = write_message,
    .write_rand_object = write_rand_object,
    .write_refusal = write_refusal,
};
