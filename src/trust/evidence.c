/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trust/evidence.h"

#include <endian.h>
#include <string.h>

#include "trust/issuer.h"

static void put(struct evidence *out, const void *data, size_t size)
{
    memcpy(out->octets + out->size, data, size);
    out->size += size;
}

static enum result write_link(
    struct evidence *out, const struct certificate *certificate, const struct certificate *issuer)
{
    static const uint8_t no_point[P256_POINT_OCTETS];
    uint8_t serial_size = (uint8_t)certificate->serial.size;
    uint64_t number;
    TRY(issuer_hash(certificate->issuer, &number));
    number = htobe64(number);
    put(out, &number, sizeof(number));
    put(out, certificate_may_sign_crls(issuer) ? issuer->point.data : no_point, sizeof(no_point));
    put(out, &serial_size, sizeof(serial_size));
    put(out, certificate->serial.data, serial_size);
    return RESULT_OK;
}

enum result evidence_write(const struct trust_store *store, const struct path_verdict *verdict,
    size_t domain, struct evidence *out)
{
    const struct path *path = &verdict->paths[domain];
    const struct certificate *issuer = &store->domains[domain].anchors[path->anchor].certificate;
    out->size = 0;
    for (size_t i = path->length; i-- > 0;) {
        const struct certificate *certificate = &verdict->presented[path->presented[i]];
        TRY(write_link(out, certificate, issuer));
        issuer = certificate;
    }
    return RESULT_OK;
}

bool evidence_next(struct bytes *evidence, struct evidence_link *out)
{
    struct bytes rest = *evidence, number;
    if (!bytes_take(&rest, sizeof(out->issuer), &number) ||
        !bytes_take(&rest, P256_POINT_OCTETS, &out->point) ||
        !bytes_take_block_8(&rest, &out->serial))
        return false;
    memcpy(&out->issuer, number.data, sizeof(out->issuer));
    out->issuer = be64toh(out->issuer);
    *evidence = rest;
    return true;
}
