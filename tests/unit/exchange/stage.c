/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/exchange/stage.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "observe/log.h"
#include "policy_load/load.h"
#include "tls/context.h"
#include "tls/message.h"
#include "unit/x509/maker.h"

/* Valid by the host's clock. */
#define LONG_AGO INT64_C(1000000000)
#define LATE     INT64_C(4000000000)

#define LEAF(usage, name)                                                                          \
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"                     \
    "extendedKeyUsage=" usage "\n" MAKER_IDS "subjectAltName=" name "\n"

struct stage stage;

static const char policy_text[] =
    "{\"cse\": {\"spId\": \"m2m.example\", \"cseId\": \"/in-cse\", \"cseBase\": \"cse-in\","
    " \"esprim\": true}, \"http\": {\"listen\": [\"127.0.0.1:0\"]}, \"socket\": {\"path\": "
    "\"/run/keys.sock\"},"
    " \"endpoints\": [{\"name\": \"in-cse\", \"identity\": \"//m2m.example/in-cse\","
    " \"serverName\": \"in-cse.m2m.example\", \"certificate\": \"in-cse.der\","
    " \"privateKey\": \"in-cse.key\"}],"
    " \"trust\": [{\"name\": \"field\", \"anchors\": \"root\"}],"
    " \"initiators\": [{\"flavour\": \"aeId\", \"identity\": \"//m2m.example/in-cse/*\","
    " \"trust\": \"field\"}],"
    " \"clients\": [{\"user\": \"root\", \"allow\": [\"get\"]}]}";

static const struct recipe authorities[] = {
    {.name = "root", .extensions = MAKER_CA, .not_before = LONG_AGO, .not_after = LATE},
    {.name = "other", .extensions = MAKER_CA, .not_before = LONG_AGO, .not_after = LATE},
    {0},
};

/* --- the fixture --- */

/* A path in the stage's folder; one of a few static buffers. */
static const char *file(const char *name, const char *suffix)
{
    static char paths[4][96];
    static size_t next;
    char *path = paths[next++ % ARRAY_SIZE(paths)];

    snprintf(path, sizeof(paths[0]), "%s/%s%s", stage.folder, name, suffix);
    return path;
}

/* NAME.der and NAME.key. */
static void certify(const char *name, const char *issuer, const char *extensions)
{
    struct buffer der AUTO_BUFFER = maker_make(&(struct recipe){.name = name,
        .issuer = issuer,
        .extensions = extensions,
        .not_before = LONG_AGO,
        .not_after = LATE});

    maker_write_file(file(name, ".der"), buffer_bytes(&der));
    maker_write_key(file(name, ".key"), name);
}

static void open_credential(enum stage_credential which, const char *name)
{
    struct fault fault = FAULT_INIT;

    ck_assert_msg(initiator_credential_new(file(name, ".der"), file(name, ".key"), file("root", ""),
                      &stage.credentials[which], &fault) == RESULT_OK,
        "%s", fault.text);
}

static struct snapshot *load(void)
{
    struct report report CLEANUP(report_release) = {0};
    struct policy *policy = NULL;
    struct tls_context *tls = NULL;
    bool is_loaded = policy_load(file("policy.json", ""), &policy, &report) == RESULT_OK &&
                     tls_context_new(policy, &tls, &report) == RESULT_OK;

    ck_assert_msg(is_loaded, "%s", report.count > 0 ? report.entries[0].text : "no reason");
    return snapshot_new(policy, tls, tls_context_free, 1);
}

