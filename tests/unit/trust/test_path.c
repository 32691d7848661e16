/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates of every kind, good and bad, each with the verdict that it has to get. */
#include "trust/path.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alert.h"
#include "support/check_main.h"
#include "trust/store_load.h"
#include "unit/x509/maker.h"

#define CA_WITH(text) MAKER_CA text "\n"
#define LEAF_WITH(names)                                                                           \
    "basicConstraints=critical,CA:FALSE\n" MAKER_USAGE "subjectAltName=" names "\n"
#define LEAF_BARE      "keyUsage=digitalSignature\nsubjectAltName=URI://m2m.example/in-cse/Cpeer\n"
#define FOREIGN_KEY_ID "authorityKeyIdentifier=DER:3006800401020304\n"
#define CA_BOUND(text) CA_WITH("nameConstraints=critical," text)

static const struct recipe authorities[] = {
    {.name = "root", .extensions = MAKER_CA},
    {.name = "other", .extensions = MAKER_CA},
    {.name = "bare-root", .extensions = "basicConstraints=critical,CA:TRUE\n"},
    {.name = "expired-root",
        .extensions = MAKER_CA,
        .not_before = INT64_C(1000000000),
        .not_after = INT64_C(1000000001)},
    {.name = "sub", .issuer = "root", .extensions = MAKER_CA},
    {.name = "sub-sub", .issuer = "sub", .extensions = MAKER_CA},
    {.name = "impostor", .subject = "root", .extensions = MAKER_CA},
    {.name = "bare-impostor", .subject = "bare-root", .extensions = "basicConstraints=CA:TRUE\n"},
    {.name = "rsa-CA", .issuer = "root", .extensions = MAKER_CA, .curve = "RSA"},
    {.name = "strange-CA", .issuer = "root", .extensions = CA_WITH("1.2.3.4=critical,DER:0500")},
    {.name = "sha384-CA", .issuer = "root", .extensions = MAKER_CA, .digest = "SHA384"},
    {.name = "twin", .issuer = "root", .extensions = MAKER_CA},
    {.name = "old-twin",
        .key = "twin",
        .subject = "twin",
        .issuer = "root",
        .extensions = MAKER_CA,
        .not_after = MAKER_NOW - 1},
    {.name = "mere-twin",
        .key = "twin",
        .subject = "twin",
        .issuer = "root",
        .extensions = MAKER_USAGE},
    {.name = "bound-twin",
        .key = "twin",
        .subject = "twin",
        .issuer = "root",
        .extensions = CA_BOUND("excluded;URI:m2m.example")},
    {.name = "no-CA", .issuer = "root", .extensions = MAKER_USAGE},
    {.name = "no-sign",
        .issuer = "root",
        .extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=cRLSign\n" MAKER_IDS},
    {.name = "no-usage",
        .issuer = "root",
        .extensions = "basicConstraints=critical,CA:TRUE\n" MAKER_IDS},
    {.name = "server-only", .issuer = "root", .extensions = CA_WITH("extendedKeyUsage=serverAuth")},
    {.name = "expired-sub", .issuer = "root", .extensions = MAKER_CA, .not_after = MAKER_NOW - 1},
    {.name = "forged-sub", .issuer = "root", .signer = "other", .extensions = MAKER_CA},
    {.name = "short",
        .issuer = "root",
        .extensions = "basicConstraints=critical,CA:TRUE,pathlen:0\n"
                      "keyUsage=critical,keyCertSign\n" MAKER_IDS},
    {.name = "low-twin",
        .key = "twin",
        .subject = "twin",
        .issuer = "short",
        .extensions = MAKER_CA},
    {.name = "below-short", .issuer = "short", .extensions = MAKER_CA},
    /* The same name under its own new key: self-issued, and so not counted. */
    {.name = "short-again", .subject = "short", .issuer = "short", .extensions = MAKER_CA},
    {.name = "dns-bound", .issuer = "root", .extensions = CA_BOUND("permitted;DNS:m2m.example")},
    {.name = "dot-bound", .issuer = "root", .extensions = CA_BOUND("permitted;DNS:.m2m.example")},
    {.name = "below-dns-bound", .issuer = "dns-bound", .extensions = MAKER_CA},
    {.name = "looser", .issuer = "dns-bound", .extensions = CA_BOUND("permitted;DNS:example")},
    {.name = "dns-outside",
        .issuer = "dns-bound",
        .extensions = CA_WITH("subjectAltName=DNS:ca.example")},
    {.name = "dns-bound-again",
        .subject = "dns-bound",
        .issuer = "dns-bound",
        .extensions = CA_WITH("subjectAltName=DNS:ca.example")},
    {.name = "dns-barred", .issuer = "root", .extensions = CA_BOUND("excluded;DNS:evil.example")},
    {.name = "dns-none", .issuer = "root", .extensions = CA_BOUND("DER:3006A10430028200")},
    {.name = "uri-bound", .issuer = "root", .extensions = CA_BOUND("permitted;URI:m2m.example")},
    {.name = "uri-below", .issuer = "root", .extensions = CA_BOUND("permitted;URI:.m2m.example")},
    {.name = "uri-barred", .issuer = "root", .extensions = CA_BOUND("excluded;URI:evil.example")},
    {.name = "uri-none", .issuer = "root", .extensions = CA_BOUND("excluded;URI:.none.example")},
    {.name = "mail-bound", .issuer = "root", .extensions = CA_BOUND("permitted;email:m2m.example")},
    {.name = "mail-barred",
        .issuer = "root",
        .extensions = CA_BOUND("excluded;email:evil.example")},
    {.name = "mailed",
        .subject = "/CN=mailed/emailAddress=u@evil.example",
        .issuer = "mail-barred",
        .extensions = MAKER_CA},
    {.name = "box-bound",
        .issuer = "root",
        .extensions = CA_BOUND("permitted;email:a@m2m.example")},
    {.name = "ip-bound",
        .issuer = "root",
        .extensions = CA_BOUND("permitted;IP:10.0.0.0/255.0.0.0")},
    {.name = "ip-hole",
        .issuer = "root",
        .extensions = CA_BOUND("permitted;IP:10.0.0.0/255.0.255.0")},
    {.name = "rid-bound", .issuer = "root", .extensions = CA_BOUND("permitted;RID:1.2.3")},
    {.name = "dir-bound",
        .issuer = "root",
        .extensions = CA_BOUND("permitted;dirName:dir") "[dir]\nCN=Cpeer\n"},
    {.name = "dir-barred",
        .issuer = "root",
        .extensions = CA_BOUND("excluded;dirName:dir") "[dir]\nO=Evil Co\n"},
    {.name = "dir-many",
        .issuer = "root",
        .extensions =
            CA_BOUND("permitted;dirName:one,permitted;dirName:two") "[one]\nO=Caf\xc3\xa9\n"
                                                                    "[two]\nO=Bar\n"},
    {.name = "shorter", .subject = " SHORT ", .issuer = "short", .extensions = MAKER_CA},
    {.name = "device-bound",
        .issuer = "root",
        .extensions = CA_BOUND("permitted;otherName:0.2.481.1;UTF8:100.3030")},
    {.name = "device-barred",
        .issuer = "root",
        .extensions = CA_BOUND("excluded;otherName:0.2.481.1;UTF8:100.3030")},
    {.name = "device-arc",
        .issuer = "root",
        .extensions = CA_BOUND("DER:3011A00F300DA00B06050283610164A0020C00")},
    {.name = "upn-bound",
        .issuer = "root",
        .extensions = CA_BOUND("permitted;otherName:1.2.3;UTF8:x")},
    {.name = "bound-root", .extensions = CA_BOUND("permitted;URI:m2m.example")},
    {.name = "a-minimum",
        .issuer = "root",
        .extensions =
            CA_WITH("nameConstraints=critical,DER:3011A00F300D82086D326D2E74657374800101")},
    {.name = "empty-bounds", .issuer = "root", .extensions = CA_WITH("nameConstraints=DER:3000")},
    {.name = "policy-bound",
        .issuer = "root",
        .extensions = CA_WITH("policyConstraints=critical,requireExplicitPolicy:0")},
    {.name = "policy-wanted",
        .issuer = "root",
        .extensions = CA_WITH("policyConstraints=critical,requireExplicitPolicy:0\n"
                              "certificatePolicies=1.2.3.4")},
    {.name = "policy-loose",
        .issuer = "root",
        .extensions = CA_WITH("policyConstraints=requireExplicitPolicy:3")},
    {.name = "with-policy",
        .issuer = "root",
        .extensions = CA_WITH("certificatePolicies=critical,1.2.3.4")},
    {0},
};

struct path_kind {
    const char *what;
    struct recipe leaf;
    const char *presented; /* authorities' names, a space between them */
    const char *anchors;   /* NULL: "root" */
    int alert;             /* 0: good */
    const char *reason;    /* part of it */
};

#define BAD              TLS_ALERT_BAD_CERTIFICATE
#define UNSUPPORTED      TLS_ALERT_UNSUPPORTED_CERTIFICATE
#define EXPIRED          TLS_ALERT_CERTIFICATE_EXPIRED
#define UNKNOWN          TLS_ALERT_UNKNOWN_CA
#define OUTSIDE          BAD, "outside the name constraints"
#define MALFORMED(id)    BAD, "extension " id " is malformed"
#define NAME_FAULT(kind) BAD, "subjectAltName: a " kind " is malformed"

/* Names that no rule can have; of those that one can have, there are fewer. */
#define NAMES_8  "email:a@b.c,email:a@b.c,email:a@b.c,email:a@b.c,IP:::1,IP:::2,RID:1.2,RID:1.3"
#define NAMES_32 NAMES_8 "," NAMES_8 "," NAMES_8 "," NAMES_8
#define NAMES_64 NAMES_32 "," NAMES_32

#define UNDER(ca, names) {.issuer = ca, .extensions = LEAF_WITH(names)}, ca, NULL
#define NAMED(names)     {.extensions = LEAF_WITH(names)}, NULL, NULL
#define WITH(text)       {.extensions = MAKER_LEAF text "\n"}, NULL, NULL
#define HOLDS(text)      {.extensions = text}, NULL, NULL
#define EDIT(change)     {.edit_tbs = change}, NULL, NULL

static const struct path_kind kinds[] = {
    /* paths */
    {"leaf under root", {0}, NULL, NULL, 0, NULL},
    {"root presented too", {0}, "root", NULL, 0, NULL},
    {"one intermediate", {.issuer = "sub"}, "sub", NULL, 0, NULL},
    {"two intermediates", {.issuer = "sub-sub"}, "sub-sub sub", NULL, 0, NULL},
    {"in another order", {.issuer = "sub-sub"}, "sub other root sub-sub", NULL, 0, NULL},
    {"anchored at the intermediate", {.issuer = "sub"}, NULL, "sub", 0, NULL},
    {"two anchors", {0}, NULL, "other root", 0, NULL},
    {"anchor without keyUsage", {.issuer = "bare-root", .extensions = LEAF_BARE}, NULL, "bare-root",
        0, NULL},
    {"impostor first", {.issuer = "bare-root", .extensions = LEAF_BARE}, NULL,
        "bare-impostor bare-root", 0, NULL},
    {"an RSA certificate beside", {.issuer = "sub"}, "sub rsa-CA", NULL, 0, NULL},
    {"a strange certificate beside", {.issuer = "sub"}, "strange-CA sub", NULL, 0, NULL},
    {"a strange certificate in its place", {.issuer = "strange-CA"}, "strange-CA", NULL,
        UNSUPPORTED, "presented certificate 2: critical extension 1.2.3.4 is not understood"},
    {"a CA with SHA-384 in its place", {.issuer = "sha384-CA"}, "sha384-CA", NULL, UNSUPPORTED,
        "presented certificate 2: signature algorithm"},
    {"a strange certificate beside what leads nowhere", {.issuer = "sub-sub"}, "strange-CA sub-sub",
        NULL, UNKNOWN, "no path"},
    {"expired, and by a namesake", {.issuer = "impostor", .not_after = MAKER_NOW - 1}, NULL, NULL,
        UNKNOWN, "no path"},
    {"an expired one of the same name and key first", {.issuer = "twin"}, "old-twin twin", NULL, 0,
        NULL},
    {"one of the same name and key that is no CA first", {.issuer = "twin"}, "mere-twin twin", NULL,
        0, NULL},
    {"one of the same name and key with constraints first", {.issuer = "twin"}, "bound-twin twin",
        NULL, 0, NULL},
    {"one of the same name and key below a short path first", {.issuer = "twin"},
        "low-twin short twin", NULL, 0, NULL},
    {"missing intermediate", {.issuer = "sub"}, NULL, NULL, UNKNOWN, "no path"},
    {"missing upper intermediate", {.issuer = "sub-sub"}, "sub-sub", NULL, UNKNOWN, "no path"},
    {"unknown anchor", {0}, NULL, "other", UNKNOWN, "no path"},
    {"its root presented only", {0}, "root", "other", UNKNOWN, "no path"},
    {"self-signed", {.name = "me", .issuer = "me"}, NULL, NULL, UNKNOWN, "no path"},
    {"root's name, another key", {.issuer = "impostor"}, NULL, NULL, UNKNOWN, "no path"},
    {"the same without key ids", {.issuer = "bare-impostor", .extensions = LEAF_BARE}, NULL,
        "bare-root", BAD, "does not verify"},
    {"signed by another", {.signer = "other"}, NULL, NULL, BAD, "signature on the leaf"},
    {"forged intermediate", {.issuer = "forged-sub"}, "forged-sub", NULL, BAD,
        "signature on the intermediate CA"},
    {"issuer is no CA", {.issuer = "no-CA"}, "no-CA", NULL, BAD, "is not a CA"},
    {"issuer may not sign", {.issuer = "no-sign"}, "no-sign", NULL, BAD, "no keyCertSign"},
    {"issuer without keyUsage", {.issuer = "no-usage"}, "no-usage", NULL, BAD, "no keyCertSign"},
    {"issuer for servers", {.issuer = "server-only"}, "server-only", NULL, UNSUPPORTED,
        "extKeyUsage"},
    {"path length kept", {.issuer = "short"}, "short", NULL, 0, NULL},
    {"path length passed", {.issuer = "below-short"}, "below-short short", NULL, BAD,
        "pathLenConstraint"},
    {"self-issued is not counted", {.issuer = "short-again"}, "short-again short", NULL, 0, NULL},
    {"self-issued in another spelling", {.issuer = "shorter"}, "shorter short", NULL, 0, NULL},
    {"path length of 300", HOLDS("basicConstraints=DER:30070101FF0202012C\n"), UNSUPPORTED,
        "leaf is a CA"},
    {"issuer in another spelling", EDIT("0C04726F6F74>1304526F4F74"), 0, NULL},
    {"issuer with a letter more", EDIT("0C04726F6F74>0C04726F6F75"), UNKNOWN, "no path"},
    {"key identifier of another", HOLDS(FOREIGN_KEY_ID LEAF_BARE), 0, NULL},
    {"the same, and signed by another", {.signer = "other", .extensions = FOREIGN_KEY_ID LEAF_BARE},
        NULL, NULL, UNKNOWN, "no path"},
    {"key identifiers of CA and leaf do not fit",
        {.issuer = "sub", .extensions = FOREIGN_KEY_ID LEAF_BARE}, "sub", NULL, 0, NULL},
    {"policyConstraints", {.issuer = "policy-bound"}, "policy-bound", NULL, BAD,
        "certificate policy"},
    {"the policy that is asked for",
        {.issuer = "policy-wanted", .extensions = MAKER_LEAF "certificatePolicies=1.2.3.4\n"},
        "policy-wanted", NULL, 0, NULL},
    {"another policy",
        {.issuer = "policy-wanted", .extensions = MAKER_LEAF "certificatePolicies=1.2.3.5\n"},
        "policy-wanted", NULL, BAD, "certificate policy"},
    {"policyConstraints, not critical", {.issuer = "policy-loose"}, "policy-loose", NULL, BAD,
        "presented certificate 2: policyConstraints is not critical"},
    {"certificatePolicies", {.issuer = "with-policy"}, "with-policy", NULL, 0, NULL},
    {"minimum in constraints", {.issuer = "a-minimum"}, "a-minimum", NULL, MALFORMED("2.5.29.30")},
    {"empty constraints", {.issuer = "empty-bounds"}, "empty-bounds", NULL, MALFORMED("2.5.29.30")},

    /* dates */
    {"last second", {.not_after = MAKER_NOW}, NULL, NULL, 0, NULL},
    {"first second", {.not_before = MAKER_NOW}, NULL, NULL, 0, NULL},
    {"expired", {.not_after = MAKER_NOW - 1}, NULL, NULL, EXPIRED, "leaf has expired"},
    {"not yet valid", {.not_before = MAKER_NOW + 1}, NULL, NULL, EXPIRED, "leaf is not valid yet"},
    {"after 2050", {.not_after = INT64_C(4000000000)}, NULL, NULL, 0, NULL},
    {"expired intermediate", {.issuer = "expired-sub"}, "expired-sub", NULL, EXPIRED,
        "intermediate CA has expired"},
    {"expired anchor", {.issuer = "expired-root"}, NULL, "expired-root", EXPIRED,
        "anchor has expired"},

    /* the profile of a leaf */
    {"P-384 key", {.name = "p384", .curve = "P-384"}, NULL, NULL, UNSUPPORTED, "P-256"},
    {"secp256k1 key", {.name = "k1", .curve = "secp256k1"}, NULL, NULL, UNSUPPORTED, "P-256"},
    {"RSA key", {.name = "rsa", .curve = "RSA"}, NULL, NULL, UNSUPPORTED, "P-256"},
    {"compressed point", {.name = "zip", .compressed = true}, NULL, NULL, UNSUPPORTED,
        "uncompressed"},
    {"SHA-384 signature", {.digest = "SHA384"}, NULL, NULL, UNSUPPORTED, "ecdsa-with-SHA256"},
    {"SHA-1 signature", {.digest = "SHA1"}, NULL, NULL, UNSUPPORTED, "ecdsa-with-SHA256"},
    {"another algorithm inside", EDIT("06082A8648CE3D040302>06082A8648CE3D040303"), UNSUPPORTED,
        "ecdsa-with-SHA256"},
    {"version 1", {.version = -1}, NULL, NULL, UNSUPPORTED, "version is not 3"},
    {"version 2", EDIT("A003020102>A003020101"), UNSUPPORTED, "version is not 3"},
    {"version 4", EDIT("A003020102>A003020103"), UNSUPPORTED, "version is not 3"},
    {"CA as a leaf",
        HOLDS("basicConstraints=CA:TRUE\nkeyUsage=digitalSignature,keyCertSign\n"
              "subjectAltName=URI://m2m.example/in-cse/Cpeer\n"),
        UNSUPPORTED, "CA certificate"},
    {"no keyUsage", HOLDS("subjectAltName=URI://m2m.example/in-cse/Cpeer\n"), UNSUPPORTED,
        "leaf has no keyUsage"},
    {"no digitalSignature", HOLDS("keyUsage=keyAgreement\n"), UNSUPPORTED, "no digitalSignature"},
    {"keyCertSign without cA", HOLDS("keyUsage=digitalSignature,keyCertSign\n"), BAD,
        "keyCertSign in a certificate that is not a CA's"},
    {"constraints without cA", WITH("nameConstraints=permitted;DNS:m2m.example"), BAD,
        "nameConstraints in a certificate"},
    {"server certificate",
        HOLDS("keyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n"
              "subjectAltName=URI://m2m.example/in-cse/Cpeer\n"),
        UNSUPPORTED, "without clientAuth"},
    {"any extended usage",
        HOLDS("keyUsage=digitalSignature\nextendedKeyUsage=anyExtendedKeyUsage\n"
              "subjectAltName=URI://m2m.example/in-cse/Cpeer\n"),
        0, NULL},
    {"no extended usage",
        HOLDS("keyUsage=digitalSignature\nsubjectAltName=URI://m2m.example/in-cse/Cpeer\n"), 0,
        NULL},
    {"no names", HOLDS("keyUsage=digitalSignature\n"), 0, NULL},
    {"no subject", {.subject = ""}, NULL, NULL, 0, NULL},

    /* DER */
    {"octet at the end", {.append = "00"}, NULL, NULL, BAD, "not a certificate in DER"},
    {"outer algorithm", {.edit = "300A06082A8648CE3D040302>300A06082A8648CE3D040301"}, NULL, NULL,
        UNSUPPORTED, "ecdsa-with-SHA256"},
    {"month 13", EDIT("170D323630353237>170D323631333237"), BAD, "validity is malformed"},
    {"30 February", EDIT("170D323630353237>170D323630323330"), BAD, "validity is malformed"},
    {"time with an offset", EDIT("5A170D>2B170D"), BAD, "validity is malformed"},
    {"negative serial", EDIT("A00302010202030300>A00302010202038300"), BAD, "serial"},
    {"padded serial", EDIT("A00302010202030300>A00302010202030000"), BAD, "serial"},
    {"TRUE as 01", EDIT("0603551D0F0101FF>0603551D0F010101"), BAD, "extension number"},
    {"FALSE encoded", EDIT("0603551D0F0101FF>0603551D0F010100"), BAD, "extension number"},
    {"unknown extension", WITH("1.2.3.4=DER:0500"), 0, NULL},
    {"unknown critical extension", WITH("1.2.3.4=critical,DER:0500"), UNSUPPORTED,
        "critical extension 1.2.3.4 is not understood"},
    {"extension twice", WITH("2.5.29.15=DER:03020780"), BAD, "a duplicate"},
    {"unknown extension twice", WITH("1.2.3.4=DER:0500\n1.2.3.04=DER:0500"), BAD, "a duplicate"},
    {"long inhibitAnyPolicy", WITH("inhibitAnyPolicy=critical,70000"), 0, NULL},
    {"inhibitAnyPolicy", WITH("inhibitAnyPolicy=critical,0"), 0, NULL},
    {"keyUsage with no bits", HOLDS("keyUsage=DER:030100\n"), MALFORMED("2.5.29.15")},
    {"keyUsage with a tail of zeros", HOLDS("keyUsage=DER:03020080\n"), MALFORMED("2.5.29.15")},
    {"keyUsage with unused bits set", HOLDS("keyUsage=DER:030207C0\n"), MALFORMED("2.5.29.15")},
    {"keyUsage with octets after", HOLDS("keyUsage=DER:030207800500\n"), MALFORMED("2.5.29.15")},
    {"cA FALSE encoded", HOLDS("basicConstraints=DER:3003010100\n"), MALFORMED("2.5.29.19")},
    {"path length without cA", HOLDS("basicConstraints=DER:3003020100\n"), MALFORMED("2.5.29.19")},
    {"empty extended usage", HOLDS("extendedKeyUsage=DER:3000\n"), MALFORMED("2.5.29.37")},
    {"padded purpose", HOLDS("extendedKeyUsage=DER:300506032A8001\n"), MALFORMED("2.5.29.37")},
    {"purpose of nothing", HOLDS("extendedKeyUsage=DER:30020600\n"), MALFORMED("2.5.29.37")},
    {"padded extension id", EDIT("0603551D0F>0603558001"), BAD, "extension number"},
    {"padded type of a name", HOLDS("subjectAltName=DER:300DA00B06032A8001A0040C020102\n"),
        MALFORMED("2.5.29.17")},
    {"address of five octets", HOLDS("subjectAltName=DER:300787050102030405\n"),
        MALFORMED("2.5.29.17")},
    {"address with a mask", HOLDS("subjectAltName=DER:300A87080A000000FF000000\n"),
        MALFORMED("2.5.29.17")},
    {"mail in UTF-8 as rfc822Name", HOLDS("subjectAltName=DER:30048102C3A9\n"),
        MALFORMED("2.5.29.17")},
    {"padded registeredID", HOLDS("subjectAltName=DER:300588032A8001\n"), MALFORMED("2.5.29.17")},
    {"RDN out of order in a directoryName",
        HOLDS("subjectAltName=DER:301EA41C301A3118300B06035504030C0462626262300906035504060C026464"
              "\n"),
        MALFORMED("2.5.29.17")},
    {"policies of NULL", WITH("certificatePolicies=DER:30020500"), MALFORMED("2.5.29.32")},
    {"no policies", WITH("certificatePolicies=DER:3000"), MALFORMED("2.5.29.32")},
    {"a policy twice", WITH("certificatePolicies=DER:300C300406022A03300406022A03"),
        MALFORMED("2.5.29.32")},
    {"padded policy", WITH("certificatePolicies=DER:3007300506032A8001"), MALFORMED("2.5.29.32")},
    {"no qualifiers", WITH("certificatePolicies=DER:3008300606022A033000"), MALFORMED("2.5.29.32")},
    {"unknown qualifier", WITH("certificatePolicies=DER:3010300E06022A033008300606022A040500"), 0,
        NULL},
    {"unknown qualifier in critical policies",
        WITH("certificatePolicies=critical,DER:3010300E06022A033008300606022A040500"),
        MALFORMED("2.5.29.32")},
    {"empty policyConstraints", WITH("policyConstraints=critical,DER:3000"),
        MALFORMED("2.5.29.36")},
    {"negative policyConstraints", WITH("policyConstraints=critical,DER:30038001FF"),
        MALFORMED("2.5.29.36")},
    {"mapping from anyPolicy", WITH("policyMappings=DER:300C300A0604551D200006022A03"),
        MALFORMED("2.5.29.33")},
    {"negative inhibitAnyPolicy", WITH("inhibitAnyPolicy=DER:0201FF"), MALFORMED("2.5.29.54")},
    {"authorityInfoAccess", WITH("authorityInfoAccess=OCSP;URI:http://x.example/"), 0, NULL},
    {"critical authorityInfoAccess",
        WITH("authorityInfoAccess=critical,OCSP;URI:http://x.example/"), UNSUPPORTED,
        "1.3.6.1.5.5.7.1.1 is not understood"},
    {"empty authorityInfoAccess", WITH("authorityInfoAccess=DER:3000"),
        MALFORMED("1.3.6.1.5.5.7.1.1")},
    {"crlDistributionPoints", WITH("crlDistributionPoints=URI:http://x.example/c"), 0, NULL},
    {"reasons alone in crlDistributionPoints", WITH("crlDistributionPoints=DER:3006300481020780"),
        MALFORMED("2.5.29.31")},
    {"empty crlDistributionPoints", WITH("crlDistributionPoints=DER:3000"), MALFORMED("2.5.29.31")},
    {"issuerAltName", WITH("issuerAltName=critical,DNS:x.example"), 0, NULL},
    {"empty issuerAltName", WITH("issuerAltName=DER:3000"), MALFORMED("2.5.29.18")},
    {"subjectDirectoryAttributes", WITH("2.5.29.9=DER:300D300B0603550406310413024445"), 0, NULL},
    {"subjectDirectoryAttributes without values", WITH("2.5.29.9=DER:3009300706035504063100"),
        MALFORMED("2.5.29.9")},
    {"authorityKeyIdentifier with half an issuer", HOLDS("authorityKeyIdentifier=DER:3003820101\n"),
        MALFORMED("2.5.29.35")},
    {"subject that is no UTF-8", EDIT("0C046C656166>0C046CFF6166"), BAD, "subject is malformed"},
    {"NUL in the subject", EDIT("0C046C656166>0C046C006166"), BAD, "subject is malformed"},
    {"padded type in the subject", EDIT("06035504030C046C656166>06035580030C046C656166"), BAD,
        "subject is malformed"},
    {"subject of two attributes in one RDN", {.subject = "/CN=a+O=b"}, NULL, NULL, 0, NULL},
    {"empty subjectAltName", HOLDS("subjectAltName=DER:3000\n"), MALFORMED("2.5.29.17")},
    {"a long length", HOLDS("subjectAltName=DER:3081048202612E\n"), MALFORMED("2.5.29.17")},
    {"an indefinite length", HOLDS("subjectAltName=DER:30808201610000\n"), MALFORMED("2.5.29.17")},

    /* names */
    {"critical subjectAltName",
        {.subject = "",
            .extensions = MAKER_USAGE "subjectAltName=critical,URI://m2m.example/in-cse/Cpeer\n"},
        NULL, NULL, 0, NULL},
    {"dNSName", NAMED("DNS:MN-CSE.m2m.example"), 0, NULL},
    {"URI with a scheme", NAMED("URI:https://m2m.example/in-cse/Cpeer"), 0, NULL},
    {"dNSName with a wildcard", NAMED("DNS:*.m2m.example"), 0, NULL},
    {"wildcard URI", NAMED("URI://m2m.example/in-cse/*"), NAME_FAULT("URI")},
    {"dNSName with a dot behind", NAMED("DNS:m2m.example."), 0, NULL},
    {"empty dNSName", HOLDS(MAKER_USAGE "subjectAltName=DER:30028200\n"), 0, NULL},
    {"NUL in a dNSName", HOLDS(MAKER_USAGE "subjectAltName=DER:30058203610062\n"), 0, NULL},
    {"NUL in a URI", HOLDS(MAKER_USAGE "subjectAltName=DER:300786052F2F610062\n"),
        NAME_FAULT("URI")},
    {"URI without an authority", NAMED("URI:urn:dev:1"), 0, NULL},
    {"URI without scheme and authority", NAMED("URI:/in-cse/Cpeer"), NAME_FAULT("URI")},
    {"64 names", NAMED(NAMES_64), 0, NULL},
    {"65 names", NAMED(NAMES_64 ",email:a@b.example"), BAD,
        "subjectAltName: there are more than 64 names"},
    {"17 dNSNames",
        NAMED("DNS:a,DNS:b,DNS:c,DNS:d,DNS:e,DNS:f,DNS:g,DNS:h,DNS:i,DNS:j,DNS:k,"
              "DNS:l,DNS:m,DNS:n,DNS:o,DNS:p,DNS:q"),
        BAD, "more than 16 times a dNSName"},
    {"device id", NAMED("otherName:0.2.481.1;UTF8:100.3030.10011"), 0, NULL},
    {"device id with letters", NAMED("otherName:0.2.481.1;UTF8:100.x"), NAME_FAULT("device id")},
    {"device id with zeros", NAMED("otherName:0.2.481.1;UTF8:100.007"), NAME_FAULT("device id")},
    {"device id of another type", NAMED("otherName:0.2.481.1;BOOL:TRUE"), NAME_FAULT("device id")},
    {"other otherName", NAMED("otherName:1.2.3.4;BOOL:TRUE"), 0, NULL},

    /* name constraints */
    {"within dns", UNDER("dns-bound", "DNS:a.m2m.example"), 0, NULL},
    {"the dns itself", UNDER("dns-bound", "DNS:M2M.example"), 0, NULL},
    {"dns label boundary", UNDER("dns-bound", "DNS:evilm2m.example"), OUTSIDE},
    {"one of two outside", UNDER("dns-bound", "DNS:a.m2m.example,DNS:b.example"), OUTSIDE},
    {"URI is not bound by dns", UNDER("dns-bound", "URI://evil.example/x"), 0, NULL},
    {"below a leading dot", UNDER("dot-bound", "DNS:a.m2m.example"), 0, NULL},
    {"not below a leading dot", UNDER("dot-bound", "DNS:m2m.example"), OUTSIDE},
    {"constraints inherited",
        {.issuer = "below-dns-bound", .extensions = LEAF_WITH("DNS:b.example")},
        "below-dns-bound dns-bound", NULL, OUTSIDE},
    {"constraints not loosened", {.issuer = "looser", .extensions = LEAF_WITH("DNS:b.example")},
        "looser dns-bound", NULL, OUTSIDE},
    {"intermediate outside",
        {.issuer = "dns-outside", .extensions = LEAF_WITH("DNS:a.m2m.example")},
        "dns-outside dns-bound", NULL, BAD, "intermediate CA: dNSName is outside"},
    {"self-issued intermediate outside",
        {.issuer = "dns-bound-again", .extensions = LEAF_WITH("DNS:a.m2m.example")},
        "dns-bound-again dns-bound", NULL, 0, NULL},
    {"excluded dns", UNDER("dns-barred", "DNS:a.evil.example"), OUTSIDE},
    {"beside excluded dns", UNDER("dns-barred", "DNS:a.good.example"), 0, NULL},
    {"every dns excluded", UNDER("dns-none", "DNS:a.example"), OUTSIDE},
    {"a wildcard within dns", UNDER("dns-bound", "DNS:*.m2m.example"), OUTSIDE},
    {"an underscore within dns", UNDER("dns-bound", "DNS:m_m.m2m.example"), OUTSIDE},
    {"a wildcard beside excluded dns", UNDER("dns-barred", "DNS:*.good.example"), OUTSIDE},
    {"a wildcard above excluded dns", UNDER("dns-barred", "DNS:*.example"), OUTSIDE},
    {"a wildcard under constraints of URIs",
        UNDER("uri-bound", "DNS:*.m2m.example,URI://m2m.example/in-cse/C1"), 0, NULL},
    {"within uri", UNDER("uri-bound", "URI://m2m.example/in-cse/C1"), 0, NULL},
    {"within uri with scheme and port", UNDER("uri-bound", "URI:coap://m2m.example:5683/C1"), 0,
        NULL},
    {"uri host below", UNDER("uri-bound", "URI://a.m2m.example/in-cse/C1"), OUTSIDE},
    {"uri host boundary", UNDER("uri-below", "URI://evilm2m.example/C1"), OUTSIDE},
    {"uri host below a dot", UNDER("uri-below", "URI://a.m2m.example/C1"), 0, NULL},
    {"uri host with user", UNDER("uri-bound", "URI://m2m.example@evil.example/C1"), OUTSIDE},
    {"no uri host", UNDER("uri-bound", "URI:urn:dev:1"), OUTSIDE},
    {"uri host in brackets", UNDER("uri-barred", "URI://[::1]/C1"), OUTSIDE},
    {"uri host of an address", UNDER("uri-none", "URI:https://192.0.2.1/a"), OUTSIDE},
    {"uri host of an address, in short", UNDER("uri-none", "URI:https://192.513/a"), OUTSIDE},
    {"uri host of an address, octal", UNDER("uri-none", "URI:https://0300.0.2.01/a"), OUTSIDE},
    {"uri host of an address, hex", UNDER("uri-none", "URI:https://0xc0.0.2.0x1/a"), OUTSIDE},
    {"uri host of an address, one number", UNDER("uri-none", "URI:https://3221225985/a"), OUTSIDE},
    {"uri host of a single label", UNDER("uri-none", "URI:https://localhost/a"), OUTSIDE},
    {"uri host of an address, percent", UNDER("uri-none", "URI:https://%31.example/a"), OUTSIDE},
    {"uri host with digits", UNDER("uri-none", "URI:https://1.2.example/a"), 0, NULL},
    {"uri host of a single label, not bound", NAMED("URI://localhost/in-cse/C1"), 0, NULL},
    {"excluded uri", UNDER("uri-barred", "URI://EVIL.example/C1"), OUTSIDE},
    {"uri bound by anchor",
        {.issuer = "bound-root", .extensions = LEAF_WITH("URI://evil.example/C1")}, NULL,
        "bound-root", OUTSIDE},
    {"uri within anchor", {.issuer = "bound-root"}, NULL, "bound-root", 0, NULL},
    {"mail within", UNDER("mail-bound", "email:a@M2M.example"), 0, NULL},
    {"mail outside", UNDER("mail-bound", "email:a@x.m2m.example"), OUTSIDE},
    {"mail to two hosts",
        {.issuer = "mail-bound",
            /* a@evil.example@m2m.example */
            .extensions = "keyUsage=digitalSignature\nsubjectAltName=DER:301C811A6140657669"
                          "6C2E6578616D706C65406D326D2E6578616D706C65\n"},
        "mail-bound", NULL, OUTSIDE},
    {"mail to a quoted name",
        {.issuer = "mail-barred",
            /* "a"@x.example */
            .extensions = "keyUsage=digitalSignature\n"
                          "subjectAltName=DER:300F810D22612240782E6578616D706C65\n"},
        "mail-barred", NULL, OUTSIDE},
    {"mail to an address", UNDER("mail-barred", "email:u@192.0.2.1"), OUTSIDE},
    {"mail to two hosts, not bound",
        HOLDS("keyUsage=digitalSignature\nsubjectAltName=DER:300781056140624063\n"), 0, NULL},
    {"mail beside what is excluded", UNDER("mail-barred", "email:u.v+w@good.example"), 0, NULL},
    {"mail of what is excluded", UNDER("mail-barred", "email:u@evil.example"), OUTSIDE},
    {"mail in the subject",
        {.subject = "/CN=x/emailAddress=u@evil.example", .issuer = "mail-barred"}, "mail-barred",
        NULL, BAD, "leaf: rfc822Name is outside"},
    {"mail in the second RDN of its kind",
        {.subject = "/emailAddress=u@good.example/CN=x+emailAddress=u@evil.example",
            .issuer = "mail-barred"},
        "mail-barred", NULL, BAD, "leaf: rfc822Name is outside"},
    {"good mail in the subject",
        {.subject = "/CN=x/emailAddress=u@good.example", .issuer = "mail-barred"}, "mail-barred",
        NULL, 0, NULL},
    {"mail in the subject of a CA", {.issuer = "mailed"}, "mailed mail-barred", NULL, BAD,
        "intermediate CA: rfc822Name is outside"},
    {"mail in UTF-8, excluded",
        UNDER("mail-barred", "otherName:1.3.6.1.5.5.7.8.9;UTF8:u@evil.example"), OUTSIDE},
    {"mail in UTF-8, permitted",
        UNDER("mail-bound", "otherName:1.3.6.1.5.5.7.8.9;UTF8:u@m2m.example"), OUTSIDE},
    {"mail in UTF-8, not bound", UNDER("sub", "otherName:1.3.6.1.5.5.7.8.9;UTF8:u@evil.example"), 0,
        NULL},
    {"mailbox within", UNDER("box-bound", "email:a@m2m.example"), 0, NULL},
    {"mailbox outside", UNDER("box-bound", "email:A@m2m.example"), OUTSIDE},
    {"ip within", UNDER("ip-bound", "IP:10.1.2.3"), 0, NULL},
    {"ip outside", UNDER("ip-bound", "IP:11.1.2.3"), OUTSIDE},
    {"ip mask with a hole", UNDER("ip-hole", "IP:10.1.0.1"), MALFORMED("2.5.29.30")},
    {"ip of the other family", UNDER("ip-bound", "IP:::1"), OUTSIDE},
    {"form that can't be compared", UNDER("rid-bound", "RID:1.2.3"), OUTSIDE},
    {"without a name of that form", UNDER("rid-bound", "DNS:a.example"), 0, NULL},
    {"directory name within", {.subject = "Cpeer", .issuer = "dir-bound"}, "dir-bound", NULL, 0,
        NULL},
    {"directory name in another spelling", {.subject = " CPEER", .issuer = "dir-bound"},
        "dir-bound", NULL, 0, NULL},
    {"directory name excluded", {.subject = "/O=Evil Co/CN=x", .issuer = "dir-barred"},
        "dir-barred", NULL, OUTSIDE},
    {"directory name excluded in another spelling",
        {.subject = "/O=EVIL   co/CN=x", .issuer = "dir-barred"}, "dir-barred", NULL, OUTSIDE},
    {"directory name that may be excluded",
        {.subject = "/O=\xef\xbc\xa5vil Co/CN=x", .issuer = "dir-barred"}, "dir-barred", NULL,
        OUTSIDE},
    {"directory name beside what is excluded",
        {.subject = "/O=Good Co/CN=x", .issuer = "dir-barred"}, "dir-barred", NULL, 0, NULL},
    {"the second of two directory names", {.subject = "/O=bar/CN=x", .issuer = "dir-many"},
        "dir-many", NULL, 0, NULL},
    {"directory name outside", {.issuer = "dir-bound"}, "dir-bound", NULL, OUTSIDE},
    {"device within", UNDER("device-bound", "otherName:0.2.481.1;UTF8:100.3030.10011"), 0, NULL},
    {"device boundary", UNDER("device-bound", "otherName:0.2.481.1;UTF8:100.30301"), OUTSIDE},
    {"device split elsewhere", UNDER("device-bound", "otherName:0.2.481.1.100;UTF8:3030.7"), 0,
        NULL},
    {"device outside, split elsewhere", UNDER("device-bound", "otherName:0.2.481.1.200;UTF8:1"),
        OUTSIDE},
    {"device excluded", UNDER("device-barred", "otherName:0.2.481.1;UTF8:100.3030.1"), OUTSIDE},
    {"device within the arc", UNDER("device-arc", "otherName:0.2.481.1;UTF8:100.1"), 0, NULL},
    {"device outside the arc", UNDER("device-arc", "otherName:0.2.481.1;UTF8:101.1"), OUTSIDE},
    {"other otherName bound", UNDER("upn-bound", "otherName:1.2.3;UTF8:x"), OUTSIDE},
};

/* --- the harness --- */

static char folder[] = "/tmp/e2ekeyd-path-XXXXXX";
static char anchors_path[64];

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(anchors_path, sizeof(anchors_path), "%s/anchors.pem", folder);
    maker_start(authorities);
}

