/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/check_main.h"

#include "exchange/state.h"

START_TEST(an_exchange_goes_through_its_life)
{
    enum exchange_state state = EXCHANGE_NEW;

    ck_assert_int_eq(exchange_transition(state, EXCHANGE_MESSAGE1, &state), RESULT_OK);
    ck_assert_int_eq(state, EXCHANGE_AWAITING_MESSAGE3);
    ck_assert_int_eq(exchange_transition(state, EXCHANGE_MESSAGE3, &state), RESULT_OK);
    ck_assert_int_eq(state, EXCHANGE_ESTABLISHED);
    ck_assert_int_eq(exchange_transition(state, EXCHANGE_DELETION, &state), RESULT_OK);
    ck_assert_int_eq(state, EXCHANGE_FAILED);
}
END_TEST

START_TEST(a_second_message3_is_a_conflict_and_changes_nothing)
{
    enum exchange_state state = EXCHANGE_ESTABLISHED;

    ck_assert_int_eq(exchange_transition(state, EXCHANGE_MESSAGE3, &state), RESULT_CONFLICT);
    ck_assert_int_eq(state, EXCHANGE_ESTABLISHED);
}
END_TEST

START_TEST(nothing_comes_back_from_failed)
{
    for (int event = 0; event < EXCHANGE_EVENT_COUNT; event++)
        ck_assert_int_eq(exchange_transition(EXCHANGE_FAILED, (enum exchange_event)event, NULL),
            RESULT_NOT_FOUND);
}
END_TEST

START_TEST(every_state_but_failed_can_time_out)
{
    for (int state = 0; state < EXCHANGE_FAILED; state++) {
        enum exchange_state next = EXCHANGE_NEW;

        ck_assert_int_eq(
            exchange_transition((enum exchange_state)state, EXCHANGE_TIMEOUT, &next), RESULT_OK);
        ck_assert_int_eq(next, EXCHANGE_FAILED);
    }
}
END_TEST

CHECK_MAIN("exchange/state", an_exchange_goes_through_its_life,
    a_second_message3_is_a_conflict_and_changes_nothing, nothing_comes_back_from_failed,
    every_state_but_failed_can_time_out)
