/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Initiators that offer raw public keys (RFC 7250), which we do not negotiate: X.509 beside them is
 * what they get, and raw public keys alone are refused before there is anything to sign. */
#include "support/check_main.h"

#include <stdio.h>
#include <string.h>

#include "support/foreign.h"
#include "support/run.h"
#include "support/spoil.h"
#include "tls/context.h"
#include "tls/record.h"

#define CLIENT_CERTIFICATE_TYPE 19
#define SERVER_CERTIFICATE_TYPE 20

static struct daemon daemon_;
static CURL *client;

static void set_up(void)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(
        &daemon_, &(struct daemon_options){.policy = "{\"limits\":{\"pendingPerOriginator\":8}}"});
    client = http_open();
}

static void tear_down(void)
{
    http_close(client);
    daemon_stop(&daemon_);
}

/* COUNT more octets in the length of WIDTH octets at AT. */
static void lengthen(uint8_t *at, size_t width, size_t count)
{
    for (size_t i = width; i-- > 0; count >>= 8) {
        count += at[i];
        at[i] = (uint8_t)count;
    }
}

/* To the end of ClientHello, with all the lengths around it. TYPES is the list, its count first. */
static void add_extension(struct buffer *hello, uint8_t extension, const uint8_t types[4])
{
    const uint8_t body = (uint8_t)(1 + types[0]), head[] = {0, extension, 0, body};
    uint8_t *at = hello->data + 9 + 2 + 32; /* headers of record and message, version, random */

    at += 1 + at[0];
    at += 2 + (at[0] << 8 | at[1]);
    lengthen(at + 1 + at[0], 2, sizeof(head) + body);
    lengthen(hello->data + 6, 3, sizeof(head) + body);
    lengthen(hello->data + 3, 2, sizeof(head) + body);
    spoil_append(hello, head, sizeof(head));
    spoil_append(hello, types, body);
}

/* Does ServerHello answer with EXTENSION: X.509? */
static bool answers_x509(const struct buffer *message2, uint8_t extension)
{
    const uint8_t answer[] = {0, extension, 0, 1, 0};

    return memmem(message2->data, message2->size, answer, sizeof(answer)) != NULL;
}

static const struct {
    const char *name;
    uint8_t extension, types[4]; /* 0: X.509, 2: raw public key */
    bool accepted;
} cases[] = {
    {"client: X.509", CLIENT_CERTIFICATE_TYPE, {1, 0}, true},
    {"client: raw or X.509", CLIENT_CERTIFICATE_TYPE, {2, 2, 0}, true},
    {"client: raw", CLIENT_CERTIFICATE_TYPE, {1, 2}, false},
    {"server: X.509", SERVER_CERTIFICATE_TYPE, {1, 0}, true},
    {"server: raw or X.509", SERVER_CERTIFICATE_TYPE, {2, 2, 0}, true},
    {"server: raw", SERVER_CERTIFICATE_TYPE, {1, 2}, false},
};

START_TEST(x509_is_chosen_or_nothing)
{
    const struct refusal refused = {403, 4106, TLS_ALERT_UNSUPPORTED_CERTIFICATE, "refused"};

    set_up();
    struct initiator_credential *meter = exchange_credential(&daemon_, "meter");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct http_answer answer;
        struct run run;

        run_begin(&run, meter, RUN_SERVER_NAME);
        add_extension(&run.message1, cases[i].extension, cases[i].types);
        run_send(client, &daemon_, RUN_CREATE, "/cse-in", "Cmeter", "t", &run.message1, &answer);
        if (cases[i].accepted) {
            ck_assert_msg(answer.status == 201, "%s: %s", cases[i].name, answer.body);
            exchange_message(answer.body, &run.message2);
            ck_assert_msg(answers_x509(&run.message2, cases[i].extension), "%s", cases[i].name);
            http_answer_release(&answer);
        } else {
            refusal_expect(cases[i].name, &answer, &refused, "t", "3", false);
        }
        run_end(&run);
    }
    initiator_credential_free(meter);
    tear_down();
}
END_TEST

/* A whole exchange with a stack that would rather have our raw public key. */
START_TEST(gnutls_takes_x509_instead)
{
    struct http_answer answer;
    struct foreign foreign;
    char *content = NULL, error[512];

    set_up();
    foreign_start(
        &foreign, &daemon_, "gnutls", "meter", (const char *[]){"--take", "raw,x509", NULL});
    ck_assert_int_gt(
        asprintf(&content, "{\"m2m:e2ek\":{\"eckm\":\"%s\"}}", foreign_read(&foreign)), 0);
    m2m_call(client, daemon_.port,
        &(struct m2m_request){.method = "POST",
            .path = "/cse-in",
            .from = "Cmeter",
            .request_id = "1",
            .content_type = "application/json;ty=30001",
            .body = content},
        &answer);
    free(content);
    ck_assert_msg(answer.status == 201, "%ld: %s", answer.status, answer.body);
    foreign_write(&foreign, run_member(&answer, "eckm"));
    http_answer_release(&answer);

    ck_assert_int_gt(
        asprintf(&content, "{\"m2m:e2ek\":{\"eckm\":\"%s\"}}", foreign_read(&foreign)), 0);
    m2m_call(client, daemon_.port,
        &(struct m2m_request){.method = "PUT",
            .path = RUN_ENTRY,
            .from = "Cmeter",
            .request_id = "2",
            .content_type = "application/json",
            .body = content},
        &answer);
    free(content);
    ck_assert_msg(answer.status == 200, "%ld: %s", answer.status, answer.body);
    foreign_write(&foreign, run_member(&answer, "eckm"));
    ck_assert_ptr_nonnull(strstr(foreign_read(&foreign), run_member(&answer, "kid")));
    http_answer_release(&answer);
    ck_assert_int_eq(foreign_end(&foreign, error, sizeof(error)), 0);
    tear_down();
}
END_TEST

CHECK_MAIN("integration/certificate_types", x509_is_chosen_or_nothing, gnutls_takes_x509_instead)
