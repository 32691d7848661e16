/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/credential_dir.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const char *credential_dir(void)
{
    const char *folder = secure_getenv("CREDENTIALS_DIRECTORY");

    return folder && *folder ? folder : NULL;
}

bool credential_dir_has(const char *path)
{
    const char *folder = credential_dir();
    size_t size = folder ? strlen(folder) : 0;

    return folder && strncmp(path, folder, size) == 0 && path[size] == '/' &&
           !strchr(path + size + 1, '/');
}

const char *credential_name(const char *text)
{
    static const char prefix[] = "credential:";

    return strncmp(text, prefix, sizeof(prefix) - 1) == 0 ? text + sizeof(prefix) - 1 : NULL;
}

bool credential_name_is_valid(const char *name)
{
    return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}
