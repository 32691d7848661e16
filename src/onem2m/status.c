/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "onem2m/status.h"

/* TS-0004 6.6.3; TS-0009 6.3.2 */
static const struct {
    int rsc, http;
} statuses[RESULT_COUNT] = {
    [RESULT_OK] = {RSC_OK, 200},
    [RESULT_BAD_REQUEST] = {RSC_BAD_REQUEST, 400},
    [RESULT_BAD_MESSAGE] = {4102, 400},
    [RESULT_BAD_INPUT] = {RSC_BAD_REQUEST, 400},
    [RESULT_TLS_REFUSED] = {4106, 403},
    [RESULT_CERTIFICATE_REFUSED] = {4106, 403},
    [RESULT_NOT_AUTHORISED] = {4103, 403},
    [RESULT_NOT_FOUND] = {RSC_NOT_FOUND, 404},
    [RESULT_NOT_ALLOWED] = {4005, 405},
    [RESULT_WRONG_CHILD] = {4108, 403},
    [RESULT_CONFLICT] = {RSC_CONFLICT, 409},
    [RESULT_UNSUPPORTED_MEDIA] = {4015, 415},
    [RESULT_NOT_ACCEPTABLE] = {5207, 406},
    [RESULT_UNSUPPORTED_RELEASE] = {4001, 501},
    [RESULT_UNSUPPORTED_RESPONSE_TYPE] = {5206, 501},
    [RESULT_UNSUPPORTED_RESULT_CONTENT] = {5001, 501},
    [RESULT_UNSUPPORTED_NOTIFICATION] = {5001, 501},
    [RESULT_REQUEST_EXPIRED] = {4008, 504},
    [RESULT_BUSY] = {RSC_INTERNAL, 503},
    [RESULT_STOPPING] = {RSC_INTERNAL, 503},
    [RESULT_BAD_CONFIGURATION] = {RSC_INTERNAL, 500},
    [RESULT_NO_MEMORY] = {RSC_INTERNAL, 500},
    [RESULT_SYSTEM_ERROR] = {RSC_INTERNAL, 500},
    [RESULT_INTERNAL] = {RSC_INTERNAL, 500},
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
