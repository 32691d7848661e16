/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of e2ekeyctl, in the order of the help text. The function verb_FUNCTION is in
 * verb_FUNCTION.c; it reads its arguments, ARGV[0] being the verb, and returns the exit status
 * (ctl/common.h). */
#pragma once

/* function, name, summary */
#define VERB_LIST(X)                                                                               \
    X(get, "get", "one key, by peer or by key id")                                                 \
    X(list, "list", "the live keys, without their material")                                       \
    X(revoke, "revoke", "takes a key out of use")                                                  \
    X(watch, "watch", "what happens to keys, as it happens")                                       \
    X(status, "status", "how the daemon is doing")                                                 \
    X(metrics, "metrics", "the same for monitoring systems, in OpenMetrics text")                  \
    X(exchange, "exchange", "establishes a key with a CSE or AE, as Initiating End-Point")         \
    X(check_certificate, "check-certificate", "whether the daemon would accept a certificate")     \
    X(public_key_id, "public-key-id", "by what rules name a public key (RFC 6920)")

#define VERB_FUNCTION(function, name, summary) int verb_##function(int argc, char **argv);
VERB_LIST(VERB_FUNCTION)
#undef VERB_FUNCTION
