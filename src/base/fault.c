/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

/* The text is formatted into a buffer of its own first, because an argument may be the old text of
 * the same fault. */
static void set(
    struct fault *fault, enum result result, int alert, const char *format, va_list arguments)
{
    if (!fault)
        return;
    char raw[FAULT_TEXT_OCTETS + 4]; /* room for an escape that begins at the end of the text */
    if (vsnprintf(raw, sizeof(raw), format, arguments) < 0)
        raw[0] = '\0';
    bytes_escape(bytes_of_string(raw), fault->text, sizeof(fault->text));
    fault->result = result;
    fault->alert = alert;
}

enum result fault_set(struct fault *fault, enum result result, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set(fault, result, FAULT_NO_ALERT, format, arguments);
    va_end(arguments);
    return result;
}

enum result fault_set_alert(
    struct fault *fault, enum result result, int alert, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set(fault, result, alert, format, arguments);
    va_end(arguments);
    return result;
}
