/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/answer.h"

#include <stdio.h>

#include "onem2m/content.h"
#include "onem2m/status.h"
#include "tls/context.h"

static int success_rsc(enum operation operation)
{
    switch (operation) {
    case OPERATION_CREATE:
        return RSC_CREATED;
    case OPERATION_UPDATE:
        return RSC_UPDATED;
    case OPERATION_DELETE:
        return RSC_DELETED;
    case OPERATION_RETRIEVE:
    case OPERATION_NOTIFY:
        break;
    }
    return RSC_OK;
}

/* RESULT of writing an answer: when it is not RESULT_OK, memory is short. */
static enum result check_written(enum result result, struct fault *fault)
{
    return result == RESULT_OK ? result : fault_set(fault, result, "%s", result_text(result));
}

/* The et of an established exchange. */
static int64_t retained_until(const struct exchange *exchange)
{
    int64_t until_s = exchange->established_s + EXCHANGE_RETENTION_S;

    return until_s < exchange->until_s ? until_s : exchange->until_s;
}

/* The resource as it was when ANSWER was given for the first time. */
static struct e2ek describe(const struct exchange *exchange, enum answer answer)
{
    const struct policy *policy = exchange->snapshot->policy;
    bool established = exchange->state == EXCHANGE_ESTABLISHED && answer != ANSWER_MESSAGE2;
    struct e2ek e2ek = {
        .rn = exchange->name,
        .ri = exchange->name,
        .pi = policy->cse.resource_name,
        .ty = policy->cse.resource_type,
        .ct_s = exchange->created_s,
        .lt_s = established ? exchange->established_s : exchange->created_s,
        .et_s = established ? retained_until(exchange) : exchange->expires_s,
        .labels = exchange->labels,
        .est = established ? EST_ESTABLISHED : EST_AWAITING_MESSAGE3,
        .kid = established ? exchange->key_id : NULL,
        .kex_s = established ? exchange->key_expires_s : 0,
        .lid = tls_endpoint_identity(exchange->endpoint),
    };

    if (answer == ANSWER_MESSAGE2)
        e2ek.message = buffer_bytes(&exchange->message2);
    if (answer == ANSWER_MESSAGE4)
        e2ek.message = buffer_bytes(&exchange->message4);
    return e2ek;
}

enum result answer_exchange(const struct exchange *exchange, enum answer answer,
    enum operation operation, bool with_address, struct response *response, struct fault *fault)
{
    const struct policy_cse *cse = &exchange->snapshot->policy->cse;
    struct e2ek e2ek = describe(exchange, answer);
    char address[RESPONSE_ADDRESS_OCTETS];

    response->result = RESULT_OK;
    response->rsc = success_rsc(operation);
    if (operation == OPERATION_NOTIFY)
        return check_written(content_write_seci(e2ek.message, response), fault);
    snprintf(address, sizeof(address), "%s/%s/%s/%s", cse->cse_id, cse->cse_base,
        cse->resource_name, exchange->name);
    /* Below the entry point, and not the shorter unstructured one: so a proxy that sends all that
     * is below it to us sends Message 3, too. */
    if (operation == OPERATION_CREATE)
        snprintf(response->location, sizeof(response->location), "%s", address);
    return check_written(content_write_e2ek(&e2ek, with_address ? address : NULL, response), fault);
}

/* Sets OUT to the certificates of SNAPSHOT's end-points; returns how many there are. One that has a
 * raw public key alone has none. */
static size_t find_certificates(
    const struct snapshot *snapshot, struct bytes out[POLICY_ENDPOINTS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < snapshot->policy->endpoint_count; i++) {
        struct bytes der = tls_endpoint_certificate(tls_context_by_number(snapshot->tls, i));

        if (der.size > 0)
            out[count++] = der;
    }
    return count;
}

/* The certificates stand in e2eSecInfo, where initiators look for them (TS-0003 8.4.3.1.3). */
enum result answer_entry_point(const struct snapshot *snapshot, int64_t created_s,
    struct response *response, struct fault *fault)
{
    const struct policy *policy = snapshot->policy;
    struct bytes certificates[POLICY_ENDPOINTS_MAX];
    struct e2ek e2ek = {
        .rn = policy->cse.resource_name,
        .ri = policy->cse.resource_name,
        .pi = policy->cse.cse_base,
        .ty = policy->cse.resource_type,
        .ct_s = created_s,
        .lt_s = created_s,
        .certificates = certificates,
        .certificate_count = find_certificates(snapshot, certificates),
        .esprim = policy->cse.esprim,
        .entry_point = true,
    };

    response->result = RESULT_OK;
    response->rsc = RSC_OK;
    return check_written(content_write_e2ek(&e2ek, NULL, response), fault);
}

/* Other CSEs ask whether we are still there, and ACME forgets a <remoteCSE> that does not answer.
 */
enum result answer_cse_base(const struct snapshot *snapshot, int64_t created_s,
    const char *attribute_list, struct response *response, struct fault *fault)
{
    const struct policy_cse *cse = &snapshot->policy->cse;
    const int resource_types[] = {RESOURCE_TYPE_CSE_BASE, cse->resource_type};
    struct bytes certificates[POLICY_ENDPOINTS_MAX];
    struct cse_base cse_base = {
        .rn = cse->cse_base,
        .ri = cse->cse_id + 1,
        .csi = cse->cse_id,
        .ct_s = created_s,
        .lt_s = created_s,
        .srt = resource_types,
        .srt_count = ARRAY_SIZE(resource_types),
        .poa = (const char *const *)cse->points_of_access,
        .poa_count = cse->point_of_access_count,
        .srv = primitive_releases,
        .srv_count = PRIMITIVE_RELEASES,
        .certificates = certificates,
        .certificate_count = find_certificates(snapshot, certificates),
        .esprim = cse->esprim,
        .only = attribute_list,
    };

    response->result = RESULT_OK;
    response->rsc = RSC_OK;
    return content_write_cse_base(&cse_base, response, fault);
}

enum result answer_rand_object(
    const struct rand_object *object, struct response *response, struct fault *fault)
{
    const struct rand_object_content content = {
        .id = object->id, .value = object->value, .expires_s = object->expires_s};

    response->result = RESULT_OK;
    response->rsc = RSC_OK;
    return check_written(content_write_rand_object(&content, response), fault);
}

void answer_refusal(const struct fault *fault, enum operation operation, struct response *response)
{
    uint8_t record[TLS_ALERT_RECORD_OCTETS];
    struct refusal_content refusal = {
        .text = fault->text,
        .root = operation == OPERATION_NOTIFY ? CONTENT_SECI : CONTENT_E2EK,
    };

    if (fault->alert != FAULT_NO_ALERT) {
        message_write_alert(fault->alert, record);
        refusal.alert = bytes_of(record, sizeof(record));
    }
    response->result = fault->result;
    response->rsc = status_rsc(fault->result);
    response->location[0] = '\0';
    buffer_consume(&response->content, response->content.size);
    if (content_write_refusal(&refusal, response) != RESULT_OK)
        buffer_consume(
            &response->content, response->content.size); /* the response status code remains */
}
