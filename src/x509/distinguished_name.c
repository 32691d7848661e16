/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "x509/distinguished_name.h"

#include <string.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/sha256.h>

#include "x509/der.h"

/* --- text as characters --- */

#define CHARACTER_MAX 0x10ffffU
#define NO_CHARACTER  UINT32_MAX /* the end of a text, or octets that encode no character */

static bool is_surrogate(uint32_t character)
{
    return character >= 0xd800 && character <= 0xdfff;
}

/* A big-endian number of SIZE octets: BMPString has two, UniversalString four. */
static uint32_t take_wide(struct bytes *in, size_t size)
{
    struct bytes octets;
    uint32_t character = 0;
    if (!bytes_take(in, size, &octets))
        return NO_CHARACTER;
    for (size_t i = 0; i < size; i++)
        character = character << 8 | octets.data[i];
    return character > CHARACTER_MAX || is_surrogate(character) ? NO_CHARACTER : character;
}

/* RFC 3629 3: a character is in as few octets as possible, and is no surrogate. */
static uint32_t take_utf8(struct bytes *in)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000}; /* by how many octets follow */
    uint8_t octet;
    if (!bytes_take_u8(in, &octet))
        return NO_CHARACTER;
    if (octet < 0x80)
        return octet;
    size_t following = octet < 0xe0 ? 1 : octet < 0xf0 ? 2 : 3;
    if (octet < 0xc0 || octet > 0xf7)
        return NO_CHARACTER;
    uint32_t character = octet & (0x3fU >> following);
    for (size_t i = 0; i < following; i++) {
        if (!bytes_take_u8(in, &octet) || (octet & 0xc0) != 0x80)
            return NO_CHARACTER;
        character = character << 6 | (octet & 0x3fU);
    }
    bool good = character >= least[following] && character <= CHARACTER_MAX;
    return good && !is_surrogate(character) ? character : NO_CHARACTER;
}

static uint32_t take_ascii(struct bytes *in)
{
    uint8_t octet;
    return bytes_take_u8(in, &octet) && octet < 0x80 ? octet : NO_CHARACTER;
}

/* Returns NO_CHARACTER for control characters too: a name is shown to people, and they could change
 * what a terminal shows. */
static uint32_t take_character(uint8_t tag, struct bytes *in)
{
    uint32_t character = tag == DER_UTF8_STRING        ? take_utf8(in)
                         : tag == DER_BMP_STRING       ? take_wide(in, 2)
                         : tag == DER_UNIVERSAL_STRING ? take_wide(in, 4)
                                                       : take_ascii(in);
    return character < ' ' || character == 0x7f ? NO_CHARACTER : character;
}

static bool is_text_of(uint8_t tag, struct bytes content)
{
    while (content.size > 0) {
        if (take_character(tag, &content) == NO_CHARACTER)
            return false;
    }
    return true;
}

/* Is TAG that of a string, whose characters are checked? PrintableString is not held to its
 * alphabet, as CAs put '*', '@' and '_' into it. */
static bool is_string(uint8_t tag)
{
    return tag == DER_UTF8_STRING || tag == DER_PRINTABLE_STRING || tag == DER_IA5_STRING ||
           tag == DER_BMP_STRING || tag == DER_UNIVERSAL_STRING;
}

/* Implementations differ in what a TeletexString (T.61) means beyond ASCII, so one with such octets
 * is not compared as text. */
static bool is_text(const struct der *value)
{
    return is_string(value->tag) ||
           (value->tag == DER_TELETEX_STRING && is_text_of(value->tag, value->content));
}

/* The characters of a text, folded as the header says. */
struct text {
    uint8_t tag;
    struct bytes rest;
    bool is_inside; /* past the first character that is no space */
};

static struct text text_of(const struct der *value)
{
    return (struct text){.tag = value->tag, .rest = value->content};
}

static uint32_t text_next(struct text *text)
{
    struct bytes after = text->rest;
    uint32_t character = take_character(text->tag, &after);
    bool is_spaced = character == ' ';
    while (character == ' ') {
        text->rest = after;
        character = take_character(text->tag, &after);
    }
    if (character != NO_CHARACTER && is_spaced && text->is_inside) {
        text->is_inside = false; /* the spaces are gone: the next call gives what follows them */
        return ' ';
    }
    text->rest = after;
    text->is_inside = true;
    return character >= 'A' && character <= 'Z' ? character + ('a' - 'A') : character;
}

/* --- attributes and RDNs --- */

