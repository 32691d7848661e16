/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "base/clock.h"
#include "ctl/common.h"
#include "ctl/syntax.h"
#include "ctl/verbs.h"

static const struct syntax syntax = {
    .usage = "watch",
    .about =
        "One line whenever a key is established, expires, is revoked or makes room for a newer\n"
        "one, until interrupted.",
};

static int print(const struct e2ekey_key *key, const char *event)
{
    if (common.json)
        return print_json_key(key, event, NULL);
    char now[TIME_TEXT_OCTETS];
    format_time(clock_wall_s(), now);
    printf("%s  %-11s  %s  %s  %s\n", now, event, key->key_id, key->peer, key->local);
    return fflush(stdout) == 0 ? STATUS_DONE : fail_write("the output");
}

int verb_watch(int argc, char **argv)
{
    int status = STATUS_USAGE;
    struct e2ekey *e2ekey CLEANUP(auto_e2ekey_close) = NULL;
    if (!syntax_read(&syntax, argc, argv, &status) || !open_socket(common.socket, &e2ekey, &status))
        return status;

    struct e2ekey_stream *events CLEANUP(auto_e2ekey_stream_close) = NULL;
    int error = e2ekey_watch(e2ekey, &events);
    status = STATUS_DONE;
    while (error == E2EKEY_OK && status == STATUS_DONE) {
        char event[E2EKEY_WORD_OCTETS];
        struct e2ekey_key key;
        error = e2ekey_next(events, -1, event, &key);
        if (error == E2EKEY_OK)
            status = print(&key, event);
    }
    return error == E2EKEY_OK ? status : fail_e2ekey(error);
}
