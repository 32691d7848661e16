/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as the name of a credential, as a path in the credentials' folder, and as the URI of a
 * key on a token. No module is loaded: the URI is only read. */
#include "base/credential_dir.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "fuzz/fuzz.h"
#include "token/token.h"

#define TEXT_OCTETS 1024

/* What is called where a URI was read and names one key. */
int __wrap_gnutls_pkcs11_init(unsigned flags, const char *configuration);
int __wrap_gnutls_pkcs11_init(unsigned flags, const char *configuration)
{
    (void)flags;
    (void)configuration;
    return GNUTLS_E_PKCS11_LOAD_ERROR;
}

static void check_name(const char *text)
{
    const char *name = credential_name(text);

    must(!name || strncmp(text, "credential:", 11) == 0);
    if (name && credential_name_is_valid(name))
        must(name[0] != '\0' && !strchr(name, '/') && strcmp(name, "..") != 0);
    if (credential_dir_has(text))
        must(strncmp(text, "/run/credentials/e2ekeyd/", 25) == 0 && !strchr(text + 25, '/'));
}

/* The PIN is in no text that is logged. */
static void check_uri(const char *text)
{
    static const uint8_t point[P256_POINT_OCTETS];
    struct token_key *key = NULL;
    struct fault fault = FAULT_INIT;

    must(token_key_open(text, bytes_of(point, sizeof(point)), &key, &fault) ==
         RESULT_BAD_CONFIGURATION);
    must(fault.text[0] != '\0' && !strstr(fault.text, "pin-value=") &&
         !strstr(fault.text, "pin-source=/"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_OCTETS + 1];

    if (size > TEXT_OCTETS)
        return -1;
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/e2ekeyd", 1);
    memcpy(text, data, size);
    text[size] = '\0';
    check_name(text);
    if (is_token_uri(text))
        check_uri(text);
    return 0;
}
