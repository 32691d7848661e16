/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/explain.h"

#include <string.h>

#include "identity/public_key_id.h"
#include "policy/index.h"

/* A call of policy_explain. */
struct explain_call {
    const struct policy *policy;
    size_t endpoint;
    uint64_t trusted;
    explain_name *explain;
    void *context;
    struct names *one; /* only the name that is being explained */
    const char *kind;  /* of that name, as in struct explanation */
    bool found;        /* some rule has that name */
};

static bool explain_rule(const struct policy_rule *rule, const char *name, void *context)
{
    struct explain_call *call = context;
    const bool raw = rule->flavour == FLAVOUR_RAW_PUBLIC_KEY;
    const struct explanation explanation = {
        .kind = call->kind,
        .name = name,
        .rule = rule,
        .trusted = raw || (call->trusted >> rule->trust & 1),
        .for_endpoint = rule->endpoints >> call->endpoint & 1,
    };
    call->found = true;
    call->explain(&explanation, call->context);
    return true;
}

static void explain_one(struct explain_call *call, const char *name, bool raw_public_key)
{
    call->found = false;
    rule_index_visit(call->policy, call->one, raw_public_key, explain_rule, call);
    if (!call->found)
        call->explain(&(struct explanation){.kind = call->kind, .name = name}, call->context);
}

/* ALONE is the member of call->one for names of this kind. */
static void explain_list(struct explain_call *call, const char *kind, const struct name_list *list,
    struct name_list *alone)
{
    call->kind = kind;
    alone->count = 1;
    for (size_t i = 0; i < list->count; i++) {
        memcpy(alone->name[0], list->name[i], NAME_OCTETS);
        explain_one(call, list->name[i], false);
    }
    alone->count = 0;
}

enum result policy_explain(const struct policy *policy, size_t endpoint, const struct names *names,
    bool raw_public_key, uint64_t trusted, explain_name *explain, void *context)
{
    struct names *one AUTO_FREE = calloc(1, sizeof(*one));
    struct explain_call call = {
        .policy = policy,
        .endpoint = endpoint,
        .trusted = trusted,
        .explain = explain,
        .context = context,
        .one = one,
    };
    if (!one)
        return RESULT_NO_MEMORY;
    if (raw_public_key) {
        char id[PUBLIC_KEY_ID_OCTETS];
        public_key_id_format(PUBLIC_KEY_ID_SHA_256, names->spki_digest, id);
        memcpy(one->spki_digest, names->spki_digest, sizeof(one->spki_digest));
        call.kind = "public key";
        explain_one(&call, id, true);
        return RESULT_OK;
    }
    explain_list(&call, "URI", &names->uri, &one->uri);
    explain_list(&call, "dNSName", &names->dns, &one->dns);
    explain_list(&call, "device id", &names->device, &one->device);
    return RESULT_OK;
}
