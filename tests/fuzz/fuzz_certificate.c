/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any octets as a certificate: its fields, its names, and its constraints and policies held against
 * itself. Its subject and issuer have one digest if and only if they are one name. */
#include "x509/certificate.h"

#include <stdlib.h>
#include <string.h>

#include "trust/path_policies.h"
#include "x509/constraints.h"
#include "x509/distinguished_name.h"
#include "x509/subject_names.h"

static struct names names;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare_names(struct bytes a, struct bytes b)
{
    uint8_t digest_a[SHA256_OCTETS], digest_b[SHA256_OCTETS];
    bool equal = distinguished_name_equal(a, b);
    if (distinguished_name_digest(a, digest_a) != RESULT_OK ||
        distinguished_name_digest(b, digest_b) != RESULT_OK ||
        equal != (memcmp(digest_a, digest_b, SHA256_OCTETS) == 0) ||
        (equal && distinguished_name_match(a, b) != MATCH_YES))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct certificate certificate;
    struct fault fault;
    if (certificate_parse(bytes_of(data, size), &certificate, &fault) != RESULT_OK)
        return 0;
    enum result result = certificate_names(&certificate, &names, &fault);
    if (certificate.name_constraints.size > 0)
        result = constraints_check(certificate.name_constraints, certificate.subject,
            certificate.subject_alt_name, &fault);
    compare_names(certificate.subject, certificate.issuer);
    const struct certificate *const path[] = {&certificate, &certificate, &certificate};
    if (!path_policies_hold(path, ARRAY_SIZE(path)) && certificate.require_explicit_policy < 0)
        abort();
    return result == RESULT_INTERNAL ? -1 : 0;
}
