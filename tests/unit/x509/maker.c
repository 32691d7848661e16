/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/x509/maker.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define NAMED_MAX     192
#define BUFFER_OCTETS ((size_t)1 << 20)

static struct {
    char *name;
    EVP_PKEY *key;
    X509 *certificate; /* of an authority */
} named[NAMED_MAX];
static size_t named_count;

static size_t find(const char *name)
{
    for (size_t i = 0; i < named_count; i++) {
        if (strcmp(named[i].name, name) == 0)
            return i;
    }
    ck_assert_uint_lt(named_count, NAMED_MAX);
    named[named_count].name = strdup(name);
    return named_count++;
}

static EVP_PKEY *new_key(const struct recipe *recipe)
{
    const char *curve = recipe->curve ? recipe->curve : "P-256";
    EVP_PKEY *key = strcmp(curve, "RSA") == 0 ? EVP_RSA_gen(2048) : EVP_EC_gen(curve);
    ck_assert_ptr_nonnull(key);
    if (recipe->compressed)
        EVP_PKEY_set_utf8_string_param(key, "point-format", "compressed");
    return key;
}

static const char *name_of(const struct recipe *recipe)
{
    return recipe->name ? recipe->name : "leaf";
}

static EVP_PKEY *key_of(const struct recipe *recipe)
{
    size_t i = find(recipe->key ? recipe->key : name_of(recipe));
    if (!named[i].key)
        named[i].key = new_key(recipe);
    return named[i].key;
}

static EVP_PKEY *key_named(const char *name)
{
    return key_of(&(struct recipe){.name = name});
}

static struct buffer buffer_of(const uint8_t *data, size_t size)
{
    struct buffer buffer = {.limit = BUFFER_OCTETS};
    ck_assert_int_eq(buffer_append(&buffer, data, size), RESULT_OK);
    return buffer;
}

/* --- octets by hand --- */

static size_t from_hex(const char *hex, size_t digits, uint8_t out[256])
{
    char text[513] = "";
    ck_assert_uint_lt(digits, sizeof(text));
    memcpy(text, hex, digits);
    ck_assert(bytes_from_hex(text, out, digits / 2));
    return digits / 2;
}

static void edit(struct buffer *buffer, const char *change)
{
    uint8_t from[256], to[256];
    if (!change)
        return;
    const char *arrow = strchr(change, '>');
    size_t size = from_hex(change, (size_t)(arrow - change), from);
    ck_assert_uint_eq(from_hex(arrow + 1, strlen(arrow + 1), to), size);
    uint8_t *found = memmem(buffer->data, buffer->size, from, size);
    ck_assert_msg(found != NULL, "%s is not there to be replaced", change);
    memcpy(found, to, size);
}

static void append(struct buffer *buffer, const char *hex)
{
    uint8_t octets[256];
    if (hex)
        ck_assert_int_eq(
            buffer_append(buffer, octets, from_hex(hex, strlen(hex), octets)), RESULT_OK);
}

static void put_header(struct buffer *out, uint8_t tag, size_t size)
{
    uint8_t header[4] = {tag, (uint8_t)size};
    size_t used = 2;
    if (size >= 256) {
        memcpy(header + 1, (uint8_t[]){0x82, (uint8_t)(size >> 8), (uint8_t)size}, 3);
        used = 4;
    } else if (size >= 128) {
        memcpy(header + 1, (uint8_t[]){0x81, (uint8_t)size}, 2);
        used = 3;
    }
    ck_assert_int_eq(buffer_append(out, header, used), RESULT_OK);
}

