/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading is jansson's. Writing is direct: few shapes, and base64 goes straight to its place. */
#include "onem2m/representation.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"

#define SECURITY_INFO_ESCERTKE 6    /* sit (TS-0004 6.3.4.2.35) */
#define COMMON_OCTETS          1024 /* all of an exchange but eckm, as a rule */

/* --- reading --- */

DEFINE_CLEANUP(json_t *, json_decref)

struct reading {
    bool rn_allowed, is_seci, has_sit;
    json_t *message; /* eckm; borrowed */
};

typedef enum result read_member(json_t *value, struct reading *reading, struct fault *fault);

static enum result read_rn(json_t *value, struct reading *reading, struct fault *fault)
{
    if (!reading->rn_allowed)
        return fault_set(fault, RESULT_BAD_REQUEST, "rn can only be given in Create");
    /* Names of exchanges are unguessable, so the one that is asked for is not the one given. */
    return json_is_string(value) && json_string_length(value) > 0
               ? RESULT_OK
               : fault_set(fault, RESULT_BAD_REQUEST, "rn is not a name");
}

/* Some CSEs pass 6 on as 6.0. */
static enum result read_sit(json_t *value, struct reading *reading, struct fault *fault)
{
    reading->has_sit = true;
    return json_is_number(value) && json_number_value(value) == SECURITY_INFO_ESCERTKE
               ? RESULT_OK
               : fault_set(
                     fault, RESULT_BAD_REQUEST, "sit is not %d (ESCertKE)", SECURITY_INFO_ESCERTKE);
}

static enum result read_eckm(json_t *value, struct reading *reading, struct fault *fault)
{
    reading->message = value;
    return json_is_string(value) ? RESULT_OK
                                 : fault_set(fault, RESULT_BAD_REQUEST, "eckm is not a string");
}

static const struct {
    const char *name;
    bool of_e2ek, of_seci;
    read_member *read;
} members[] = {
    {"eckm", true, true, read_eckm},
    {"rn", true, false, read_rn},
    {"sit", false, true, read_sit},
};

static enum result read_named(
    const char *name, json_t *value, struct reading *reading, struct fault *fault)
{
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        if (strcmp(name, members[i].name) == 0 &&
            (reading->is_seci ? members[i].of_seci : members[i].of_e2ek))
            return members[i].read(value, reading, fault);
    return fault_set(fault, RESULT_BAD_REQUEST, "unknown member \"%s\"", name);
}

static enum result read_members(json_t *object, struct reading *reading, struct fault *fault)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        enum result result = read_named(name, value, reading, fault);
        if (result != RESULT_OK)
            return result;
    }
    if (!reading->message)
        return fault_set(fault, RESULT_BAD_REQUEST, "eckm is missing");
    if (reading->is_seci && !reading->has_sit)
        return fault_set(fault, RESULT_BAD_REQUEST, "sit is missing");
    return RESULT_OK;
}

static enum result decode_message(json_t *eckm, struct buffer *message, struct fault *fault)
{
    struct bytes text = bytes_of(json_string_value(eckm), json_string_length(eckm));

    if (text.size == 0)
        return fault_set(fault, RESULT_BAD_MESSAGE, "eckm is empty");
    enum result result = base64_decode(text, message);
    if (result == RESULT_BUSY)
        return fault_set(
            fault, RESULT_BAD_MESSAGE, "eckm is larger than %zu octets", message->limit);
    if (result == RESULT_BAD_INPUT)
        return fault_set(
            fault, RESULT_BAD_REQUEST, "eckm is not base64 (RFC 4648 section 4, with padding)");
    return result == RESULT_OK ? result : fault_set(fault, result, "%s", result_text(result));
}

/* {"ROOT":{…}} and nothing beside it. */
static enum result read_content(struct bytes json, const char *root, struct reading *reading,
    struct buffer *message, struct fault *fault)
{
    json_error_t error;
    json_t *content CLEANUP(auto_json_decref) = json_loadb(
        (const char *)json.data, json.data ? json.size : 0, JSON_REJECT_DUPLICATES, &error);

    if (!content)
        return fault_set(fault, RESULT_BAD_REQUEST, "content is not JSON: line %d, column %d: %s",
            error.line, error.column, error.text);
    json_t *object = json_object_get(content, root);
    if (!json_is_object(object) || json_object_size(content) != 1)
        return fault_set(
            fault, RESULT_BAD_REQUEST, "content is not {\"%s\":{...}} and nothing else", root);
    enum result result = read_members(object, reading, fault);
    return result == RESULT_OK ? decode_message(reading->message, message, fault) : result;
}

enum result representation_read_e2ek(
    struct bytes json, bool rn_allowed, struct buffer *message, struct fault *fault)
{
    struct reading reading = {.rn_allowed = rn_allowed};
    return read_content(json, "m2m:e2ek", &reading, message, fault);
}

