/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "ctl/common.h"
#include "ctl/syntax.h"
#include "ctl/verbs.h"

static const char *peer, *local;

static const struct flag flags[] = {
    {"peer", "ID", &peer, NULL, "only keys with this AE or CSE"},
    {"local", "ID", &local, NULL, "only of this end-point of ours"},
};

static const struct syntax syntax = {
    .usage = "list [--peer ID] [--local ID]",
    .about = "The live keys that policy shows you, newest first, without their material.",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
};

#define LIST_TIMEOUT_MS 10000 /* for the next key */

#define ROW "%-32s  %-20s  %-25s  %-36s  %s\n"

static int print(const struct e2ekey_key *key)
{
    if (common.json)
        return print_json_key(key, NULL, NULL);
    char expires[TIME_TEXT_OCTETS];
    format_time(key->expires, expires);
    printf(ROW, key->key_id, expires, key->cipher_suite, key->peer, key->local);
    return STATUS_DONE;
}

int verb_list(int argc, char **argv)
{
    int status = STATUS_USAGE;
    struct e2ekey *e2ekey CLEANUP(auto_e2ekey_close) = NULL;
    if (!syntax_read(&syntax, argc, argv, &status) || !open_socket(common.socket, &e2ekey, &status))
        return status;

    struct e2ekey_stream *keys CLEANUP(auto_e2ekey_stream_close) = NULL;
    int error = e2ekey_list(e2ekey, peer, local, &keys);
    if (error == E2EKEY_OK && !common.json)
        printf(ROW, "KEY ID", "EXPIRES", "CIPHER SUITE", "PEER", "END-POINT");
    struct e2ekey_key key;
    status = STATUS_DONE;
    while (error == E2EKEY_OK && status == STATUS_DONE) {
        error = e2ekey_next(keys, LIST_TIMEOUT_MS, NULL, &key);
        if (error == E2EKEY_OK)
            status = print(&key);
    }
    return error == E2EKEY_OK || error == E2EKEY_END ? status : fail_e2ekey(error);
}
