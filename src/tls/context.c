/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/context.h"

#include <string.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>

#include "base/secret.h"
#include "tls/engine.h"
#include "trust/store_load.h"

struct tls_context {
    const struct policy *policy;
    struct trust_store *trust;
    struct tls_endpoint **endpoints; /* policy->endpoint_count of them, by number */
};

/* When its first AES key is set, wolfSSL finds out which instructions the processor has, and keeps
 * the answer in variables that no lock protects. So the first key is set before there are threads.
 */
static bool set_first_aes_key(void)
{
    static const uint8_t zeros[AES_128_KEY_SIZE];
    Aes aes;

    if (wc_AesInit(&aes, NULL, INVALID_DEVID) != 0)
        return false;
    bool is_set = wc_AesSetKey(&aes, zeros, sizeof(zeros), NULL, AES_ENCRYPTION) == 0;
    wc_AesFree(&aes);
    return is_set;
}

enum result tls_start(struct fault *fault)
{
    if (wolfSSL_SetAllocators(wiping_malloc, wiping_free, wiping_realloc) != 0 ||
        wolfSSL_Init() != WOLFSSL_SUCCESS || !set_first_aes_key())
        return fault_set(fault, RESULT_INTERNAL, "wolfSSL does not start");
    return RESULT_OK;
}

enum result tls_context_new(
    const struct policy *policy, struct tls_context **out, struct report *report)
{
    struct tls_context *context CLEANUP(auto_tls_context_free) = calloc(1, sizeof(*context));
    size_t faults = report->faults;

    *out = NULL;
    if (!context)
        return RESULT_NO_MEMORY;
    context->policy = policy;
    context->endpoints = calloc(policy->endpoint_count, sizeof(*context->endpoints));
    if (!context->endpoints && policy->endpoint_count > 0)
        return RESULT_NO_MEMORY;
    for (size_t i = 0; i < policy->endpoint_count; i++)
        context->endpoints[i] = tls_endpoint_new(policy, i, report);
    TRY(trust_store_new(policy, &context->trust, report));
    if (report->faults > faults)
        return RESULT_BAD_CONFIGURATION;
    *out = TAKE_PTR(context);
    return RESULT_OK;
}

void tls_context_free(struct tls_context *context)
{
    if (!context)
        return;
    for (size_t i = 0; context->endpoints && i < context->policy->endpoint_count; i++)
        tls_endpoint_free(context->endpoints[i]);
    trust_store_free(context->trust);
    free(context->endpoints);
    free(context);
}

struct trust_store *tls_context_trust(struct tls_context *context)
{
    return context->trust;
}

const struct policy *tls_context_policy(const struct tls_context *context)
{
    return context->policy;
}

struct tls_endpoint *tls_context_by_server_name(struct tls_context *context, const char *name)
{
    if (name[0] == '\0')
        return context->policy->endpoint_count > 0 ? context->endpoints[0] : NULL;
    for (size_t i = 0; i < context->policy->endpoint_count; i++) {
        const char *own = tls_endpoint_server_name(context->endpoints[i]);

        if (own && strcmp(own, name) == 0)
            return context->endpoints[i];
    }
    return NULL;
}

struct tls_endpoint *tls_context_by_number(struct tls_context *context, size_t number)
{
    return context->endpoints[number];
}
