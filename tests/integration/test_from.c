/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From (TS-0001 7.2): what it may be, what is the same, and what is none. Whose certificate it has
 * to agree with is in test_zoo.c. */
#include "support/check_main.h"

#include <stdio.h>
#include <string.h>

#include "base/alert.h"
#include "support/raw.h"
#include "support/refusal.h"
#include "support/run.h"
#include "tls/context.h"

#define LONGEST_LABEL "//a23456789012345678901234567890123456789012345678901234567890123.example/S1"
#define TOO_LONG_LABEL                                                                             \
    "//a234567890123456789012345678901234567890123456789012345678901234.example/S1"

static struct daemon daemon_;
static CURL *client;
static struct initiator_credential *meter;

static void set_up(void)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(
        &daemon_, &(struct daemon_options){.policy = "{\"limits\":{\"pendingPerOriginator\":64}}"});
    client = http_open();
    meter = exchange_credential(&daemon_, "meter");
}

static void tear_down(void)
{
    initiator_credential_free(meter);
    http_close(client);
    daemon_stop(&daemon_);
}

/* "//m2m.example/in-cse/Cxxx…" of SIZE octets; PREFIX of them left out. */
static const char *of_size(size_t size, const char *prefix)
{
    static const char whole[] = "//m2m.example/in-cse/C";
    static char text[1024];

    memset(text, 'x', size);
    memcpy(text, whole, sizeof(whole) - 1);
    text[size] = '\0';
    return text + strlen(prefix);
}

/* --- what is none --- */

static void refuse(const char *from, const char *text)
{
    static const struct {
        enum run_carrier carrier;
        const char *path;
    } places[] = {{RUN_CREATE, RUN_ENTRY}, {RUN_UPDATE, RUN_ENTRY}, {RUN_NOTIFY, "/notify"}};
    const struct refusal expected = {400, 4000, REFUSAL_ALERT_NONE, text};
    struct http_answer answer;
    struct run run;

    run_begin(&run, meter, RUN_SERVER_NAME);
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        run_send(
            client, &daemon_, places[i].carrier, places[i].path, from, "f", &run.message1, &answer);
        refusal_expect(from, &answer, &expected, "f", "3", false);
    }
    run_end(&run);
}

START_TEST(what_is_no_identifier_is_refused)
{
    static const char *const none[] = {/* of no form */
        "C", "S", "X1", "c1", "in-cse", "in-cse/C1", "-", "~", ".", "/", "//", "///", "///in-cse",
        "coap://m2m.example/in-cse/C1", "m2m.example/in-cse/C1", "//m2m.example", "//m2m.example/",
        /* stems, and where they may stand */
        "/in-cse/", "/in-cse//C1", "/in-cse/C", "/in-cse/X1", "/in-cse/S1", "/in-cse/C1/x", "C1/x",
        "S1/x", "//m2m.example/in-cse/C1/", "//m2m.example/in-cse/S1", "//m2m.example//C1",
        "/../C1", "/./C1", "//m2m.example/../C1", "/in-cse/..",
        /* service providers */
        "//m2m_.example/in-cse", "//-m2m.example/in-cse", "//m2m-.example/in-cse",
        "//m2m..example/in-cse", "//.m2m.example/in-cse", "//m2m.example./in-cse",
        "//m2m.example:80/in-cse", "//me@m2m.example/in-cse", "//[::1]/in-cse",
        "//xn--\xc3\xa9/in-cse", TOO_LONG_LABEL,
        /* patterns and encodings */
        "//m2m.example/in-cse/*", "//m2m.example/*", "//*/in-cse", "C*", "*", "C%41", "C%00",
        "/in-cse/%2e%2e", "/in%2Dcse", "C+1", "C1?x", "C1#x", "C1;x", "C1,C2", "C\\1", "\"C1\"",
        "C1:x", "C1@x",
        /* not ASCII, and not printable */
        "C\xc3\xa9", "C\xe9", "C\xff", "/\xc3\xa9/C1", "\xef\xbb\xbfS1", "C1\xe2\x80\x8b",
        "\xef\xbc\xa3x"};

    set_up();
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        refuse(none[i], "is neither an AE-ID nor a CSE-ID");
    refuse("C\x01", "control character");
    refuse("C\x7f", "control character");
    refuse("C1 C2", "is neither an AE-ID nor a CSE-ID");
    refuse("C1\tC2", "is neither an AE-ID nor a CSE-ID");
    refuse("", "X-M2M-Origin");
    exchange_prove(&daemon_, meter, "Cmeter");
    tear_down();
}
END_TEST

/* It is the absolute form that has a bound. */
START_TEST(what_is_too_long_is_refused)
{
    struct run run;

    set_up();
    refuse(of_size(256, ""), "longer than 255 octets");
    refuse(of_size(256, "//m2m.example"), "is neither an AE-ID nor a CSE-ID");
    refuse(of_size(256, "//m2m.example/in-cse/"), "is neither an AE-ID nor a CSE-ID");
    run_open(&run, client, &daemon_, meter, of_size(255, ""));
    run_expect_status(&run, client, &daemon_, 200);
    run.from = of_size(255, "//m2m.example/in-cse/");
    run_expect_status(&run, client, &daemon_, 200);
    run_end(&run);
    tear_down();
}
END_TEST

