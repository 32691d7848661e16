/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as a public key identifier (RFC 6920). */
#include "identity/public_key_id.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OCTETS 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static bool same(const struct public_key_id *a, const struct public_key_id *b)
{
    return a->kind == b->kind && memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

/* Written and read once more it is the same; without an authority, so is its text. */
static void check(const char *text, const struct public_key_id *id)
{
    struct public_key_id again;
    char canonical[PUBLIC_KEY_ID_OCTETS];
    public_key_id_format(id->kind, id->digest, canonical);
    must(strlen(canonical) < sizeof(canonical) && strlen(canonical) <= strlen(text));
    must(public_key_id_parse(canonical, &again) && same(id, &again));
    must(strncmp(text, "ni:///", 6) != 0 || strcmp(text, canonical) == 0);
    must(public_key_id_matches(id, id->digest) && public_key_ids_agree(id, &again));
}

/* It agrees with the identifiers of the same digest, whole and cut. */
static void check_kinds(const struct public_key_id *id)
{
    for (int kind = 0; kind < PUBLIC_KEY_ID_KINDS; kind++) {
        struct public_key_id other;
        char text[PUBLIC_KEY_ID_OCTETS];
        public_key_id_format((enum public_key_id_kind)kind, id->digest, text);
        must(public_key_id_parse(text, &other));
        must(public_key_ids_agree(id, &other) && public_key_ids_agree(&other, id));
        other.digest[0] ^= 0x80;
        must(!public_key_ids_agree(id, &other));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct public_key_id id;
    char text[TEXT_OCTETS + 1];
    if (size > TEXT_OCTETS)
        return -1;
    memcpy(text, data, size);
    text[size] = '\0';
    if (public_key_id_parse(text, &id)) {
        check(text, &id);
        check_kinds(&id);
    }
    return 0;
}
