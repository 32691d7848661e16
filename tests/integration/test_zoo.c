/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Credentials of every kind (tests/zoo/kinds), each in a handshake of OpenSSL's with the daemon:
 * the verdict that it has to get, in the answer, the alert, the log and the key cache; and the same
 * from e2ekeyctl check-certificate. */
#include "support/check_main.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "identity/identifier.h"
#include "support/foreign.h"
#include "support/refusal.h"
#include "support/run.h"
#include "support/varlink.h"
#include "tls/pem.h"
#include "tls/record.h"

#define KINDS_LEAST 60
#define LOGGED_MOST 95 /* refusals in quick succession that are all in the log */

/* One line of the table. */
struct kind {
    char *name, *making, *from, *verdict;
};

/* What became of one. */
struct outcome {
    struct http_answer answer;
    char key_id[64]; /* as OpenSSL exported it; "" = not */
    char error[512];
};

static struct daemon daemon_;
static CURL *client;
static unsigned refusals; /* in the log */

/* --- the table --- */

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    for (size_t size = strlen(text); size > 0 && isspace((unsigned char)text[size - 1]);)
        text[--size] = '\0';
    return text;
}

/* False for what is no initiator: authorities, comments, blank lines. */
static bool read_kind(char *line, struct kind *out)
{
    char **const columns[] = {&out->name, &out->making, &out->from, &out->verdict};

    if (line[0] == '#')
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        char *column = strsep(&line, "|");
        if (!column)
            return false;
        *columns[i] = trim(column);
    }
    return true;
}

static bool is_swapped(const struct kind *kind)
{
    return strstr(kind->making, " swapped");
}

/* --- the handshake --- */

static void answer_with(const char *from, const char *path, const char *message, bool is_first,
    struct http_answer *answer)
{
    char *content = NULL;

    ck_assert_int_gt(asprintf(&content, "{\"m2m:e2ek\":{\"eckm\":\"%s\"}}", message), 0);
    m2m_call(client, daemon_.port,
        &(struct m2m_request){.method = is_first ? "POST" : "PUT",
            .path = path,
            .from = from,
            .request_id = is_first ? "m1" : "m3",
            .content_type = is_first ? "application/json;ty=30001" : "application/json",
            .body = content},
        answer);
    free(content);
}

static void append(struct buffer *buffer, const void *data, size_t size)
{
    ck_assert_int_eq(buffer_append(buffer, data, size), RESULT_OK);
}

