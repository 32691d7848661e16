/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/texts.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct text_block {
    struct text_block *next;
    alignas(max_align_t) char content[];
};

struct policy_texts {
    struct text_block *first;
    bool failed;
};

struct policy_texts *texts_new(void)
{
    return calloc(1, sizeof(struct policy_texts));
}

void texts_free(struct policy_texts *texts)
{
    if (!texts)
        return;
    for (struct text_block *block = texts->first, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(texts);
}

void *texts_array(struct policy_texts *texts, size_t count, size_t size)
{
    struct text_block *block = NULL;
    if (size == 0 || count <= (SIZE_MAX - sizeof(*block)) / size)
        block = calloc(1, sizeof(*block) + count * size);
    if (!block) {
        texts->failed = true;
        return NULL;
    }
    block->next = texts->first;
    texts->first = block;
    return block->content;
}

char *texts_copy(struct policy_texts *texts, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = texts_array(texts, size, 1);
    return copy ? memcpy(copy, text, size) : NULL;
}

char *texts_format(struct policy_texts *texts, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text AUTO_FREE = NULL;
    const int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (size < 0) {
        text = NULL; /* vasprintf leaves it undefined */
        texts->failed = true;
        return NULL;
    }
    return texts_copy(texts, text);
}

bool texts_failed(const struct policy_texts *texts)
{
    return texts->failed;
}
