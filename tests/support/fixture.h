/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What most tests of the daemon begin with: the daemon, a client of its HTTP and the meter's
 * credential. */
#pragma once

#include "support/exchange.h"

extern struct daemon daemon_;
extern CURL *client;
extern struct initiator_credential *meter;

/* POLICY: as in struct daemon_options. */
void fixture_start(const char *policy);
void fixture_stop(void);
