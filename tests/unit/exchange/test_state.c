/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/check_main.h"

#include "base/cleanup.h"
#include "exchange/state.h"

/* All that may happen; whatever is not here is refused. */
static const struct {
    enum exchange_state state;
    enum exchange_event event;
    enum exchange_state next;
} allowed[] = {
    {EXCHANGE_NEW, EXCHANGE_MESSAGE1, EXCHANGE_AWAITING_MESSAGE3},
    {EXCHANGE_NEW, EXCHANGE_REFUSAL, EXCHANGE_FAILED},
    {EXCHANGE_NEW, EXCHANGE_TIMEOUT, EXCHANGE_FAILED},
    {EXCHANGE_NEW, EXCHANGE_DISPLACEMENT, EXCHANGE_FAILED},
    {EXCHANGE_AWAITING_MESSAGE3, EXCHANGE_MESSAGE3, EXCHANGE_ESTABLISHED},
    {EXCHANGE_AWAITING_MESSAGE3, EXCHANGE_REFUSAL, EXCHANGE_FAILED},
    {EXCHANGE_AWAITING_MESSAGE3, EXCHANGE_DELETION, EXCHANGE_FAILED},
    {EXCHANGE_AWAITING_MESSAGE3, EXCHANGE_TIMEOUT, EXCHANGE_FAILED},
    {EXCHANGE_AWAITING_MESSAGE3, EXCHANGE_DISPLACEMENT, EXCHANGE_FAILED},
    {EXCHANGE_ESTABLISHED, EXCHANGE_DELETION, EXCHANGE_FAILED},
    {EXCHANGE_ESTABLISHED, EXCHANGE_TIMEOUT, EXCHANGE_FAILED},
};

/* The state after EVENT; EXCHANGE_STATE_COUNT when it is refused. */
static enum exchange_state expected(enum exchange_state state, enum exchange_event event)
{
    for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
        if (allowed[i].state == state && allowed[i].event == event)
            return allowed[i].next;
    return EXCHANGE_STATE_COUNT;
}

START_TEST(goes_through_its_life_and_no_other)
{
    for (enum exchange_state state = 0; state < EXCHANGE_STATE_COUNT; state++)
        for (enum exchange_event event = 0; event < EXCHANGE_EVENT_COUNT; event++) {
            enum exchange_state next = state, wanted = expected(state, event);
            enum result result = exchange_transition(state, event, &next);

            ck_assert_msg((result == RESULT_OK) == (wanted != EXCHANGE_STATE_COUNT),
                "state %d, event %d: %s", (int)state, (int)event, result_text(result));
            ck_assert_int_eq(next, wanted == EXCHANGE_STATE_COUNT ? state : wanted);
            ck_assert_int_eq(exchange_transition(state, event, NULL), result);
        }
}
END_TEST

START_TEST(refuses_with_the_reason_that_the_initiator_gets)
{
    ck_assert_int_eq(
        exchange_transition(EXCHANGE_ESTABLISHED, EXCHANGE_MESSAGE3, NULL), RESULT_CONFLICT);
    for (enum exchange_event event = 0; event < EXCHANGE_EVENT_COUNT; event++)
        ck_assert_int_eq(exchange_transition(EXCHANGE_FAILED, event, NULL), RESULT_NOT_FOUND);
}
END_TEST

CHECK_MAIN("exchange/state", goes_through_its_life_and_no_other,
    refuses_with_the_reason_that_the_initiator_gets)
