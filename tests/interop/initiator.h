/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A foreign TLS stack as the Initiating End-Point, driven by lines:
 *
 *   stdout  Message 1, base64            stdin  Message 2, base64
 *   stdout  Message 3, base64            stdin  Message 4, base64
 *   stdout  pairwiseE2EKeyID HEX
 *
 * Whatever the stack refuses is one line "error STACK: …" on stderr, and exit status 1.
 * Each stack defines initiator_stack; the driver has main(). */
#pragma once

#include "base/bytes.h"

#define INITIATOR_MESSAGE_MAX ((size_t)65536) /* octets of one message */

/* In the order of TS-0003 10.2.3: its mandatory suite first. */
enum suite { SUITE_CBC, SUITE_GCM, SUITE_CCM_8, SUITE_CCM, SUITE_COUNT };

/* Of certificates (RFC 7250). */
enum type { TYPE_NONE, TYPE_X509, TYPE_RAW };

struct initiator_options {
    const char *certificate, *private_key, *anchors; /* PEM files */
    const char *server_name;                         /* NULL: none sent, none checked */
    const char *suite_name;                          /* OpenSSL's name; NULL: all four */
    enum suite suite;                                /* SUITE_COUNT: all four */
    bool extended_master_secret;
    enum type gives[2], takes[2]; /* the favourite first; GnuTLS alone has raw public keys */
    const char *peer;             /* certificate whose key the peer's raw public key is to be */
};

/* Memory in place of a socket. */
struct stack_wire {
    struct bytes in; /* what the peer sent and the stack has not read yet */
    struct buffer out;
};

enum progress { HANDSHAKE_WAITS, HANDSHAKE_DONE, HANDSHAKE_FAILED };

struct stack {
    const char *name;
    /* Sets up one client session on WIRE; NULL after initiator_error. */
    void *(*start)(const struct initiator_options *options, struct stack_wire *wire);
    /* Goes on until the peer has to send; initiator_error on failure. */
    enum progress (*advance)(void *session);
    /* RFC 5705 without a context. */
    bool (*export)(void *session, const char *label, uint8_t *out, size_t size);
    void (*end)(void *session);
};

extern const struct stack initiator_stack;

void initiator_error(const char *format, ...) PRINTF(1, 2);
/* For the stack's read function: at most SIZE octets; 0 = none there yet. */
size_t wire_read(struct stack_wire *wire, void *out, size_t size);
bool wire_write(struct stack_wire *wire, const void *data, size_t size);
