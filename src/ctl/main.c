/* SPDX-License-Identifier: GPL-2.0-or-later */
/* e2ekeyctl: gives people and scripts the keys of the daemon, and plays an Initiating End-Point. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "ctl/common.h"
#include "ctl/syntax.h"
#include "ctl/verbs.h"

#define VERB_ROW(function, name, summary) {name, summary, verb_##function},
static const struct {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} verbs[] = {VERB_LIST(VERB_ROW)};
#undef VERB_ROW

static bool wants_version;

static const struct flag flags[] = {
    {"version", NULL, NULL, &wants_version, "which version this is; -V too"},
};

static void print_verb(const char *name, const char *summary)
{
    printf("  %-18s %s\n", name, summary);
}

static void print_verbs(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        print_verb(verbs[i].name, verbs[i].summary);
    print_verb("help", "this text, or with a verb after it the verb's");
    puts("\ne2ekeyctl VERB --help explains one verb, e2ekeyctl(1) all of them.\n");
}

static const struct syntax syntax = {
    .usage = "[--socket PATH] [--json] VERB ...",
    .about = "Pairwise end-to-end keys of this host's e2ekeyd (oneM2M TS-0003 8.7).",
    .print_more = print_verbs,
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
