/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/flavour.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "identity/identifier.h"

/* "//SP/CSE": the only absolute identifier of one segment that is a CSE's. */
static bool is_absolute_cse_id(const char *text)
{
    return identifier_is_absolute(text) && !strchr(text + 2 + strcspn(text + 2, "/") + 1, '/');
}

/* An AE-ID, or a pattern that admits AE-IDs. */
static bool is_ae_pattern(const char *text)
{
    return identifier_is_pattern(text) &&
           (identifier_is_ae_id(text) || text[strlen(text) - 1] == '*');
}

static const struct {
    const char *name, *member;
    bool (*takes_identity)(const char *identity);
    const char *identity_form;
} flavours[] = {
#define FLAVOUR_ROW(number, enumerator, ...) [number] = {__VA_ARGS__},
    FLAVOUR_LIST(FLAVOUR_ROW)
#undef FLAVOUR_ROW
};

static_assert(ARRAY_SIZE(flavours) == FLAVOUR_COUNT, "the last row has the highest number");

const char *flavour_name(enum flavour flavour)
{
    return flavours[flavour].name;
}

int flavour_from_name(const char *name)
{
    for (int i = 0; i < FLAVOUR_COUNT; i++)
        if (strcmp(flavours[i].name, name) == 0)
            return i;
    return -1;
}

static char names[FLAVOUR_COUNT * 32];

__attribute__((constructor)) static void join_names(void)
{
    char *at = names;

    for (size_t i = 0; i < FLAVOUR_COUNT; i++)
        at += snprintf(at, 32, "%s%s",
            i == 0                  ? ""
            : i + 1 < FLAVOUR_COUNT ? ", "
                                    : " or ",
            flavours[i].name);
}

const char *flavour_names(void)
{
    return names;
}

const char *flavour_member(enum flavour flavour)
{
    return flavours[flavour].member;
}

bool flavour_takes_identity(enum flavour flavour, const char *identity)
{
    return flavours[flavour].takes_identity(identity);
}

const char *flavour_identity_form(enum flavour flavour)
{
    return flavours[flavour].identity_form;
}
