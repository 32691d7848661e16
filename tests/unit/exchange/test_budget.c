/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/check_main.h"

#include "exchange/budget.h"

#define BEGIN_US INT64_C(100000000)
#define SECOND   INT64_C(1000000)

static struct budget budget;

/* One after the other: SENDER spends COUNT, and gets GIVEN of it back. */
static const struct {
    int64_t at_us;
    uint64_t sender;
    uint32_t count, given;
    bool may;
} steps[] = {
    {0, 1, BUDGET_BURST, 0, true}, /* fresh: all at once */
    {0, 1, 1, 0, false},
    {0, 2, BUDGET_BURST, BUDGET_BURST, true}, /* another one is not affected */
    {0, 2, BUDGET_BURST, BUDGET_BURST, true}, /* and has got all back */
    {SECOND, 1, BUDGET_PER_S, 0, true},
    {SECOND, 1, 1, 0, false},
    {SECOND, 1, 2, 2, false}, /* nothing is given back to whom nothing was spent for */
    {SECOND * 1000, 1, BUDGET_BURST, 10, true}, /* no more than the burst is saved up */
    {SECOND * 1000, 1, 11, 0, false},
    {SECOND * 1000, 1, 10, 0, true},
    {SECOND * 1000, 3, 8, 64, true}, /* nor than was spent is given back */
    {SECOND * 1000, 3, BUDGET_BURST, 0, true},
    {SECOND * 1000, 3, 1, 0, false},
};

START_TEST(spends_what_it_has)
{
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        bool may =
            budget_spend(&budget, steps[i].sender, steps[i].count, BEGIN_US + steps[i].at_us);
        ck_assert_msg(may == steps[i].may, "step %zu", i);
        if (may && steps[i].given > 0)
            budget_give_back(&budget, steps[i].sender, steps[i].given);
    }
    budget_give_back(&budget, 4, 1); /* nobody we know */
}
END_TEST

CHECK_MAIN("exchange/budget", spends_what_it_has)
