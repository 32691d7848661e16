/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SipHash-2-4 (Aumasson and Bernstein, 2012), for tables whose keys a peer can choose. */
#pragma once

#include "base/bytes.h"

struct hash_key {
    uint64_t word[2];
};

/* Sets KEY to random octets. Fails as secret_random does. */
enum result hash_key_new(struct hash_key *key) WARN_UNUSED;
/* Returns the hash of IN under KEY. */
uint64_t hash_keyed(const struct hash_key *key, struct bytes in);
