/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/pem.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "x509/der.h"

#define MARK_OCTETS 80

/* Moves TEXT past BOUNDARY, and sets BEFORE to what precedes it. False when it is not there. */
static bool find_boundary(struct bytes *text, const char *boundary, struct bytes *before)
{
    size_t size = strlen(boundary);
    const uint8_t *found = text->size > 0 ? memmem(text->data, text->size, boundary, size) : NULL;
    if (!found)
        return false;
    *before = bytes_of(text->data, (size_t)(found - text->data));
    *text = bytes_of(found + size, text->size - before->size - size);
    return true;
}

/* base64_decode takes no line breaks: the lines are joined in OUT itself, so that no other memory
 * sees what may be a private key. OUT is empty. */
static enum result decode_lines(struct bytes lines, struct buffer *out)
{
    size_t joined = 0;
    TRY(buffer_reserve(out, lines.size));
    for (size_t i = 0; i < lines.size; i++) {
        if (!memchr(" \t\r\n", lines.data[i], 4))
            out->data[joined++] = lines.data[i];
    }
    return base64_decode(bytes_of(out->data, joined), out);
}

bool pem_is_in(struct bytes text)
{
    return text.size > 0 && memmem(text.data, text.size, "-----BEGIN ", 11) != NULL;
}

enum result pem_next(struct bytes *text, const char *label, struct buffer *out)
{
    char begin[MARK_OCTETS], end[MARK_OCTETS];
    struct bytes lines;
    snprintf(begin, sizeof(begin), "-----BEGIN %s-----", label);
    snprintf(end, sizeof(end), "-----END %s-----", label);
    buffer_consume(out, out->size);
    if (!find_boundary(text, begin, &lines))
        return RESULT_NOT_FOUND;
    if (!find_boundary(text, end, &lines))
        return RESULT_BAD_INPUT;
    return decode_lines(lines, out);
}

/* Some tools end every file with a newline, also one in DER. */
static struct bytes without_newline(struct bytes text)
{
    struct bytes rest = text;
    struct der element;
    bool ends_so = der_take(&rest, &element) && rest.size > 0;
    for (size_t i = 0; ends_so && i < rest.size; i++)
        ends_so = rest.data[i] == '\r' || rest.data[i] == '\n';
    return ends_so ? element.whole : text;
}

enum result pem_or_der_next(
    struct bytes *text, const char *label, struct buffer *out, struct fault *fault)
{
    if (text->size > 0 && text->data[0] == DER_SEQUENCE && !pem_is_in(*text)) {
        struct bytes whole = without_newline(*text);
        *text = (struct bytes){0};
        buffer_consume(out, out->size);
        return buffer_append(out, whole.data, whole.size);
    }
    enum result result = pem_next(text, label, out);
    if (result == RESULT_NOT_FOUND)
        fault_set(fault, result, "there is none in this file");
    else if (result != RESULT_OK)
        fault_set(fault, result, "malformed PEM");
    return result;
}
