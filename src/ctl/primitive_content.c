/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/primitive_content.h"

#include <jansson.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "onem2m/serialization.h"

char *primitive_content_write(bool notify, struct bytes message)
{
    char *text AUTO_FREE = malloc(BASE64_OCTETS(message.size) + 1);
    if (!text)
        return NULL;
    base64_encode_text(message, text);
    json_t *json = notify ? json_pack("{s:{s:i, s:s}}", "m2m:seci", "sit", SECURITY_INFO_ESCERTKE,
                                "eckm", text)
                          : json_pack("{s:{s:s}}", "m2m:e2ek", "eckm", text);
    char *content = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return content;
}

/* OUT becomes "" if the member is absent or does not fit. */
static void read_text(const json_t *object, const char *name, char *out, size_t room)
{
    const char *text = json_string_value(json_object_get(object, name));
    bool fits = text && strlen(text) < room;
    if (fits)
        bytes_escape(bytes_of_string(text), out, room);
    else
        out[0] = '\0';
}

static void read_message(const json_t *object, struct buffer *out)
{
    const json_t *text = json_object_get(object, "eckm");
    if (json_is_string(text) &&
        base64_decode(bytes_of(json_string_value(text), json_string_length(text)), out) !=
            RESULT_OK)
        out->size = 0;
}

void primitive_content_read(struct bytes json, struct primitive_content *out)
{
    *out = (struct primitive_content){.message.limit = CONTENT_MESSAGE_MAX};
    json_t *root = json_loadb((const char *)json.data, json.size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *e2ek = json_object_get(root, "m2m:e2ek");
    const json_t *seci = json_object_get(root, "m2m:seci");
    const char *reason = json_string_value(json_object_get(root, "m2m:dbg"));
    read_message(e2ek ? e2ek : seci, &out->message);
    read_text(e2ek, "kid", out->key_id, sizeof(out->key_id));
    read_text(e2ek, "lid", out->local, sizeof(out->local));
    if (reason)
        bytes_escape(bytes_of_string(reason), out->reason, sizeof(out->reason));
    json_decref(root);
}