enum result representation_read_seci(struct bytes json, struct buffer *message, struct fault *fault)
{
    struct reading reading = {.is_seci = true};
    return read_content(json, "m2m:seci", &reading, message, fault);
}

/* --- writing: the first failure stays and ends it --- */

struct writer {
    struct buffer *out;
    enum result result;
};

static void put(struct writer *writer, const void *data, size_t size)
{
    if (writer->result == RESULT_OK)
        writer->result = buffer_append(writer->out, data, size);
}

static void put_text(struct writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static void put_escaped(struct writer *writer, const char *text)
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

/* NAME is a member's start: `"rn":`, with a comma before it but for the first. */
static void put_string(struct writer *writer, const char *name, const char *value)
{
    if (!value)
        return;
    put_text(writer, name);
    put_text(writer, "\"");
    put_escaped(writer, value);
    put_text(writer, "\"");
}

static void put_number(struct writer *writer, const char *name, int value)
{
    char text[16];

    put_text(writer, name);
    snprintf(text, sizeof(text), "%d", value);
    put_text(writer, text);
}

static void put_time(struct writer *writer, const char *name, int64_t wall_s)
{
    char text[TIMESTAMP_OCTETS];

    timestamp_format(wall_s, text);
    put_string(writer, name, text);
}

static void put_base64(struct writer *writer, const char *name, struct bytes octets)
{
    put_text(writer, name);
    put_text(writer, "\"");
    if (writer->result == RESULT_OK)
        writer->result = base64_encode(octets, writer->out);
    put_text(writer, "\"");
}

/* e2eSecInfo (TS-0004 6.3.5.52): certificates for ESPrim, ESData encryption, ESData signature. */
static void put_security_info(struct writer *writer, const struct e2ek *e2ek)
{
    put_text(writer, ",\"esi\":{\"esf\":[43,44,45],\"escert\":[");
    for (size_t i = 0; i < e2ek->certificate_count; i++)
        put_base64(writer, i > 0 ? "," : "", e2ek->certificates[i]);
    put_text(writer, "]}");
}

static void put_e2ek(struct writer *writer, const struct e2ek *e2ek)
{
    put_string(writer, "\"m2m:e2ek\":{\"rn\":", e2ek->rn);
    put_number(writer, ",\"ty\":", e2ek->ty);
    put_string(writer, ",\"ri\":", e2ek->ri);
    put_string(writer, ",\"pi\":", e2ek->pi);
    put_time(writer, ",\"ct\":", e2ek->ct_s);
    put_time(writer, ",\"lt\":", e2ek->lt_s);
    if (e2ek->et_s != 0)
        put_time(writer, ",\"et\":", e2ek->et_s);
    if (e2ek->est != 0)
        put_number(writer, ",\"est\":", e2ek->est);
    put_string(writer, ",\"kid\":", e2ek->kid);
    put_string(writer, ",\"lid\":", e2ek->lid);
    if (e2ek->message.size > 0)
        put_base64(writer, ",\"eckm\":", e2ek->message);
    if (e2ek->entry_point)
        put_security_info(writer, e2ek);
    put_text(writer, "}");
}

/* One allocation instead of several that grow. */
static enum result reserve(struct buffer *out, size_t message_octets)
{
    size_t size = COMMON_OCTETS + BASE64_OCTETS(message_octets);
    size_t room = out->limit - out->size;
    return buffer_reserve(out, size < room ? size : room);
}

enum result representation_write_e2ek(const struct e2ek *e2ek, const char *uri, struct buffer *out)
{
    struct writer writer = {.out = out, .result = reserve(out, e2ek->message.size)};

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

enum result representation_write_seci(struct bytes message, struct buffer *out)
{
    struct writer writer = {.out = out, .result = reserve(out, message.size)};

    put_number(&writer, "{\"m2m:seci\":{\"sit\":", SECURITY_INFO_ESCERTKE);
    put_base64(&writer, ",\"eckm\":", message);
    put_text(&writer, "}}");
    return writer.result;
}

enum result representation_write_refusal(
    const char *text, struct bytes alert, bool notify, struct buffer *out)
{
    struct writer writer = {.out = out, .result = reserve(out, alert.size)};

    put_string(&writer, "{\"m2m:dbg\":", text);
    if (alert.size > 0) {
        if (notify)
            put_number(&writer, ",\"m2m:seci\":{\"sit\":", SECURITY_INFO_ESCERTKE);
        else
            put_number(&writer, ",\"m2m:e2ek\":{\"est\":", EST_FAILED);
        put_base64(&writer, ",\"eckm\":", alert);
        put_text(&writer, "}");
    }
    put_text(&writer, "}");
    return writer.result;
}