struct attribute {
    struct bytes type; /* content of the OBJECT IDENTIFIER */
    struct der value;
};

static bool take_attribute(struct bytes *rdn, struct attribute *out)
{
    struct bytes pair;
    return der_take_tag(rdn, DER_SEQUENCE, &pair) && der_take_tag(&pair, DER_OID, &out->type) &&
           der_take(&pair, &out->value) && pair.size == 0;
}

static bool find_attribute(struct bytes rdn, struct bytes type, struct attribute *out)
{
    while (take_attribute(&rdn, out)) {
        if (bytes_equal(out->type, type))
            return true;
    }
    return false;
}

/* X.690 8.1.2.5: of the universal types only SEQUENCE and SET are constructed in DER. */
static bool value_is_valid(const struct der *value)
{
    bool is_universal = (value->tag & 0xc0) == 0, is_constructed = (value->tag & 0x20) != 0;
    if (is_universal && is_constructed && value->tag != DER_SEQUENCE && value->tag != DER_SET)
        return false;
    return !is_string(value->tag) || is_text_of(value->tag, value->content);
}

/* X.690 11.6: the elements of a SET OF are in ascending order of their encodings, compared as
 * octets. No encoding is the beginning of another, since the length is among its first octets. */
static bool in_order(struct bytes before, struct bytes after)
{
    size_t size = before.size < after.size ? before.size : after.size;
    return memcmp(before.data, after.data, size) < 0;
}

static bool rdn_is_valid(struct bytes rdn)
{
    struct bytes rest = rdn, previous = {0};
    struct attribute attribute, first;
    if (rdn.size == 0)
        return false;
    for (size_t count = 0; rest.size > 0; count++) {
        struct bytes at = rest;
        if (count == RDN_ATTRIBUTES_MAX || !take_attribute(&rest, &attribute) ||
            !der_oid_is_valid(attribute.type) || !value_is_valid(&attribute.value))
            return false;
        struct bytes whole = bytes_of(at.data, at.size - rest.size);
        if (previous.data && !in_order(previous, whole))
            return false;
        previous = whole;
        if (!find_attribute(rdn, attribute.type, &first) ||
            first.value.whole.data != attribute.value.whole.data)
            return false;
    }
    return true;
}

bool distinguished_name_is_valid(struct bytes whole)
{
    struct bytes name, rdn;
    if (!der_only(whole, DER_SEQUENCE, &name))
        return false;
    while (name.size > 0) {
        if (!der_take_tag(&name, DER_SET, &rdn) || !rdn_is_valid(rdn))
            return false;
    }
    return true;
}

/* --- comparison --- */

static enum match match_values(const struct der *a, const struct der *b)
{
    bool is_same = true, is_ascii = true;
    uint32_t of_a, of_b;
    if (bytes_equal(a->whole, b->whole))
        return MATCH_YES;
    if (!is_text(a) || !is_text(b))
        return MATCH_UNCLEAR;
    struct text text_a = text_of(a), text_b = text_of(b);
    do {
        of_a = text_next(&text_a);
        of_b = text_next(&text_b);
        is_same &= of_a == of_b;
        is_ascii &= (of_a < 0x80 || of_a == NO_CHARACTER) && (of_b < 0x80 || of_b == NO_CHARACTER);
    } while (of_a != NO_CHARACTER || of_b != NO_CHARACTER);
    if (is_same)
        return MATCH_YES;
    return is_ascii ? MATCH_NO : MATCH_UNCLEAR;
}

static size_t count_attributes(struct bytes rdn)
{
    struct attribute attribute;
    size_t count = 0;
    while (take_attribute(&rdn, &attribute))
        count++;
    return count;
}

/* A type occurs in an RDN at most once, so there is at most one attribute to compare each with. */
static enum match match_rdns(struct bytes a, struct bytes b)
{
    enum match match = MATCH_YES;
    struct attribute of_a, of_b;
    if (count_attributes(a) != count_attributes(b))
        return MATCH_NO;
    while (take_attribute(&a, &of_a)) {
        enum match values = MATCH_NO;
        if (find_attribute(b, of_a.type, &of_b))
            values = match_values(&of_a.value, &of_b.value);
        if (values == MATCH_NO)
            return MATCH_NO;
        if (values == MATCH_UNCLEAR)
            match = MATCH_UNCLEAR;
    }
    return match;
}

/* Compares the first RDNs of NAME with all those of BASE. LEFT_OVER becomes the RDNs of NAME that
 * follow. */
