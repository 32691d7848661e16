/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints the RFC 6920 identifiers by which a rule of the policy names a raw public key. */
#include <jansson.h>
#include <stdio.h>

#include "ctl/common.h"
#include "ctl/syntax.h"
#include "ctl/verbs.h"
#include "identity/public_key_id.h"
#include "tls/context.h"
#include "x509/key_file.h"

static const char *file;

static const struct syntax syntax = {
    .usage = "public-key-id FILE",
    .about =
        "Prints the public key identifiers of a certificate, public key or private key (PEM or\n"
        "DER) in their three forms: sha-256, sha-256-128 and sha-256-120.",
    .operand = &file,
    .operand_name = "a file",
};

static bool identify(char ids[PUBLIC_KEY_ID_KINDS][PUBLIC_KEY_ID_OCTETS], struct fault *fault)
{
    uint8_t spki[P256_SPKI_OCTETS], digest[SPKI_DIGEST_SIZE];
    enum result result = tls_start(fault);
    if (result == RESULT_OK)
        result = public_key_of_file(file, spki, fault);
    if (result == RESULT_OK)
        result = spki_digest(bytes_of(spki, sizeof(spki)), digest);
    if (result != RESULT_OK)
        return false;
    for (int kind = 0; kind < PUBLIC_KEY_ID_KINDS; kind++)
        public_key_id_format((enum public_key_id_kind)kind, digest, ids[kind]);
    return true;
}

int verb_public_key_id(int argc, char **argv)
{
    char ids[PUBLIC_KEY_ID_KINDS][PUBLIC_KEY_ID_OCTETS];
    struct fault fault = FAULT_INIT;
    int status = STATUS_USAGE;
    if (!syntax_read(&syntax, argc, argv, &status))
        return status;
    if (!identify(ids, &fault))
        return fail(STATUS_USAGE, "%s", fault.text);
    if (common.json)
        return print_json_line(
            json_pack("{s:s, s:s, s:s}", "sha-256", ids[PUBLIC_KEY_ID_SHA_256], "sha-256-128",
                ids[PUBLIC_KEY_ID_SHA_256_128], "sha-256-120", ids[PUBLIC_KEY_ID_SHA_256_120]));
    for (int kind = 0; kind < PUBLIC_KEY_ID_KINDS; kind++)
        puts(ids[kind]);
    return STATUS_DONE;
}
