/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/fixture.h"

struct daemon daemon_;
CURL *client;
struct initiator_credential *meter;

void fixture_start(const char *policy)
{
    daemon_start(&daemon_, &(struct daemon_options){.policy = policy});
    client = http_open();
    meter = exchange_credential(&daemon_, "meter"); /* starts the engine, too */
}

void fixture_stop(void)
{
    initiator_credential_free(meter);
    http_close(client);
    daemon_stop(&daemon_);
}
