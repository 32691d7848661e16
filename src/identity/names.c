/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/names.h"

#include <string.h>

static const char *const flavour_names[FLAVOUR_COUNT] = {
    [FLAVOUR_RAW_PUBLIC_KEY] = "rawPublicKey",
    [FLAVOUR_DEVICE] = "device",
    [FLAVOUR_CSE_ID] = "cseId",
    [FLAVOUR_AE_ID] = "aeId",
    [FLAVOUR_NODE_ID] = "nodeId",
};

const char *flavour_name(enum flavour flavour)
{
    return flavour_names[flavour];
}

int flavour_from_name(const char *name)
{
    for (int i = 0; i < FLAVOUR_COUNT; i++)
        if (strcmp(flavour_names[i], name) == 0)
            return i;
    return -1;
}
