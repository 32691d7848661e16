/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/error.h"

#include "tls/engine.h" /* first of wolfSSL's: brings its options */

const char *tls_error_text(int error)
{
    return error ? wolfSSL_ERR_reason_error_string((unsigned long)error) : "other";
}
