/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "onem2m/status.h"

#include "support/check_main.h"

static const struct {
    enum result result;
    int rsc, http;
} refusals[] = {
    {RESULT_BAD_REQUEST, 4000, 400},
    {RESULT_BAD_INPUT, 4000, 400},
    {RESULT_BAD_MESSAGE, 4102, 400},
    {RESULT_TLS_REFUSED, 4106, 403},
    {RESULT_CERTIFICATE_REFUSED, 4106, 403},
    {RESULT_NOT_AUTHORISED, 4103, 403},
    {RESULT_NOT_FOUND, 4004, 404},
    {RESULT_NOT_ALLOWED, 4005, 405},
    {RESULT_WRONG_CHILD, 4108, 403},
    {RESULT_CONFLICT, 4105, 409},
    {RESULT_UNSUPPORTED_MEDIA, 4015, 415},
    {RESULT_NOT_ACCEPTABLE, 5207, 406},
    {RESULT_UNSUPPORTED_RELEASE, 4001, 501},
    {RESULT_REQUEST_EXPIRED, 4008, 504},
    {RESULT_UNSUPPORTED_RESPONSE_TYPE, 5206, 501},
    {RESULT_UNSUPPORTED_RESULT_CONTENT, 5001, 501},
    {RESULT_UNSUPPORTED_NOTIFICATION, 5001, 501},
    {RESULT_BUSY, 5000, 503},
    {RESULT_STOPPING, 5000, 503},
    {RESULT_NO_MEMORY, 5000, 500},
    {RESULT_INTERNAL, 5000, 500},
};

START_TEST(refusals_have_their_status)
{
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        ck_assert_int_eq(status_rsc(refusals[i].result), refusals[i].rsc);
        ck_assert_int_eq(status_http(refusals[i].result, refusals[i].rsc), refusals[i].http);
    }
}
END_TEST

START_TEST(every_failure_has_one)
{
    for (int result = RESULT_OK + 1; result < RESULT_COUNT; result++) {
        ck_assert_int_ge(status_rsc((enum result)result), 4000);
        ck_assert_int_ge(status_http((enum result)result, 0), 400);
    }
    ck_assert_int_eq(status_rsc((enum result)(RESULT_COUNT + 7)), 5000);
    ck_assert_int_eq(status_http((enum result)(RESULT_COUNT + 7), 5000), 500);
}
END_TEST

START_TEST(success_depends_on_the_operation)
{
    ck_assert_int_eq(status_http(RESULT_OK, RSC_OK), 200);
    ck_assert_int_eq(status_http(RESULT_OK, RSC_CREATED), 201);
    ck_assert_int_eq(status_http(RESULT_OK, RSC_UPDATED), 200);
    ck_assert_int_eq(status_http(RESULT_OK, RSC_DELETED), 200);
}
END_TEST

CHECK_MAIN("onem2m/status", refusals_have_their_status, every_failure_has_one,
    success_depends_on_the_operation)
