/* SPDX-License-Identifier: MIT */
/* The daemon's replies in varlink: a JSON object with "parameters", or with "error". */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLY_KEY_OCTETS 32 /* of key material */

/* Decodes the key material in MESSAGE into KEY and overwrites its text there, so that no memory
 * but the caller's holds it when the message is parsed. Returns false if the message holds no key
 * material of the right form. */
bool varlink_reply_cut_key(char *message, uint8_t key[REPLY_KEY_OCTETS]);

/* Parses MESSAGE. Returns the reply for the caller to release, NULL if MESSAGE is no reply. *ERROR
 * becomes the name of its varlink error, which lives as long as the reply does, or NULL. */
json_t *varlink_reply_parse(const char *message, size_t size, const char **error);

/* Read a member of OBJECT. They return false if it is absent, of another type, or longer than
 * ROOM - 1 octets. */
bool varlink_reply_read_text(const json_t *object, const char *name, char *out, size_t room);
bool varlink_reply_read_time(const json_t *object, const char *name, int64_t *out);
