/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Distinguished names: what is one, and which two are the same. */
#include "x509/distinguished_name.h"

#include <string.h>

#include "support/check_main.h"
#include "x509/der.h"

#define DATA(literal) bytes_of((literal), sizeof(literal) - 1)

/* Names are written as "O=u:Evil/CN=p:one+OU=p:two": '/' between RDNs, '+' between the attributes
 * of one, and the letter says which type of string. "\1" to "\3" are '/', '+' and NUL in text. */
static const struct {
    char letter;
    uint8_t tag;
} strings[] = {
    {'u', DER_UTF8_STRING}, {'p', DER_PRINTABLE_STRING}, {'i', DER_IA5_STRING},
    {'t', DER_TELETEX_STRING}, {'b', DER_BMP_STRING}, {'w', DER_UNIVERSAL_STRING},
    {'o', DER_OCTET_STRING}, {'c', 0x2c}, /* a constructed UTF8String */
};

static const struct {
    const char *name;
    uint8_t number; /* below id-at, 2.5.4 */
} types[] = {{"CN", 3}, {"C", 6}, {"O", 10}, {"OU", 11}, {"UID", 45}};

struct name {
    uint8_t octets[512];
    struct bytes whole;
};

static void put_header(struct buffer *out, uint8_t tag, size_t size)
{
    ck_assert_uint_lt(size, 128);
    ck_assert_int_eq(buffer_append(out, (uint8_t[]){tag, (uint8_t)size}, 2), RESULT_OK);
}

static void put(struct buffer *out, uint8_t tag, const struct buffer *content)
{
    put_header(out, tag, content->size);
    ck_assert_int_eq(buffer_append(out, content->data, content->size), RESULT_OK);
}

/* ASCII as it is, or with the zeros of the wide encodings. */
static void put_value(struct buffer *out, char letter, const char *text)
{
    struct buffer content AUTO_BUFFER = {.limit = 512};
    size_t zeros = letter == 'b' ? 1 : letter == 'w' ? 3 : 0;
    uint8_t tag = 0;
    for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
        tag = strings[i].letter == letter ? strings[i].tag : tag;
    for (; *text; text++) {
        static const char escaped[] = {0, '/', '+', 0};
        char octet = *text > 0 && *text <= 3 ? escaped[(size_t)*text] : *text;
        ck_assert_int_eq(buffer_append(&content, "\0\0", zeros), RESULT_OK);
        ck_assert_int_eq(buffer_append(&content, &octet, 1), RESULT_OK);
    }
    put(out, tag, &content);
}

static void put_attribute(struct buffer *out, const char *attribute)
{
    struct buffer content AUTO_BUFFER = {.limit = 512};
    const char *value = strchr(attribute, '=');
    ck_assert_ptr_nonnull(value);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        size_t size = strlen(types[i].name);
        if (attribute + size == value && memcmp(attribute, types[i].name, size) == 0)
            ck_assert_int_eq(
                buffer_append(&content, (uint8_t[]){0x06, 3, 0x55, 4, types[i].number}, 5),
                RESULT_OK);
    }
    ck_assert_uint_eq(content.size, 5);
    put_value(&content, value[1], value + 3);
    put(out, DER_SEQUENCE, &content);
}

static struct bytes make(struct name *name, const char *text)
{
    struct buffer rdns AUTO_BUFFER = {.limit = 512};
    struct buffer whole AUTO_BUFFER = {.limit = 512};
    char copy[512], *rest_of_name = copy, *rdn;
    ck_assert_uint_lt(strlen(text), sizeof(copy));
    strcpy(copy, text);
    while (*text && (rdn = strsep(&rest_of_name, "/"))) {
        struct buffer attributes AUTO_BUFFER = {.limit = 512};
        char *attribute;
        while ((attribute = strsep(&rdn, "+")))
            put_attribute(&attributes, attribute);
        put(&rdns, DER_SET, &attributes);
    }
    put(&whole, DER_SEQUENCE, &rdns);
    memcpy(name->octets, whole.data, whole.size);
    return name->whole = bytes_of(name->octets, whole.size);
}

/* --- what is one --- */

