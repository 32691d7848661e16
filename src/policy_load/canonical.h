/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the texts in a policy may be, and the one form in which the policy keeps them. Private to
 * the room; identifiers are checked by identity/. conf/policy.schema.json has the same rules as
 * patterns, and tests/integration/policy-schema compares both. */
#pragma once

#include <stdbool.h>

#include "policy/policy.h"

bool valid_name(const char *text);          /* of an end-point or trust domain */
bool valid_resource(const char *text);      /* cse.cseBase, cse.resourceName */
bool valid_notify_path(const char *text);   /* "/notify" */
bool valid_address(const char *text);       /* of an end-point: "cse-in/ae1", "Cae1" */
bool valid_listen(const char *text);        /* "127.0.0.1:8383", "[::1]:8383" */
bool valid_http_listen(const char *text);   /* the same, or "unix:/run/x.sock" */
bool valid_mode(const char *text);          /* "0660" */
bool valid_network(const char *text);       /* "10.0.0.0/8", "::1", "unix:" */
bool valid_socket_path(const char *text);   /* as written or resolved */
bool valid_device_id(const char *text);     /* a dotted OBJECT IDENTIFIER */
bool valid_node_id(const char *text);       /* as a dNSName or URI holds it */
bool valid_public_key_id(const char *text); /* "ni:///sha-256;…" */
bool valid_account(const char *text);       /* a user or group, by name or number */
bool valid_unit(const char *text);          /* "meter.service" */

/* What a valid_network says. */
void read_network(const char *text, struct policy_network *out);

/* Each brings a valid text into its canonical form, in place: that is never longer. */
void canonical_domain_name(char *text);   /* lower case */
void canonical_identity(char *text);      /* the SP-ID, being a domain name, in lower case */
void canonical_node_id(char *text);       /* lower case if it is a domain name */
void canonical_public_key_id(char *text); /* without the authority that RFC 6920 allows */