static void append_u24(struct buffer *buffer, size_t number)
{
    append(
        buffer, (uint8_t[]){(uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number}, 3);
}

/* A record of a Certificate message with the one certificate of KIND, as it stands in its file. */
static void write_certificate(const struct kind *kind, struct buffer *out)
{
    AUTO_BUFFER struct buffer file = {0}, der = {.limit = 65536};
    struct fault fault = FAULT_INIT;

    ck_assert_int_eq(
        file_read(daemon_file(&daemon_, "zoo/%s.pem", kind->name), 65536, &file, &fault),
        RESULT_OK);
    struct bytes text = buffer_bytes(&file);
    ck_assert_int_eq(pem_next(&text, "CERTIFICATE", &der), RESULT_OK);
    size_t size = der.size + 10;
    append(out, (uint8_t[]){22, 3, 3, (uint8_t)(size >> 8), (uint8_t)size, 11}, 6);
    append_u24(out, der.size + 6);
    append_u24(out, der.size + 3);
    append_u24(out, der.size);
    append(out, der.data, der.size);
}

/* MESSAGE, base64, with KIND's certificate in the first record's place; the caller frees. */
static char *swap_certificate(const struct kind *kind, const char *message)
{
    AUTO_BUFFER struct buffer octets = {.limit = 65536}, out = {.limit = 65536};
    struct record certificate;

    ck_assert_int_eq(base64_decode(bytes_of_string(message), &octets), RESULT_OK);
    struct bytes rest = buffer_bytes(&octets);
    ck_assert(record_take(&rest, &certificate) && certificate.fragment.data[0] == 11);
    write_certificate(kind, &out);
    append(&out, rest.data, rest.size);
    char *text = malloc(BASE64_OCTETS(out.size) + 1);
    ck_assert_ptr_nonnull(text);
    base64_encode_text(buffer_bytes(&out), text);
    return text;
}

static void shake_hands(const struct kind *kind, struct outcome *outcome)
{
    struct foreign foreign;
    char credential[128], path[128];

    *outcome = (struct outcome){0};
    snprintf(credential, sizeof(credential), "zoo/%s", is_swapped(kind) ? "ae" : kind->name);
    foreign_start(&foreign, &daemon_, "openssl", credential,
        (const char *[]){"--server-name", RUN_SERVER_NAME, NULL});
    answer_with(kind->from, RUN_ENTRY, foreign_read(&foreign), true, &outcome->answer);
    ck_assert_msg(outcome->answer.status == 201, "%s: Message 1: %ld %s", kind->name,
        outcome->answer.status, outcome->answer.body);
    foreign_write(&foreign, run_member(&outcome->answer, "eckm"));
    snprintf(path, sizeof(path), RUN_ENTRY "/%s", run_member(&outcome->answer, "rn"));
    http_answer_release(&outcome->answer);

    const char *message3 = foreign_read(&foreign);
    char *swapped = is_swapped(kind) ? swap_certificate(kind, message3) : NULL;
    answer_with(kind->from, path, swapped ? swapped : message3, false, &outcome->answer);
    free(swapped);
    foreign_write(&foreign, run_member(&outcome->answer, "eckm"));
    if (outcome->answer.status == 200)
        sscanf(foreign_read(&foreign), "pairwiseE2EKeyID %63s", outcome->key_id);
    int status = foreign_end(&foreign, outcome->error, sizeof(outcome->error));
    ck_assert_msg(status == (outcome->answer.status == 200 ? 0 : 1), "%s: OpenSSL: %d %s",
        kind->name, status, outcome->error);
}

/* --- what has to come of it --- */

static const char *string(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* PEER's keys in the cache: the newest is the one that OpenSSL exported. */
static void expect_key(
    const struct kind *kind, const struct outcome *outcome, const char *flavour, const char *peer)
{
    struct varlink varlink;

    ck_assert_msg(outcome->answer.status == 200, "%s is to be %s %s, but: %ld %s", kind->name,
        flavour, peer, outcome->answer.status, outcome->answer.body);
    varlink_open(&varlink, daemon_.socket);
    varlink_begin(&varlink, "org.e2ekeyd.Keys.ListKeys", json_pack("{s:s}", "peer", peer), "more");
    json_t *reply = varlink_receive(&varlink);
    const json_t *key = json_object_get(json_object_get(reply, "parameters"), "key");
    ck_assert_str_eq(string(key, "keyId"), outcome->key_id);
    ck_assert_str_eq(string(key, "peer"), peer);
    ck_assert_str_eq(string(key, "flavour"), flavour);
    json_decref(reply);
    varlink_close(&varlink);
}

static int alert_of(const char *name)
{
    for (int alert = 0; alert < 256; alert++)
        if (strcmp(alert_name(alert), name) == 0)
            return alert;
    ck_abort_msg("\"%s\" is no alert", name);
}

static void expect_log(const struct kind *kind, const char *reason)
{
    char from[IDENTIFIER_OCTETS], *line = NULL, *log = daemon_log(&daemon_);

    ck_assert_int_eq(
        identifier_absolute("m2m.example", "/in-cse", kind->from, from, NULL), RESULT_OK);
    ck_assert_int_gt(asprintf(&line, "refused %s: %s peer=", from, reason), 0);
    ck_assert_msg(strstr(log, line), "%s: not in the log: %s", kind->name, line);
    free(line);
    free(log);
}

/* Takes REASON from the answer, for more to be compared with it. */
static void expect_refusal(
    const struct kind *kind, struct outcome *outcome, int rsc, const char *verdict, char *reason)
{
    struct refusal expected = {403, rsc, 0, NULL};
    char alert[64] = "", sent[64];

    sscanf(verdict, "%63s", alert);
    expected.alert = alert_of(alert);
    expected.text = verdict + strlen(alert) + 1;
    json_t *root = json_loads(outcome->answer.body, 0, NULL);
    snprintf(reason, FAULT_TEXT_OCTETS, "%s", string(root, "m2m:dbg"));
    json_decref(root);
    refusal_expect(kind->name, &outcome->answer, &expected, "m3", "3", false);
    outcome->answer = (struct http_answer){0};
    snprintf(sent, sizeof(sent), "(alert %d received)", expected.alert);
    ck_assert_msg(strstr(outcome->error, sent), "%s: OpenSSL: %s", kind->name, outcome->error);
    expect_log(kind, reason);
}

/* --- e2ekeyctl check-certificate --- */

/* Its JSON, and its exit status. */
static json_t *check_certificate(const struct kind *kind, int *status)
{
    const char *build = getenv("BUILD");
    char *command = NULL;

    ck_assert_int_gt(
        asprintf(&command, "%s/e2ekeyctl check-certificate %s --policy %s --from '%s' --json",
            build ? build : "build", daemon_file(&daemon_, "zoo/%s.pem", kind->name),
            daemon_file(&daemon_, "policy.json"), kind->from),
        0);
    FILE *pipe = popen(command, "re");
    ck_assert_ptr_nonnull(pipe);
    json_t *root = json_loadf(pipe, JSON_REJECT_DUPLICATES, NULL);
    *status = pclose(pipe);
    *status = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
    ck_assert_msg(root, "%s: exit status %d", command, *status);
    free(command);
    return root;
}

static void expect_same(const struct kind *kind, const char *flavour, const char *identity)
{
    int status;
    json_t *root = check_certificate(kind, &status);

    ck_assert_msg(status == 0, "%s: %s", kind->name, string(root, "reason"));
    ck_assert_str_eq(string(root, "verdict"), "accepted");
    ck_assert_str_eq(string(root, "flavour"), flavour);
    ck_assert_str_eq(string(root, "identity"), identity);
    json_decref(root);
}

static void expect_same_refusal(
    const struct kind *kind, int rsc, const char *verdict, const char *reason)
{
    int status;
    json_t *root = check_certificate(kind, &status);
    const char *alert = string(root, "alert");

    ck_assert_msg(status == 1, "%s: exit status %d", kind->name, status);
    ck_assert_str_eq(string(root, "verdict"), "refused");
    ck_assert_str_eq(string(root, "reason"), reason);
    ck_assert_str_eq(
        string(root, "result"), rsc == 4103 ? "not-authorised" : "certificate-refused");
    ck_assert_msg(strncmp(verdict, alert, strlen(alert)) == 0, "%s: %s", kind->name, alert);
    json_decref(root);
}

/* --- the zoo --- */

static void judge(const struct kind *kind)
{
    struct outcome outcome;
    char word[64] = "", reason[FAULT_TEXT_OCTETS];

    ck_assert_int_eq(sscanf(kind->verdict, "%63s", word), 1);
    const char *rest = kind->verdict + strlen(word) + 1;
    int rsc = atoi(word);
    refusals += rsc != 0;
    ck_assert_uint_le(refusals, LOGGED_MOST);
    shake_hands(kind, &outcome);
    if (rsc == 0) {
        expect_key(kind, &outcome, word, rest);
        expect_same(kind, word, rest);
    } else {
        expect_refusal(kind, &outcome, rsc, rest, reason);
        expect_same_refusal(kind, rsc, rest, reason);
    }
    http_answer_release(&outcome.answer);
}

/* The table up to the line that begins with PARTING, or from there on. */
static void judge_part(const char *parting, bool is_second)
{
    char *line = NULL;
    size_t capacity = 0, kinds = 0;
    struct kind kind;
    bool is_past = false;
    FILE *table = fopen("tests/zoo/kinds", "re");

    ck_assert_ptr_nonnull(table);
    daemon_start(&daemon_, &(struct daemon_options){.zoo = true});
    client = http_open();
    while (getline(&line, &capacity, table) >= 0) {
        is_past |= strncmp(line, parting, strlen(parting)) == 0;
        if (is_past != is_second || !read_kind(line, &kind))
            continue;
        judge(&kind);
        kinds++;
    }
    ck_assert_uint_ge(kinds, KINDS_LEAST);
    free(line);
    fclose(table);
    http_close(client);
    daemon_stop(&daemon_);
}

#define PARTING "# --- the profile"

START_TEST(every_kind_of_name_gets_its_verdict)
{
    judge_part(PARTING, false);
}
END_TEST

START_TEST(every_kind_of_certificate_and_path_gets_its_verdict)
{
    judge_part(PARTING, true);
}
END_TEST

CHECK_MAIN("integration/zoo", every_kind_of_name_gets_its_verdict,
    every_kind_of_certificate_and_path_gets_its_verdict)
