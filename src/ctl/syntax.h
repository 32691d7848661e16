/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines, read by getopt_long(3) from a description that is the help text too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* "--NAME", or "--NAME VALUE" if it takes a value. */
struct flag {
    const char *name;
    const char *value; /* what the help text calls the value; NULL: takes none */
    const char **text; /* set to the value, if it takes one */
    bool *set;         /* set to true, if it takes none */
    const char *help;
};

struct syntax {
    const char *usage;        /* after "e2ekeyctl " */
    const char *about;        /* one line or more */
    void (*print_more)(void); /* prints more of the help text, after .about; NULL: there is none */
    const struct flag *flags;
    size_t flag_count;
    const char **operand; /* NULL: takes none */
    const char *operand_name;
    bool *wants_version; /* set by -V; NULL: no such option */
};

/* The options that every verb takes. */
struct common_options {
    const char *socket; /* NULL: the default path */
    bool json;
};
extern struct common_options common;

/* Reads the arguments of a verb, whose name is ARGV[0]. Returns false if the verb is not to run:
 * help was asked for and printed, or an error was printed. *STATUS is the exit status then. */
bool syntax_read(const struct syntax *syntax, int argc, char **argv, int *status) WARN_UNUSED;
/* Reads the options before the verb, in the same way. *FIRST becomes the index of the verb. */
bool syntax_read_leading(
    const struct syntax *syntax, int argc, char **argv, int *first, int *status) WARN_UNUSED;
void syntax_print_help(const struct syntax *syntax);
