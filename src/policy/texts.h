/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a policy owns, freed as one: its texts and arrays. Private to the room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct policy_texts;

struct policy_texts *texts_new(void) WARN_UNUSED;
void texts_free(struct policy_texts *texts);

/* Each gives NULL when memory is short; then texts_failed says so from there on. */
void *texts_array(struct policy_texts *texts, size_t count, size_t size); /* zeroed */
char *texts_copy(struct policy_texts *texts, const char *text);
char *texts_format(struct policy_texts *texts, const char *format, ...) PRINTF(2, 3);
bool texts_failed(const struct policy_texts *texts);
