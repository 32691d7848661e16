/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/public_key_id.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "identity/identifier.h"

/* RFC 6920 section 9.4 */
static const struct {
    const char *name;
    size_t octets;
} kinds[PUBLIC_KEY_ID_KINDS] = {
    [PUBLIC_KEY_ID_SHA_256] = {"sha-256", 32},
    [PUBLIC_KEY_ID_SHA_256_128] = {"sha-256-128", 16},
    [PUBLIC_KEY_ID_SHA_256_120] = {"sha-256-120", 15},
};

/* Returns what follows "ni://", the authority and a slash in TEXT; NULL when TEXT does not begin
 * with these. */
static const char *skip_authority(const char *text)
{
    const char *authority = text_after_caseless(text, "ni://");
    if (!authority)
        return NULL;
    const size_t size = strcspn(authority, "/");
    char name[IDENTIFIER_OCTETS];
    if (size >= sizeof(name) || authority[size] != '/')
        return NULL;
    memcpy(name, authority, size);
    name[size] = '\0';
    return size == 0 || identifier_is_sp_id(name) ? authority + size + 1 : NULL;
}

bool public_key_id_parse(const char *text, struct public_key_id *out)
{
    const char *algorithm = skip_authority(text);
    const char *semicolon = algorithm ? strchr(algorithm, ';') : NULL;
    if (!semicolon)
        return false;
    const struct bytes name = bytes_of(algorithm, (size_t)(semicolon - algorithm));
    for (int i = 0; i < PUBLIC_KEY_ID_KINDS; i++) {
        if (!bytes_equal(name, bytes_of_string(kinds[i].name)))
            continue;
        *out = (struct public_key_id){.kind = (enum public_key_id_kind)i};
        return base64url_decode_exact(
                   bytes_of_string(semicolon + 1), out->digest, kinds[i].octets) == RESULT_OK;
    }
    return false;
}

void public_key_id_format(enum public_key_id_kind kind, const uint8_t digest[SPKI_DIGEST_SIZE],
    char text[PUBLIC_KEY_ID_OCTETS])
{
    const int prefix = snprintf(text, PUBLIC_KEY_ID_OCTETS, "ni:///%s;", kinds[kind].name);
    base64url_encode_text(bytes_of(digest, kinds[kind].octets), text + prefix);
}

bool public_key_id_matches(const struct public_key_id *id, const uint8_t digest[SPKI_DIGEST_SIZE])
{
    return memcmp(id->digest, digest, kinds[id->kind].octets) == 0;
}

bool public_key_ids_agree(const struct public_key_id *a, const struct public_key_id *b)
{
    return kinds[a->kind].octets < kinds[b->kind].octets ? public_key_id_matches(a, b->digest)
                                                         : public_key_id_matches(b, a->digest);
}
