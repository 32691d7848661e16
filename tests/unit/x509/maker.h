/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates and CRLs of every kind, good and bad, made by OpenSSL to a recipe. */
#pragma once

#include "base/bytes.h"

#define MAKER_NOW    INT64_C(1780000000) /* 2026-05-28, when the tests take place */
#define MAKER_BEFORE (MAKER_NOW - 86400)
#define MAKER_AFTER  (MAKER_NOW + 86400)

/* What a recipe leaves out is as it is in a good certificate of its kind. */
struct recipe {
    const char *name;       /* its key is known by it; NULL: "leaf" */
    const char *subject;    /* CN, or "/O=one/OU=two+CN=three"; NULL: the name; "": empty */
    const char *issuer;     /* a recipe's name; NULL: "root" */
    const char *key;        /* whose key is certified; NULL: its own */
    const char *signer;     /* whose key signs, if not the issuer's */
    const char *extensions; /* lines as in OpenSSL's x509v3_config(5); NULL: MAKER_LEAF */
    const char *digest;     /* "SHA256" */
    const char *curve;      /* "P-256"; "RSA" */
    bool compressed;
    int version; /* 3; -1: version 1, without extensions */
    int64_t not_before, not_after;
    const char *edit_tbs; /* "HEX>HEX": replaces octets, as many, before it is signed */
    const char *edit;     /* the same afterwards */
    const char *append;   /* hex, at the end of all */
};

#define MAKER_IDS "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
#define MAKER_CA                                                                                   \
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n" MAKER_IDS
#define MAKER_USAGE "keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n" MAKER_IDS
#define MAKER_LEAF                                                                                 \
    "basicConstraints=critical,CA:FALSE\n" MAKER_USAGE                                             \
    "subjectAltName=URI://m2m.example/in-cse/Cpeer\n"

/* CAs that leaves name as issuers; ended by a NULL name. An issuer stands before what it issues. */
void maker_start(const struct recipe *authorities);
void maker_stop(void);

/* The named authority's certificate, or RECIPE's. The caller releases it. */
struct buffer maker_authority(const char *name);
struct buffer maker_make(const struct recipe *recipe);

/* PEM of the named authorities ("root other") into FILE. */
void maker_write(const char *path, const char *names);
void maker_write_file(const char *path, struct bytes content);
/* The named private key in PEM into FILE, for its owner alone. */
void maker_write_key(const char *path, const char *name);

/* A recipe for a CRL; REVOKED lists certificates by DER. */
struct crl_recipe {
    const char *issuer;
    const char *signer; /* whose key signs, if not the issuer's */
    int64_t this_update, next_update;
    struct bytes revoked[4];
    const char *extensions;       /* of the CRL */
    const char *entry_extensions; /* of every entry */
    const char *digest;
    bool is_version_1;    /* without version and extensions */
    bool is_printable;    /* the issuer's name as PrintableString, and not as UTF8String */
    const char *edit_tbs; /* "HEX>HEX": replaces octets, as many, before it is signed */
};
struct buffer maker_crl(const struct crl_recipe *recipe);
/* So many of them in PEM into FILE. */
void maker_write_crls(const char *path, const struct crl_recipe *recipes, size_t count);
