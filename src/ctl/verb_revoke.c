/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/common.h"
#include "ctl/syntax.h"
#include "ctl/verbs.h"

static const char *key_id;

static const struct syntax syntax = {
    .usage = "revoke HEX",
    .about = "Takes the key of this id out of use.",
    .operand = &key_id,
    .operand_name = "a key id",
};

int verb_revoke(int argc, char **argv)
{
    int status = STATUS_USAGE;
    struct e2ekey *e2ekey CLEANUP(auto_e2ekey_close) = NULL;
    if (!syntax_read(&syntax, argc, argv, &status))
        return status;
    uint8_t id[(E2EKEY_ID_OCTETS - 1) / 2];
    if (!bytes_from_hex(key_id, id, sizeof(id)))
        return fail_usage("\"%s\" is no key id: those are 32 hex digits", key_id);
    if (!open_socket(common.socket, &e2ekey, &status))
        return status;
    int error = e2ekey_revoke(e2ekey, key_id);
    return error == E2EKEY_OK ? STATUS_DONE : fail_e2ekey(error);
}
