/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz/pki.h"

#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "trust/store_load.h"
#include "x509/private_key.h"
#include "x509/signed_object.h"

static const char *const names[PKI_KINDS] = {
    [PKI_ANCHOR_A] = "a.anchors",
    [PKI_ANCHOR_B] = "b.anchors",
    [PKI_CRL_A] = "a.crl",
    [PKI_CRL_B] = "b.crl",
};
static const char *const labels[PKI_KINDS] = {
    [PKI_ANCHOR_A] = "CERTIFICATE",
    [PKI_ANCHOR_B] = "CERTIFICATE",
    [PKI_CRL_A] = "X509 CRL",
    [PKI_CRL_B] = "X509 CRL",
    [PKI_CRL_A_LATER] = "X509 CRL",
};

static struct private_key *keys[2]; /* everybody's, and another */

static void open_keys(void)
{
    if (!keys[0])
        must(private_key_read(fuzz_path("root.key"), &keys[0], NULL) == RESULT_OK &&
             private_key_read(fuzz_path("other.key"), &keys[1], NULL) == RESULT_OK);
}

/* --- signing anew --- */

static void put(struct buffer *out, const void *data, size_t size)
{
    must(buffer_append(out, data, size) == RESULT_OK);
}

static void put_header(struct buffer *out, uint8_t tag, size_t size)
{
    if (size < 128)
        put(out, (uint8_t[]){tag, (uint8_t)size}, 2);
    else if (size < 256)
        put(out, (uint8_t[]){tag, 0x81, (uint8_t)size}, 3);
    else
        put(out, (uint8_t[]){tag, 0x82, (uint8_t)(size >> 8), (uint8_t)size}, 4);
}

/* Puts everybody's key into a certificate. */
static void replace_key(struct buffer *der)
{
    struct certificate certificate;

    if (certificate_parse(buffer_bytes(der), &certificate, NULL) == RESULT_OK)
        memcpy(der->data + (certificate.point.data - der->data),
            private_key_public(keys[0]).point.data, P256_POINT_OCTETS);
}

static void sign(struct buffer *der, const struct private_key *key)
{
    uint8_t digest[SHA256_OCTETS], signature[ECDSA_SIGNATURE_OCTETS];
    struct buffer out = {.limit = 65536};
    struct signed_object object;
    size_t size = 0;

    if (!signed_object_read(buffer_bytes(der), &object))
        return;
    must(sha256_of(object.tbs, (struct bytes){0}, digest) == RESULT_OK &&
         private_key_sign(key, bytes_of(digest, sizeof(digest)), NULL, signature, &size) ==
             RESULT_OK);
    size_t inner = object.tbs.size + object.algorithm.size + 2 + 1 + size;
    put_header(&out, 0x30, inner);
    put(&out, object.tbs.data, object.tbs.size);
    put(&out, object.algorithm.data, object.algorithm.size);
    put_header(&out, 0x03, 1 + size);
    put(&out, "", 1);
    put(&out, signature, size);
    buffer_release(der);
    *der = out;
}

/* --- pieces --- */

static void put_pem(struct buffer *file, const char *label, struct bytes der)
{
    fuzz_append(file, "-----BEGIN ");
    fuzz_append(file, label);
    fuzz_append(file, "-----\n");
    must(base64_encode(der, file) == RESULT_OK);
    fuzz_append(file, "\n-----END ");
    fuzz_append(file, label);
    fuzz_append(file, "-----\n");
}

static void take_piece(struct pki *pki, struct bytes piece)
{
    uint8_t flags = fuzz_octet(&piece);
    enum pki_kind kind = (flags & 7) % PKI_KINDS;
    struct buffer der = {.limit = 65536};

    put(&der, piece.data, piece.size);
    if (!(flags & PKI_OWN_KEY))
        replace_key(&der);
    if (!(flags & PKI_AS_IT_IS))
        sign(&der, keys[(flags & PKI_OTHER_KEY) != 0]);
    if (kind == PKI_CHAIN && pki->chain_count < PATH_CERTIFICATES_MAX) {
        pki->chain_der[pki->chain_count] = der;
        pki->chain[pki->chain_count++] = buffer_bytes(&der);
        return;
    }
    if (kind != PKI_CHAIN && flags & PKI_BINARY) {
        buffer_consume(&pki->files[kind], pki->files[kind].size);
        put(&pki->files[kind], der.data, der.size);
    } else if (kind != PKI_CHAIN) {
        put_pem(&pki->files[kind], labels[kind], buffer_bytes(&der));
    }
    buffer_release(&der);
}

void pki_open(struct pki *pki, struct bytes in)
{
    static struct buffer nobody; /* DER of a CA that has certified none of them */
    struct bytes piece;

    if (nobody.size == 0)
        nobody = fuzz_certificate("other.pem");
    open_keys();
    *pki = (struct pki){0};
    for (size_t i = 0; i < PKI_KINDS; i++)
        pki->files[i].limit = (size_t)1 << 20;
    while (fuzz_take(&in, &piece))
        take_piece(pki, piece);
    for (size_t i = 0; i < PKI_KINDS; i++) {
        if (!names[i])
            continue;
        unlink(fuzz_path(names[i])); /* a CRL file may be missing */
        if (pki->files[i].size > 0)
            fuzz_write(names[i], buffer_bytes(&pki->files[i]));
        else if (i == PKI_ANCHOR_A || i == PKI_ANCHOR_B) /* without any there is no domain */
            fuzz_write(names[i], buffer_bytes(&nobody));
    }
}

bool pki_go_on(const struct pki *pki)
{
    const struct buffer *later = &pki->files[PKI_CRL_A_LATER];

    if (later->size == 0)
        return false;
    unlink(fuzz_path(names[PKI_CRL_A]));
    fuzz_write(names[PKI_CRL_A], buffer_bytes(later));
    return true;
}

void pki_close(struct pki *pki)
{
    for (size_t i = 0; i < PKI_KINDS; i++)
        buffer_release(&pki->files[i]);
    for (size_t i = 0; i < pki->chain_count; i++)
        buffer_release(&pki->chain_der[i]);
}

/* --- the policy --- */

const struct policy *pki_policy(void)
{
    static struct policy *policy;

    if (!policy)
        policy = fuzz_policy("domains.json");
    return policy;
}

struct trust_store *pki_store(void)
{
    struct report report CLEANUP(report_release) = {0};
    static struct policy without_rules; /* the store keeps it */
    struct trust_store *store = NULL;

    without_rules = *pki_policy();
    without_rules.rule_count = 0;
    enum result result = trust_store_new(&without_rules, &store, &report);
    must((result == RESULT_OK) == (report.faults == 0) && (store != NULL) == (report.faults == 0));
    return store;
}
