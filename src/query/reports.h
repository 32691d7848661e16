/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon reports about itself through the socket. */
#pragma once

#include <jansson.h>

/* These make the answers to GetStatus and GetMetrics, as new references; NULL when out of memory.
 */
struct query_reports {
    json_t *(*status)(void *context);
    json_t *(*metrics)(void *context); /* a string */
    void *context;
};