static enum match match_names(struct bytes name, struct bytes base, struct bytes *left_over)
{
    enum match match = MATCH_YES;
    struct bytes base_rdns, rdn, base_rdn;
    if (!der_only(name, DER_SEQUENCE, left_over) || !der_only(base, DER_SEQUENCE, &base_rdns))
        return MATCH_UNCLEAR;
    while (base_rdns.size > 0) {
        enum match rdns = MATCH_NO;
        if (der_take_tag(&base_rdns, DER_SET, &base_rdn) && der_take_tag(left_over, DER_SET, &rdn))
            rdns = match_rdns(rdn, base_rdn);
        if (rdns == MATCH_NO)
            return MATCH_NO;
        if (rdns == MATCH_UNCLEAR)
            match = MATCH_UNCLEAR;
    }
    return match;
}

enum match distinguished_name_match(struct bytes name, struct bytes base)
{
    struct bytes left_over;
    return match_names(name, base, &left_over);
}

bool distinguished_name_equal(struct bytes a, struct bytes b)
{
    struct bytes left_over;
    return bytes_equal(a, b) || (match_names(a, b, &left_over) == MATCH_YES && left_over.size == 0);
}

bool distinguished_name_value(
    struct bytes name, struct bytes type, size_t index, struct bytes *value)
{
    struct bytes rdns, rdn;
    struct attribute attribute;
    if (!der_only(name, DER_SEQUENCE, &rdns))
        return false;
    while (der_take_tag(&rdns, DER_SET, &rdn)) {
        if (!find_attribute(rdn, type, &attribute) || index-- > 0)
            continue;
        *value = attribute.value.content;
        return true;
    }
    return false;
}

/* --- digest --- */

struct canonical {
    wc_Sha256 hash;
    int error; /* the first error of wolfCrypt, or 0 */
};

static void put(struct canonical *out, const void *data, size_t size)
{
    if (out->error == 0 && size > 0)
        out->error = wc_Sha256Update(&out->hash, data, (word32)size);
}

static void put_number(struct canonical *out, uint32_t number)
{
    const uint8_t octets[] = {
        (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    put(out, octets, sizeof(octets));
}

static void put_block(struct canonical *out, struct bytes block)
{
    put_number(out, (uint32_t)block.size);
    put(out, block.data, block.size);
}

static void put_attribute(struct canonical *out, const struct attribute *attribute)
{
    bool text = is_text(&attribute->value);
    uint32_t character;
    put_block(out, attribute->type);
    put_number(out, text);
    if (!text) {
        put_block(out, attribute->value.whole);
        return;
    }
    struct text characters = text_of(&attribute->value);
    do {
        character = text_next(&characters);
        put_number(out, character);
    } while (character != NO_CHARACTER);
}

static int compare_types(struct bytes a, struct bytes b)
{
    if (a.size != b.size)
        return a.size < b.size ? -1 : 1;
    return memcmp(a.data, b.data, a.size);
}

/* Finds the attribute with the least type above TYPE, to visit an RDN in the order of types. */
static bool next_by_type(struct bytes rdn, struct bytes type, struct attribute *out)
{
    struct attribute attribute;
    bool found = false;
    while (take_attribute(&rdn, &attribute)) {
        if (compare_types(attribute.type, type) > 0 &&
            (!found || compare_types(attribute.type, out->type) < 0)) {
            *out = attribute;
            found = true;
        }
    }
    return found;
}

static void put_name(struct canonical *out, struct bytes rdns)
{
    struct bytes rdn;
    while (der_take_tag(&rdns, DER_SET, &rdn)) {
        struct attribute attribute = {.type = bytes_of("", 0)};
        put_number(out, (uint32_t)count_attributes(rdn));
        while (next_by_type(rdn, attribute.type, &attribute))
            put_attribute(out, &attribute);
    }
}

static void release_canonical(struct canonical *canonical)
{
    wc_Sha256Free(&canonical->hash);
}

enum result distinguished_name_digest(struct bytes name, uint8_t digest[SHA256_OCTETS])
{
    struct canonical canonical CLEANUP(release_canonical) = {0};
    struct bytes rdns;
    if (!der_only(name, DER_SEQUENCE, &rdns) || wc_InitSha256(&canonical.hash) != 0)
        return RESULT_INTERNAL;
    put_name(&canonical, rdns);
    if (canonical.error != 0 || wc_Sha256Final(&canonical.hash, digest) != 0)
        return RESULT_INTERNAL;
    return RESULT_OK;
}
