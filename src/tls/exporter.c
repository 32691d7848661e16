/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/exporter.h"

#include <string.h>

/* TS-0003 10.3.1 */
void exporter_split(const uint8_t material[EXPORTER_OCTETS], struct exported_key *out)
{
    memcpy(out->id, material, sizeof(out->id));
    memcpy(out->key, material + sizeof(out->id), sizeof(out->key));
}
