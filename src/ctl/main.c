/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e2ekeyctl: gives people and scripts the keys of the daemon, and plays an Initiating End-Point. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "ctl/common.h"
#include "ctl/syntax.h"
#include "ctl/verbs.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"get", verb_get},
    {"list", verb_list},
    {"revoke", verb_revoke},
    {"watch", verb_watch},
    {"status", verb_status},
    {"metrics", verb_metrics},
    {"exchange", verb_exchange},
    {"public-key-id", verb_public_key_id},
    {"check-certificate", verb_check_certificate},
};

static bool wants_version;

static const struct flag flags[] = {
    {"version", NULL, NULL, &wants_version, "which version this is; -V too"},
};

static const struct syntax syntax = {
    .usage = "[--socket PATH] [--json] VERB ...",
    .about = "Pairwise end-to-end keys of this host's e2ekeyd (oneM2M TS-0003 8.7).\n\n"
             "  get        one key, by peer or by key id\n"
             "  list       the live keys, without their material\n"
             "  revoke     takes a key out of use\n"
             "  watch      what happens to keys, as it happens\n"
             "  status     how the daemon is doing\n"
             "  metrics    the same for monitoring systems, in OpenMetrics text\n"
             "  exchange   establishes a key with a CSE or AE, as Initiating End-Point\n"
             "  check-certificate\n"
             "             what the daemon would say to an initiator's certificate, and why\n"
             "  public-key-id\n"
             "             by what rules name a public key (RFC 6920)\n"
             "  help       this text, or with a verb after it the verb's\n\n"
             "e2ekeyctl VERB --help tells more of each, e2ekeyctl(1) all of it.",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
    .wants_version = &wants_version,
};

/* "help" is --help, "help VERB" is "VERB --help". */
static int run_help(int argc, char **argv);

static int run_verb(int argc, char **argv)
{
    if (strcmp(argv[0], "help") == 0)
        return run_help(argc, argv);
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (strcmp(verbs[i].name, argv[0]) == 0)
            return verbs[i].run(argc, argv);
    return fail_usage("there is no verb \"%s\"", argv[0]);
}

static int run_help(int argc, char **argv)
{
    char help[] = "--help", *arguments[] = {argc > 1 ? argv[1] : NULL, help, NULL};
    if (argc > 2)
        return fail_usage("help: unexpected argument \"%s\"", argv[2]);
    if (argc > 1 && strcmp(argv[1], "help") != 0)
        return run_verb(2, arguments);
    syntax_print_help(&syntax);
    return STATUS_DONE;
}

static int run(int argc, char **argv)
{
    int first = 1, status = STATUS_USAGE;
    if (!syntax_read_leading(&syntax, argc, argv, &first, &status))
        return status;
    if (wants_version) {
        puts("e2ekeyctl " E2EKEYD_VERSION);
        return STATUS_DONE;
    }
    if (first == argc)
        return fail_usage("no verb is given");
    return run_verb(argc - first, argv + first);
}

int main(int argc, char **argv)
{
    json_set_alloc_funcs(wiping_malloc, wiping_free);
    int status = run(argc, argv);
    if (fflush(stdout) != 0 && status == STATUS_DONE)
        status = fail_write("the output");
    return status;
}
