/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of org.varlink.service, by which clients find out which interfaces there are. */
#pragma once

#include "query/call.h"
#include "query/session.h"

#define KEYS_INTERFACE    "org.e2ekeyd.Keys"
#define SERVICE_INTERFACE "org.varlink.service"

/* Whether NAME, which has LENGTH characters, is an interface of this service. */
bool service_has_interface(const char *name, size_t length);

/* Each answers one call, as methods_call does. */
enum result service_get_info(struct session *session, const struct call *call) WARN_UNUSED;
enum result service_get_interface_description(struct session *session, const struct call *call)
    WARN_UNUSED;
