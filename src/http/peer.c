/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/peer.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include <gnutls/crypto.h>

#define IPV4_START     12 /* where the IPv4 address begins in one that is mapped into IPv6 */
#define NETWORK_OCTETS 8

/* The first octet of struct peer: what kind it is. */
enum kind { KIND_UNIX = 'U', KIND_IPV4 = '4', KIND_IPV6 = '6', KIND_CERTIFICATE = 'C' };

void peer_lines_add(struct peer_lines *lines, const char *value)
{
    if (lines->count == PEER_LINES)
        memmove(lines->line, lines->line + 1, --lines->count * sizeof(lines->line[0]));
    lines->line[lines->count++] = value;
}

/* --- addresses --- */

static void map_ipv4(const void *ipv4, struct peer_address *out)
{
    *out = (struct peer_address){.in6.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(out->in6.s6_addr + IPV4_START, ipv4, sizeof(struct in_addr));
}

bool peer_address_read(const struct sockaddr *from, struct peer_address *out)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    *out = (struct peer_address){.is_unix = from->sa_family == AF_UNIX};
    switch (from->sa_family) {
    case AF_UNIX:
        return true;
    case AF_INET:
        memcpy(&in, from, sizeof(in));
        map_ipv4(&in.sin_addr, out);
        return true;
    case AF_INET6:
        memcpy(&in6, from, sizeof(in6));
        out->in6 = in6.sin6_addr;
        return true;
    default:
        return false;
    }
}

static bool is_within(const struct peer_address *address, const struct policy_network *network)
{
    size_t whole = network->prefix / 8;
    unsigned rest = network->prefix % 8;

    if (address->is_unix || network->is_unix)
        return address->is_unix && network->is_unix;
    return memcmp(address->in6.s6_addr, network->address, whole) == 0 &&
           (rest == 0 ||
               (address->in6.s6_addr[whole] ^ network->address[whole]) >> (8 - rest) == 0);
}

static bool is_trusted(const struct policy_http *http, const struct peer_address *address)
{
    for (size_t i = 0; i < http->trusted_proxy_count; i++)
        if (is_within(address, &http->trusted_proxies[i]))
            return true;
    return false;
}

/* --- what a proxy says --- */

