/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contents in JSON (TS-0004 8.4; media types: TS-0009 6.4). */
#pragma once

#include "onem2m/serialization.h"

extern const struct serialization json_serialization;
