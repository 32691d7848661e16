/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What path validation finds, as path, evidence and admission hand it on. */
#pragma once

#include "identity/names.h"
#include "policy/policy.h"
#include "x509/certificate.h"

/* One valid path, as the numbers of its certificates. */
struct path {
    uint8_t length;                           /* without the anchor */
    uint8_t presented[PATH_CERTIFICATES_MAX]; /* numbers in the presented chain, the leaf first */
    uint8_t anchor;                           /* number in its domain */
};

struct path_verdict {
    bool certified;   /* an anchor, or a CA that an anchor leads to, signed the leaf; also set when
                         the leaf is refused */
    uint64_t trusted; /* bit i: valid under domain i; not 0 on RESULT_OK */
    struct certificate leaf; /* views into the chain that was validated */
    struct names names;      /* the leaf's; also of a leaf that is refused, if it can be read */
    struct certificate presented[PATH_CERTIFICATES_MAX]; /* all zero where one cannot be read */
    struct path paths[POLICY_TRUST_MAX];                 /* by domain, for those that trust it */
};
