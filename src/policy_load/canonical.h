/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The forms of the texts in a policy, each as one predicate. Private to the room; those of
 * identifiers are in identity/. conf/policy.schema.json says the same as patterns. */
#pragma once

#include <stdbool.h>

bool form_name(const char *text);          /* of an end-point or trust domain */
bool form_resource(const char *text);      /* cse.cseBase, cse.resourceName */
bool form_notify_path(const char *text);   /* "/notify" */
bool form_listen(const char *text);        /* "127.0.0.1:8383", "[::1]:8383" */
bool form_listen_local(const char *text);  /* one of the form above, reached from this host only */
bool form_socket_path(const char *text);   /* before it is resolved */
bool form_device_id(const char *text);     /* a dotted OBJECT IDENTIFIER */
bool form_node_id(const char *text);       /* as a dNSName or URI holds it */
bool form_public_key_id(const char *text); /* "ni:///sha-256;…" */
bool form_account(const char *text);       /* a user or group, by name or number */
bool form_unit(const char *text);          /* "meter.service" */

/* Each turns an accepted text into its canonical form, in place: never longer. */
void settle_lower(char *text);         /* domain names */
void settle_identity(char *text);      /* the SP-ID, being a domain name, in lower case */
void settle_node_id(char *text);       /* lower case if it is a domain name */
void settle_public_key_id(char *text); /* without authority */
