/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder of policy files for one test, and what the loader reports about them. */
#pragma once

#include "policy_load/load.h"

/* The fixture of a test: makes a folder of its own the current one, and removes it. */
void folder_make(void);
void folder_remove(void);
void folder_write(const char *name, const char *text); /* "policy.d/a.json" makes policy.d */

/* The beginning of most tests' policies, which "}" completes. */
#define POLICY_START                                                                               \
    "{\"cse\": {\"spId\": \"m2m.example\", \"cseId\": \"/in-cse\"},"                               \
    " \"endpoints\": [{\"name\": \"one\", \"identity\": \"//m2m.example/in-cse\","                 \
    " \"certificate\": \"one.pem\", \"privateKey\": \"one.key\"}]"
#define POLICY_TRUST ", \"trust\": [{\"name\": \"field\", \"anchors\": \"field.pem\"}]"

/* Writes TEXT as policy.json and loads it; it must be faultless. */
struct policy *folder_load(const char *text);
struct policy *folder_load_file(const char *name, const char *text); /* the same for another file */
/* Loads policy.json, and returns whether a fault or warning has exactly this text. */
bool folder_reports(const char *text);
/* The same for a fault or warning that starts with TEXT. */
bool folder_reports_start(const char *text);
