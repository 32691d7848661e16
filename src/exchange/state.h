/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of one exchange, as a table of what may follow what. */
#pragma once

#include "base/result.h"

enum exchange_state {
    EXCHANGE_NEW,               /* Message 1 is being processed */
    EXCHANGE_AWAITING_MESSAGE3, /* Message 2 is out */
    EXCHANGE_ESTABLISHED,       /* the key is in the cache, Message 4 is out */
    EXCHANGE_FAILED,            /* refused, deleted, displaced or out of time: gone */
    EXCHANGE_STATE_COUNT,
};

enum exchange_event {
    EXCHANGE_MESSAGE1, /* Message 1 accepted */
    EXCHANGE_MESSAGE3, /* Message 3 accepted */
    EXCHANGE_REFUSAL,  /* what the initiator sent was refused */
    EXCHANGE_DELETION,
    EXCHANGE_TIMEOUT,
    EXCHANGE_DISPLACEMENT, /* it makes room for a newcomer, as if its time were over */
    EXCHANGE_EVENT_COUNT,
};

/* RESULT_OK when EVENT may happen in STATE; *NEXT (may be NULL) is then the state after it. */
enum result exchange_transition(
    enum exchange_state state, enum exchange_event event, enum exchange_state *next) WARN_UNUSED;
