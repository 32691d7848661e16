/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Textual encoding (RFC 7468), strict but for what stands around the blocks. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"

/* Whether TEXT, of a file that may be DER as well, is PEM. */
bool pem_is_in(struct bytes text);

/* Decodes the next block labelled LABEL ("CERTIFICATE") into OUT (emptied first; its limit stands,
 * and has to have room for the block's text) and moves TEXT past it; other blocks and text are
 * skipped. RESULT_NOT_FOUND when there is none
 * left, RESULT_BAD_INPUT when the block is malformed, buffer's errors. */
enum result pem_next(struct bytes *text, const char *label, struct buffer *out) WARN_UNUSED;
/* The same for a file that holds PEM, or one object in DER (which is not looked into here); FAULT
 * says what is wrong, without the file's name. */
enum result pem_or_der_next(
    struct bytes *text, const char *label, struct buffer *out, struct fault *fault) WARN_UNUSED;
