/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/secret.h"
#include "ctl/common.h"
#include "ctl/syntax.h"
#include "ctl/verbs.h"

static struct {
    const char *peer, *key_id, *local;
    bool raw, hex, base64;
} asked;

static const struct flag flags[] = {
    {"peer", "ID", &asked.peer, NULL, "the newest key with this AE or CSE"},
    {"key-id", "HEX", &asked.key_id, NULL, "the key of this id"},
    {"local", "ID", &asked.local, NULL, "only of this end-point of ours"},
    {"raw", NULL, NULL, &asked.raw, "the key's 32 octets and nothing else"},
    {"hex", NULL, NULL, &asked.hex, "the key in hex"},
    {"base64", NULL, NULL, &asked.base64, "the key in base64"},
};

static const struct syntax syntax = {
    .usage = "get (--peer ID | --key-id HEX) [--local ID] [--raw | --hex | --base64]",
    .about = "One key. Without --raw, --hex or --base64: what it is, but not the key itself.",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
};

static bool shows_key(void)
{
    return asked.raw || asked.hex || asked.base64;
}

static int print_description(const struct e2ekey_key *key)
{
    char established[TIME_TEXT_OCTETS], expires[TIME_TEXT_OCTETS];
    format_time(key->established, established);
    format_time(key->expires, expires);
    printf("Key id        %s\n"
           "Peer          %s\n"
           "End-point     %s\n"
           "Role          %s\n"
           "Flavour       %s\n"
           "Cipher suite  %s\n"
           "Established   %s\n"
           "Expires       %s\n"
           "The key       not shown: ask with --hex, --base64 or --raw\n",
        key->key_id, key->peer, key->local, key->role, key->flavour, key->cipher_suite, established,
        expires);
    return STATUS_DONE;
}

/* Room for the key as hex or base64, and a newline. */
#define KEY_TEXT_OCTETS (2 * E2EKEY_KEY_OCTETS + 2)

static void write_text(const struct e2ekey_key *key, char text[KEY_TEXT_OCTETS])
{
    struct bytes octets = bytes_of(key->key, sizeof(key->key));
    if (asked.hex)
        bytes_to_hex(octets, text);
    else
        base64_encode_text(octets, text);
}

static int print_key(const struct e2ekey_key *key)
{
    char text[KEY_TEXT_OCTETS] = "";
    struct bytes out = bytes_of(key->key, sizeof(key->key));
    if (!asked.raw) {
        write_text(key, text);
        size_t length = strlen(text);
        text[length] = '\n'; /* in the place of the NUL */
        out = bytes_of(text, length + 1);
    }
    bool written = write_secret(STDOUT_FILENO, out);
    secret_wipe(text, sizeof(text));
    return written ? STATUS_DONE : fail_write("the output");
}

static int print_json(const struct e2ekey_key *key)
{
    char text[KEY_TEXT_OCTETS] = "";
    if (shows_key())
        write_text(key, text);
    int status = print_json_key(key, NULL, shows_key() ? text : NULL);
    secret_wipe(text, sizeof(text));
    return status;
}

static int print(const struct e2ekey_key *key)
{
    if (common.json)
        return print_json(key);
    return shows_key() ? print_key(key) : print_description(key);
}

int verb_get(int argc, char **argv)
{
    int status = STATUS_USAGE;
    if (!syntax_read(&syntax, argc, argv, &status))
        return status;
    if (!asked.peer == !asked.key_id)
        return fail_usage("get needs --peer or --key-id, and not both");
    if (asked.raw + asked.hex + asked.base64 > 1 || (asked.raw && common.json))
        return fail_usage("--raw, --hex, --base64: one of them, and no --raw with --json");

    struct e2ekey *e2ekey CLEANUP(auto_e2ekey_close) = NULL;
    if (!open_socket(common.socket, &e2ekey, &status))
        return status;
    struct e2ekey_key key CLEANUP(e2ekey_wipe);
    int error = e2ekey_get(e2ekey, asked.peer, asked.key_id, asked.local, &key);
    return error == E2EKEY_OK ? print(&key) : fail_e2ekey(error);
}
