/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon decides about a certificate, and why, for people and for scripts. */
#pragma once

#include "trust/admission.h"

struct verdict {
    const char *file;
    size_t presented; /* certificates in FILE; 0: its public key alone */
    struct admission_request request;
    struct admission admission;
    enum result result;
    struct fault fault; /* why the certificate is refused */
};

/* Prints VERDICT, as JSON if common.json says so, and returns the exit status. */
int verdict_print(const struct verdict *verdict);
