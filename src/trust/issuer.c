/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trust/issuer.h"

#include <endian.h>
#include <string.h>

#include "x509/distinguished_name.h"

static uint64_t number_of(const uint8_t digest[SHA256_OCTETS])
{
    uint64_t number;
    memcpy(&number, digest, sizeof(number));
    return be64toh(number);
}

enum result issuer_hash(struct bytes name, uint64_t *out)
{
    uint8_t digest[SHA256_OCTETS];
    enum result result = distinguished_name_digest(name, digest);
    if (result == RESULT_OK)
        *out = number_of(digest);
    return result;
}

enum result issuer_old_hash(struct bytes name, uint64_t *out)
{
    uint8_t digest[SHA256_OCTETS];
    enum result result = sha256_of(name, (struct bytes){0}, digest);
    if (result == RESULT_OK)
        *out = number_of(digest);
    return result;
}
