/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of its holder that a credential contains. Rules of the policy are matched with them. */
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

/* All are printable ASCII. dNSNames are in lower case. A device id is the whole id as a dotted OID:
 * the type-id of the otherName, and its value. */
struct names {
    struct name_list dns;    /* dNSName */
    struct name_list uri;    /* uniformResourceIdentifier */
    struct name_list device; /* otherName under the M2M Device Indication ID arc */
    uint8_t spki_digest[SPKI_DIGEST_SIZE];
};
