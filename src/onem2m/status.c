/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "onem2m/status.h"

/* TS-0004 6.6.3; TS-0009 6.3.2 */
static const struct {
    int rsc, http;
} statuses[RESULT_COUNT] = {
    [RESULT_OK] = {RSC_OK, 200},
    [RESULT_BAD_REQUEST] = {4000, 400},
    [RESULT_BAD_MESSAGE] = {4102, 400},
    [RESULT_BAD_INPUT] = {4000, 400},
    [RESULT_TLS_REFUSED] = {4106, 403},
    [RESULT_CERTIFICATE_REFUSED] = {4106, 403},
    [RESULT_NOT_AUTHORISED] = {4103, 403},
    [RESULT_NOT_FOUND] = {4004, 404},
    [RESULT_NOT_ALLOWED] = {4005, 405},
    [RESULT_WRONG_CHILD] = {4108, 403},
    [RESULT_CONFLICT] = {4105, 409},
    [RESULT_UNSUPPORTED_MEDIA] = {4015, 415},
    [RESULT_NOT_ACCEPTABLE] = {5207, 406},
    [RESULT_UNSUPPORTED_RELEASE] = {4001, 501},
    [RESULT_UNSUPPORTED_RESPONSE_TYPE] = {5206, 501},
    [RESULT_UNSUPPORTED_RESULT_CONTENT] = {5001, 501},
    [RESULT_UNSUPPORTED_NOTIFICATION] = {5001, 501},
    [RESULT_REQUEST_EXPIRED] = {4008, 504},
    [RESULT_BUSY] = {5000, 503},
    [RESULT_STOPPING] = {5000, 503},
    [RESULT_BAD_CONFIGURATION] = {5000, 500},
    [RESULT_NO_MEMORY] = {5000, 500},
    [RESULT_SYSTEM_ERROR] = {5000, 500},
    [RESULT_INTERNAL] = {5000, 500},
};

int status_rsc(enum result result)
{
    return statuses[result_known(result)].rsc;
}

int status_http(enum result result, int rsc)
{
    if (result == RESULT_OK && rsc == RSC_CREATED)
        return 201;
    return statuses[result_known(result)].http;
}