static void tear_down(void)
{
    maker_stop();
    unlink(anchors_path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static struct trust_store *store_of(const char *anchors)
{
    struct trust_store *store;
    struct fault fault = FAULT_INIT;
    maker_write(anchors_path, anchors);
    enum result result = trust_store_of_file(anchors_path, &store, &fault);
    ck_assert_msg(result == RESULT_OK, "%s", fault.text);
    return store;
}

struct chain {
    struct buffer der[PATH_CERTIFICATES_MAX];
    struct bytes view[PATH_CERTIFICATES_MAX];
    size_t count;
};

static void chain_add(struct chain *chain, struct buffer der)
{
    chain->der[chain->count] = der;
    chain->view[chain->count++] = buffer_bytes(&der);
}

static struct chain chain_of(const struct recipe *leaf, const char *presented)
{
    struct chain chain = {0};
    char list[256], *rest = list;
    chain_add(&chain, maker_make(leaf));
    snprintf(list, sizeof(list), "%s", presented ? presented : "");
    for (char *name; presented && (name = strsep(&rest, " "));)
        chain_add(&chain, maker_authority(name));
    return chain;
}

static void chain_release(struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        buffer_release(&chain->der[i]);
}

static enum result validate(struct trust_store *store, const struct chain *chain,
    struct path_verdict *verdict, struct fault *fault)
{
    *fault = FAULT_INIT;
    return path_validate(store, chain->view, chain->count, PATH_CLIENT, MAKER_NOW, verdict, fault);
}

static bool judged_rightly(const struct path_kind *kind)
{
    struct path_verdict verdict = {0};
    struct fault fault;
    struct trust_store *store = store_of(kind->anchors ? kind->anchors : "root");
    struct chain chain = chain_of(&kind->leaf, kind->presented);
    enum result result = validate(store, &chain, &verdict, &fault);
    bool right = kind->alert == 0
                     ? result == RESULT_OK && verdict.trusted == 1
                     : result == RESULT_CERTIFICATE_REFUSED && verdict.trusted == 0 &&
                           fault.alert == kind->alert && strstr(fault.text, kind->reason);
    if (!right)
        fprintf(stderr, "%s: %s (alert %d, \"%s\")\n", kind->what, result_text(result), fault.alert,
            result == RESULT_OK ? "" : fault.text);
    chain_release(&chain);
    trust_store_free(store);
    return right;
}

START_TEST(decides_every_kind)
{
    unsigned wrong = 0;
    set_up();
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        wrong += judged_rightly(&kinds[i]) ? 0 : 1;
    ck_assert_uint_eq(wrong, 0);
    tear_down();
}
END_TEST

/* --- octets gone wrong --- */

/* In memory of its own size, so that reading past it is seen. */
static enum result validate_copy(
    struct trust_store *store, const struct chain *chain, size_t which, size_t size, size_t bit)
{
    struct path_verdict verdict;
    struct fault fault;
    struct chain changed = *chain;
    uint8_t *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, chain->view[which].data, size);
    if (bit < size * 8)
        copy[bit / 8] ^= (uint8_t)(1U << bit % 8);
    changed.view[which] = bytes_of(copy, size);
    enum result result = validate(store, &changed, &verdict, &fault);
    ck_assert(result == RESULT_OK || (fault.alert != FAULT_NO_ALERT && fault.text[0]));
    free(copy);
    return result;
}

START_TEST(refuses_every_changed_octet)
{
    set_up();
    const struct recipe leaf = {.issuer = "dns-bound",
        .extensions = LEAF_WITH("DNS:a.m2m.example,otherName:0.2.481.1;UTF8:100.1,"
                                "URI://m2m.example/in-cse/Cpeer")};
    struct chain chain = chain_of(&leaf, "dns-bound");
    struct trust_store *store = store_of("root");
    for (size_t i = 0; i < chain.count; i++) {
        size_t size = chain.view[i].size;
        ck_assert_int_eq(validate_copy(store, &chain, i, size, SIZE_MAX), RESULT_OK);
        for (size_t bit = 0; bit < size * 8; bit++)
            ck_assert_msg(validate_copy(store, &chain, i, size, bit) != RESULT_OK,
                "certificate %zu is good with bit %zu changed", i, bit);
        for (size_t less = 0; less < size; less++)
            ck_assert_int_ne(validate_copy(store, &chain, i, less, SIZE_MAX), RESULT_OK);
    }
    trust_store_free(store);
    chain_release(&chain);
    tear_down();
}
END_TEST

/* --- what surrounds the kinds --- */

START_TEST(tells_client_from_server)
{
    set_up();
    struct path_verdict verdict;
    struct fault fault = FAULT_INIT;
    struct chain chain = chain_of(&(struct recipe){0}, NULL);
    struct trust_store *store = store_of("root");
    ck_assert_int_eq(path_validate(store, chain.view, 1, PATH_SERVER, MAKER_NOW, &verdict, &fault),
        RESULT_CERTIFICATE_REFUSED);
    ck_assert_int_eq(fault.alert, UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(fault.text, "serverAuth"));
    trust_store_free(store);
    chain_release(&chain);
    tear_down();
}
END_TEST

START_TEST(hands_out_leaf_and_names)
{
    set_up();
    struct path_verdict verdict;
    struct fault fault;
    struct chain chain = chain_of(&(struct recipe){.issuer = "sub"}, "sub");
    struct trust_store *store = store_of("root");
    ck_assert_int_eq(validate(store, &chain, &verdict, &fault), RESULT_OK);
    ck_assert_ptr_eq(verdict.leaf.der.data, chain.view[0].data);
    ck_assert_uint_eq(verdict.leaf.point.size, P256_POINT_OCTETS);
    ck_assert_uint_eq(verdict.names.uri.count, 1);
    ck_assert_str_eq(verdict.names.uri.name[0], "//m2m.example/in-cse/Cpeer");
    trust_store_free(store);
    chain_release(&chain);
    tear_down();
}
END_TEST

START_TEST(does_not_take_an_anchor_for_a_leaf)
{
    set_up();
    /* Self-signed, with all that a leaf needs: no CA, so it can't even be loaded. */
    const struct recipe me = {.name = "me", .issuer = "me"};
    struct trust_store *store;
    struct fault fault = FAULT_INIT;
    struct buffer der = maker_make(&me);
    maker_write_file(anchors_path, buffer_bytes(&der));
    ck_assert_int_eq(trust_store_of_file(anchors_path, &store, &fault), RESULT_BAD_CONFIGURATION);
    ck_assert_ptr_nonnull(strstr(fault.text, "not a CA"));
    ck_assert_ptr_nonnull(strstr(fault.text, anchors_path));
    buffer_release(&der);

    struct chain chain = {0};
    struct path_verdict verdict;
    chain_add(&chain, maker_authority("root"));
    store = store_of("root");
    ck_assert_int_eq(validate(store, &chain, &verdict, &fault), RESULT_CERTIFICATE_REFUSED);
    trust_store_free(store);
    chain_release(&chain);
    tear_down();
}
END_TEST

START_TEST(bounds_the_number_presented)
{
    set_up();
    struct path_verdict verdict;
    struct fault fault = FAULT_INIT;
    struct chain chain = chain_of(&(struct recipe){0}, NULL);
    struct bytes many[PATH_CERTIFICATES_MAX + 1];
    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = chain.view[0];
    struct trust_store *store = store_of("root");
    ck_assert_int_eq(
        path_validate(store, many, ARRAY_SIZE(many), PATH_CLIENT, MAKER_NOW, &verdict, &fault),
        RESULT_CERTIFICATE_REFUSED);
    ck_assert_int_eq(path_validate(store, many, 0, PATH_CLIENT, MAKER_NOW, &verdict, &fault),
        RESULT_CERTIFICATE_REFUSED);
    ck_assert_int_eq(fault.alert, TLS_ALERT_HANDSHAKE_FAILURE);
    trust_store_free(store);
    chain_release(&chain);
    tear_down();
}
END_TEST

/* Eight CAs of the root's name under eight keys, each a possible issuer of all: the paths by name
 * are more than a hundred thousand. REAL is the one that the root has certified, or none. */
static struct chain look_alikes(size_t real, size_t signer)
{
    char names[8][16];
    struct chain chain = {0};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        snprintf(names[i], sizeof(names[i]), "alike %zu", i);
    chain_add(
        &chain, maker_make(&(struct recipe){
                    .issuer = "bare-root", .signer = names[signer], .extensions = LEAF_BARE}));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        chain_add(&chain, maker_make(&(struct recipe){.name = names[i],
                              .subject = "bare-root",
                              .issuer = "bare-root",
                              .signer = i == real ? "bare-root" : names[i],
                              .extensions = "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\n"}));
    return chain;
}

START_TEST(bounds_the_work)
{
    set_up();
    struct path_verdict verdict;
    struct fault fault;
    struct timespec start, end;
    struct chain chain = look_alikes(SIZE_MAX, 0);
    struct trust_store *store = store_of("bare-root");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    ck_assert_int_eq(validate(store, &chain, &verdict, &fault), RESULT_CERTIFICATE_REFUSED);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    ck_assert_int_eq(fault.alert, BAD);
    ck_assert_int_lt(end.tv_sec - start.tv_sec, 2);
    trust_store_free(store);
    chain_release(&chain);
    tear_down();
}
END_TEST

START_TEST(finds_the_real_one_among_look_alikes)
{
    set_up();
    struct trust_store *store = store_of("bare-root");
    for (size_t real = 0; real < 8; real++) {
        struct path_verdict verdict;
        struct fault fault;
        struct chain good = look_alikes(real, real), bad = look_alikes(real, (real + 1) % 8);
        ck_assert_msg(validate(store, &good, &verdict, &fault) == RESULT_OK, "%s", fault.text);
        ck_assert_uint_eq(verdict.paths[0].length, 2);
        ck_assert_uint_eq(verdict.paths[0].presented[0], 0);
        ck_assert_uint_eq(verdict.paths[0].presented[1], real + 1);
        ck_assert_int_eq(validate(store, &bad, &verdict, &fault), RESULT_CERTIFICATE_REFUSED);
        chain_release(&good);
        chain_release(&bad);
    }
    trust_store_free(store);
    tear_down();
}
END_TEST

START_TEST(verifies_no_signature_twice)
{
    set_up();
    struct trust_store *store = store_of("root");
    struct chain chain = chain_of(&(struct recipe){0}, "root other");
    struct certificate leaf, root, other;
    struct fault fault;
    struct trust_effort effort = {.left = 2};
    ck_assert_int_eq(certificate_parse(chain.view[0], &leaf, &fault), RESULT_OK);
    ck_assert_int_eq(certificate_parse(chain.view[1], &root, &fault), RESULT_OK);
    ck_assert_int_eq(certificate_parse(chain.view[2], &other, &fault), RESULT_OK);
    for (int again = 0; again < 3; again++) {
        ck_assert(!trust_signed_by(store, &leaf, &other, &effort));
        ck_assert(trust_signed_by(store, &leaf, &root, &effort));
        ck_assert_uint_eq(effort.left, 0);
        ck_assert(!effort.exhausted);
    }
    /* Verified before, and yet one more than this validation may ask about. */
    effort = (struct trust_effort){.left = 0};
    ck_assert(!trust_signed_by(store, &leaf, &root, &effort));
    ck_assert(effort.exhausted);
    trust_store_free(store);
    chain_release(&chain);
    tear_down();
}
END_TEST

/* Each CA of one name certifies the next key, and the last, presented first, signs the leaf. What
 * the verdict is must not depend on what was verified before: the same again. */
START_TEST(finds_a_long_rollover_in_reverse)
{
    set_up();
    char names[8][16];
    struct chain chain = {0};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        snprintf(names[i], sizeof(names[i]), "roll %zu", i);
    chain_add(&chain, maker_make(&(struct recipe){
                          .issuer = "bare-root", .signer = names[7], .extensions = LEAF_BARE}));
    for (size_t i = ARRAY_SIZE(names); i-- > 0;)
        chain_add(&chain, maker_make(&(struct recipe){.name = names[i],
                              .subject = "bare-root",
                              .issuer = "bare-root",
                              .signer = i == 0 ? "bare-root" : names[i - 1],
                              .extensions = "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\n"}));
    struct trust_store *store = store_of("bare-root");
    for (int again = 0; again < 2; again++) {
        struct path_verdict verdict;
        struct fault fault;
        ck_assert_msg(validate(store, &chain, &verdict, &fault) == RESULT_OK, "%s", fault.text);
        ck_assert_uint_eq(verdict.paths[0].length, 9);
    }
    trust_store_free(store);
    chain_release(&chain);
    tear_down();
}
END_TEST

/* As many anchors as there may be, of one name and without key identifiers: each may be it. So may
 * a CA of that name that is presented along, by no anchor. */
START_TEST(tries_all_anchors_of_one_name)
{
    set_up();
    char names[TRUST_ANCHORS_MAX][8], list[TRUST_ANCHORS_MAX * 8] = "";
    struct recipe recipes[TRUST_ANCHORS_MAX + 1] = {0};
    for (size_t i = 0; i < TRUST_ANCHORS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "a%zu", i);
        snprintf(
            list + strlen(list), sizeof(list) - strlen(list), "%s%s", i > 0 ? " " : "", names[i]);
        recipes[i] = (struct recipe){.name = names[i],
            .subject = "alike",
            .extensions = "basicConstraints=critical,CA:TRUE\n"};
    }
    maker_start(recipes);
    struct trust_store *store = store_of(list);
    for (size_t i = 0; i < TRUST_ANCHORS_MAX; i += 21) {
        struct path_verdict verdict;
        struct fault fault;
        struct chain alone =
            chain_of(&(struct recipe){.issuer = names[i], .extensions = LEAF_BARE}, NULL);
        chain_add(&alone, maker_make(&(struct recipe){.name = "false",
                              .subject = "alike",
                              .issuer = names[0],
                              .signer = "false",
                              .extensions = "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\n"}));
        ck_assert_msg(validate(store, &alone, &verdict, &fault) == RESULT_OK, "%s", fault.text);
        ck_assert_uint_eq(verdict.paths[0].anchor, i);
        chain_release(&alone);
    }
    /* Eight such CAs are more than what can be tried, and the refusal says so. */
    struct path_verdict verdict;
    struct fault fault;
    struct chain many = {0};
    for (size_t i = 0; i < PATH_CERTIFICATES_MAX; i++)
        chain_add(
            &many, maker_make(&(struct recipe){.name = i == 0 ? "leaf" : "false",
                       .subject = i == 0 ? "leaf" : "alike",
                       .issuer = names[0],
                       .signer = "false",
                       .not_after = MAKER_NOW + (int64_t)i,
                       .extensions = i == 0 ? LEAF_BARE
                                            : "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\n"}));
    ck_assert_int_eq(validate(store, &many, &verdict, &fault), RESULT_CERTIFICATE_REFUSED);
    ck_assert_msg(strstr(fault.text, "no path found within 145 signatures"), "%s", fault.text);
    chain_release(&many);
    trust_store_free(store);
    tear_down();
}
END_TEST

