/* SPDX-License-Identifier: MIT */
#include "client/reply.h"

#include <string.h>

/* --- key material --- */

#define KEY_CHARACTERS 44 /* base64 of 32 octets; the last is padding */

static int base64_value(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

static bool decode_key(const char *text, uint8_t key[E2EKEY_KEY_OCTETS])
{
    uint32_t bits = 0;
    size_t size = 0;
    bool good = text[KEY_CHARACTERS - 1] == '=';
    for (int i = 0; i < KEY_CHARACTERS - 1; i++) {
        int value = base64_value(text[i]);
        good = good && value >= 0;
        bits = bits << 6 | ((uint32_t)value & 63);
        if (i % 4 != 0)
            key[size++] = (uint8_t)(bits >> (6 - i % 4 * 2));
    }
    return good && (bits & 3) == 0;
}

static char *skip_space(char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* Where the string value of the member "key" begins. Those characters stand nowhere else in JSON:
 * inside a string, quotation marks are escaped. */
static char *find_key_text(char *message)
{
    static const char member[] = "\"key\"";
    for (char *at = message; (at = strstr(at, member));) {
        at = skip_space(at + sizeof(member) - 1);
        if (*at != ':')
            continue;
        at = skip_space(at + 1);
        if (*at == '"')
            return at + 1;
    }
    return NULL;
}

bool reply_cut_key(char *message, uint8_t key[E2EKEY_KEY_OCTETS])
{
    char *text = find_key_text(message);
    if (!text)
        return false;
    size_t length = strcspn(text, "\"");
    bool good = length == KEY_CHARACTERS && decode_key(text, key);
    memset(text, '-', length);
    return good;
}

/* --- the rest --- */

static int error_of(const char *name)
{
    static const struct {
        const char *name;
        int error;
    } errors[] = {
        {"org.e2ekeyd.Keys.NoSuchKey", E2EKEY_NO_SUCH_KEY},
        {"org.e2ekeyd.Keys.EventsLost", E2EKEY_EVENTS_LOST},
        {"org.varlink.service.PermissionDenied", E2EKEY_DENIED},
        {"org.varlink.service.InvalidParameter", E2EKEY_INVALID},
    };
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (strcmp(errors[i].name, name) == 0)
            return errors[i].error;
    return E2EKEY_PROTOCOL;
}

int reply_parse(const char *message, size_t size, json_t **root)
{
    json_t *reply = json_loadb(message, size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *error = json_object_get(reply, "error");
    if (json_is_object(reply) && !error) {
        *root = reply;
        return E2EKEY_OK;
    }
    int code = json_is_string(error) ? error_of(json_string_value(error)) : E2EKEY_PROTOCOL;
    json_decref(reply);
    return code;
}

int reply_read_text(const json_t *object, const char *name, char *out, size_t room)
{
    const json_t *text = json_object_get(object, name);
    if (!json_is_string(text) || json_string_length(text) >= room)
        return E2EKEY_PROTOCOL;
    memcpy(out, json_string_value(text), json_string_length(text) + 1);
    return E2EKEY_OK;
}

static int read_time(const json_t *object, const char *name, int64_t *out)
{
    const json_t *number = json_object_get(object, name);
    *out = json_integer_value(number);
    return json_is_integer(number) ? E2EKEY_OK : E2EKEY_PROTOCOL;
}

int reply_read_key(const json_t *parameters, struct e2ekey_key *out)
{
    const json_t *key = json_object_get(parameters, "key");
    const struct {
        const char *name;
        char *text;
        size_t room;
    } texts[] = {
        {"keyId", out->key_id, sizeof(out->key_id)},
        {"peer", out->peer, sizeof(out->peer)},
        {"local", out->local, sizeof(out->local)},
        {"role", out->role, sizeof(out->role)},
        {"flavour", out->flavour, sizeof(out->flavour)},
        {"cipherSuite", out->cipher_suite, sizeof(out->cipher_suite)},
    };
    int error = E2EKEY_OK;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && error == E2EKEY_OK; i++)
        error = reply_read_text(key, texts[i].name, texts[i].text, texts[i].room);
    if (error == E2EKEY_OK)
        error = read_time(key, "established", &out->established);
    return error == E2EKEY_OK ? read_time(key, "expires", &out->expires) : error;
}
