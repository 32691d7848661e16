/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exchange/message1.h"
#include "exchange/message3.h"
#include "observe/metrics.h"
#include "onem2m/content.h"
#include "onem2m/status.h"
#include "policy/match.h"

/* --- what every request has to have --- */

/* rcn (TS-0004 6.3.4.2.7): the messages travel in the content, so it cannot be left out. */
static enum result check_result_content(struct step *step)
{
    static const char *const supported[OPERATION_NOTIFY + 1] = {
        [OPERATION_CREATE] = "13",
        [OPERATION_RETRIEVE] = "1",
        [OPERATION_UPDATE] = "1",
        [OPERATION_DELETE] = "01",
        [OPERATION_NOTIFY] = "1",
    };
    const char *rcn = step->request->result_content;

    if (!rcn)
        return RESULT_OK;
    if (strlen(rcn) != 1 || !strchr(supported[step->request->operation], rcn[0]))
        return fault_set(&step->fault, RESULT_UNSUPPORTED_RESULT_CONTENT,
            "result content %s is not supported here", rcn);
    step->with_address = rcn[0] == '3';
    return RESULT_OK;
}

/* rt (TS-0004 6.3.4.2.6). A flexBlocking request leaves the choice to us: it is answered blocking,
 * as we have no <request> resource that the originator could ask for the result later. */
static enum result check_response_type(struct step *step)
{
    const char *rt = step->request->response_type;

    return !rt || strcmp(rt, "3") == 0 || strcmp(rt, "4") == 0
               ? RESULT_OK
               : fault_set(&step->fault, RESULT_UNSUPPORTED_RESPONSE_TYPE,
                     "response type %s: only 3 (blocking) and 4 (flexBlocking) are supported", rt);
}

static enum result check_request(struct step *step)
{
    const struct request *request = step->request;
    const struct policy_cse *cse = &step->snapshot->policy->cse;

    if (!request->from || request->from[0] == '\0')
        return fault_set(&step->fault, RESULT_BAD_REQUEST, "X-M2M-Origin is missing");
    if (!request->request_id || request->request_id[0] == '\0')
        return fault_set(&step->fault, RESULT_BAD_REQUEST, "X-M2M-RI is missing");
    if (strlen(request->request_id) >= REQUEST_ID_OCTETS)
        return fault_set(&step->fault, RESULT_BAD_REQUEST, "X-M2M-RI is longer than %d octets",
            REQUEST_ID_OCTETS - 1);
    if (identifier_absolute(cse->sp_id, cse->cse_id, request->from, step->from, &step->fault) !=
        RESULT_OK) {
        step->fault.result = RESULT_BAD_REQUEST;
        return RESULT_BAD_REQUEST;
    }
    TRY(primitive_check_release(request->release, &step->fault));
    TRY(primitive_check_expiration(request->expiration, clock_wall_us(), &step->fault));
    TRY(check_response_type(step));
    return check_result_content(step);
}

/* --- the operations --- */

/* Decodes the content of a Create or Update into MESSAGE and, of a Create, into GIVEN, before any
 * lock is taken. */
static enum result read_e2ek(const struct step *step, struct given_attributes *given,
    struct buffer *message, struct fault *fault)
{
    message->limit = step->snapshot->policy->limits.message_octets;
    return content_read_e2ek(step->request, given, message, fault);
}

static enum result create(struct step *step)
{
    struct buffer message1 AUTO_BUFFER = {0};
    struct given_attributes given = {0};
    const char *text = step->request->resource_type;
    char *end;

    long type = text ? strtol(text, &end, 10) : -1;
    if (type < 0 || type > 99999 || end == text || *end != '\0')
        return fault_set(&step->fault, RESULT_BAD_REQUEST, "ty is not a resource type");
    if (type != step->snapshot->policy->cse.resource_type)
        return fault_set(&step->fault, RESULT_WRONG_CHILD,
            "only resource type %d can be created here", step->snapshot->policy->cse.resource_type);
    TRY(read_e2ek(step, &given, &message1, &step->fault));
    if (given.et_us != 0 && given.et_us <= clock_wall_us())
        return fault_set(&step->fault, RESULT_BAD_REQUEST, "et has passed");
    return receive_message1(step, &given, buffer_bytes(&message1));
}

