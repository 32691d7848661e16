/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libmicrohttpd says, for both of our servers. */
#pragma once

#include <stdarg.h>

#include "base/cleanup.h"

/* MHD_OPTION_EXTERNAL_LOGGER, to be the first option, so that it also logs errors of the others: a
 * line for debugging. Where libmicrohttpd would try again and again to accept a connection for
 * which no descriptor is left, its thread, which has none to attend to, is held for a tenth of a
 * second. */
PRINTF(2, 0) void library_log(void *context, const char *format, va_list arguments);

/* Why MHD_start_daemon failed: what it said first on this thread after library_begin, or else what
 * errno says, which 1.0 may overwrite while it clears up. Valid until the next line is logged. */
void library_begin(void);
const char *library_reason(void);
