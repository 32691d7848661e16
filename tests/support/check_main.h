/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Check program in few words:
 *
 *   START_TEST(adds) { ck_assert_int_eq(1 + 1, 2); } END_TEST
 *   CHECK_MAIN("base/result", adds, …)
 *
 * A test may take two minutes; with E2EKEYD_LONG in the environment, for more of the same, an hour.
 */
#pragma once

#include <check.h>
#include <stdlib.h>

#define CHECK_MAIN(name, ...) CHECK_MAIN_FIXTURE(name, NULL, NULL, __VA_ARGS__)

/* The same with a fixture: SET_UP runs before each test, in its process, and TEAR_DOWN after it. */
#define CHECK_MAIN_FIXTURE(name, set_up, tear_down, ...)                                           \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        Suite *suite = suite_create(name);                                                         \
        TCase *group = tcase_create(name);                                                         \
        tcase_add_checked_fixture(group, set_up, tear_down);                                       \
        tcase_set_timeout(group, getenv("E2EKEYD_LONG") ? 3600 : 120);                             \
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)                              \
            tcase_add_test(group, tests[i]);                                                       \
        suite_add_tcase(suite, group);                                                             \
        SRunner *runner = srunner_create(suite);                                                   \
        srunner_run_all(runner, CK_NORMAL);                                                        \
        int failed = srunner_ntests_failed(runner);                                                \
        srunner_free(runner);                                                                      \
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;                                               \
    }
