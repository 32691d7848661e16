/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as an identifier, in each of its forms, and as a pattern. */
#include "identity/identifier.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_OCTETS (2 * IDENTIFIER_OCTETS)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

/* Lengthening a second time changes nothing, and all that is left to say is of the parts. */
static void check_absolute(const char *absolute)
{
    char again[IDENTIFIER_OCTETS];
    must(strlen(absolute) < IDENTIFIER_OCTETS && identifier_is_absolute(absolute));
    must(identifier_absolute("other.example", "/other", absolute, again, NULL) == RESULT_OK);
    must(strcmp(again, absolute) == 0);
    must(identifier_is_pattern(absolute) && identifier_matches(absolute, absolute));
    for (const char *c = absolute; *c; c++)
        must(*c > ' ' && *c <= '~' && !strchr("%*?#\\\"", *c));
}

/* A pattern over the last segment admits it, and nothing with one segment more or less. */
static void check_pattern(const char *absolute)
{
    const int start = (int)(strrchr(absolute, '/') + 1 - absolute);
    char pattern[TEXT_OCTETS], other[TEXT_OCTETS];
    snprintf(pattern, sizeof(pattern), "%.*s*", start, absolute);
    if (!identifier_is_pattern(pattern))
        return;
    must(identifier_matches(pattern, absolute));
    snprintf(other, sizeof(other), "%s/x", absolute);
    must(!identifier_matches(pattern, other));
    snprintf(other, sizeof(other), "%.*s", start, absolute);
    must(!identifier_matches(pattern, other));
    snprintf(pattern, sizeof(pattern), "%.*s**", start, absolute);
    must(identifier_is_deep_pattern(pattern) == (strlen(pattern) < IDENTIFIER_OCTETS));
    must(identifier_matches(pattern, absolute) && !identifier_matches(pattern, other));
}

/* What is short is so by what an originator leaves out. */
static void check_short(const char *text, const char *absolute)
{
    const size_t left = strlen(absolute) - strlen(text);
    must(strlen(absolute) >= strlen(text));
    must(strncmp(text, "//", 2) == 0 ? left == 0 : strcmp(absolute + left, text) == 0);
}

static void check(const char *text)
{
    char absolute[IDENTIFIER_OCTETS];
    struct fault fault = FAULT_INIT;
    if (identifier_absolute("m2m.example", "/in-cse", text, absolute, &fault) == RESULT_OK) {
        check_absolute(absolute);
        check_pattern(absolute);
        check_short(text, absolute);
    } else {
        must(absolute[0] == '\0' && fault.text[0] != '\0' && !identifier_is_absolute(text));
    }
    must(!identifier_is_ae_id(text) || identifier_is_absolute(text));
    must(!identifier_is_absolute(text) || identifier_is_pattern(text));
    must(!identifier_is_pattern(text) || identifier_is_deep_pattern(text));
    must(!identifier_is_segment(text) || identifier_of_uri(text) == text);
    must(!(identifier_is_cse_id(text) && identifier_is_sp_id(text)));
}

/* Whatever two texts are: one as a pattern, the other to be matched. */
static void check_both(const char *pattern, const char *text)
{
    if (identifier_is_deep_pattern(pattern) && identifier_is_absolute(text) &&
        identifier_matches(pattern, text) && !strchr(pattern, '*'))
        must(strcasecmp(pattern, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_OCTETS + 1];
    if (size > TEXT_OCTETS)
        return -1;
    memcpy(text, data, size);
    text[size] = '\0';
    check(text);
    char *second = strchr(text, '\n');
    if (second) {
        *second++ = '\0';
        check(text);
        check(second);
        check_both(text, second);
    }
    return 0;
}
