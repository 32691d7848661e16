/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any octets as a file that holds certificates, CRLs or a key, in PEM or DER. */
#include "x509/pem.h"

#include <string.h>

#include "base/base64.h"
#include "fuzz/fuzz.h"
#include "x509/key_file.h"
#include "x509/private_key.h"

#define BLOCKS_MAX 64

/* Blocks are taken until there is none, and none is longer than the text that it came from. */
static void read_blocks(struct bytes in, const char *label)
{
    struct buffer block AUTO_BUFFER = {.limit = 16384};
    struct bytes text = in;
    struct fault fault = FAULT_INIT;

    for (unsigned i = 0; i < BLOCKS_MAX; i++) {
        size_t before = text.size;
        enum result result =
            i % 2 ? pem_next(&text, label, &block) : pem_or_der_next(&text, label, &block, &fault);
        if (result != RESULT_OK)
            return;
        must(text.size < before && block.size < in.size + 1);
    }
}

static void read_key(struct bytes in)
{
    static const uint8_t digest[SHA256_OCTETS] = {1};
    struct private_key *key CLEANUP(auto_private_key_free) = NULL;
    uint8_t signature[ECDSA_SIGNATURE_OCTETS];
    size_t size;
    enum result result = private_key_parse(in, &key);

    must(result == RESULT_OK || result == RESULT_BAD_INPUT);
    if (result != RESULT_OK)
        return;
    must(private_key_sign(key, bytes_of(digest, sizeof(digest)), NULL, signature, &size) ==
         RESULT_OK);
    must(ecdsa_verify_digest(private_key_public(key).point, digest, bytes_of(signature, size)));
}

static void read_file(struct bytes in)
{
    struct private_key *key CLEANUP(auto_private_key_free) = NULL;
    uint8_t spki[P256_SPKI_OCTETS];
    struct public_key public_key;
    struct fault fault = FAULT_INIT;

    fuzz_write("any", in);
    if (public_key_of_file(fuzz_path("any"), spki, &fault) == RESULT_OK)
        must(public_key_parse(bytes_of(spki, sizeof(spki)), &public_key));
    if (private_key_read(fuzz_path("any"), &key, &fault) == RESULT_OK)
        must(memcmp(private_key_public(key).spki.data, spki, sizeof(spki)) == 0);
}

static void check_base64(struct bytes in)
{
    struct buffer octets AUTO_BUFFER = {.limit = 16384};
    struct buffer text AUTO_BUFFER = {.limit = 16384};
    uint8_t exact[32];

    if (base64_decode(in, &octets) == RESULT_OK) {
        must(base64_encode(buffer_bytes(&octets), &text) == RESULT_OK);
        must(bytes_equal(in, buffer_bytes(&text)));
    }
    if (base64url_decode_exact(in, exact, sizeof(exact)) == RESULT_OK) {
        char again[64];
        base64url_encode_text(bytes_of(exact, sizeof(exact)), again);
        must(bytes_equal(in, bytes_of_string(again)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);

    fuzz_begin();
    (void)pem_is_in(in);
    read_blocks(in, "CERTIFICATE");
    read_blocks(in, "X509 CRL");
    read_key(in);
    read_file(in);
    check_base64(in);
    return 0;
}
