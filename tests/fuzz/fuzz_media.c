/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as Content-Type, and its lines as Accept headers of one request. */
#include "http/media.h"

#include <string.h>

#include "fuzz/fuzz.h"

#define TEXT_OCTETS 4096

static bool is_answer(const char *choice)
{
    for (size_t i = 0; content_type(i); i++)
        if (choice == content_type(i)->name)
            return content_type(i)->is_answer;
    return false;
}

static void check_accept(char *text)
{
    struct media_accept accept = {0};

    for (char *line; (line = strsep(&text, "\n"));)
        media_accept_add(&accept, line);
    const char *choice = media_accept_choice(&accept);
    must(choice ? is_answer(choice) : accept.is_limited);
    /* Who takes anything takes something. */
    struct media_accept more = {0};
    media_accept_add(&more, "*/*");
    must(media_accept_choice(&more) != NULL);
}

static void check_list(bool answers)
{
    char list[MEDIA_LIST_OCTETS];

    media_list(answers, list);
    must(strlen(list) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_OCTETS + 1];
    struct media_type type;

    if (size > TEXT_OCTETS)
        return -1;
    fuzz_begin();
    memcpy(text, data, size);
    text[size] = '\0';
    media_type_read(text, &type);
    must(strlen(type.resource_type) < sizeof(type.resource_type));
    must(type.has_resource_type || (!type.is_repeated && type.resource_type[0] == '\0'));
    check_accept(text);
    check_list(true);
    check_list(false);
    return 0;
}
