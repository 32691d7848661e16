/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a credential says of its holder: the names that rules are matched against. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NAMES_MAX        16  /* subjectAltName entries of one kind; more are refused */
#define NAME_OCTETS      256 /* the longest single name, NUL included; longer are refused */
#define SPKI_DIGEST_SIZE 32  /* SHA-256 of the SubjectPublicKeyInfo */

struct name_list {
    size_t count;
    char name[NAMES_MAX][NAME_OCTETS];
};

/* Validated text: printable ASCII without NUL; dNSNames in lower case; device ids as dotted OIDs,
 * the whole id (type-id and value joined). */
struct names {
    struct name_list dns;    /* dNSName */
    struct name_list uri;    /* uniformResourceIdentifier */
    struct name_list device; /* otherName under the M2M Device Indication ID arc */
    uint8_t spki_digest[SPKI_DIGEST_SIZE];
};
