/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "onem2m/primitive.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

void response_release(struct response *response)
{
    buffer_release(&response->content);
}

/* --- release (TS-0004 6.3.4.2.42) --- */

const char *const primitive_releases[PRIMITIVE_RELEASES] = {"1", "2", "2a", "3", "4", "5"};

enum result primitive_check_release(const char *release, struct fault *fault)
{
    if (!release) /* the parameter exists since release 2a */
        return RESULT_OK;
    for (size_t i = 0; i < PRIMITIVE_RELEASES; i++)
        if (strcmp(release, primitive_releases[i]) == 0)
            return RESULT_OK;
    return fault_set(fault, RESULT_UNSUPPORTED_RELEASE,
        "release version \"%s\" is not supported (1, 2, 2a, 3, 4 and 5 are)", release);
}

/* --- time (TS-0004 6.3.3) --- */

#define TIMESTAMP_LENGTH (sizeof(TIMESTAMP_SHAPE) - 1)
#define YEAR_9999_ENDS_S 253402300799

/* Reads 1 to MOST decimal digits at *TEXT and moves it past them; false when there are none, or
 * more. */
static bool take_digits(const char **text, size_t most, int64_t *out)
{
    size_t count = strspn(*text, "0123456789");
    if (count == 0 || count > most)
        return false;
    *out = 0;
    for (; count > 0; count--)
        *out = *out * 10 + *(*text)++ - '0';
    return true;
}

static int two_digits(const char *text)
{
    return (text[0] - '0') * 10 + text[1] - '0';
}

/* Whether TEXT begins like TIMESTAMP_SHAPE: with its T, and digits in place of other letters. */
static bool has_shape(const char *text)
{
    for (size_t i = 0; i < TIMESTAMP_LENGTH; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (TIMESTAMP_SHAPE[i] == 'T' ? text[i] != 'T' : !is_digit)
            return false;
    }
    return true;
}

/* Reads the date and time at *TEXT and moves it past them; false for one that the calendar does not
 * have. */
static bool take_timestamp(const char **text, int64_t *out_s)
{
    if (!has_shape(*text))
        return false;
    const char *at = *text;
    struct calendar date = {
        .year = two_digits(at) * 100 + two_digits(at + 2),
        .month = two_digits(at + 4),
        .day = two_digits(at + 6),
        .hour = two_digits(at + 9),
        .minute = two_digits(at + 11),
        .second = two_digits(at + 13),
    };
    *text += TIMESTAMP_LENGTH;
    return calendar_to_seconds(&date, out_s);
}

bool timestamp_read(const char *text, int64_t *out_us)
{
    int64_t s = 0, fraction = 0;
    if (!take_timestamp(&text, &s))
        return false;
    if (*text == ',') {
        const char *digits = ++text;
        if (!take_digits(&text, 6, &fraction))
            return false;
        for (ptrdiff_t count = text - digits; count < 6; count++)
            fraction *= 10;
    }
    *out_us = s * 1000000 + fraction;
    return *text == '\0';
}

/* Reads a decimal number of milliseconds from NOW_US, which may be negative. */
static bool read_relative(const char *text, int64_t now_us, int64_t *out_us)
{
    int64_t ms = 0;
    bool is_negative = *text == '-';
    text += is_negative;
    if (!take_digits(&text, 14, &ms) || *text != '\0')
        return false;
    *out_us = now_us + (is_negative ? -ms : ms) * 1000;
    return true;
}

enum result primitive_check_expiration(const char *expiration, int64_t now_us, struct fault *fault)
{
    int64_t expires_us;

    if (!expiration)
        return RESULT_OK;
    if (!timestamp_read(expiration, &expires_us) && !read_relative(expiration, now_us, &expires_us))
        return fault_set(fault, RESULT_BAD_REQUEST,
            "request expiration \"%s\" is neither " TIMESTAMP_SHAPE
            "[,ffffff] nor a number of milliseconds",
            expiration);
    if (expires_us <= now_us)
        return fault_set(
            fault, RESULT_REQUEST_EXPIRED, "request expiration time %s has passed", expiration);
    return RESULT_OK;
}

static char *put_digits(char *at, int number, int count)
{
    for (int i = count - 1; i >= 0; i--, number /= 10)
        at[i] = (char)('0' + number % 10);
    return at + count;
}

void timestamp_format(int64_t wall_s, char out[TIMESTAMP_OCTETS])
{
    struct tm tm;
    time_t bounded = wall_s < 0 ? 0 : wall_s > YEAR_9999_ENDS_S ? YEAR_9999_ENDS_S : wall_s;

    gmtime_r(&bounded, &tm);
    char *at = put_digits(out, tm.tm_year + 1900, 4);
    at = put_digits(at, tm.tm_mon + 1, 2);
    at = put_digits(at, tm.tm_mday, 2);
    *at++ = 'T';
    at = put_digits(at, tm.tm_hour, 2);
    at = put_digits(at, tm.tm_min, 2);
    at = put_digits(at, tm.tm_sec, 2);
    *at = '\0';
}