START_TEST(knows_a_name)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"", true},
        {"CN=u:", true},
        {"C=p:DE/O=u:Caf\xc3\xa9/CN=i:a@b", true},
        {"O=p:*@_&", true}, /* outside of PrintableString's alphabet, and common */
        {"O=b:wide/OU=w:wider", true},
        {"O=t:anything\xff\x1b", true},
        {"O=o:anything\x1b", true},
        {"O=u:\xf0\x9f\x8c\x8d", true},
        {"O=u:\xf4\x8f\xbf\xbf", true},
        {"O=p:a+OU=p:a", true},
        {"O=p:a+OU=p:ab", true},
        {"OU=p:a+O=p:a", false},  /* by type */
        {"OU=p:ab+O=p:a", false}, /* by length */
        {"O=p:a+O=p:a", false},
        {"O=p:a+O=p:b", false}, /* in order, but one type twice */
        {"O=c:a", false},
        {"O=p:nul\3", false},
        {"O=u:line\n", false},
        {"O=i:\x7f", false},
        {"O=p:\xe9", false},
        {"O=i:\xe9", false},
        {"O=b:bell\x07", false},
        {"O=u:\xc3", false},             /* cut */
        {"O=u:\xa9", false},             /* out of nowhere */
        {"O=u:\xc1\xa1", false},         /* 'a' in two octets */
        {"O=u:\xe0\x83\xa9", false},     /* in three instead of two */
        {"O=u:\xed\xa0\x80", false},     /* a surrogate */
        {"O=u:\xf4\x90\x80\x80", false}, /* beyond the last character */
        {"O=u:\xf8\x88\x80\x80\x80", false},
        {"O=u:\xc3(", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct name name;
        struct bytes whole = make(&name, cases[i].text);
        ck_assert_msg(distinguished_name_is_valid(whole) == cases[i].good, "%s", cases[i].text);
    }
}
END_TEST

