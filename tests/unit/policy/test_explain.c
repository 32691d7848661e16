/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/explain.h"

#include <stdio.h>
#include <string.h>

#include "support/check_main.h"
#include "unit/policy/folder.h"

#define RULES                                                                                      \
    ", \"initiators\": ["                                                                          \
    "{\"flavour\": \"aeId\", \"identity\": \"//m2m.example/in-cse/*\", \"trust\": \"field\"},"     \
    "{\"flavour\": \"aeId\", \"identity\": \"//m2m.example/in-cse/C1\", \"trust\": \"lab\"},"      \
    "{\"flavour\": \"cseId\", \"domainName\": \"mn.example\", \"trust\": \"field\","               \
    " \"identity\": \"//m2m.example/mn\", \"endpoints\": [\"two\"]},"                              \
    "{\"flavour\": \"rawPublicKey\", \"identity\": \"//m2m.example/Sraw\","                        \
    " \"publicKeyId\": \"ni:///sha-256-120;f4OxZX_x_FO5LcGBSKHW\"}]"
#define POLICY                                                                                     \
    "{\"cse\": {\"spId\": \"m2m.example\", \"cseId\": \"/in-cse\"}, \"endpoints\": ["              \
    "{\"name\": \"one\", \"identity\": \"//m2m.example/in-cse\","                                  \
    " \"certificate\": \"c\", \"privateKey\": \"d\"},"                                             \
    "{\"name\": \"two\", \"identity\": \"//m2m.example/Stwo\","                                    \
    " \"certificate\": \"c\", \"privateKey\": \"d\"}],"                                            \
    "\"trust\": [{\"name\": \"field\", \"anchors\": \"a\"}, {\"name\": \"lab\", \"anchors\":"      \
    " \"b\"}]" RULES "}"

#define FIELD 1 /* a bit of trusted */

static struct names names;
static char said[1024];

static void say(struct name_list *list, const char *name)
{
    snprintf(list->name[list->count++], NAME_OCTETS, "%s", name);
}

/* "KIND NAME POINTER trusted for;" */
static void note(const struct explanation *explanation, void *context)
{
    const size_t used = strlen(said);
    (void)context;
    snprintf(said + used, sizeof(said) - used, "%s %s %s%s%s;", explanation->kind,
        explanation->name, explanation->rule ? explanation->rule->place.pointer : "none",
        explanation->trusted ? " trusted" : "", explanation->for_endpoint ? " for" : "");
}

static const char *explain(const struct policy *policy, size_t endpoint, bool raw)
{
    said[0] = '\0';
    ck_assert_int_eq(
        policy_explain(policy, endpoint, &names, raw, raw ? 0 : FIELD, note, NULL), RESULT_OK);
    return said;
}

START_TEST(tells_of_each_name_and_each_rule_that_has_it)
{
    struct policy *policy CLEANUP(auto_policy_free) = folder_load(POLICY);
    ck_assert_str_eq(explain(policy, 0, false), "");
    say(&names.dns, "mn.example");
    say(&names.dns, "other.example");
    say(&names.uri, "coap://m2m.example/in-cse/C1");
    say(&names.device, "0.2.481.1.7");
    ck_assert_str_eq(explain(policy, 0, false),
        "URI //m2m.example/in-cse/C1 /initiators/1 for;"
        "URI //m2m.example/in-cse/C1 /initiators/0 trusted for;"
        "dNSName mn.example /initiators/2 trusted;"
        "dNSName other.example none;"
        "device id 0.2.481.1.7 none;");
    ck_assert_ptr_nonnull(
        strstr(explain(policy, 1, false), "dNSName mn.example /initiators/2 trusted for;"));
}
END_TEST

START_TEST(tells_of_a_raw_public_key)
{
    static const uint8_t digest[] = {
        0x7f, 0x83, 0xb1, 0x65, 0x7f, 0xf1, 0xfc, 0x53, 0xb9, 0x2d, 0xc1, 0x81, 0x48, 0xa1, 0xd6};
    struct policy *policy CLEANUP(auto_policy_free) = folder_load(POLICY);
    memcpy(names.spki_digest, digest, sizeof(digest));
    ck_assert_ptr_nonnull(strstr(explain(policy, 0, true), " /initiators/3 trusted for;"));
    names.spki_digest[0] ^= 1;
    ck_assert_ptr_nonnull(strstr(explain(policy, 0, true), " none;"));
}
END_TEST

CHECK_MAIN_FIXTURE("policy/explain", folder_make, folder_remove,
    tells_of_each_name_and_each_rule_that_has_it, tells_of_a_raw_public_key)
