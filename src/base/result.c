/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/result.h"

#include <stddef.h>

static const struct {
    enum category category;
    const char *name, *text;
} results[] = {
#define RESULT_ROW(name, category, text) {CATEGORY_##category, #name, text},
    RESULT_LIST(RESULT_ROW)
#undef RESULT_ROW
};

/* The names in lower case with hyphens: "bad-message" for BAD_MESSAGE. */
static char names[RESULT_COUNT][32];

__attribute__((constructor)) static void spell_names(void)
{
    for (size_t i = 0; i < RESULT_COUNT; i++)
        for (size_t j = 0; j < sizeof(names[i]) - 1 && results[i].name[j]; j++) {
            char c = results[i].name[j];
            names[i][j] = c == '_' ? '-' : (char)(c | 0x20);
        }
}

enum result result_known(enum result result)
{
    return (unsigned)result < RESULT_COUNT ? result : RESULT_INTERNAL;
}

enum category result_category(enum result result)
{
    return results[result_known(result)].category;
}

const char *result_text(enum result result)
{
    return results[result_known(result)].text;
}

const char *result_name(enum result result)
{
    return names[result_known(result)];
}
