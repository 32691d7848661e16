/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/budget.h"

bool budget_spend(struct budget *budget, uint64_t sender, uint32_t count, int64_t now_us)
{
    struct recent_entry *spent = recent_take(&budget->spent, sender);

    spent->number -= (double)(now_us - spent->changed_us) * BUDGET_PER_S / 1e6;
    if (spent->number < 0)
        spent->number = 0;
    spent->changed_us = now_us;
    if (spent->number + count > BUDGET_BURST)
        return false;
    spent->number += count;
    return true;
}

void budget_give_back(struct budget *budget, uint64_t sender, uint32_t count)
{
    struct recent_entry *spent = recent_find(&budget->spent, sender);

    if (spent)
        spent->number = spent->number > count ? spent->number - count : 0;
}
