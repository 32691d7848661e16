/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which paths have a policy where a CA asks for one: after the sections 4.8 to 4.12 of NIST's
 * Public Key Interoperability Test Suite. */
#include "trust/path_policies.h"

#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

#define PATH_MAX_LENGTH 7

/* A path is written as its certificates from the anchor down, "POLICIES>MAPPINGS:CONSTRAINTS!"
 * each. A policy is a digit, or '*' for anyPolicy, and '-' says that there are none; a mapping is
 * two of them. Constraints: "e0" is requireExplicitPolicy 0, "m0" and "a0" inhibit mapping and
 * anyPolicy.
 * '!' is for self-issued. */
struct policies_kind {
    const char *what;
    bool good;
    const char *path;
};

static const struct policies_kind kinds[] = {
    {"nobody asks", true, "- - -"},
    {"nobody asks, and none in common", true, "- 1 2"},
    {"all have it", true, "- 1:e0 1 1"},
    {"the leaf has none", false, "- 1:e0 1 -"},
    {"the leaf has another", false, "- 1:e0 1 2"},
    {"one between has another", false, "- 1:e0 2 1"},
    {"one between has none", false, "- 1:e0 - 1"},
    {"one of two in common", true, "- 12:e0 23 42"},
    {"pairs in common, all three not", false, "- 12:e0 23 31"},
    {"any between", true, "- 1:e0 * 1"},
    {"any below any", true, "- *:e0 * *"},
    {"any at the leaf", true, "- 1:e0 *"},
    {"the anchor asks", false, "-:e0 - 1"},
    {"the anchor asks, and all have it", true, "-:e0 1 1"},
    /* 4.9: how many certificates later */
    {"asked for after ten", true, "- -:e9 - -"},
    {"asked for after the leaf", true, "- -:e2 -"},
    {"asked for from the leaf on", false, "- -:e1 -"},
    {"asked for by the leaf", false, "- - -:e0"},
    {"the leaf asks late", true, "- - -:e1"},
    {"the lesser counts", false, "- 1:e9 1:e0 -"},
    {"no second thoughts", false, "- 1:e0 1:e9 -"},
    {"self-issued is not counted", true, "- -:e2 -! -"},
    {"self-issued is not counted, and the next is", false, "- -:e2 -! - -"},
    /* 4.10, 4.11: mappings */
    {"mapped", true, "- 1>12:e0 2"},
    {"mapped, and the leaf has the old one", false, "- 1>12:e0 1"},
    {"mapped twice", true, "- 1>12:e0 2>23 3"},
    {"mapped to two", true, "- 1>1213:e0 3"},
    {"what is not there is not mapped", false, "- 1>42:e0 2"},
    {"mapped from any", true, "- *>12:e0 2"},
    {"mapping inhibited", false, "-:m0 1>12:e0 2"},
    {"mapping inhibited, the old one is gone too", false, "-:m0 1>12:e0 1"},
    {"mapping inhibited from the next on", true, "- 1>12:e0 2>23:m0 3"},
    {"mapping inhibited for the next", false, "- 1>12:e0 2:m0 2>23 3"},
    {"mapping inhibited two later", true, "- 1:e0 1>12:m1 2>23 3"},
    {"mapping inhibited three later", false, "- 1:e0 1:m1 1>12 2>23 3"},
    /* 4.12: anyPolicy inhibited */
    {"any inhibited", false, "- 1:e0a0 *"},
    {"any inhibited, another there", true, "- 1:e0a0 *1"},
    {"any inhibited one later", true, "- 1:e0a1 *"},
    {"any inhibited two later", false, "- 1:e0a1 * *"},
    {"any of a self-issued one is not", true, "- 1:e0a0 *! 1"},
    {"any of a self-issued leaf is", false, "- 1:e0a0 *!"},
};

static void put(struct buffer *out, uint8_t tag, const struct buffer *content)
{
    ck_assert_uint_lt(content->size, 128);
    ck_assert_int_eq(buffer_append(out, (uint8_t[]){tag, (uint8_t)content->size}, 2), RESULT_OK);
    ck_assert_int_eq(buffer_append(out, content->data, content->size), RESULT_OK);
}

static void put_policy(struct buffer *out, char letter)
{
    const uint8_t one[] = {0x06, 2, 0x2a, (uint8_t)letter}, any[] = {0x06, 4, 0x55, 0x1d, 0x20, 0};
    ck_assert_int_eq(
        letter == '*' ? buffer_append(out, any, sizeof(any)) : buffer_append(out, one, sizeof(one)),
        RESULT_OK);
}

static bool is_policy(char letter)
{
    return letter == '*' || (letter >= '0' && letter <= '9');
}

/* A SEQUENCE around every EACH of the policies at *TEXT, which moves behind them. */
static struct buffer groups_of(const char **text, size_t each)
{
    struct buffer out = {.limit = 128};
    for (; is_policy(**text); *text += each) {
        struct buffer group AUTO_BUFFER = {.limit = 64};
        for (size_t i = 0; i < each; i++)
            put_policy(&group, (*text)[i]);
        put(&out, 0x30, &group);
    }
    return out;
}

static void set_constraints(struct certificate *out, const char *text)
{
    out->require_explicit_policy = out->inhibit_policy_mapping = out->inhibit_any_policy = -1;
    for (; *text && *text != '!'; text += 2) {
        int *value = *text == 'e'   ? &out->require_explicit_policy
                     : *text == 'm' ? &out->inhibit_policy_mapping
                                    : &out->inhibit_any_policy;
        *value = text[1] - '0';
    }
}

struct made {
    struct buffer policies, mappings;
    struct certificate certificate;
};

static void make(const char *text, struct made *out)
{
    *out = (struct made){0};
    out->certificate.issuer_digest[0] = strchr(text, '!') ? 0 : 1;
    text += *text == '-' ? 1 : 0;
    out->policies = groups_of(&text, 1);
    text += *text == '>' ? 1 : 0;
    out->mappings = groups_of(&text, 2);
    set_constraints(&out->certificate, text + (*text == ':' ? 1 : 0));
    out->certificate.policies = buffer_bytes(&out->policies);
    out->certificate.policy_mappings = buffer_bytes(&out->mappings);
}

static bool judged_rightly(const struct policies_kind *kind)
{
    struct made made[PATH_MAX_LENGTH];
    const struct certificate *path[PATH_MAX_LENGTH];
    size_t length = 0;
    char copy[128], *rest = copy;
    snprintf(copy, sizeof(copy), "%s", kind->path);
    for (const char *word; (word = strsep(&rest, " ")); length++) {
        ck_assert_uint_lt(length, PATH_MAX_LENGTH);
        make(word, &made[length]);
        path[length] = &made[length].certificate;
    }
    bool good = path_policies_hold(path, length);
    for (size_t i = 0; i < length; i++) {
        buffer_release(&made[i].policies);
        buffer_release(&made[i].mappings);
    }
    if (good != kind->good)
        fprintf(stderr, "%s: %s\n", kind->what, good ? "good" : "not good");
    return good == kind->good;
}

START_TEST(decides_every_kind)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        wrong += judged_rightly(&kinds[i]) ? 0 : 1;
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

CHECK_MAIN("trust/path_policies", decides_every_kind)
