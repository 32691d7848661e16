/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_load/canonical.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/credential_dir.h"
#include "base/listen_address.h"
#include "base/text.h"
#include "identity/public_key_id.h"
#include "policy/policy.h"

/* Whether TEXT is from 1 to MOST printable ASCII characters without spaces and without those of
 * EXCEPT. */
static bool is_printable(const char *text, size_t most, const char *except)
{
    const size_t size = strnlen(text, most + 1);
    if (size == 0 || size > most)
        return false;
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~' || strchr(except, text[i]))
            return false;
    return true;
}

static size_t digits(const char *text)
{
    return strspn(text, "0123456789");
}

bool valid_name(const char *text)
{
    return identifier_is_segment(text) && strlen(text) < POLICY_NAME_OCTETS;
}

/* "-", "~" and "_" have a meaning of their own in an address (TS-0009 6.2.2). */
static bool is_reserved(const char *segment, size_t size)
{
    return size == 1 && strchr("-~_", *segment);
}

bool valid_resource(const char *text)
{
    return valid_name(text) && !is_reserved(text, strlen(text));
}

/* Whether TEXT is one segment or more, with a slash between each two, and none of them reserved
 * among the first UNRESERVED. */
static bool are_segments(const char *text, size_t unreserved)
{
    if (strnlen(text, IDENTIFIER_OCTETS) == IDENTIFIER_OCTETS)
        return false;
    for (size_t number = 0;; number++) {
        char segment[IDENTIFIER_OCTETS];
        const size_t size = strcspn(text, "/");
        memcpy(segment, text, size);
        segment[size] = '\0';
        if (!identifier_is_segment(segment) || (number < unreserved && is_reserved(segment, size)))
            return false;
        if (text[size] == '\0')
            return true;
        text += size + 1;
    }
}

bool valid_notify_path(const char *text)
{
    return text[0] == '/' && strlen(text) < IDENTIFIER_OCTETS && are_segments(text + 1, 1);
}

bool valid_address(const char *text)
{
    return are_segments(text, SIZE_MAX);
}

bool valid_listen(const char *text)
{
    struct listen_address address;
    return listen_address_parse(text, &address);
}

static bool is_unix_listen(const char *text)
{
    return strncmp(text, "unix:/", 6) == 0 && valid_socket_path(text + 5);
}

bool valid_http_listen(const char *text)
{
    return is_unix_listen(text) || valid_listen(text);
}

bool valid_mode(const char *text)
{
    return text[0] == '0' && strspn(text, "01234567") == 4 && text[4] == '\0';
}

/* "/8" behind an address, and nothing after it; no text is all WHOLE bits. */
static bool parse_prefix(const char *text, unsigned whole, unsigned *out)
{
    *out = whole;
    if (*text == '\0')
        return true;
    const size_t size = digits(text + 1);
    if (size == 0 || size > 3 || text[1 + size] || (size > 1 && text[1] == '0'))
        return false;
    *out = (unsigned)strtoul(text + 1, NULL, 10);
    return *out <= whole;
}

static bool parse_network(const char *text, struct policy_network *out)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291 2.5.5.2 */
    char address[INET6_ADDRSTRLEN];
    const size_t size = strcspn(text, "/");

    *out = (struct policy_network){.is_unix = strcmp(text, "unix:") == 0};
    if (out->is_unix)
        return true;
    if (size >= sizeof(address))
        return false;
    memcpy(address, text, size);
    address[size] = '\0';
    if (inet_pton(AF_INET6, address, out->address) == 1)
        return parse_prefix(text + size, 128, &out->prefix);
    memcpy(out->address, mapped, sizeof(mapped));
    if (inet_pton(AF_INET, address, out->address + sizeof(mapped)) != 1 ||
        !parse_prefix(text + size, 32, &out->prefix))
        return false;
    out->prefix += 96;
    return true;
}

bool valid_network(const char *text)
{
    struct policy_network network;
    return parse_network(text, &network);
}

void read_network(const char *text, struct policy_network *out)
{
    (void)parse_network(text, out);
}

bool valid_socket_path(const char *text)
{
    const size_t size = sizeof(((struct sockaddr_un *)NULL)->sun_path);
    return is_printable(text, size - 1, "") && text[strlen(text) - 1] != '/' &&
           !credential_name(text);
}

/* X.660: the first number is 0, 1 or 2, and after 0 or 1 the second is less than 40. */
bool valid_device_id(const char *text)
{
    if (strnlen(text, NAME_OCTETS) == NAME_OCTETS || text[0] < '0' || text[0] > '2' ||
        text[1] != '.')
        return false;
    if (text[0] != '2' && (digits(text + 2) > 2 || strtoul(text + 2, NULL, 10) >= 40))
        return false;
    for (const char *arc = text + 1; *arc;) {
        const size_t size = *arc == '.' ? digits(++arc) : 0;
        if (size == 0 || (size > 1 && *arc == '0'))
            return false;
        arc += size;
    }
    return true;
}

bool valid_node_id(const char *text)
{
    return is_printable(text, NAME_OCTETS - 1, "*");
}

bool valid_public_key_id(const char *text)
{
    struct public_key_id id;
    return public_key_id_parse(text, &id);
}

bool valid_account(const char *text)
{
    return is_printable(text, 255, ":/");
}

bool valid_unit(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  ":-_.\\@";
    const size_t size = strnlen(text, 256);
    const char *suffix = strrchr(text, '.');
    return size < 256 && text[strspn(text, allowed)] == '\0' && suffix && suffix != text &&
           (strcmp(suffix, ".service") == 0 || strcmp(suffix, ".scope") == 0);
}

void canonical_domain_name(char *text)
{
    text_to_lower(text, strlen(text));
}

void canonical_identity(char *text)
{
    text_to_lower(text + 2, strcspn(text + 2, "/"));
}

void canonical_node_id(char *text)
{
    if (identifier_is_sp_id(text))
        canonical_domain_name(text);
}

void canonical_public_key_id(char *text)
{
    struct public_key_id id;
    char canonical[PUBLIC_KEY_ID_OCTETS];
    if (!public_key_id_parse(text, &id))
        return;
    public_key_id_format(id.kind, id.digest, canonical);
    memcpy(text, canonical, strlen(canonical) + 1);
}
