/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "ctl/common.h"
#include "ctl/syntax.h"
#include "ctl/verbs.h"

static const struct syntax syntax = {
    .usage = "metrics",
    .about = "What the daemon measures, as OpenMetrics text (also with --json).",
};

int verb_metrics(int argc, char **argv)
{
    int status = STATUS_USAGE;
    struct e2ekey *e2ekey CLEANUP(auto_e2ekey_close) = NULL;
    if (!syntax_read(&syntax, argc, argv, &status) || !open_socket(common.socket, &e2ekey, &status))
        return status;
    char *text AUTO_FREE = NULL;
    int error = e2ekey_metrics(e2ekey, &text);
    if (error != E2EKEY_OK)
        return fail_e2ekey(error);
    fputs(text, stdout);
    return STATUS_DONE;
}