/* SEQUENCE { TBS, the algorithm ALGORITHM, signature } */
static struct buffer sign_again(
    const struct buffer *tbs, const X509_ALGOR *algorithm, EVP_PKEY *key, const char *digest)
{
    uint8_t signature[1024], *algorithm_der = NULL;
    size_t size = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert_int_eq(EVP_DigestSignInit(context, NULL, EVP_get_digestbyname(digest), NULL, key), 1);
    ck_assert_int_eq(EVP_DigestSign(context, signature, &size, tbs->data, tbs->size), 1);
    EVP_MD_CTX_free(context);

    int algorithm_size = i2d_X509_ALGOR(algorithm, &algorithm_der);
    ck_assert_int_gt(algorithm_size, 0);
    struct buffer body = buffer_of(tbs->data, tbs->size), out = {.limit = BUFFER_OCTETS};
    ck_assert_int_eq(buffer_append(&body, algorithm_der, (size_t)algorithm_size), RESULT_OK);
    put_header(&body, 0x03, size + 1);
    ck_assert_int_eq(buffer_append(&body, "", 1), RESULT_OK);
    ck_assert_int_eq(buffer_append(&body, signature, size), RESULT_OK);
    put_header(&out, 0x30, body.size);
    ck_assert_int_eq(buffer_append(&out, body.data, body.size), RESULT_OK);
    buffer_release(&body);
    OPENSSL_free(algorithm_der);
    return out;
}

/* --- certificates --- */

static void add_attribute(X509_NAME *name, const char *type, const char *value, int set)
{
    ck_assert_int_eq(
        X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const uint8_t *)value, -1, -1, set),
        1);
}

/* A common name, or "/O=one/OU=two+CN=three". */
static X509_NAME *new_name(const char *text)
{
    X509_NAME *name = X509_NAME_new();
    char copy[256], *rest = copy + 1, *rdn;
    snprintf(copy, sizeof(copy), "%s", text);
    if (*text && *text != '/')
        add_attribute(name, "CN", text, 0);
    while (*text == '/' && (rdn = strsep(&rest, "/"))) {
        int set = 0;
        for (char *value; (value = strsep(&rdn, "+")); set = -1) {
            const char *type = strsep(&value, "=");
            add_attribute(name, type, value, set);
        }
    }
    return name;
}

static CONF *extensions_of(const char *lines)
{
    char text[16384];
    snprintf(text, sizeof(text), "[ext]\n%s", lines);
    BIO *bio = BIO_new_mem_buf(text, -1);
    CONF *conf = NCONF_new(NULL);
    ck_assert_int_eq(NCONF_load_bio(conf, bio, NULL), 1);
    BIO_free(bio);
    return conf;
}

static void add_extensions(X509 *certificate, X509 *issuer, const char *lines)
{
    X509V3_CTX context;
    CONF *conf = extensions_of(lines);
    X509V3_set_ctx(&context, issuer ? issuer : certificate, certificate, NULL, NULL, 0);
    X509V3_set_nconf(&context, conf);
    int done = X509V3_EXT_add_nconf(conf, &context, "ext", certificate);
    if (!done)
        ERR_print_errors_fp(stderr);
    ck_assert_msg(done, "extensions: %s", lines);
    NCONF_free(conf);
}

static void set_validity(X509 *certificate, const struct recipe *recipe)
{
    ASN1_TIME_adj(X509_getm_notBefore(certificate),
        (time_t)(recipe->not_before ? recipe->not_before : MAKER_BEFORE), 0, 0);
    ASN1_TIME_adj(X509_getm_notAfter(certificate),
        (time_t)(recipe->not_after ? recipe->not_after : MAKER_AFTER), 0, 0);
}

static void set_names(X509 *certificate, const struct recipe *recipe, X509 *issuer)
{
    X509_NAME *subject = new_name(recipe->subject ? recipe->subject : name_of(recipe));
    X509_set_subject_name(certificate, subject);
    X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : subject);
    X509_NAME_free(subject);
}