static struct bytes trim(struct bytes text)
{
    while (text.size > 0 && strchr(" \t", text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && strchr(" \t", text.data[text.size - 1]))
        text.size--;
    return text;
}

/* Takes what stands behind the last SEPARATOR off TEXT, or all of it; false when nothing is left.
 */
static bool take_last(struct bytes *text, char separator, struct bytes *out)
{
    if (!text->data)
        return false;
    const uint8_t *found = memrchr(text->data, separator, text->size);
    const uint8_t *start = found ? found + 1 : text->data;
    *out = trim(bytes_of(start, (size_t)(text->data + text->size - start)));
    *text = found ? bytes_of(text->data, (size_t)(found - text->data)) : (struct bytes){0};
    return true;
}

/* ":8080", and nothing after it; no text is fine. */
static bool is_port(const char *text)
{
    size_t digits = text[0] == ':' ? strspn(text + 1, "0123456789") : 0;

    return text[0] == '\0' || (digits >= 1 && digits <= 5 && text[1 + digits] == '\0');
}

/* "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80", "2001:db8::1". */
static bool read_node(struct bytes node, struct peer_address *out)
{
    char text[INET6_ADDRSTRLEN + 8];
    struct in_addr ipv4;

    if (node.size == 0 || node.size >= sizeof(text) || memchr(node.data, '\0', node.size))
        return false;
    memcpy(text, node.data, node.size);
    text[node.size] = '\0';
    *out = (struct peer_address){0};
    if (text[0] == '[') {
        char *end = strchr(text, ']');
        if (!end || !is_port(end + 1))
            return false;
        *end = '\0';
        return inet_pton(AF_INET6, text + 1, &out->in6) == 1;
    }
    if (inet_pton(AF_INET6, text, &out->in6) == 1)
        return true;
    char *colon = strchrnul(text, ':');
    if (!is_port(colon))
        return false;
    *colon = '\0';
    if (inet_pton(AF_INET, text, &ipv4) != 1)
        return false;
    map_ipv4(&ipv4, out);
    return true;
}

static bool unquote(struct bytes *value)
{
    if (value->size > 0 && value->data[0] == '"') {
        if (value->size < 2 || value->data[value->size - 1] != '"')
            return false;
        *value = bytes_of(value->data + 1, value->size - 2);
    }
    return !memchr(value->data, '"', value->size) && !memchr(value->data, '\\', value->size);
}

/* One forwarded-element (RFC 7239 4): pairs with semicolons between them, one of which is "for". */
static bool read_element(struct bytes element, struct peer_address *out)
{
    struct bytes pair;
    bool has_for = false;

    while (take_last(&element, ';', &pair)) {
        const uint8_t *equals = pair.size > 0 ? memchr(pair.data, '=', pair.size) : NULL;
        if (!equals)
            return false;
        size_t size = (size_t)(equals - pair.data);
        struct bytes value = bytes_of(equals + 1, pair.size - size - 1);
        if (!unquote(&value))
            return false;
        if (size != 3 || strncasecmp((const char *)pair.data, "for", size) != 0)
            continue;
        if (has_for || !read_node(value, out))
            return false;
        has_for = true;
    }
    return has_for;
}

/* Finds the last address in LINES that is no trusted proxy. Reads from the end, since each proxy
 * adds behind what it was given: what the client wrote before it, with unbalanced quotes or
 * whatever else, is then never looked at. For the same reason, each comma separates, also one in
 * quotes. */
static bool find_sender(const struct policy_http *http, const struct peer_lines *lines,
    bool (*read)(struct bytes, struct peer_address *), struct peer_address *out)
{
    for (size_t i = lines->count; i-- > 0;) {
        struct bytes line = bytes_of_string(lines->line[i]);
        struct bytes element;
        while (take_last(&line, ',', &element)) {
            if (!read(element, out))
                return false;
            if (!is_trusted(http, out))
                return true;
        }
    }
    return false;
}

void peer_look_behind(const struct policy_http *http, const struct peer_lines *forwarded,
    const struct peer_lines *x_forwarded_for, struct peer_address *address)
{
    struct peer_address found[2];
    size_t count = 0;

    if (!is_trusted(http, address))
        return;
    if (forwarded->count > 0 && !find_sender(http, forwarded, read_element, &found[count++]))
        return;
    if (x_forwarded_for->count > 0 &&
        !find_sender(http, x_forwarded_for, read_node, &found[count++]))
        return;
    if (count == 2 && memcmp(&found[0].in6, &found[1].in6, sizeof(found[0].in6)) != 0)
        return;
    if (count > 0)
        *address = found[0];
}

/* --- the peer --- */

static void set(struct peer *out, enum kind kind, const void *octets, size_t size)
{
    out->octets[0] = (uint8_t)kind;
    memcpy(out->octets + 1, octets, size);
    out->size = 1 + size;
}

void peer_of_address(const struct peer_address *address, struct peer *out)
{
    const uint8_t *octets = address->in6.s6_addr;

    if (address->is_unix)
        set(out, KIND_UNIX, "", 0);
    else if (IN6_IS_ADDR_V4MAPPED(&address->in6))
        set(out, KIND_IPV4, octets + IPV4_START, sizeof(struct in_addr));
    else
        set(out, KIND_IPV6, octets, NETWORK_OCTETS);
}

void peer_of_certificate(struct bytes der, struct peer *out)
{
    uint8_t digest[PEER_OCTETS - 1]; /* SHA-256 */

    out->size = 0;
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, digest) == 0)
        set(out, KIND_CERTIFICATE, digest, sizeof(digest));
}
