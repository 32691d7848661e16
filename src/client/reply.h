/* SPDX-License-Identifier: MIT */
/* What the daemon answers, as read. Functions that return an int return an enum e2ekey_error. */
#pragma once

#include <jansson.h>

#include "client/e2ekey.h"

/* Takes the key material out of MESSAGE, where its place is overwritten, so that it goes through no
 * memory but the caller's. False: there is none of the right shape. */
bool reply_cut_key(char *message, uint8_t key[E2EKEY_KEY_OCTETS]);

/* A reply's root, or the error that it says. */
int reply_parse(const char *message, size_t size, json_t **root);
/* PARAMETERS' member "key", without key material. */
int reply_read_key(const json_t *parameters, struct e2ekey_key *out);
/* A string member of at most ROOM - 1 characters. */
int reply_read_text(const json_t *object, const char *name, char *out, size_t room);