/* --- trust domains of a policy --- */

static struct policy policy_of(struct policy_trust *trust, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        trust[i].place = (struct source_position){"policy.json", "/trust/0"};
        trust[i].anchors.place = (struct source_position){"policy.json", "/trust/0/anchors"};
    }
    return (struct policy){.trust = trust, .trust_count = count};
}

START_TEST(says_which_domains_trust)
{
    set_up();
    char other_path[80];
    snprintf(other_path, sizeof(other_path), "%s.other", anchors_path);
    maker_write(anchors_path, "root");
    maker_write(other_path, "other");
    struct policy_trust trust[] = {
        {.name = "field", .anchors.path = anchors_path},
        {.name = "elsewhere", .anchors.path = other_path},
        {.name = "field again", .anchors.path = anchors_path},
    };
    struct policy policy = policy_of(trust, ARRAY_SIZE(trust));
    struct report report = {0};
    struct trust_store *store;
    ck_assert_int_eq(trust_store_new(&policy, &store, &report), RESULT_OK);

    struct path_verdict verdict;
    struct fault fault;
    struct chain chain = chain_of(&(struct recipe){.issuer = "sub"}, "sub");
    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(validate(store, &chain, &verdict, &fault), RESULT_OK);
        ck_assert_uint_eq(verdict.trusted, 5);
    }
    chain_release(&chain);
    trust_store_free(store);
    report_release(&report);
    unlink(other_path);
    tear_down();
}
END_TEST

