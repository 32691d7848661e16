/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Message 1 comes, Message 2 goes (TS-0003 8.7.2.2). Private to this room. */
#pragma once

#include "exchange/step.h"

/* Opens an exchange for MESSAGE1, or finds the one that the same request opened before, and answers
 * with Message 2. GIVEN: its attributes in a Create; NULL for a Notify. An exchange that it refuses
 * is over. */
enum result receive_message1(
    struct step *step, const struct given_attributes *given, struct bytes message1) WARN_UNUSED;
