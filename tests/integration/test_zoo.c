/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Credentials of every kind (tests/zoo/kinds), each in a handshake of OpenSSL's with the daemon:
 * the verdict that it has to get, in the answer, the alert, the log and the key cache; and the same
 * from e2ekeyctl check-certificate. Then others, drawn by chance (tests/zoo/generate), to which
 * daemon and e2ekeyctl have to give the same answer, whichever it is.
 *
 * ZOO_SEED and ZOO_COUNT: which of those, and how many. */
#include "support/check_main.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/file.h"
#include "identity/identifier.h"
#include "support/foreign.h"
#include "support/refusal.h"
#include "support/run.h"
#include "support/varlink.h"
#include "tls/message.h"
#include "x509/pem.h"

#define KINDS_LEAST 60
#define LOGGED_MOST 95 /* refusals in quick succession that are all in the log */

/* One line of the table. */
struct zoo_kind {
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
static unsigned refusals;           /* in the log */
static const char *stand_in = "ae"; /* speaks where OpenSSL cannot speak for a kind */

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
static bool read_kind(char *line, struct zoo_kind *out)
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

static bool is_swapped(const struct zoo_kind *kind)
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

static void append_record(struct buffer *out, uint8_t handshake_type, const struct buffer *body)
{
    size_t size = body->size + 4;
    append(out, (uint8_t[]){22, 3, 3, (uint8_t)(size >> 8), (uint8_t)size, handshake_type}, 6);
    append_u24(out, body->size);
    append(out, body->data, body->size);
}

/* A record of a Certificate message with the certificates of KIND, as they stand in its file. */
static void append_certificates(struct buffer *out, const struct zoo_kind *kind)
{
    struct buffer file AUTO_BUFFER = {0};
    struct buffer list AUTO_BUFFER = {.limit = 65536};
    struct buffer body AUTO_BUFFER = {.limit = 65536};
    struct fault fault = FAULT_INIT;

    ck_assert_int_eq(
        file_read(daemon_file(&daemon_, "zoo/%s.pem", kind->name), 65536, &file, &fault),
        RESULT_OK);
    struct bytes text = buffer_bytes(&file);
    for (;;) {
        struct buffer der AUTO_BUFFER = {.limit = 65536};
        enum result result = pem_next(&text, "CERTIFICATE", &der);
        if (result == RESULT_NOT_FOUND && list.size > 0)
            break;
        ck_assert_int_eq(result, RESULT_OK);
        append_u24(&list, der.size);
        append(&list, der.data, der.size);
    }
    append_u24(&body, list.size);
    append(&body, list.data, list.size);
    append_record(out, 11, &body);
}

/* A record of a CertificateVerify message: KIND's key signs what RECORDS say. False for a key that
 * cannot sign with SHA-256 (Ed25519). */
static bool append_proof(struct buffer *out, const struct zoo_kind *kind, struct bytes records)
{
    struct buffer file AUTO_BUFFER = {0};
    struct buffer body AUTO_BUFFER = {.limit = 1024};
    struct fault fault = FAULT_INIT;
    struct record record;
    char command[1024];

    snprintf(command, sizeof(command), "openssl dgst -sha256 -sign %s -out %s 2>&1",
        daemon_file(&daemon_, "zoo/%s.key", kind->name), daemon_file(&daemon_, "proof"));
    FILE *pipe = popen(command, "we");
    ck_assert_ptr_nonnull(pipe);
    while (record_take(&records, &record))
        fwrite(record.fragment.data, 1, record.fragment.size, pipe);
    if (pclose(pipe) != 0)
        return false;
    ck_assert_int_eq(file_read(daemon_file(&daemon_, "proof"), 512, &file, &fault), RESULT_OK);
    append(&body, (uint8_t[]){4, 3, (uint8_t)(file.size >> 8), (uint8_t)file.size}, 4);
    append(&body, file.data, file.size);
    append_record(out, 15, &body);
    return true;
}

/* Messages 1 to 3 in records, decoded. */
struct flights {
    struct buffer octets;
    size_t third; /* where Message 3 begins */
};

static void flights_release(struct flights *flights)
{
    buffer_release(&flights->octets);
}

static void take_flight(struct flights *flights, const char *message)
{
    struct buffer octets AUTO_BUFFER = {.limit = 65536};

    ck_assert_int_eq(base64_decode(bytes_of_string(message), &octets), RESULT_OK);
    flights->octets.limit = 262144;
    flights->third = flights->octets.size;
    append(&flights->octets, octets.data, octets.size);
}

/* Message 3, base64, with KIND's certificates and its proof of the key instead; the caller frees.
 * Finished does not fit, so that even a good certificate is refused, but not for what it is. */
static char *swap_certificates(const struct zoo_kind *kind, const struct flights *flights)
{
    struct buffer all AUTO_BUFFER = {.limit = 262144};
    struct record certificate, key_exchange, proof;
    struct bytes rest =
        bytes_of(flights->octets.data + flights->third, flights->octets.size - flights->third);

    append(&all, flights->octets.data, flights->third);
    ck_assert(record_take(&rest, &certificate) && certificate.fragment.data[0] == 11);
    struct bytes at = rest;
    ck_assert(record_take(&rest, &key_exchange) && key_exchange.fragment.data[0] == 16);
    append_certificates(&all, kind);
    append(&all, at.data, at.size - rest.size);
    at = rest;
    ck_assert(record_take(&rest, &proof) && proof.fragment.data[0] == 15);
    if (!append_proof(&all, kind, buffer_bytes(&all)))
        append(&all, at.data, at.size - rest.size);
    append(&all, rest.data, rest.size);
    struct bytes message = bytes_of(all.data + flights->third, all.size - flights->third);
    char *text = malloc(BASE64_OCTETS(message.size) + 1);
    ck_assert_ptr_nonnull(text);
    base64_encode_text(message, text);
    return text;
}

static void shake_hands(const struct zoo_kind *kind, struct outcome *outcome)
{
    struct flights flights CLEANUP(flights_release) = {0};
    struct foreign foreign;
    char credential[128], path[128];

    *outcome = (struct outcome){0};
    snprintf(credential, sizeof(credential), "zoo/%s", is_swapped(kind) ? stand_in : kind->name);
    foreign_start(&foreign, &daemon_, "openssl", credential,
        (const char *[]){"--server-name", RUN_SERVER_NAME, NULL});
    const char *message1 = foreign_read(&foreign);
    take_flight(&flights, message1);
    answer_with(kind->from, RUN_ENTRY, message1, true, &outcome->answer);
    ck_assert_msg(outcome->answer.status == 201, "%s: Message 1: %ld %s", kind->name,
        outcome->answer.status, outcome->answer.body);
    take_flight(&flights, run_member(&outcome->answer, "eckm"));
    foreign_write(&foreign, run_member(&outcome->answer, "eckm"));
    snprintf(path, sizeof(path), RUN_ENTRY "/%s", run_member(&outcome->answer, "rn"));
    http_answer_release(&outcome->answer);

    const char *message3 = foreign_read(&foreign);
    take_flight(&flights, message3);
    char *swapped = is_swapped(kind) ? swap_certificates(kind, &flights) : NULL;
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
static void expect_key(const struct zoo_kind *kind, const struct outcome *outcome,
    const char *flavour, const char *peer)
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

static void expect_log(const struct zoo_kind *kind, const char *reason)
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
static void expect_refusal(const struct zoo_kind *kind, struct outcome *outcome, int rsc,
    const char *verdict, char *reason)
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
static json_t *check_certificate(const struct zoo_kind *kind, int *status)
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

static void expect_same(const struct zoo_kind *kind, const char *flavour, const char *identity)
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
    const struct zoo_kind *kind, int rsc, const char *verdict, const char *reason)
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

static void check(const struct zoo_kind *kind)
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
    struct zoo_kind kind;
    bool is_past = false;
    FILE *table = fopen("tests/zoo/kinds", "re");

