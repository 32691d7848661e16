/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages made bad, and what is to be said of them. */
#pragma once

#include "base/bytes.h"
#include "support/refusal.h"

struct spoiled {
    const char *name;
    void (*spoil)(struct buffer *message);
    struct refusal expected;
};

/* These fail the test rather than do nothing. */
void spoil_append(struct buffer *message, const void *data, size_t size);
void spoil_copy(const struct buffer *from, struct buffer *to); /* TO: to be released */

/* For either message. */
void spoil_drop_last(struct buffer *message);
void spoil_add_octet(struct buffer *message);
void spoil_add_alert(struct buffer *message);
void spoil_only_alert(struct buffer *message);
void spoil_strip_record_header(struct buffer *message);
void spoil_as_application_data(struct buffer *message);

/* Where the last COUNT records begin. */
size_t spoil_tail(const struct buffer *message, size_t count);
/* Message 3 with CERTIFICATE, a handshake message, rather than its own. */
void spoil_certificate(struct buffer *message, struct bytes certificate);
