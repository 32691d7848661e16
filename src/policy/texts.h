/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of a policy: its texts, arrays and index, which are released together.
 * For the rooms policy and policy_load. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct policy_texts;

struct policy_texts *texts_new(void) WARN_UNUSED;
void texts_free(struct policy_texts *texts);

/* Each returns NULL when memory is short. From then on texts_failed returns true, so that whoever
 * builds a policy can check once at the end. */
void *texts_array(struct policy_texts *texts, size_t count, size_t size); /* COUNT * SIZE zeros */
char *texts_copy(struct policy_texts *texts, const char *text);
char *texts_format(struct policy_texts *texts, const char *format, ...) PRINTF(2, 3);
bool texts_failed(const struct policy_texts *texts);
