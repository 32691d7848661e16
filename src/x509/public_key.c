/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/public_key.h"

#include <string.h>

#include "x509/signed_object.h"

/* A SubjectPublicKeyInfo up to the coordinates: id-ecPublicKey, secp256r1, uncompressed point. */
static const uint8_t p256_spki[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    0x04};
_Static_assert(sizeof(p256_spki) - 1 + P256_POINT_OCTETS == P256_SPKI_OCTETS, "0x04 is in both");

bool public_key_take(struct bytes *in, struct public_key *out)
{
    struct bytes start = *in, coordinates;
    if (!x509_take_exactly(in, p256_spki, sizeof(p256_spki)) ||
        !bytes_take(in, P256_POINT_OCTETS - 1, &coordinates))
        return false;
    out->spki = bytes_of(start.data, P256_SPKI_OCTETS);
    out->point = bytes_of(coordinates.data - 1, P256_POINT_OCTETS); /* from the 0x04 on */
    return ecdsa_is_point(out->point);
}

bool public_key_parse(struct bytes spki, struct public_key *out)
{
    return public_key_take(&spki, out) && spki.size == 0;
}

void public_key_write(const uint8_t point[P256_POINT_OCTETS], uint8_t spki[P256_SPKI_OCTETS])
{
    memcpy(spki, p256_spki, sizeof(p256_spki) - 1);
    memcpy(spki + sizeof(p256_spki) - 1, point, P256_POINT_OCTETS);
}

enum result spki_digest(struct bytes spki, uint8_t digest[SPKI_DIGEST_SIZE])
{
    return sha256_of(spki, (struct bytes){0}, digest);
}