/* Loads one domain; the first entry of the report has to say TEXT. */
static void expect_report(enum result expected, bool warning, const char *text)
{
    struct policy_trust trust = {.name = "field", .anchors.path = anchors_path};
    struct policy policy = policy_of(&trust, 1);
    struct report report = {0};
    struct trust_store *store = NULL;
    ck_assert_int_eq(trust_store_new(&policy, &store, &report), expected);
    ck_assert_uint_eq(report.count, 1);
    ck_assert_int_eq(report.entries[0].warning, warning);
    ck_assert_msg(strstr(report.entries[0].text, text), "%s", report.entries[0].text);
    ck_assert_ptr_nonnull(strstr(report.entries[0].text, "policy.json: /trust/0/anchors: "));
    trust_store_free(store);
    report_release(&report);
}

START_TEST(says_what_is_wrong_with_anchors)
{
    set_up();
    expect_report(RESULT_BAD_CONFIGURATION, false, "No such file");
    maker_write_file(anchors_path, bytes_of_string("no certificate\n"));
    expect_report(RESULT_BAD_CONFIGURATION, false, "there is none in this file");
    maker_write_file(anchors_path,
        bytes_of_string("-----BEGIN CERTIFICATE-----\nAA=A\n-----END CERTIFICATE-----\n"));
    expect_report(RESULT_BAD_CONFIGURATION, false, "malformed PEM");
    maker_write_file(anchors_path, bytes_of_string("-----BEGIN CERTIFICATE-----\nAAAA\n"));
    expect_report(RESULT_BAD_CONFIGURATION, false, "malformed PEM");
    maker_write_file(anchors_path,
        bytes_of_string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
    expect_report(RESULT_BAD_CONFIGURATION, false, "not a certificate in DER");
    maker_write(anchors_path, "root no-CA");
    expect_report(RESULT_BAD_CONFIGURATION, false, "certificate 2: not a CA certificate");
    maker_write(anchors_path, "no-sign");
    expect_report(RESULT_BAD_CONFIGURATION, false, "not a CA certificate");
    maker_write(anchors_path, "expired-root");
    expect_report(RESULT_OK, true, "certificate 1: expired");
    tear_down();
}
END_TEST

START_TEST(takes_anchors_in_der)
{
    set_up();
    struct path_verdict verdict;
    struct fault fault;
    struct trust_store *store;
    struct buffer der = maker_authority("root");
    maker_write_file(anchors_path, buffer_bytes(&der));
    ck_assert_int_eq(trust_store_of_file(anchors_path, &store, &fault), RESULT_OK);
    struct chain chain = chain_of(&(struct recipe){0}, NULL);
    ck_assert_int_eq(validate(store, &chain, &verdict, &fault), RESULT_OK);
    chain_release(&chain);
    trust_store_free(store);
    buffer_release(&der);
    tear_down();
}
END_TEST

CHECK_MAIN("trust/path", decides_every_kind, refuses_every_changed_octet, tells_client_from_server,
    hands_out_leaf_and_names, does_not_take_an_anchor_for_a_leaf, bounds_the_number_presented,
    bounds_the_work, finds_the_real_one_among_look_alikes, verifies_no_signature_twice,
    finds_a_long_rollover_in_reverse, tries_all_anchors_of_one_name, says_which_domains_trust,
    says_what_is_wrong_with_anchors, takes_anchors_in_der)
