/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/identifier.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* RFC 3986 2.3 */
static bool is_unreserved(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static bool is_segment(const char *text, size_t size)
{
    if (size == 0 || (text[0] == '.' && (size == 1 || (size == 2 && text[1] == '.'))))
        return false;
    for (size_t i = 0; i < size; i++)
        if (!is_unreserved(text[i]))
            return false;
    return true;
}

static bool fits(const char *text)
{
    return strnlen(text, IDENTIFIER_OCTETS) < IDENTIFIER_OCTETS;
}

/* Returns what follows the SP-ID of an absolute identifier; NULL when TEXT does not begin with "//"
 * and an SP-ID. */
static const char *after_sp_id(const char *text)
{
    if (!fits(text) || strncmp(text, "//", 2) != 0)
        return NULL;
    const size_t size = strcspn(text + 2, "/");
    if (!dns_name_is_valid(bytes_of(text + 2, size)) || text[2 + size] != '/')
        return NULL;
    return text + 2 + size + 1;
}

bool identifier_is_absolute(const char *text)
{
    const char *first = after_sp_id(text);
    if (!first)
        return false;
    const size_t size = strcspn(first, "/");
    if (!is_segment(first, size))
        return false;
    if (first[size] == '\0')
        return true;
    const char *stem = first + size + 1;
    return stem[0] == 'C' && stem[1] != '\0' && is_segment(stem, strlen(stem));
}

bool identifier_is_ae_id(const char *text)
{
    if (!identifier_is_absolute(text))
        return false;
    const char *first = after_sp_id(text);
    return strchr(first, '/') || (first[0] == 'S' && first[1] != '\0');
}

bool identifier_is_cse_id(const char *text)
{
    return fits(text) && text[0] == '/' && is_segment(text + 1, strlen(text + 1));
}

bool identifier_is_sp_id(const char *text)
{
    return fits(text) && dns_name_is_valid(bytes_of_string(text));
}

bool identifier_is_segment(const char *text)
{
    return fits(text) && is_segment(text, strlen(text));
}

/* Writes FROM with the parts before it that make it absolute (TS-0001 7.2). False when it has none
 * of the known forms or does not fit. */
static bool write_absolute(const char *sp_id, const char *cse_id, const char *from, char *out)
{
    int size = -1;
    if (strncmp(from, "//", 2) == 0)
        size = snprintf(out, IDENTIFIER_OCTETS, "%s", from);
    else if (from[0] == '/')
        size = snprintf(out, IDENTIFIER_OCTETS, "//%s%s", sp_id, from);
    else if (from[0] == 'C')
        size = snprintf(out, IDENTIFIER_OCTETS, "//%s%s/%s", sp_id, cse_id, from);
    else if (from[0] == 'S' && from[1] != '\0')
        size = snprintf(out, IDENTIFIER_OCTETS, "//%s/%s", sp_id, from);
    return size >= 0 && size < IDENTIFIER_OCTETS;
}

enum result identifier_absolute(const char *sp_id, const char *cse_id, const char *from,
    char out[IDENTIFIER_OCTETS], struct fault *fault)
{
    out[0] = '\0';
    if (!fits(from))
        return fault_set(
            fault, RESULT_BAD_INPUT, "an identifier has at most %d octets", IDENTIFIER_OCTETS - 1);
    if (!write_absolute(sp_id, cse_id, from, out) || !identifier_is_absolute(out)) {
        out[0] = '\0';
        return fault_set(
            fault, RESULT_BAD_INPUT, "\"%.128s\" is neither an AE-ID nor a CSE-ID", from);
    }
    text_to_lower(out + 2, strcspn(out + 2, "/")); /* the SP-ID is a domain name */
    return RESULT_OK;
}

const char *identifier_of_uri(const char *uri)
{
    const size_t scheme = strcspn(uri, ":/?#");
    return scheme > 0 && uri[scheme] == ':' ? uri + scheme + 1 : uri;
}

/* With "Cx" in place of the asterisk, a pattern is an absolute identifier. */
bool identifier_is_pattern(const char *text)
{
    if (!fits(text))
        return false;
    const size_t size = strlen(text);
    if (size < 2 || strcmp(text + size - 2, "/*") != 0)
        return identifier_is_absolute(text);
    char sample[IDENTIFIER_OCTETS + 1];
    snprintf(sample, sizeof(sample), "%.*sCx", (int)(size - 1), text);
    return identifier_is_absolute(sample);
}

bool identifier_is_deep_pattern(const char *text)
{
    if (!fits(text))
        return false;
    const size_t size = strlen(text);
    if (size < 3 || strcmp(text + size - 3, "/**") != 0)
        return identifier_is_pattern(text);
    char single[IDENTIFIER_OCTETS];
    snprintf(single, sizeof(single), "%.*s", (int)(size - 1), text);
    return identifier_is_pattern(single);
}

bool identifier_matches(const char *pattern, const char *absolute)
{
    if (strncmp(pattern, "//", 2) != 0)
        return false;
    const size_t sp = 2 + strcspn(pattern + 2, "/");
    if (!bytes_equal_caseless(bytes_of(pattern, sp), bytes_of(absolute, strnlen(absolute, sp))))
        return false;
    const size_t before = strcspn(pattern, "*");
    if (pattern[before] == '\0')
        return strcmp(pattern + sp, absolute + sp) == 0;
    if (before < sp || strncmp(pattern + sp, absolute + sp, before - sp) != 0)
        return false;
    const char *rest = absolute + before;
    return *rest != '\0' && (pattern[before + 1] == '*' || !strchr(rest, '/'));
}
