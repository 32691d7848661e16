/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/alert.h"

const char *alert_name(int description)
{
    switch (description) {
#define ALERT_CASE(name, number, text)                                                             \
    case number:                                                                                   \
        return text;
        TLS_ALERT_LIST(ALERT_CASE)
#undef ALERT_CASE
    default:
        return "unknown alert";
    }
}
