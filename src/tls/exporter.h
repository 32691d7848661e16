/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS key export for ESCertKE (TS-0003 10.3.1; RFC 5705). */
#pragma once

#include <stdint.h>

#include "base/result.h"

#define EXPORTER_LABEL  "EXPORTER-oneM2M-ESCertKE"
#define EXPORTER_OCTETS 48

/* Secret: in secret memory, or wiped by whoever holds it. */
struct exported_key {
    uint8_t id[16];  /* pairwiseE2EKeyID: the 16 most significant octets */
    uint8_t key[32]; /* pairwiseE2EKey: the 32 least significant */
};

/* Splits what the exporter gave. */
void exporter_split(const uint8_t material[EXPORTER_OCTETS], struct exported_key *out);
