/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any octets as a certificate: its fields, its names, and its constraints held against itself. */
#include "tls/certificate.h"
#include "tls/constraints.h"

static struct names names;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct certificate certificate;
    struct fault fault;
    if (certificate_parse(bytes_of(data, size), &certificate, &fault) != RESULT_OK)
        return 0;
    enum result result = certificate_names(&certificate, &names, &fault);
    if (certificate.name_constraints.size > 0)
        result = constraints_check(certificate.name_constraints, &certificate, &fault);
    return result == RESULT_INTERNAL ? -1 : 0;
}
