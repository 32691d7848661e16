/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "identity/flavour.h"
#include "policy/policy.h"

/* --- replies without keys: by jansson --- */

static int append_piece(const char *piece, size_t size, void *out)
{
    return buffer_append(out, piece, size) == RESULT_OK ? 0 : -1;
}

/* Appends MESSAGE, which it takes over, with its NUL. */
static enum result append_message(struct buffer *out, json_t *message)
{
    if (!message)
        return RESULT_NO_MEMORY;
    size_t before = out->size;
    int written = json_dump_callback(message, append_piece, out, JSON_COMPACT);
    json_decref(message);
    if (written == 0 && buffer_append(out, "", 1) == RESULT_OK)
        return RESULT_OK;
    out->size = before;
    return RESULT_BUSY;
}

enum result reply_json(struct buffer *out, json_t *parameters)
{
    return append_message(out, json_pack("{s:o}", "parameters", parameters));
}

enum result reply_error(struct buffer *out, const char *error)
{
    return append_message(out, json_pack("{s:s, s:{}}", "error", error, "parameters"));
}

enum result reply_error_about(
    struct buffer *out, const char *error, const char *name, const char *value)
{
    return append_message(
        out, json_pack("{s:s, s:{s:s}}", "error", error, "parameters", name, value));
}

/* --- replies with a key: by hand, as jansson would leave copies of it in memory --- */

/* Room for one reply: identifiers may grow by escapes, everything else is short. */
#define KEY_REPLY_OCTETS (2 * JSON_ESCAPE_OCTETS * IDENTIFIER_OCTETS + 512)

/* Each of these writes to AT, and returns the end of what it wrote. */
static char *put(char *at, const char *text)
{
    return stpcpy(at, text);
}

static char *put_escaped(char *at, const char *text)
{
    for (; *text; text++)
        at += json_escape(*text, at);
    return at;
}

static char *put_hex(char *at, struct bytes octets)
{
    bytes_to_hex(octets, at);
    return at + 2 * octets.size;
}

static char *put_base64(char *at, struct bytes octets)
{
    base64_encode_text(octets, at);
    return at + BASE64_OCTETS(octets.size);
}

static char *put_number(char *at, int64_t number)
{
    return at + sprintf(at, "%" PRId64, number);
}

static char *put_suite(char *at, uint16_t code)
{
    for (size_t i = 0; i < policy_suite_count; i++)
        if (policy_suites[i].code == code)
            return put(at, policy_suites[i].name);
    return at + sprintf(at, "0x%04X", code);
}

static char *put_key(char *at, const struct key_info *info, const uint8_t *key)
{
    at = put(at, "{\"keyId\":\"");
    at = put_hex(at, bytes_of(info->id, KEY_ID_OCTETS));
    if (key) {
        at = put(at, "\",\"key\":\"");
        at = put_base64(at, bytes_of(key, KEY_OCTETS));
    }
    at = put(at, "\",\"peer\":\"");
    at = put_escaped(at, info->peer);
    at = put(at, "\",\"local\":\"");
    at = put_escaped(at, info->local);
    at = put(at, info->role == KEY_ROLE_INITIATING ? "\",\"role\":\"initiating"
                                                   : "\",\"role\":\"terminating");
    at = put(at, "\",\"flavour\":\"");
    at = put(at, flavour_name(info->flavour));
    at = put(at, "\",\"cipherSuite\":\"");
    at = put_suite(at, info->cipher_suite);
    at = put(at, "\",\"established\":");
    at = put_number(at, info->established_s);
    at = put(at, ",\"expires\":");
    at = put_number(at, info->expires_s);
    return put(at, "}");
}

enum result reply_key(struct buffer *out, const struct key_reply *reply)
{
    TRY(buffer_reserve(out, KEY_REPLY_OCTETS));
    char *start = (char *)out->data + out->size;
    char *at = put(start, "{\"parameters\":{");
    if (reply->event) {
        at = put(at, "\"event\":\"");
        at = put(at, reply->event);
        at = put(at, "\",");
    }
    at = put(at, "\"key\":");
    at = put_key(at, reply->info, reply->key);
    at = put(at, reply->continues ? "},\"continues\":true}" : "}}");
    out->size += (size_t)(at - start) + 1;
    return RESULT_OK;
}
