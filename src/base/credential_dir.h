/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Credentials that the service manager passes as files, one each, in the folder that it names in
 * $CREDENTIALS_DIRECTORY (systemd.exec(5)). Policies and PKCS#11 URIs name one "credential:NAME".
 */
#pragma once

#include <stdbool.h>

/* Returns the path of that folder. NULL when the variable is not set or empty: then the service
 * manager passes no credentials. */
const char *credential_dir(void);
/* Is PATH directly in that folder? */
bool credential_dir_has(const char *path);

/* Returns what follows "credential:" in TEXT, unchecked; NULL when TEXT does not begin with it. */
const char *credential_name(const char *text);
/* Can NAME be a file in that folder? It is not empty, not "." or "..", and has no slash. */
bool credential_name_is_valid(const char *name);
