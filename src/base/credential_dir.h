/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Credentials that the service manager passes as files, one each, in the folder that it names in
 * $CREDENTIALS_DIRECTORY (systemd.exec(5)). Policies and PKCS#11 URIs name one "credential:NAME".
 */
#pragma once

#include <stdbool.h>

/* NULL when the service manager passes none: the variable is not set, or empty. */
const char *credential_dir(void);
/* Is PATH directly in that folder? */
bool credential_dir_has(const char *path);

/* The name in TEXT, "credential:NAME", not checked; NULL when TEXT does not begin like that. */
const char *credential_name(const char *text);
/* Neither empty, nor "." or "..", nor with a slash. */
bool credential_name_is_valid(const char *name);
