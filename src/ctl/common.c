/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/common.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"

PRINTF(1, 0)
static void complain(const char *format, va_list arguments, const char *after)
{
    fputs("e2ekeyctl: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs(after, stderr);
}

int fail(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(format, arguments, "\n");
    va_end(arguments);
    return status;
}

int fail_usage(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(format, arguments, "; see e2ekeyctl --help\n");
    va_end(arguments);
    return STATUS_USAGE;
}

int fail_write(const char *what)
{
    return fail(STATUS_USAGE, "cannot write %s: %s", what, strerror(errno));
}

int fail_e2ekey(int error)
{
    static const int statuses[] = {
        [-E2EKEY_NO_SUCH_KEY] = STATUS_NO_KEY,
        [-E2EKEY_DENIED] = STATUS_REFUSED,
        [-E2EKEY_UNREACHABLE] = STATUS_UNREACHABLE,
        [-E2EKEY_TIMED_OUT] = STATUS_UNREACHABLE,
        [-E2EKEY_INVALID] = STATUS_USAGE,
        [-E2EKEY_PROTOCOL] = STATUS_UNREACHABLE,
        [-E2EKEY_EVENTS_LOST] = STATUS_REFUSED,
        [-E2EKEY_NO_MEMORY] = STATUS_REFUSED,
    };
    return fail(statuses[-error], "%s", e2ekey_strerror(error));
}

bool open_socket(const char *path, struct e2ekey **out, int *status)
{
    path = path ? path : E2EKEY_SOCKET;
    int error = e2ekey_connect(path, out);
    if (error == E2EKEY_OK)
        return true;
    if (error == E2EKEY_UNREACHABLE)
        *status = fail(STATUS_UNREACHABLE, "cannot reach e2ekeyd at %s", path);
    else if (error == E2EKEY_DENIED)
        *status = fail(STATUS_REFUSED, "%s: permission denied: it is for root and its group", path);
    else
        *status = fail_e2ekey(error);
    return false;
}

void format_time(int64_t wall_s, char out[TIME_TEXT_OCTETS])
{
    time_t time = (time_t)wall_s;
    struct tm parts;
    if (!gmtime_r(&time, &parts) ||
        strftime(out, TIME_TEXT_OCTETS, "%Y-%m-%d %H:%M:%SZ", &parts) == 0)
        snprintf(out, TIME_TEXT_OCTETS, "%lld", (long long)wall_s);
}

int print_json_key(const struct e2ekey_key *key, const char *event, const char *key_text)
{
    json_t *object = json_pack("{s:s, s:s*, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "keyId",
        key->key_id, "key", key_text, "peer", key->peer, "local", key->local, "role", key->role,
        "flavour", key->flavour, "cipherSuite", key->cipher_suite, "established",
        (json_int_t)key->established, "expires", (json_int_t)key->expires);
    return print_json_line(event ? json_pack("{s:s, s:o}", "event", event, "key", object) : object);
}

int print_json_line(json_t *object)
{
    char *line = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (!line)
        return fail(STATUS_REFUSED, "out of memory");
    size_t size = strlen(line);
    line[size] = '\n'; /* in the place of the NUL */
    bool written = write_secret(STDOUT_FILENO, bytes_of(line, size + 1));
    secret_wipe(line, size);
    free(line);
    return written ? STATUS_DONE : fail_write("the output");
}

bool write_secret(int fd, struct bytes secret)
{
    while (secret.size > 0) {
        ssize_t size = write(fd, secret.data, secret.size);
        if (size < 0 && errno != EINTR)
            return false;
        if (size > 0)
            secret = bytes_of(secret.data + size, secret.size - (size_t)size);
    }
    return true;
}
