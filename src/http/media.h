/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Media types of the binding (TS-0009 6.2.4, 6.4): Content-Type and Accept (RFC 9110 8.3, 12.5.1).
 * The table of those that we have is in onem2m/content.h. */
#pragma once

#include "onem2m/content.h"

#define MEDIA_TY_OCTETS 16

struct media_type {
    const struct serialization *serialization; /* NULL: none of ours, or not in UTF-8 */
    bool is_repeated;                          /* more than one ty */
    bool has_resource_type;                    /* ty, which makes POST a Create */
    char resource_type[MEDIA_TY_OCTETS];       /* as it came; what is cut is too long to be a ty */
};

void media_type_read(const char *text, struct media_type *out);

/* Zero-initialise; add each Accept header. */
struct media_accept {
    bool is_limited; /* the client named what it accepts; without that, it accepts everything */
    struct {
        int precision, quality; /* of the most precise range that covers this media type */
    } fit[CONTENT_TYPES_MAX];   /* by the number of content_type */
};

void media_accept_add(struct media_accept *accept, const char *text);
/* "application/json" …; NULL when none that we can answer in is acceptable. */
const char *media_accept_choice(const struct media_accept *accept);

#define MEDIA_LIST_OCTETS 200
/* Writes media types for an error text, as "A, B or C", cut to fit: with ANSWERS those that we can
 * answer in, otherwise all that a request's content can have. */
void media_list(bool answers, char text[MEDIA_LIST_OCTETS]);
