/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/explain.h"

#include <string.h>

#include "identity/public_key_id.h"
#include "policy/index.h"

struct explaining {
    const struct policy *policy;
    size_t endpoint;
    uint64_t trusted;
    explain_name *explain;
    void *context;
    struct names *one; /* the name in hand alone */
    const char *kind;
    bool found;
};

static bool explain_rule(const struct policy_rule *rule, const char *name, void *context)
{
    struct explaining *explaining = context;
    const bool raw = rule->flavour == FLAVOUR_RAW_PUBLIC_KEY;
    const struct explanation explanation = {
        .kind = explaining->kind,
        .name = name,
        .rule = rule,
        .trusted = raw || (explaining->trusted >> rule->trust & 1),
        .for_endpoint = rule->endpoints >> explaining->endpoint & 1,
    };
    explaining->found = true;
    explaining->explain(&explanation, explaining->context);
    return true;
}

static void explain_one(struct explaining *explaining, const char *name, bool raw_public_key)
{
    explaining->found = false;
    candidates_visit(explaining->policy, explaining->one, raw_public_key, explain_rule, explaining);
    if (!explaining->found)
        explaining->explain(
            &(struct explanation){.kind = explaining->kind, .name = name}, explaining->context);
}

/* ALONE is where names of this kind stand in explaining->one. */
static void explain_list(struct explaining *explaining, const char *kind,
    const struct name_list *list, struct name_list *alone)
{
    explaining->kind = kind;
    alone->count = 1;
    for (size_t i = 0; i < list->count; i++) {
        memcpy(alone->name[0], list->name[i], NAME_OCTETS);
        explain_one(explaining, list->name[i], false);
    }
    alone->count = 0;
}

enum result policy_explain(const struct policy *policy, size_t endpoint, const struct names *names,
    bool raw_public_key, uint64_t trusted, explain_name *explain, void *context)
{
    AUTO_FREE struct names *one = calloc(1, sizeof(*one));
    struct explaining explaining = {policy, endpoint, trusted, explain, context, one, NULL, false};
    if (!one)
        return RESULT_NO_MEMORY;
    if (raw_public_key) {
        char id[PUBLIC_KEY_ID_OCTETS];
        public_key_id_format(PUBLIC_KEY_ID_SHA_256, names->spki_digest, id);
        memcpy(one->spki_digest, names->spki_digest, sizeof(one->spki_digest));
        explaining.kind = "public key";
        explain_one(&explaining, id, true);
        return RESULT_OK;
    }
    explain_list(&explaining, "URI", &names->uri, &one->uri);
    explain_list(&explaining, "dNSName", &names->dns, &one->dns);
    explain_list(&explaining, "device id", &names->device, &one->device);
    return RESULT_OK;
}
