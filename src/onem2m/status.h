/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Response status codes (TS-0004 6.6.3) and the HTTP status that goes with each (TS-0009 6.3.2). */
#pragma once

#include "base/result.h"

#define RSC_OK          2000
#define RSC_CREATED     2001
#define RSC_DELETED     2002
#define RSC_UPDATED     2004
#define RSC_BAD_REQUEST 4000
#define RSC_NOT_FOUND   4004
#define RSC_CONFLICT    4105
#define RSC_INTERNAL    5000

/* Returns the response status code of a failure. That of RESULT_OK depends on the operation, and is
 * one of the 2000s above. */
int status_rsc(enum result result);
/* Returns the HTTP status of a response. RSC matters only for a success, where RSC_CREATED becomes
 * 201. */
int status_http(enum result result, int rsc);
