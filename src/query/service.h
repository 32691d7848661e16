/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.varlink.service: what the service says of itself. */
#pragma once

#include "query/call.h"
#include "query/methods.h"

#define KEYS_INTERFACE    "org.e2ekeyd.Keys"
#define SERVICE_INTERFACE "org.varlink.service"

bool service_has_interface(const char *name, size_t length);

/* Methods, as methods_call. */
enum result service_get_info(struct session *session, const struct call *call) WARN_UNUSED;
enum result service_get_interface_description(struct session *session, const struct call *call)
    WARN_UNUSED;
