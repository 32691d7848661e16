/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/media.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define BLANK " \t"

struct media_parameter {
    struct bytes name;
    char value[MEDIA_TY_OCTETS]; /* unquoted, cut to fit */
};

static bool is_name(struct bytes name, const char *text)
{
    return bytes_equal_caseless(name, bytes_of_string(text));
}

/* Takes what stands before the first of ENDS, without the blanks around it. */
static struct bytes take_until(const char **at, const char *ends)
{
    *at += strspn(*at, BLANK);
    struct bytes taken = bytes_of(*at, strcspn(*at, ends));
    *at += taken.size;
    while (taken.size > 0 && strchr(BLANK, taken.data[taken.size - 1]))
        taken.size--;
    return taken;
}

/* Takes a quoted string, of which *AT has passed the opening quote, and its closing quote. If that
 * is missing, *AT is at the final NUL afterwards. */
static void take_quoted(const char **at, char *out, size_t size)
{
    char *const end = out + size - 1;
    for (; **at && **at != '"'; (*at)++) {
        if (**at == '\\' && (*at)[1])
            (*at)++;
        if (out < end)
            *out++ = **at;
    }
    *out = '\0';
    *at += **at == '"';
}

static void take_value(const char **at, char *out, size_t size)
{
    *at += strspn(*at, BLANK);
    if (**at == '"') {
        (*at)++;
        take_quoted(at, out, size);
        (void)take_until(at, ";,");
        return;
    }
    struct bytes token = take_until(at, ";,");
    if (token.size >= size)
        token.size = size - 1;
    memcpy(out, token.data, token.size);
    out[token.size] = '\0';
}

/* Takes `; name = value` from *AT. Returns false at the end of this media type. */
static bool take_parameter(const char **at, struct media_parameter *out)
{
    *at += strspn(*at, BLANK);
    if (**at != ';')
        return false;
    (*at)++;
    out->name = take_until(at, ";,=");
    out->value[0] = '\0';
    if (**at == '=') {
        (*at)++;
        take_value(at, out->value, sizeof(out->value));
    }
    return true;
}

/* --- Content-Type --- */

void media_type_read(const char *text, struct media_type *out)
{
    struct media_parameter parameter;

    *out = (struct media_type){.serialization = content_serialization(take_until(&text, ";,"))};
    while (take_parameter(&text, &parameter)) {
        if (is_name(parameter.name, "charset") && !text_equal_caseless(parameter.value, "utf-8"))
            out->serialization = NULL;
        if (!is_name(parameter.name, "ty"))
            continue;
        out->is_repeated = out->has_resource_type;
        out->has_resource_type = true;
        memcpy(out->resource_type, parameter.value, sizeof(out->resource_type));
    }
    if (*text) /* a comma: there are two media types */
        out->serialization = NULL;
}

/* --- Accept --- */

/* How closely RANGE names the media type; 0: not at all (RFC 9110 12.5.1). */
static int precision_of(struct bytes range, const char *type)
{
    if (is_name(range, type))
        return 3;
    if (is_name(range, "application/*"))
        return 2;
    return is_name(range, "*/*") ? 1 : 0;
}

/* The weight in TEXT (RFC 9110 12.4.2), in thousandths; 0 when TEXT is none. */
static int read_quality(const char *text)
{
    static const int places[] = {1000, 100, 10, 1};
    int quality = 0;

    for (size_t i = 0; *text && i < sizeof(places) / sizeof(places[0]); i++, text++) {
        if (*text < '0' || *text > '9')
            return 0;
        quality += (*text - '0') * places[i];
        if (i == 0 && text[1] == '.')
            text++;
    }
    return *text || quality > 1000 ? 0 : quality;
}

static void add_range(struct media_accept *accept, struct bytes range, int quality)
{
    for (size_t i = 0; content_type(i); i++) {
        int precision = precision_of(range, content_type(i)->name);
        if (precision > accept->fit[i].precision) {
            accept->fit[i].precision = precision;
            accept->fit[i].quality = quality;
        }
    }
}

void media_accept_add(struct media_accept *accept, const char *text)
{
    while (*text) {
        struct media_parameter parameter;
        struct bytes range = take_until(&text, ";,");
        int quality = 1000;
        while (take_parameter(&text, &parameter))
            if (is_name(parameter.name, "q"))
                quality = read_quality(parameter.value);
        if (range.size > 0) {
            accept->is_limited = true;
            add_range(accept, range, quality);
        }
        text += *text == ',';
    }
}

const char *media_accept_choice(const struct media_accept *accept)
{
    for (size_t i = 0; content_type(i); i++)
        if (content_type(i)->is_answer && (!accept->is_limited || accept->fit[i].quality > 0))
            return content_type(i)->name;
    return NULL;
}

/* --- for refusals --- */

void media_list(bool answers, char text[MEDIA_LIST_OCTETS])
{
    const char *names[CONTENT_TYPES_MAX];
    size_t count = 0, used = 0;

    for (size_t i = 0; content_type(i); i++)
        if (content_type(i)->is_answer || !answers)
            names[count++] = content_type(i)->name;
    text[0] = '\0';
    for (size_t i = 0; i < count && used < MEDIA_LIST_OCTETS; i++) {
        const char *joint = i == 0 ? "" : i + 1 < count ? ", " : " or ";
        used += (size_t)snprintf(text + used, MEDIA_LIST_OCTETS - used, "%s%s", joint, names[i]);
    }
}