    ck_assert_ptr_nonnull(table);
    daemon_start(&daemon_, &(struct daemon_options){.zoo = true});
    client = http_open();
    while (getline(&line, &capacity, table) >= 0) {
        is_past |= strncmp(line, parting, strlen(parting)) == 0;
        if (is_past != is_second || !read_kind(line, &kind))
            continue;
        check(&kind);
        kinds++;
    }
    ck_assert_uint_ge(kinds, KINDS_LEAST);
    free(line);
    fclose(table);
    http_close(client);
    daemon_stop(&daemon_);
}

/* --- whatever becomes of it, the same from both --- */

static void run_command(const char *command)
{
    ck_assert_msg(system(command) == 0, "%s", command);
}

static unsigned long number_of(const char *variable, unsigned long otherwise)
{
    const char *text = getenv(variable);
    return text ? strtoul(text, NULL, 10) : otherwise;
}

/* The daemon and a policy of the zoo's, with COUNT kinds that SEED gives rather than its own. */
static void start_generated(unsigned long seed, unsigned long count)
{
    char command[1024];

    daemon_prepare(&daemon_, &(struct daemon_options){0});
    snprintf(command, sizeof(command),
        "cd tests/zoo && ./generate %lu %lu >%s/kinds && ./make %s/zoo %s/kinds", seed, count,
        daemon_.folder, daemon_.folder, daemon_.folder);
    run_command(command);
    snprintf(command, sizeof(command),
        "mkdir %s/policy.d && cp tests/zoo/policy.json %s/policy.d/zoo.json", daemon_.folder,
        daemon_.folder);
    run_command(command);
    daemon_launch(&daemon_, false);
    daemon_await_ready(&daemon_);
    client = http_open();
}