static X509 *new_certificate(const struct recipe *recipe, const char *issuer_name)
{
    static long serial = 0x030000;
    size_t issuer = find(issuer_name);
    X509 *certificate = X509_new();
    X509_set_version(certificate, recipe->version < 0 ? 0 : 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    set_validity(certificate, recipe);
    set_names(certificate, recipe, named[issuer].certificate);
    ck_assert_int_eq(X509_set_pubkey(certificate, key_of(recipe)), 1);
    if (recipe->version >= 0)
        add_extensions(certificate, named[issuer].certificate,
            recipe->extensions ? recipe->extensions : MAKER_LEAF);
    const char *signer = recipe->signer ? recipe->signer : issuer_name;
    const char *digest = recipe->digest ? recipe->digest : "SHA256";
    ck_assert_int_gt(X509_sign(certificate, key_named(signer), EVP_get_digestbyname(digest)), 0);
    return certificate;
}

static struct buffer encode(X509 *certificate, const struct recipe *recipe, const char *issuer_name)
{
    uint8_t *der = NULL;
    const X509_ALGOR *algorithm;
    int size = i2d_re_X509_tbs(certificate, &der);
    ck_assert_int_gt(size, 0);
    struct buffer tbs = buffer_of(der, (size_t)size);
    OPENSSL_free(der);
    edit(&tbs, recipe->edit_tbs);
    X509_get0_signature(NULL, &algorithm, certificate);
    struct buffer out =
        sign_again(&tbs, algorithm, key_named(recipe->signer ? recipe->signer : issuer_name),
            recipe->digest ? recipe->digest : "SHA256");
    buffer_release(&tbs);
    edit(&out, recipe->edit);
    append(&out, recipe->append);
    return out;
}

struct buffer maker_make(const struct recipe *recipe)
{
    const char *issuer = recipe->issuer ? recipe->issuer : "root";
    X509 *certificate = new_certificate(recipe, issuer);
    struct buffer out = encode(certificate, recipe, issuer);
    X509_free(certificate);
    return out;
}

void maker_start(const struct recipe *authorities)
{
    for (; authorities->name; authorities++)
        named[find(authorities->name)].certificate = new_certificate(
            authorities, authorities->issuer ? authorities->issuer : authorities->name);
}

void maker_stop(void)
{
    for (size_t i = 0; i < named_count; i++) {
        free(named[i].name);
        EVP_PKEY_free(named[i].key);
        X509_free(named[i].certificate);
    }
    memset(named, 0, sizeof(named));
    named_count = 0;
}

struct buffer maker_authority(const char *name)
{
    uint8_t *der = NULL;
    X509 *certificate = named[find(name)].certificate;
    ck_assert_msg(certificate != NULL, "no authority %s", name);
    int size = i2d_X509(certificate, &der);
    struct buffer out = buffer_of(der, (size_t)size);
    OPENSSL_free(der);
    return out;
}

void maker_write(const char *path, const char *names)
{
    char list[256], *rest = list;
    snprintf(list, sizeof(list), "%s", names);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    for (char *name; (name = strsep(&rest, " "));)
        ck_assert_int_eq(PEM_write_X509(file, named[find(name)].certificate), 1);
    ck_assert_int_eq(fclose(file), 0);
}

void maker_write_file(const char *path, struct bytes content)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(content.data, 1, content.size, file), content.size);
    ck_assert_int_eq(fclose(file), 0);
}

void maker_write_key(const char *path, const char *name)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    FILE *file = fdopen(fd, "w");
    ck_assert_int_eq(PEM_write_PrivateKey(file, key_named(name), NULL, NULL, 0, NULL, NULL), 1);
    ck_assert_int_eq(fclose(file), 0);
}

/* --- CRLs --- */

static void add_revoked(X509_CRL *crl, struct bytes der, const char *extensions)
{
    const uint8_t *at = der.data;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.size);
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *date = ASN1_TIME_set(NULL, (time_t)MAKER_BEFORE);
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate));
    X509_REVOKED_set_revocationDate(entry, date);
    if (extensions) {
        STACK_OF(X509_EXTENSION) *list = NULL;
        X509V3_CTX context;
        CONF *conf = extensions_of(extensions);
        X509V3_set_ctx(&context, NULL, NULL, NULL, crl, 0);
        X509V3_set_nconf(&context, conf);
        ck_assert_int_eq(X509V3_EXT_add_nconf_sk(conf, &context, "ext", &list), 1);
        for (int i = 0; i < sk_X509_EXTENSION_num(list); i++)
            X509_REVOKED_add_ext(entry, sk_X509_EXTENSION_value(list, i), -1);
        sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
        NCONF_free(conf);
    }
    X509_CRL_add0_revoked(crl, entry);
    ASN1_TIME_free(date);
    X509_free(certificate);
}