static enum result update_exchange(struct step *step)
{
    struct buffer message3 AUTO_BUFFER = {0};
    struct fault unreadable = FAULT_INIT;

    enum result read = read_e2ek(step, NULL, &message3, &unreadable);
    struct exchange *exchange CLEANUP(auto_exchange_release) = step_find_exchange(step);
    if (!exchange)
        return step->fault.result; /* even when the content is unreadable */
    if (read != RESULT_OK) {
        step->fault = unreadable;
        return read;
    }
    return receive_message3(step, exchange, buffer_bytes(&message3));
}

static enum result update_entry_point(struct step *step)
{
    struct buffer message3 AUTO_BUFFER = {0};

    TRY(read_e2ek(step, NULL, &message3, &step->fault));
    return receive_message3_by_from(step, buffer_bytes(&message3));
}

/* Whoever may establish a key may also ask for a random object, which is of use only with a key. */
static enum result give_rand_object(struct step *step)
{
    const struct policy *policy = step->snapshot->policy;
    const struct exchange_sender sender = step_sender(step);
    struct rand_object object;

    if (!policy->cse.esprim)
        return fault_set(&step->fault, RESULT_UNSUPPORTED_RESULT_CONTENT,
            "sit 3: no random objects are given out here (cse.esprim)");
    enum result result = policy_check_from(policy, step->from, &step->fault);
    step->fault.alert = FAULT_NO_ALERT; /* there is no handshake that it could end */
    TRY(result);
    TRY(exchange_table_admit_rand_request(step->table, &policy->limits, &sender, &step->fault));
    result =
        rand_objects_give(step->rand_objects, step->from, sender.peer, clock_steady_us(), &object);
    if (result != RESULT_OK)
        return fault_set(&step->fault, result, "%s", result_text(result));
    return answer_rand_object(&object, step->response, &step->fault);
}

/* Notify carries Message 1 and Message 3 alike (TS-0001 11.4.3), or asks for a random object
 * (TS-0004 7.5.1.2.11). */
static enum result notify(struct step *step)
{
    struct buffer message AUTO_BUFFER = {.limit = step->snapshot->policy->limits.message_octets};
    enum security_info type;

    TRY(content_read_seci(step->request, &type, &message, &step->fault));
    if (type == SECURITY_INFO_RAND_OBJECT_REQUEST)
        return give_rand_object(step);
    return message_is_message1(buffer_bytes(&message))
               ? receive_message1(step, NULL, buffer_bytes(&message))
               : receive_message3_by_from(step, buffer_bytes(&message));
}

/* Whether EXCHANGE (locked) may be retrieved or deleted. */
static enum result check_accessible(struct step *step, const struct exchange *exchange)
{
    TRY(step_check_owner(step, exchange));
    return exchange->state == EXCHANGE_FAILED
               ? fault_set(&step->fault, RESULT_NOT_FOUND, "no such exchange")
               : RESULT_OK;
}

static enum result retrieve_exchange(struct step *step)
{
    struct exchange *exchange CLEANUP(auto_exchange_release) = step_find_exchange(step);

    if (!exchange)
        return step->fault.result;
    TRY(check_accessible(step, exchange));
    return step_answer(step, exchange, ANSWER_RETRIEVE);
}

static enum result delete_exchange(struct step *step)
{
    struct exchange *exchange CLEANUP(auto_exchange_release) = step_find_exchange(step);

