/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

struct common_options common;

static bool wants_help;

static const struct flag common_flags[] = {
    {"socket", "PATH", &common.socket, NULL, "the daemon's socket (" E2EKEY_SOCKET ")"},
    {"json", NULL, NULL, &common.json, "JSON instead of text for people"},
    {"help", NULL, NULL, &wants_help, "this text"},
};

static const struct flag *find_in(
    const struct flag *flags, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(flags[i].name) == length && strncmp(flags[i].name, name, length) == 0)
            return &flags[i];
    return NULL;
}

static const struct flag *find_flag(const struct syntax *syntax, const char *name, size_t length)
{
    const struct flag *flag = find_in(syntax->flags, syntax->flag_count, name, length);
    return flag ? flag : find_in(common_flags, ARRAY_SIZE(common_flags), name, length);
}

/* Reads the flag at argv[*AT], and its value, which may be the next one. */
static bool read_flag(const struct syntax *syntax, int argc, char **argv, int *at)
{
    const char *name = argv[*at] + 2, *value = strchr(name, '=');
    const struct flag *flag = find_flag(syntax, name, strcspn(name, "="));
    if (!flag)
        return fail_usage("unknown option %s", argv[*at]), false;
    if (!flag->value) {
        if (value)
            return fail_usage("--%s takes no value", flag->name), false;
        *flag->set = true;
        return true;
    }
    if (!value && *at + 1 == argc)
        return fail_usage("--%s needs a value: %s", flag->name, flag->value), false;
    *flag->text = value ? value + 1 : argv[++*at];
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

static void print_help(const struct syntax *syntax)
{
    printf("Usage: e2ekeyctl %s\n\n%s\n\n", syntax->usage, syntax->about);
    print_flags(syntax->flags, syntax->flag_count);
    print_flags(common_flags, ARRAY_SIZE(common_flags));
}

static bool is_flag(const char *argument)
{
    return strncmp(argument, "--", 2) == 0 && argument[2] != '\0';
}

bool syntax_read_leading(
    const struct syntax *syntax, int argc, char **argv, int *first, int *status)
{
    int at = 1;
    for (*status = STATUS_USAGE; at < argc && is_flag(argv[at]); at++)
        if (!read_flag(syntax, argc, argv, &at))
            return false;
    *first = at;
    if (!wants_help)
        return true;
    print_help(syntax);
    *status = STATUS_DONE;
    return false;
}

bool syntax_read(const struct syntax *syntax, int argc, char **argv, int *status)
{
    int at = 0;
    if (!syntax_read_leading(syntax, argc, argv, &at, status))
        return false;
    for (; at < argc; at++) {
        if (is_flag(argv[at])) {
            if (!read_flag(syntax, argc, argv, &at))
                return false;
        } else if (syntax->operand && !*syntax->operand) {
            *syntax->operand = argv[at];
        } else {
            return fail_usage("%s: \"%s\" is too much", argv[0], argv[at]), false;
        }
    }
    if (wants_help) {
        print_help(syntax);
        *status = STATUS_DONE;
        return false;
    }
    if (syntax->operand && !*syntax->operand)
        return fail_usage("%s needs %s", argv[0], syntax->operand_name), false;
    return true;
}