static void add_crl_extensions(X509_CRL *crl, X509 *issuer, const char *lines)
{
    X509V3_CTX context;
    CONF *conf = extensions_of(lines);
    X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
    X509V3_set_nconf(&context, conf);
    ck_assert_int_eq(X509V3_EXT_CRL_add_nconf(conf, &context, "ext", crl), 1);
    NCONF_free(conf);
}

static void set_updates(X509_CRL *crl, const struct crl_recipe *recipe)
{
    ASN1_TIME *time = ASN1_TIME_new();
    ASN1_TIME_adj(time, (time_t)(recipe->this_update ? recipe->this_update : MAKER_BEFORE), 0, 0);
    X509_CRL_set1_lastUpdate(crl, time);
    ASN1_TIME_adj(time, (time_t)(recipe->next_update ? recipe->next_update : MAKER_AFTER), 0, 0);
    if (recipe->next_update >= 0)
        X509_CRL_set1_nextUpdate(crl, time);
    ASN1_TIME_free(time);
}

static void set_issuer(X509_CRL *crl, X509 *issuer, bool is_printable)
{
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(issuer));
    X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, 0);
    ASN1_STRING *text = ASN1_STRING_dup(X509_NAME_ENTRY_get_data(entry));
    if (is_printable)
        X509_NAME_ENTRY_set_data(
            entry, V_ASN1_PRINTABLESTRING, ASN1_STRING_get0_data(text), ASN1_STRING_length(text));
    X509_CRL_set_issuer_name(crl, name);
    ASN1_STRING_free(text);
    X509_NAME_free(name);
}

static struct buffer encode_crl(X509_CRL *crl, const struct crl_recipe *recipe, EVP_PKEY *key)
{
    uint8_t *der = NULL;
    const X509_ALGOR *algorithm;
    int size = i2d_re_X509_CRL_tbs(crl, &der);
    ck_assert_int_gt(size, 0);
    struct buffer tbs = buffer_of(der, (size_t)size);
    OPENSSL_free(der);
    edit(&tbs, recipe->edit_tbs);
    X509_CRL_get0_signature(crl, NULL, &algorithm);
    struct buffer out =
        sign_again(&tbs, algorithm, key, recipe->digest ? recipe->digest : "SHA256");
    buffer_release(&tbs);
    return out;
}

struct buffer maker_crl(const struct crl_recipe *recipe)
{
    X509 *issuer = named[find(recipe->issuer)].certificate;
    X509_CRL *crl = X509_CRL_new();
    if (!recipe->is_version_1)
        X509_CRL_set_version(crl, 1);
    set_issuer(crl, issuer, recipe->is_printable);
    set_updates(crl, recipe);
    for (size_t i = 0; i < ARRAY_SIZE(recipe->revoked) && recipe->revoked[i].data; i++)
        add_revoked(crl, recipe->revoked[i], recipe->entry_extensions);
    if (!recipe->is_version_1)
        add_crl_extensions(crl, issuer,
            recipe->extensions ? recipe->extensions
                               : "authorityKeyIdentifier=keyid\n"
                                 "crlNumber=DER:020101\n");
    EVP_PKEY *key = key_named(recipe->signer ? recipe->signer : recipe->issuer);
    ck_assert_int_gt(
        X509_CRL_sign(crl, key, EVP_get_digestbyname(recipe->digest ? recipe->digest : "SHA256")),
        0);
    struct buffer out = encode_crl(crl, recipe, key);
    X509_CRL_free(crl);
    return out;
}

void maker_write_crls(const char *path, const struct crl_recipe *recipes, size_t count)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < count; i++) {
        struct buffer der AUTO_BUFFER = maker_crl(&recipes[i]);
        ck_assert_int_gt(PEM_write(file, "X509 CRL", "", der.data, (long)der.size), 0);
    }
    ck_assert_int_eq(fclose(file), 0);
}
