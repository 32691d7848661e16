/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/signed_object.h"

#include "x509/der.h"
#include "x509/distinguished_name.h"

/* RFC 5758 3.2 */
static const uint8_t ecdsa_with_sha256[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

bool signed_object_read(struct bytes der, struct signed_object *out)
{
    struct bytes object;
    struct der tbs, algorithm;
    uint8_t unused_bits;
    if (!der_only(der, DER_SEQUENCE, &object) || !der_take(&object, &tbs) ||
        tbs.tag != DER_SEQUENCE || !der_take(&object, &algorithm) ||
        !der_take_tag(&object, DER_BIT_STRING, &out->signature) || object.size != 0 ||
        !bytes_take_u8(&out->signature, &unused_bits) || unused_bits != 0)
        return false;
    out->tbs = tbs.whole;
    out->tbs_content = tbs.content;
    out->algorithm = algorithm.whole;
    return true;
}

bool x509_take_exactly(struct bytes *in, const uint8_t *expected, size_t size)
{
    struct bytes taken, rest = *in;
    if (!bytes_take(&rest, size, &taken) || !bytes_equal(taken, bytes_of(expected, size)))
        return false;
    *in = rest;
    return true;
}

bool x509_take_algorithm(struct bytes *in)
{
    return x509_take_exactly(in, ecdsa_with_sha256, sizeof(ecdsa_with_sha256));
}

bool x509_take_name(struct bytes *in, struct bytes *out)
{
    struct der name;
    if (!der_take(in, &name) || !distinguished_name_is_valid(name.whole))
        return false;
    *out = name.whole;
    return true;
}
