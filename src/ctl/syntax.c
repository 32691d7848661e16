/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/syntax.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "client/e2ekey.h"
#include "ctl/common.h"

#define FLAGS_MAX 32 /* options of one verb, with the common ones */

struct common_options common;

static bool wants_help;

static const struct flag common_flags[] = {
    {"socket", "PATH", &common.socket, NULL, "the daemon's socket (" E2EKEY_SOCKET ")"},
    {"json", NULL, NULL, &common.json, "JSON instead of text for people"},
    {"help", NULL, NULL, &wants_help, "this text; -h too"},
};

/* Returns option number I, where those of the verb come first; NULL if there are no more. */
static const struct flag *flag_at(const struct syntax *syntax, size_t i)
{
    if (i < syntax->flag_count)
        return &syntax->flags[i];
    i -= syntax->flag_count;
    return i < ARRAY_SIZE(common_flags) ? &common_flags[i] : NULL;
}

/* getopt_long returns FLAG_BASE + I for option number I. */
#define FLAG_BASE 256

static void list_options(const struct syntax *syntax, struct option options[FLAGS_MAX + 1])
{
    const struct flag *flag;
    size_t i = 0;
    for (; i < FLAGS_MAX && (flag = flag_at(syntax, i)); i++)
        options[i] = (struct option){
            flag->name, flag->value ? required_argument : no_argument, NULL, FLAG_BASE + (int)i};
    options[i] = (struct option){0};
}

/* Prints what is wrong with an option; FOUND is '?' or ':' from getopt_long. Returns false. */
static bool refuse_option(const struct syntax *syntax, int found, char **argv)
{
    const struct flag *flag =
        optopt >= FLAG_BASE ? flag_at(syntax, (size_t)(optopt - FLAG_BASE)) : NULL;
    if (flag && found == ':')
        fail_usage("--%s needs a value: %s", flag->name, flag->value);
    else if (flag)
        fail_usage("--%s takes no value", flag->name);
    else if (optopt != 0)
        fail_usage("unknown option -%c", optopt);
    else
        fail_usage("unknown option %s", argv[optind - 1]);
    return false;
}

/* Reads the options after ARGV[0]; optind is then the index of the first operand. SHORT_OPTIONS are
 * as for getopt(3). */
static bool read_options(
    const struct syntax *syntax, const char *short_options, int argc, char **argv)
{
    struct option options[FLAGS_MAX + 1];
    int found;
    list_options(syntax, options);
    optind = 0; /* makes glibc start anew: options are read before the verb and again after it */
    opterr = 0;
    while ((found = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
        if (found == 'h')
            wants_help = true;
        else if (found == 'V' && syntax->wants_version)
            *syntax->wants_version = true;
        else if (found < FLAG_BASE)
            return refuse_option(syntax, found, argv);
        else {
            const struct flag *flag = flag_at(syntax, (size_t)(found - FLAG_BASE));
            if (flag->value)
                *flag->text = optarg;
            else
                *flag->set = true;
        }
    }
    return true;
}

static void print_flags(const struct flag *flags, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char left[40];
        snprintf(
            left, sizeof(left), "--%s %s", flags[i].name, flags[i].value ? flags[i].value : "");
        printf("  %-26s %s\n", left, flags[i].help);
    }
}

void syntax_print_help(const struct syntax *syntax)
{
    printf("Usage: e2ekeyctl %s\n\n%s\n\n", syntax->usage, syntax->about);
    if (syntax->print_more)
        syntax->print_more();
    print_flags(syntax->flags, syntax->flag_count);
    print_flags(common_flags, ARRAY_SIZE(common_flags));
}

static bool give_help(const struct syntax *syntax, int *status)
{
    if (wants_help) {
        syntax_print_help(syntax);
        *status = STATUS_DONE;
    }
    return wants_help;
}

bool syntax_read_leading(
    const struct syntax *syntax, int argc, char **argv, int *first, int *status)
{
    *status = STATUS_USAGE;
    if (!read_options(syntax, "+:hV", argc, argv))
        return false;
    *first = optind;
    return !give_help(syntax, status);
}

bool syntax_read(const struct syntax *syntax, int argc, char **argv, int *status)
{
    *status = STATUS_USAGE;
    if (!read_options(syntax, ":h", argc, argv) || give_help(syntax, status))
        return false;
    if (syntax->operand && optind < argc)
        *syntax->operand = argv[optind++];
    if (optind < argc)
        return fail_usage("%s: unexpected argument \"%s\"", argv[0], argv[optind]), false;
    if (syntax->operand && !*syntax->operand)
        return fail_usage("%s needs %s", argv[0], syntax->operand_name), false;
    return true;
}