START_TEST(knows_what_is_no_name)
{
    const struct bytes cases[] = {
        {0}, DATA("\x31\0"), DATA("\x30\0\0"), DATA("\x30\2\x31\0"), /* an RDN of nothing */
        DATA("\x30\4\x31\2\x30\0"),                                  /* an attribute of nothing */
        DATA("\x30\2\x30\0"),                                        /* no SET */
        DATA("\x30\xb\x31\x9\x30\x7\6\3\x55\4\x3\x13\1\x61"),        /* cut */
        DATA("\x30\xd\x31\xb\x30\x9\6\4\x55\4\x80\x3\x13\1\x61"),    /* a padded arc */
        DATA("\x30\xb\x31\x9\x30\x7\6\2\x55\x84\x13\1\x61"),         /* an arc that does not end */
        DATA("\x30\x9\x31\x7\x30\x5\6\0\x13\1\x61"),                 /* a type of nothing */
        DATA("\x30\xd\x31\xb\x30\x9\6\3\x55\4\x3\x13\1\x61\5"), /* something behind the value */
        DATA("\x30\xb\x31\x9\x30\x7\6\1\x55\x1e\2\xd8\1"),      /* a surrogate in a BMPString */
        DATA("\x30\xa\x31\x8\x30\x6\6\1\x55\x1e\1\x61"),        /* half of a character */
        DATA("\x30\xd\x31\xb\x30\x9\6\1\x55\x1c\4\0\x11\0\0"),  /* beyond the last character */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_msg(!distinguished_name_is_valid(cases[i]), "case %zu", i);
}
END_TEST

START_TEST(bounds_the_attributes_of_an_rdn)
{
    for (uint8_t count = RDN_ATTRIBUTES_MAX; count <= RDN_ATTRIBUTES_MAX + 1; count++) {
        uint8_t octets[256] = {
            0x30, 0x81, (uint8_t)(count * 8 + 3), 0x31, 0x81, (uint8_t)(count * 8)};
        size_t size = 6;
        for (uint8_t i = 0; i < count; i++) {
            const uint8_t attribute[] = {0x30, 6, 6, 1, i, 0x13, 1, 'a'};
            memcpy(octets + size, attribute, sizeof(attribute));
            size += sizeof(attribute);
        }
        ck_assert_int_eq(
            distinguished_name_is_valid(bytes_of(octets, size)), count == RDN_ATTRIBUTES_MAX);
    }
}
END_TEST

/* --- which two are the same --- */

static void expect(const char *left, const char *right, bool equal)
{
    struct name a, b;
    uint8_t digest_a[SHA256_OCTETS], digest_b[SHA256_OCTETS];
    make(&a, left);
    make(&b, right);
    ck_assert_msg(distinguished_name_equal(a.whole, b.whole) == equal, "%s, %s", left, right);
    ck_assert_msg(distinguished_name_equal(b.whole, a.whole) == equal, "%s, %s", right, left);
    ck_assert_int_eq(distinguished_name_digest(a.whole, digest_a), RESULT_OK);
    ck_assert_int_eq(distinguished_name_digest(b.whole, digest_b), RESULT_OK);
    ck_assert_msg(
        (memcmp(digest_a, digest_b, SHA256_OCTETS) == 0) == equal, "digests: %s, %s", left, right);
}

START_TEST(compares_as_people_read)
{
    static const char *const equal[][2] = {
        {"", ""},
        {"O=p:Evil", "O=u:Evil"},
        {"O=p:Evil", "O=t:Evil"},
        {"O=b:Evil", "O=w:Evil"},
        {"O=i:Evil", "O=b:eVIL"},
        {"O=p:Evil", "O=p:EVIL"},
        {"O=p:Evil", "O=p:  Evil "},
        {"O=p:An Evil Co", "O=u: an  evil   co  "},
        {"O=p:", "O=u:   "},
        {"C=p:DE/O=p:A/CN=p:b", "C=p:de/O=u:a/CN=u:B"},
        {"O=u:CAF\xc3\xa9", "O=u:caf\xc3\xa9"},
        {"O=p:x+OU=p:yy", "O=u:X+OU=u:YY"},
        {"O=p:x+OU=p:yy", "OU=u: yy+O=p:X    "}, /* the spaces change the order in DER */
        {"O=o:Evil", "O=o:Evil"},
        {"O=t:\xe9", "O=t:\xe9"},
    };
    static const char *const different[][2] = {
        {"", "O=p:"},
        {"O=p:Evil", "O=p:Evi"},
        {"O=p:Evil", "O=p:Evill"},
        {"O=p:Evil", "OU=p:Evil"},
        {"O=p:A B", "O=p:AB"},
        {"O=p:a/OU=p:b", "O=p:a+OU=p:b"},
        {"O=p:a/OU=p:b", "OU=p:b/O=p:a"},
        {"O=p:a/O=p:b", "O=p:b/O=p:a"},
        {"O=p:a/OU=p:b", "O=p:a"},
        {"O=p:a+OU=p:b", "O=p:a"},
        {"O=p:a+OU=p:b", "O=p:a+CN=p:b"},
        {"O=p:a+OU=p:b", "O=p:b+OU=p:a"},
        {"O=u:caf\xc3\xa9", "O=u:caf\xc3\x89"}, /* upper case, which we cannot tell */
        {"O=u:\xc3\xa9", "O=t:\xe9"},
        {"O=o:Evil", "O=p:Evil"},
        {"O=o:Evil", "O=o:evil"},
        {"O=p:[", "O=p:{"},
        {"O=p:@", "O=p:`"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(equal); i++)
        expect(equal[i][0], equal[i][1], true);
    for (size_t i = 0; i < ARRAY_SIZE(different); i++)
        expect(different[i][0], different[i][1], false);
}
END_TEST

START_TEST(finds_a_name_in_a_subtree)
{
    static const struct {
        const char *name, *base;
        enum match match;
    } cases[] = {
        {"C=p:DE/O=p:Evil", "", MATCH_YES},
        {"", "", MATCH_YES},
        {"C=p:DE/O=p:Evil/CN=p:x", "C=p:de/O=u:EVIL", MATCH_YES},
        {"C=p:DE/OU=u: b +O=p:a", "C=p:DE/O=p:A+OU=p:B", MATCH_YES},
        {"C=p:DE", "C=p:DE/O=p:Evil", MATCH_NO},
        {"", "O=p:Evil", MATCH_NO},
        {"C=p:DE/O=p:Good", "C=p:DE/O=p:Evil", MATCH_NO},
        {"O=p:Evil", "C=p:DE/O=p:Evil", MATCH_NO},
        {"O=u:Caf\xc3\xa9", "O=u:CAF\xc3\xa9", MATCH_YES},
        {"O=u:CAF\xc3\x89", "O=u:Caf\xc3\xa9", MATCH_UNCLEAR},
        {"O=u:\xef\xbc\xa5vil", "O=p:Evil", MATCH_UNCLEAR}, /* a full-width E */
        {"O=t:\xe9", "O=u:\xc3\xa9", MATCH_UNCLEAR},
        {"O=o:Evil", "O=p:Evil", MATCH_UNCLEAR},
        {"C=p:FR/O=u:\xc3\xa9", "C=p:DE/O=u:\xc3\x89", MATCH_NO},
        {"C=p:FR+O=u:\xc3\xa9", "C=p:DE+O=u:\xc3\x89", MATCH_NO},
        {"O=u:\xc3\xa9/C=p:FR", "O=u:\xc3\x89/C=p:DE", MATCH_NO},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct name name, base;
        make(&name, cases[i].name);
        make(&base, cases[i].base);
        ck_assert_msg(distinguished_name_match(name.whole, base.whole) == cases[i].match,
            "%s below %s", cases[i].name, cases[i].base);
    }
}
END_TEST

CHECK_MAIN("x509/distinguished_name", knows_a_name, knows_what_is_no_name,
    bounds_the_attributes_of_an_rdn, compares_as_people_read, finds_a_name_in_a_subtree)
