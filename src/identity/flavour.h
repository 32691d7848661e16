/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flavours of certificates (TS-0003 8.1.2, 10.1), which differ in what the certificate names
 * and in how a rule of the policy is matched with it. */
#pragma once

#include <stdbool.h>

/* A flavour is a row:
 *   number      also in the key arena, which outlives the program: never change or reuse one
 *   enumerator
 *   name        in policies and in query replies
 *   member      of a rule: what the certificate must say; NULL when that is the rule's identity
 *   identity    a function: may a rule of this flavour give this identity, or pattern, to its peers
 *   form        how messages describe what IDENTITY accepts
 * Besides, policy_load/rules.c reads the member, and policy/index.c finds rules by the names of a
 * certificate. */
#define FLAVOUR_LIST(X)                                                                            \
    X(0, RAW_PUBLIC_KEY, "rawPublicKey", "publicKeyId", identifier_is_absolute,                    \
        "one absolute identifier")                                                                 \
    X(1, DEVICE, "device", "deviceId", identifier_is_absolute, "one absolute identifier")          \
    X(2, CSE_ID, "cseId", "domainName", is_absolute_cse_id, "an absolute CSE-ID: //SP/CSE")        \
    X(3, AE_ID, "aeId", NULL, is_ae_pattern,                                                       \
        "an absolute AE-ID (//SP/CSE/Cxxx, //SP/Sxxx) or such a one with * as its last segment")   \
    X(4, NODE_ID, "nodeId", "nodeId", identifier_is_absolute, "one absolute identifier")

#define FLAVOUR_ENUM(number, enumerator, ...) FLAVOUR_##enumerator = (number),
enum flavour { FLAVOUR_LIST(FLAVOUR_ENUM) FLAVOUR_COUNT };
#undef FLAVOUR_ENUM

const char *flavour_name(enum flavour flavour);
/* "rawPublicKey, device, … or nodeId": for messages. */
const char *flavour_names(void);
/* Returns the enum flavour of that name, or -1. */
int flavour_from_name(const char *name);

/* Returns the member of a rule that says what the certificate must name; NULL when that is the
 * rule's identity. */
const char *flavour_member(enum flavour flavour);

/* Whether a rule of FLAVOUR may give IDENTITY, which may be a pattern, to its peers; and how
 * messages describe what it may give. */
bool flavour_takes_identity(enum flavour flavour, const char *identity);
const char *flavour_identity_form(enum flavour flavour);
