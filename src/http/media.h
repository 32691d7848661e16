/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Media types of the binding (TS-0009 6.2.4, 6.4): Content-Type and Accept (RFC 9110 8.3, 12.5.1).
 */
#pragma once

#include <stdbool.h>

#define MEDIA_TY_OCTETS 16

struct media_type {
    bool is_supported;                   /* JSON under one of its oneM2M names, in UTF-8 */
    bool is_repeated;                    /* more than one ty */
    bool has_resource_type;              /* ty, which makes POST a Create */
    char resource_type[MEDIA_TY_OCTETS]; /* as it came, cut to fit: too long to be one then */
};

void media_type_read(const char *text, struct media_type *out);

/* What we can answer in, best first. */
enum media_answer { MEDIA_JSON, MEDIA_RESPONSE_JSON, MEDIA_ANSWERS };

/* Zero-initialise; add each Accept header. */
struct media_accept {
    bool is_limited; /* something was asked for; else everything will do */
    struct {
        int precision, quality; /* of the range that fits best, the most precise one */
    } fit[MEDIA_ANSWERS];
};

void media_accept_add(struct media_accept *accept, const char *text);
/* "application/json" …; NULL when none of ours is acceptable. */
const char *media_accept_choice(const struct media_accept *accept);
