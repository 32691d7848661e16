/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/state.h"

#include <stddef.h>

struct transition {
    enum result result;
    enum exchange_state next;
};

#define TO(state)                                                                                  \
    {                                                                                              \
        RESULT_OK, EXCHANGE_##state                                                                \
    }
#define REFUSE(result)                                                                             \
    {                                                                                              \
        RESULT_##result, EXCHANGE_FAILED                                                           \
    }

static const struct transition transitions[EXCHANGE_STATE_COUNT][EXCHANGE_EVENT_COUNT] = {
    [EXCHANGE_NEW] =
        {
            [EXCHANGE_MESSAGE1] = TO(AWAITING_MESSAGE3),
            [EXCHANGE_MESSAGE3] = REFUSE(NOT_FOUND), /* nobody can know its name yet */
            [EXCHANGE_REFUSAL] = TO(FAILED),
            [EXCHANGE_DELETION] = REFUSE(NOT_FOUND),
            [EXCHANGE_TIMEOUT] = TO(FAILED),
            [EXCHANGE_DISPLACEMENT] = TO(FAILED),
        },
    [EXCHANGE_AWAITING_MESSAGE3] =
        {
            [EXCHANGE_MESSAGE1] = REFUSE(INTERNAL), /* a second Message 1 opens its own exchange */
            [EXCHANGE_MESSAGE3] = TO(ESTABLISHED),
            [EXCHANGE_REFUSAL] = TO(FAILED),
            [EXCHANGE_DELETION] = TO(FAILED),
            [EXCHANGE_TIMEOUT] = TO(FAILED),
            [EXCHANGE_DISPLACEMENT] = TO(FAILED),
        },
    [EXCHANGE_ESTABLISHED] =
        {
            [EXCHANGE_MESSAGE1] = REFUSE(INTERNAL),
            [EXCHANGE_MESSAGE3] = REFUSE(CONFLICT),
            [EXCHANGE_REFUSAL] = REFUSE(INTERNAL), /* the key stands */
            [EXCHANGE_DELETION] = TO(FAILED),      /* the resource goes, the key stays */
            [EXCHANGE_TIMEOUT] = TO(FAILED),
            [EXCHANGE_DISPLACEMENT] = REFUSE(CONFLICT), /* Message 3 was faster */
        },
    [EXCHANGE_FAILED] =
        {
            [EXCHANGE_MESSAGE1] = REFUSE(NOT_FOUND),
            [EXCHANGE_MESSAGE3] = REFUSE(NOT_FOUND),
            [EXCHANGE_REFUSAL] = REFUSE(NOT_FOUND),
            [EXCHANGE_DELETION] = REFUSE(NOT_FOUND),
            [EXCHANGE_TIMEOUT] = REFUSE(NOT_FOUND),
            [EXCHANGE_DISPLACEMENT] = REFUSE(NOT_FOUND),
        },
};

enum result exchange_transition(
    enum exchange_state state, enum exchange_event event, enum exchange_state *next)
{
    const struct transition *transition = &transitions[state][event];

    if (next && transition->result == RESULT_OK)
        *next = transition->next;
    return transition->result;
}
