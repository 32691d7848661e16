/* SPDX-License-Identifier: MIT */
#include "client/varlink_reply.h"

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

static bool decode_key(const char *text, uint8_t key[REPLY_KEY_OCTETS])
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

/* Returns where the string value of the member "key" begins, or NULL. The characters "key" with
 * their quotation marks can only be a whole string of the JSON text, because quotation marks inside
 * a string are escaped. */
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

bool varlink_reply_cut_key(char *message, uint8_t key[REPLY_KEY_OCTETS])
{
    char *text = find_key_text(message);
    if (!text)
        return false;
    size_t length = strcspn(text, "\"");
    bool good = length == KEY_CHARACTERS && decode_key(text, key);
    memset(text, '-', length);
    return good;
}

/* --- other members --- */

json_t *varlink_reply_parse(const char *message, size_t size, const char **error)
{
    json_t *reply = json_loadb(message, size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *name = json_object_get(reply, "error");
    *error = json_string_value(name);
    if (json_is_object(reply) && (!name || *error))
        return reply;
    *error = NULL;
    json_decref(reply);
    return NULL;
}

bool varlink_reply_read_text(const json_t *object, const char *name, char *out, size_t room)
{
    const json_t *text = json_object_get(object, name);
    if (!json_is_string(text) || json_string_length(text) >= room)
        return false;
    memcpy(out, json_string_value(text), json_string_length(text) + 1);
    return true;
}

bool varlink_reply_read_time(const json_t *object, const char *name, int64_t *out)
{
    const json_t *number = json_object_get(object, name);
    *out = json_integer_value(number);
    return json_is_integer(number);
}
