/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests: what each has to have, and what may be done to which resource. Private to this room. */
#pragma once

#include "exchange/step.h"

/* Checks STEP's request, finds its target, and has it handled. */
enum result dispatch(struct step *step) WARN_UNUSED;
