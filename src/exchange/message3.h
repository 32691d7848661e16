/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Message 3 comes, the key is cached, Message 4 goes (TS-0003 8.7.2.2). Private to this room. */
#pragma once

#include "exchange/step.h"

/* MESSAGE3 is addressed to EXCHANGE (locked). The exchange that it refuses is over, unless the
 * request is another originator's or its content is not Message 3 at all. */
enum result receive_message3(struct step *step, struct exchange *exchange, struct bytes message3)
    WARN_UNUSED;

/* MESSAGE3 is addressed to the entry point or comes by Notify, so that only From and its signature
 * tell which exchange it belongs to. */
enum result receive_message3_by_from(struct step *step, struct bytes message3) WARN_UNUSED;
