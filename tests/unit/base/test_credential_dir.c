/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/credential_dir.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "support/check_main.h"

START_TEST(there_is_a_folder_only_when_it_is_named)
{
    unsetenv("CREDENTIALS_DIRECTORY");
    ck_assert_ptr_null(credential_dir());
    ck_assert(!credential_dir_has("/pin"));
    setenv("CREDENTIALS_DIRECTORY", "", 1);
    ck_assert_ptr_null(credential_dir());
    ck_assert(!credential_dir_has("/pin"));
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
    ck_assert_str_eq(credential_dir(), "/run/credentials/x");
}
END_TEST

START_TEST(credentials_lie_flat_in_their_folder)
{
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
    ck_assert(credential_dir_has("/run/credentials/x/pin"));
    ck_assert(!credential_dir_has("/run/credentials/x/below/pin"));
    ck_assert(!credential_dir_has("/run/credentials/xx"));
    ck_assert(!credential_dir_has("/run/credentials/pin"));
}
END_TEST

START_TEST(credentials_are_named_by_a_prefix)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "/", "../a"};

    ck_assert_str_eq(credential_name("credential:pin"), "pin");
    ck_assert_str_eq(credential_name("credential:"), "");
    ck_assert_ptr_null(credential_name("credential"));
    ck_assert_ptr_null(credential_name("/credential:pin"));
    ck_assert(credential_name_is_valid("pin"));
    ck_assert(credential_name_is_valid(".pin"));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert(!credential_name_is_valid(bad[i]));
}
END_TEST

CHECK_MAIN("base/credential_dir", there_is_a_folder_only_when_it_is_named,
    credentials_lie_flat_in_their_folder, credentials_are_named_by_a_prefix)
