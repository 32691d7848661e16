/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The textual encoding "PEM" (RFC 7468), read strictly. Text around the blocks is skipped. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"

/* Whether TEXT is PEM; if not, the file may be DER. */
bool pem_is_in(struct bytes text);

/* Decodes the next block with the label LABEL ("CERTIFICATE") into OUT and moves TEXT past it;
 * other blocks and text are skipped. OUT is emptied first; its limit has to have room for the text
 * of the block. RESULT_NOT_FOUND when there is no such block left, RESULT_BAD_INPUT when the block
 * is malformed; else fails as buffer_append does. */
enum result pem_next(struct bytes *text, const char *label, struct buffer *out) WARN_UNUSED;
/* The same for TEXT that is either PEM or one object in DER, which is copied unread. FAULT says
 * what is wrong, without the name of the file. */
enum result pem_or_der_next(
    struct bytes *text, const char *label, struct buffer *out, struct fault *fault) WARN_UNUSED;