/* Nowhere in the header; '@' stands for it. */
START_TEST(a_nul_is_refused)
{
    static const char *const headers[] = {"X-M2M-Origin: Cmeter@ter\r\n\r\n",
        "X-M2M-Origin: Cmeter@\r\n\r\n", "X-M2M-Origin: @Cmeter\r\n\r\n",
        "X-M2M-Origin: Cmeter@@ter\r\nAccept: */*\r\n\r\n",
        "X-M2M-Origin: Cmeter@\r\nAccept: */*\r\n\r\n", "X-M2M-Origin@: Cmeter\r\n\r\n",
        "X-M2M-Origin: Cother@\r\nX-M2M-Origin: Cmeter\r\n\r\n",
        "X-M2M-Origin: Cmeter\r\nAccept: */*@\r\n\r\n"};
    struct run run;

    set_up();
    run_open(&run, client, &daemon_, meter, "Cmeter");
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        char request[512];
        int size = snprintf(request, sizeof(request),
            "GET %s HTTP/1.1\r\nHost: x\r\nX-M2M-RI: 1\r\nX-M2M-RVI: 3\r\nConnection: close\r\n%s",
            run.path, headers[i]);
        for (char *nul; (nul = memchr(request, '@', (size_t)size));)
            *nul = '\0';
        char *answer = raw_call(daemon_.port, request, (size_t)size, 2000, NULL);
        ck_assert_msg(strncmp(answer, "HTTP/1.1 400", 12) == 0, "%zu: %s", i, answer);
        free(answer);
    }
    run_finish(&run, client, &daemon_, RUN_UPDATE, NULL);
    tear_down();
}
END_TEST

/* --- what is the same --- */

/* Each of the messages may come with another form: transit CSEs lengthen it. */
START_TEST(all_forms_are_the_same_originator)
{
    static const char *const forms[] = {
        "Cmeter", "/in-cse/Cmeter", "//m2m.example/in-cse/Cmeter", "//M2M.Example/in-cse/Cmeter"};

    set_up();
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        for (size_t j = 0; j < ARRAY_SIZE(forms); j++) {
            struct run run;
            run_open(&run, client, &daemon_, meter, forms[i]);
            run.from = forms[j];
            run_expect_status(&run, client, &daemon_, 200);
            run_finish(&run, client, &daemon_, RUN_UPDATE, (i + j) % 2 == 0 ? RUN_ENTRY : NULL);
        }
    tear_down();
}
END_TEST

/* Other registrars, other providers and the case of what is no domain name tell originators apart.
 * Those that a rule is for may begin. */
START_TEST(others_are_other_originators)
{
    static const struct {
        const char *from;
        bool may_begin;
    } others[] = {{"CMETER", true}, {"Cmeter2", true}, {"Smeter", false}, {"/Smeter", false},
        {"/in-cse", false}, {"/mn-cse", true}, {"/mn-cse/Cmeter", false}, {"/IN-CSE/Cmeter", false},
        {"//m2m.example/Smeter", false}, {"//m2m.example/in-cse", false},
        {"//partner.example/in-cse/Cmeter", false}, {"//partner.example/Smeter", false},
        {"//partner.example/in-cse", false}, {"//m2m.example.partner.example/in-cse/Cmeter", false},
        {"/~/Cmeter", false}, {LONGEST_LABEL, false}, {"C.-_~", true}, {"C..", true},
        {"S~", false}};
    const struct refusal nobody = {403, 4103, TLS_ALERT_ACCESS_DENIED, "no rule is for"};
    struct run run;

    set_up();
    run_open(&run, client, &daemon_, meter, "Cmeter");
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        struct http_answer answer;
        struct run other;

        if (others[i].may_begin) {
            run_open(&other, client, &daemon_, meter, others[i].from);
            run_expect_status(&other, client, &daemon_, 200);
        } else {
            run_begin(&other, meter, RUN_SERVER_NAME);
            run_send(client, &daemon_, RUN_CREATE, RUN_ENTRY, others[i].from, "m1", &other.message1,
                &answer);
            refusal_expect(others[i].from, &answer, &nobody, "m1", "3", false);
        }
        run_end(&other);
        run.from = others[i].from;
        run_expect_status(&run, client, &daemon_, 403);
    }
    run.from = "Cmeter";
    run_finish(&run, client, &daemon_, RUN_UPDATE, NULL);
    tear_down();
}
END_TEST

CHECK_MAIN("integration/from", what_is_no_identifier_is_refused, what_is_too_long_is_refused,
    a_nul_is_refused, all_forms_are_the_same_originator, others_are_other_originators)
