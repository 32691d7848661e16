/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/result.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/bytes.h"

static const struct {
    enum category category;
    const char *name, *text;
} results[] = {
#define RESULT_ROW(name, category, text) {CATEGORY_##category, #name, text},
    RESULT_LIST(RESULT_ROW)
#undef RESULT_ROW
};

/* The names as people read them: "bad-message" for BAD_MESSAGE. */
static char names[RESULT_COUNT][32];

__attribute__((constructor)) static void spell_names(void)
{
    for (size_t i = 0; i < RESULT_COUNT; i++)
        for (size_t j = 0; j < sizeof(names[i]) - 1 && results[i].name[j]; j++) {
            char c = results[i].name[j];
            names[i][j] = c == '_' ? '-' : (char)(c | 0x20);
        }
}

/* A value that is none of ours can only be our own fault. */
static enum result known(enum result result)
{
    return (unsigned)result < RESULT_COUNT ? result : RESULT_INTERNAL;
}

enum category result_category(enum result result)
{
    return results[known(result)].category;
}

const char *result_text(enum result result)
{
    return results[known(result)].text;
}

const char *result_name(enum result result)
{
    return names[known(result)];
}

/* Formats aside first: the arguments may well be the text of the same fault. */
static void set_text(struct fault *fault, const char *format, va_list arguments)
{
    char raw[FAULT_TEXT_OCTETS + 4]; /* room to see an escape at the end whole */
    if (vsnprintf(raw, sizeof(raw), format, arguments) < 0)
        raw[0] = '\0';
    bytes_escape(bytes_of_string(raw), fault->text, sizeof(fault->text));
}

enum result fault_set(struct fault *fault, enum result result, const char *format, ...)
{
    if (!fault)
        return result;
    va_list arguments;
    va_start(arguments, format);
    set_text(fault, format, arguments);
    va_end(arguments);
    fault->result = result;
    fault->alert = FAULT_NO_ALERT;
    return result;
}

enum result fault_set_alert(
    struct fault *fault, enum result result, int alert, const char *format, ...)
{
    if (!fault)
        return result;
    va_list arguments;
    va_start(arguments, format);
    set_text(fault, format, arguments);
    va_end(arguments);
    fault->result = result;
    fault->alert = alert;
    return result;
}