void stage_open(void)
{
    struct fault fault = FAULT_INIT;

    log_set_level(LOG_ERR);
    strcpy(stage.folder, "/tmp/e2ekeyd.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(stage.folder));
    maker_start(authorities);
    maker_write(file("root", ""), "root");
    certify("in-cse", "root", LEAF("serverAuth,clientAuth", "DNS:in-cse.m2m.example"));
    certify("meter", "root", LEAF("clientAuth", "URI://m2m.example/in-cse/Cmeter"));
    certify("unlisted", "root", LEAF("clientAuth", "URI://m2m.example/mn-cse/Cmeter"));
    certify("stranger", "other", LEAF("clientAuth", "URI://m2m.example/in-cse/Cmeter"));
    maker_write_file(file("policy.json", ""), bytes_of_string(policy_text));

    ck_assert_int_eq(tls_start(&fault), RESULT_OK);
    stage.slot = snapshot_slot_new(load());
    ck_assert_ptr_nonnull(stage.slot);
    ck_assert_int_eq(key_cache_new(8, 4, &stage.cache, &fault), RESULT_OK);
    ck_assert_int_eq(rand_objects_new(&stage.rand_objects), RESULT_OK);
    ck_assert_int_eq(
        procedure_new(stage.slot, stage.cache, stage.rand_objects, &stage.procedure, &fault),
        RESULT_OK);
    open_credential(STAGE_METER, "meter");
    open_credential(STAGE_UNLISTED, "unlisted");
    open_credential(STAGE_STRANGER, "stranger");
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

void stage_close(void)
{
    for (size_t i = 0; i < STAGE_CREDENTIALS; i++)
        initiator_credential_free(stage.credentials[i]);
    procedure_free(stage.procedure);
    rand_objects_free(stage.rand_objects);
    key_cache_free(stage.cache);
    snapshot_slot_free(stage.slot);
    maker_stop();
    nftw(stage.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- requests --- */

static void write_content(const struct stage_request *request, struct buffer *out)
{
    const char *start = request->operation == OPERATION_NOTIFY
                            ? "{\"m2m:seci\":{\"sit\":6,\"eckm\":\""
                            : "{\"m2m:e2ek\":{\"eckm\":\"";
    char *text = malloc(BASE64_OCTETS(request->message.size) + 1);

    ck_assert_ptr_nonnull(text);
    base64_encode_text(request->message, text);
    ck_assert_int_eq(buffer_append(out, start, strlen(start)), RESULT_OK);
    ck_assert_int_eq(buffer_append(out, text, strlen(text)), RESULT_OK);
    ck_assert_int_eq(buffer_append(out, "\"", 1), RESULT_OK);
    if (request->more)
        ck_assert_int_eq(buffer_append(out, request->more, strlen(request->more)), RESULT_OK);
    ck_assert_int_eq(buffer_append(out, "}}", 2), RESULT_OK);
    free(text);
}

struct response stage_ask(const struct stage_request *request)
{
    struct buffer content AUTO_BUFFER = {.limit = 65536};
    struct response response = {0};

    if (!request->json && request->message.size > 0)
        write_content(request, &content);
    procedure_answer(stage.procedure,
        &(struct request){.operation = request->operation,
            .to = request->to,
            .from = request->from,
            .request_id = request->id,
            .release = request->release,
            .expiration = request->expiration,
            .response_type = request->rt,
            .result_content = request->rcn,
            .resource_type = request->ty,
            .attribute_list = request->atrl,
            .content = request->json ? bytes_of_string(request->json) : buffer_bytes(&content)},
        NULL, &response);
    return response;
}

static bool read_message(const struct response *response, struct buffer *out)
{
    static const char member[] = "\"eckm\":\"";
    const char *text = (const char *)response->content.data;
    const char *start = memmem(text, response->content.size, member, sizeof(member) - 1);

    if (!start)
        return false;
    start += sizeof(member) - 1;
    const char *end = memchr(start, '"', response->content.size - (size_t)(start - text));
    ck_assert_ptr_nonnull(end);
    out->limit = 65536;
    ck_assert_int_eq(base64_decode(bytes_of(start, (size_t)(end - start)), out), RESULT_OK);
    return true;
}

struct buffer stage_message(const struct response *response)
{
    struct buffer message = {0};

    ck_assert_int_eq(response->result, RESULT_OK);
    ck_assert(read_message(response, &message));
    return message;
}

int stage_alert(const struct response *response)
{
    struct buffer message AUTO_BUFFER = {0};

    return read_message(response, &message) ? message_find_alert(buffer_bytes(&message))
                                            : FAULT_NO_ALERT;
}

/* --- exchanges --- */

void stage_begin(struct stage_run *run, enum stage_credential credential, const char *server_name)
{
    struct fault fault = FAULT_INIT;

    *run = (struct stage_run){.message1.limit = 65536, .message3.limit = 65536};
    ck_assert_int_eq(initiator_start(stage.credentials[credential], server_name, &run->initiator,
                         &run->message1, &fault),
        RESULT_OK);
}

void stage_take_message2(struct stage_run *run, const struct response *response)
{
    struct buffer message2 AUTO_BUFFER = stage_message(response);
    struct fault fault = FAULT_INIT;
    const char *name = strrchr(response->location, '/');

    if (name)
        snprintf(run->path, sizeof(run->path), STAGE_ENTRY_POINT "%s", name);
    ck_assert_msg(initiator_answer(run->initiator, buffer_bytes(&message2), "//m2m.example/in-cse",
                      &run->message3, &fault) == RESULT_OK,
        "%s", fault.text);
}

void stage_begin_and_create(
    struct stage_run *run, enum stage_credential credential, const char *from, const char *id)
{
    stage_begin(run, credential, NULL);
    struct response response CLEANUP(response_release) =
        stage_ask(&(struct stage_request){.operation = OPERATION_CREATE,
            .to = STAGE_CSE_BASE,
            .from = from,
            .id = id,
            .ty = "30001",
            .message = buffer_bytes(&run->message1)});
    stage_take_message2(run, &response);
}

void stage_take_message4(struct stage_run *run, const struct response *response)
{
    struct buffer message4 AUTO_BUFFER = stage_message(response);
    struct fault fault = FAULT_INIT;
    struct exported_key exported;
    struct key_info info;
    uint8_t key[KEY_OCTETS];

    ck_assert_int_eq(
        initiator_finish(run->initiator, buffer_bytes(&message4), &exported, &fault), RESULT_OK);
    ck_assert(key_cache_find_by_id(stage.cache, exported.id, &info, key));
    ck_assert_mem_eq(key, exported.key, sizeof(key));
    ck_assert_str_eq(info.local, "//m2m.example/in-cse");
}

void stage_end(struct stage_run *run)
{
    initiator_free(run->initiator);
    buffer_release(&run->message1);
    buffer_release(&run->message3);
}
