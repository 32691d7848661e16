/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Response status codes (TS-0004 6.6.3) and the HTTP status that goes with each (TS-0009 6.3.2). */
#pragma once

#include "base/result.h"

#define RSC_OK      2000
#define RSC_CREATED 2001
#define RSC_DELETED 2002
#define RSC_UPDATED 2004

/* Of a failure. What RESULT_OK becomes depends on the operation: one of the above. */
int status_rsc(enum result result);
/* Of a response; RSC tells RSC_CREATED from other successes. */
int status_http(enum result result, int rsc);