    if (!exchange)
        return step->fault.result;
    TRY(check_accessible(step, exchange));
    TRY(step_answer(step, exchange, ANSWER_DELETE));
    if (!step->request->result_content || strcmp(step->request->result_content, "1") != 0)
        buffer_consume(&step->response->content, step->response->content.size);
    if (exchange->state == EXCHANGE_AWAITING_MESSAGE3)
        metrics_add(METRIC_EXCHANGES_DELETED, 1);
    step_end_exchange(step, exchange, EXCHANGE_DELETION);
    return RESULT_OK;
}

/* Load balancers ask so whether to send anybody here. While the daemon is stopping they should not,
 * as Message 1 of whomever they send is refused. */
static enum result retrieve_entry_point(struct step *step)
{
    TRY(exchange_table_check_open(step->table, &step->fault));
    return answer_entry_point(step->snapshot, step->started_s, step->response, &step->fault);
}

static enum result retrieve_cse_base(struct step *step)
{
    return answer_cse_base(step->snapshot, step->started_s, step->request->attribute_list,
        step->response, &step->fault);
}

typedef enum result handler(struct step *step);

/* What may be done to which resource; NULL where the resource does not take the operation. */
static handler *const handlers[OPERATION_NOTIFY + 1][TARGET_NOTIFY + 1] = {
    [OPERATION_CREATE] = {[TARGET_CSE_BASE] = create, [TARGET_ENTRY_POINT] = create},
    [OPERATION_RETRIEVE] = {[TARGET_CSE_BASE] = retrieve_cse_base,
        [TARGET_ENTRY_POINT] = retrieve_entry_point,
        [TARGET_EXCHANGE] = retrieve_exchange},
    [OPERATION_UPDATE] =
        {[TARGET_ENTRY_POINT] = update_entry_point, [TARGET_EXCHANGE] = update_exchange},
    [OPERATION_DELETE] = {[TARGET_EXCHANGE] = delete_exchange},
    /* The address of a CSE that receives a Notify is its <CSEBase> (TS-0004 7.5.1.2.12). */
    [OPERATION_NOTIFY] =
        {[TARGET_CSE_BASE] = notify, [TARGET_ENTRY_POINT] = notify, [TARGET_NOTIFY] = notify},
};

static unsigned operations_of(enum target_kind kind)
{
    unsigned operations = 0;

    for (enum operation i = OPERATION_CREATE; i <= OPERATION_NOTIFY; i++)
        if (handlers[i][kind])
            operations |= OPERATION_BIT(i);
    return operations;
}

/* The resource is there, but for an exchange that is none, or for us while the daemon is stopping.
 */
static enum result check_there(struct step *step)
{
    if (step->target.kind != TARGET_EXCHANGE)
        return exchange_table_check_open(step->table, &step->fault);
    struct exchange *exchange CLEANUP(auto_exchange_release) = step_find_exchange(step);
    return exchange ? RESULT_OK : step->fault.result;
}

static enum result show_operations(struct step *step)
{
    TRY(check_there(step));
    step->response->operations = operations_of(step->target.kind);
    step->response->result = RESULT_OK;
    step->response->rsc = RSC_OK;
    return RESULT_OK;
}

/* For an exchange that does not exist, answers NOT FOUND rather than NOT ALLOWED. */
static enum result refuse_operation(struct step *step)
{
    if (step->target.kind == TARGET_EXCHANGE) {
        struct exchange *exchange CLEANUP(auto_exchange_release) = step_find_exchange(step);
        if (!exchange)
            return step->fault.result;
    }
    step->response->operations = operations_of(step->target.kind);
    return step_refuse_address(
        step, RESULT_NOT_ALLOWED, "this resource does not take the operation");
}

enum result dispatch(struct step *step)
{
    const struct request *request = step->request;

    if (!request->asks_operations)
        TRY(check_request(step));
    target_parse(step->snapshot->policy, request->operation, request->to, &step->target);
    if (step->target.kind == TARGET_NONE)
        return step_refuse_address(step, RESULT_NOT_FOUND, "no such resource");
    if (request->asks_operations)
        return show_operations(step);
    handler *handle = handlers[request->operation][step->target.kind];
    return handle ? handle(step) : refuse_operation(step);
}