/* The name of the alert in an answer's eckm; "" when the exchange goes on. */
static const char *alert_in(const struct http_answer *answer)
{
    struct buffer octets AUTO_BUFFER = {.limit = 65536};
    struct record record;

    if (answer->status == 200)
        return "";
    ck_assert_int_eq(
        base64_decode(bytes_of_string(run_member(answer, "eckm")), &octets), RESULT_OK);
    struct bytes rest = buffer_bytes(&octets);
    ck_assert(record_take(&rest, &record) && record.type == 21 && record.fragment.size == 2);
    return alert_name(record.fragment.data[1]);
}

static void expect_agreement(const struct zoo_kind *kind, unsigned long seed)
{
    struct outcome outcome;
    int status;

    shake_hands(kind, &outcome);
    json_t *answer = json_loads(outcome.answer.body, 0, NULL);
    json_t *tool = check_certificate(kind, &status);
    const char *reason = string(answer, "m2m:dbg"), *alert = alert_in(&outcome.answer);
    /* A swapped Message 3 has a bad Finished: whose certificate is good is refused for that. */
    bool accepts =
        outcome.answer.status == 200 || (is_swapped(kind) && strcmp(alert, "bad_record_mac") == 0);
    bool agrees = accepts ? strcmp(string(tool, "verdict"), "accepted") == 0
                          : strcmp(string(tool, "verdict"), "refused") == 0 &&
                                strcmp(string(tool, "reason"), reason) == 0 &&
                                strcmp(string(tool, "alert"), alert) == 0;
    ck_assert_msg(agrees,
        "ZOO_SEED=%lu, %s (%s, From %s): the daemon: %ld \"%s\", %s; e2ekeyctl: %s \"%s\", %s",
        seed, kind->name, kind->making, kind->from, outcome.answer.status, reason, alert,
        string(tool, "verdict"), string(tool, "reason"), string(tool, "alert"));
    json_decref(answer);
    json_decref(tool);
    http_answer_release(&outcome.answer);
}

START_TEST(daemon_and_tool_agree_on_what_chance_makes)
{
    unsigned long seed = number_of("ZOO_SEED", (unsigned long)time(NULL)),
                  count = number_of("ZOO_COUNT", 100), kinds = 0;
    char *line = NULL;
    size_t capacity = 0;
    struct zoo_kind kind;

    start_generated(seed, count);
    stand_in = "plain";
    FILE *table = fopen(daemon_file(&daemon_, "kinds"), "re");
    ck_assert_ptr_nonnull(table);
    while (getline(&line, &capacity, table) >= 0) {
        if (!read_kind(line, &kind))
            continue;
        expect_agreement(&kind, seed);
        kinds++;
    }
    ck_assert_uint_ge(kinds, count);
    free(line);
    fclose(table);
    http_close(client);
    daemon_stop(&daemon_);
}
END_TEST

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
    every_kind_of_certificate_and_path_gets_its_verdict, daemon_and_tool_agree_on_what_chance_makes)
