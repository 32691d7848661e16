/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The main job, on the real daemon: exchanges by every way in, and what holds them together. */
#include "support/check_main.h"

#include <jansson.h>
#include <string.h>

#include "support/run.h"
#include "tls/context.h"

#define ENTRY RUN_ENTRY

static struct daemon daemon_;
static CURL *client;
static struct initiator_credential *meter;

static void set_up(const struct daemon_options *options)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_start(&daemon_, options);
    client = http_open();
    meter = exchange_credential(&daemon_, "meter");
}

static void tear_down(void)
{
    initiator_credential_free(meter);
    http_close(client);
    daemon_stop(&daemon_);
}

static void call(const char *method, const char *path, const char *from, const char *id,
    const char *type, const char *content, struct http_answer *answer)
{
    m2m_call(client, daemon_.port,
        &(struct m2m_request){.method = method,
            .path = path,
            .from = from,
            .request_id = id,
            .content_type = type,
            .body = content},
        answer);
}

static void send_message(const char *method, const char *path, const char *from, const char *id,
    const struct buffer *message, struct http_answer *answer)
{
    run_send(client, &daemon_, strcmp(method, "POST") == 0 ? RUN_CREATE : RUN_UPDATE, path, from,
        id, message, answer);
}

static void notify(const char *path, const char *from, const char *id, const struct buffer *message,
    struct http_answer *answer)
{
    run_send(client, &daemon_, RUN_NOTIFY, path, from, id, message, answer);
}

static void expect(const struct http_answer *answer, long status, const char *rsc)
{
    const char *got = http_answer_header(answer, "X-M2M-RSC");

    ck_assert_msg(answer->status == status && got && strcmp(got, rsc) == 0,
        "expected %ld/%s, got %ld/%s: %s", status, rsc, answer->status, got ? got : "-",
        answer->body ? answer->body : "");
}

START_TEST(create_and_update_establish_a_key)
{
    struct run run;
    struct http_answer answer;
    char path[200];

    set_up(&(struct daemon_options){0});
    run_begin(&run, meter, RUN_SERVER_NAME);
    send_message("POST", ENTRY, "Cmeter", "r1", &run.message1, &answer);
    expect(&answer, 201, "2001");
    ck_assert_str_eq(http_answer_header(&answer, "X-M2M-RI"), "r1");
    ck_assert_str_eq(http_answer_header(&answer, "X-M2M-RVI"), "3");
    ck_assert_str_eq(run_member(&answer, "est"), "1");
    ck_assert_str_eq(run_member(&answer, "ty"), "30001");
    ck_assert_str_eq(run_member(&answer, "lid"), "//m2m.example/in-cse");
    ck_assert_uint_eq(strlen(run_member(&answer, "rn")), 32);
    snprintf(path, sizeof(path), "/in-cse" ENTRY "/%s", run_member(&answer, "rn"));
    ck_assert_str_eq(http_answer_header(&answer, "Content-Location"), path);
    run_take_message2(&run, answer.body);
    http_answer_release(&answer);

    send_message("PUT", path, "Cmeter", "r2", &run.message3, &answer);
    expect(&answer, 200, "2004");
    ck_assert_str_eq(run_member(&answer, "est"), "2");
    run_take_message4(&run, answer.body);
    char id[33];
    bytes_to_hex(bytes_of(run.exported.id, 16), id);
    ck_assert_str_eq(run_member(&answer, "kid"), id);
    http_answer_release(&answer);
    run_expect_key(&run, &daemon_, "Cmeter");
    run_expect_key(&run, &daemon_, "/in-cse/Cmeter");
    run_expect_key(&run, &daemon_, "//m2m.example/in-cse/Cmeter");
    run_end(&run);
    tear_down();
}
END_TEST

START_TEST(every_path_leads_in)
{
    static const char *const parents[] = {"/cse-in", "/-", "/~/in-cse", "/~/in-cse/cse-in",
        "/~/in-cse/-", "/_/m2m.example/in-cse", "/_/m2m.example/in-cse/cse-in",
        "/%7E/in-cse/cse-in", "/poa/prefix/~/in-cse/cse-in", "/in-cse", "/in-cse/cse-in",
        "/~//in-cse", "//cse-in/"};

    set_up(&(struct daemon_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(parents); i++)
        for (int form = 0; form < 4; form++) {
            static const char *const create_at[] = {"", "/", "/e2EKeyCSE", "/e2EKeyCSE/"};
            struct run run;
            struct http_answer answer;
            char path[200];

            run_begin(&run, meter, RUN_SERVER_NAME);
            snprintf(path, sizeof(path), "%s%s", parents[i], create_at[form]);
            send_message("POST", path, "/in-cse/Cmeter", "r1", &run.message1, &answer);
            expect(&answer, 201, "2001");
            run_take_message2(&run, answer.body);
            snprintf(path, sizeof(path), "%s/e2EKeyCSE/%s", parents[i], run_member(&answer, "rn"));
            if (form == 1)
                snprintf(path, sizeof(path), "/~/in-cse/%s", run_member(&answer, "ri"));
            if (form == 2)
                snprintf(
                    path, sizeof(path), "/_/m2m.example/in-cse/%s/", run_member(&answer, "ri"));
            if (form == 3)
                snprintf(path, sizeof(path), "%s/e2EKeyCSE", parents[i]);
            http_answer_release(&answer);
            send_message("PUT", path, "//m2m.example/in-cse/Cmeter", "r2", &run.message3, &answer);
            expect(&answer, 200, "2004");
            run_take_message4(&run, answer.body);
            http_answer_release(&answer);
            run_expect_key(&run, &daemon_, "Cmeter");
            run_end(&run);
        }
    tear_down();
}
END_TEST

START_TEST(notify_establishes_a_key)
{
    static const char *const paths[] = {ENTRY, "/notify", "/notify/in-cse", "/notify/cse-in/ae1",
        "/notify//~/in-cse/Cae1", "/notify/in-cse/cse-in/ae1", "/~/in-cse/cse-in/e2EKeyCSE", "/",
        /* the <CSEBase> */
        "/cse-in", "/-", "/in-cse", "/~/in-cse", "/~/in-cse/", "/~/in-cse/-", "/~/in-cse/cse-in",
        "/_/m2m.example/in-cse", "/_/m2m.example/in-cse/-", "/_/m2m.example/in-cse/cse-in/",
        "/poa/~/in-cse", "/~//in-cse", "/%7e/in-cse"};

    set_up(&(struct daemon_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct run run;
        struct http_answer answer;

        run_begin(&run, meter, RUN_SERVER_NAME);
        notify(paths[i], "Cmeter", "n1", &run.message1, &answer);
        expect(&answer, 200, "2000");
        ck_assert_ptr_nonnull(strstr(answer.body, "\"sit\":6"));
        run_take_message2(&run, answer.body);
        http_answer_release(&answer);
        notify(paths[i], "Cmeter", "n2", &run.message3, &answer);
        expect(&answer, 200, "2000");
        run_take_message4(&run, answer.body);
        http_answer_release(&answer);
        run_expect_key(&run, &daemon_, "Cmeter");
        run_end(&run);
    }
    tear_down();
}
END_TEST

/* Message 2 to a Notify of Message 1 that asks for SERVER_NAME: whose certificate it has, NULL when
 * the end-point that PATH means is not the one asked for. */
static void expect_presented(const char *path, const char *server_name, const char *presented)
{
    struct run run;
    struct http_answer answer;

    run_begin(&run, meter, server_name);
    notify(path, "Cmeter", "n1", &run.message1, &answer);
    if (presented) {
        ck_assert_msg(answer.status == 200, "%s, %s: %s", path, server_name, answer.body);
        exchange_message(answer.body, &run.message2);
        ck_assert_msg(
            memmem(run.message2.data, run.message2.size, presented, strlen(presented)) != NULL,
            "%s, %s: not %s", path, server_name, presented);
    } else {
        expect(&answer, 403, "4106");
        ck_assert_msg(strstr(answer.body, "names another end-point than the address does") != NULL,
            "%s", answer.body);
    }
    http_answer_release(&answer);
    run_end(&run);
}

START_TEST(addresses_choose_the_end_point)
{
#define OF_CSE "in-cse.m2m.example"
#define OF_AE  "mn-cse.in-cse.m2m.example"
    static const struct {
        const char *path;
        bool is_of_ae; /* rather than of no end-point */
    } rows[] = {
        {"/cse-in/ae1", true},
        {"/-/ae1/", true},
        {"/Cae1", true},
        {"/in-cse/Cae1", true},
        {"/~/in-cse/cse-in/ae1", true},
        {"/~/in-cse/Cae1", true},
        {"/_/m2m.example/in-cse/-/ae1", true},
        {"/poa/_/M2M.example/in-cse/Cae1", true},
        {"/notify/ae", true},
        {"/notify/ae/cse-in/ae9", true},
        {"/notify/cse-in/ae1", true},
        {"/notify//in-cse/Cae1", true},
        {"/notify/~/in-cse/cse-in/ae1", true},
        {"/notify/cse-in/ae9", false},
        {"/notify/Cae9", false},
        {"/notify", false},
        {"/~/in-cse", false},
    };

    set_up(&(struct daemon_options){
        .policy = "{\"limits\":{\"pendingPerOriginator\":64},\"endpoints\":["
                  "{\"name\":\"cse\",\"identity\":\"//m2m.example/in-cse\",\"serverName\":"
                  "\"" OF_CSE "\",\"certificate\":\"in-cse.pem\",\"privateKey\":\"in-cse.key\"},"
                  "{\"name\":\"ae\",\"identity\":\"//m2m.example/mn-cse\",\"serverName\":"
                  "\"" OF_AE "\",\"certificate\":\"mn-cse.pem\",\"privateKey\":\"mn-cse.key\","
                  "\"resource\":[\"cse-in/ae1\",\"Cae1\"]}]}"});
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *path = rows[i].path;
        expect_presented(path, OF_AE, OF_AE);
        expect_presented(path, OF_CSE, rows[i].is_of_ae ? NULL : "\x82\x12" OF_CSE);
        expect_presented(path, NULL, rows[i].is_of_ae ? OF_AE : "\x82\x12" OF_CSE);
    }
    tear_down();
}
END_TEST

START_TEST(retransmissions_get_the_same_octets)
{
    struct run run;
    struct http_answer first, again;
    char path[200];

    set_up(&(struct daemon_options){0});
    run_begin(&run, meter, RUN_SERVER_NAME);
    send_message("POST", ENTRY, "Cmeter", "r1", &run.message1, &first);
    send_message("POST", ENTRY, "/in-cse/Cmeter", "r1", &run.message1, &again);
    expect(&again, 201, "2001");
    ck_assert_str_eq(first.body, again.body);
    ck_assert_str_eq(http_answer_header(&first, "Content-Location"),
        http_answer_header(&again, "Content-Location"));
    http_answer_release(&again);
    snprintf(path, sizeof(path), ENTRY "/%s", run_member(&first, "rn"));
    char *message2 = strdup(first.body);
    run_take_message2(&run, first.body);
    http_answer_release(&first);

    send_message("PUT", path, "Cmeter", "r2", &run.message3, &first);
    send_message("PUT", path, "Cmeter", "r2", &run.message3, &again);
    expect(&again, 200, "2004");
    ck_assert_str_eq(first.body, again.body);
    http_answer_release(&again);
    run_take_message4(&run, first.body);
    http_answer_release(&first);

    /* A late copy of Message 1 gets what it got then, and no second handshake. */
    send_message("POST", ENTRY, "Cmeter", "r1", &run.message1, &again);
    expect(&again, 201, "2001");
    ck_assert_str_eq(message2, again.body);
    http_answer_release(&again);
    free(message2);

    /* The same Message 3 with another request identifier is no retransmission. */
    send_message("PUT", path, "Cmeter", "r3", &run.message3, &again);
    expect(&again, 409, "4105");
    http_answer_release(&again);
    run_expect_key(&run, &daemon_, "Cmeter");
    run_end(&run);
    tear_down();
}
END_TEST

START_TEST(notify_retransmissions_get_the_same_octets)
{
    struct run run;
    struct http_answer first, again;

    set_up(&(struct daemon_options){0});
    run_begin(&run, meter, RUN_SERVER_NAME);
    notify("/notify", "Cmeter", "n1", &run.message1, &first);
    notify("/notify", "Cmeter", "n1", &run.message1, &again);
    ck_assert_str_eq(first.body, again.body);
    run_take_message2(&run, first.body);
    http_answer_release(&first);
    http_answer_release(&again);
    notify("/notify", "Cmeter", "n2", &run.message3, &first);
    notify("/notify", "/in-cse/Cmeter", "n2", &run.message3, &again);
    expect(&again, 200, "2000");
    ck_assert_str_eq(first.body, again.body);
    run_take_message4(&run, first.body);
    http_answer_release(&first);
    http_answer_release(&again);
    run_end(&run);
    tear_down();
}
END_TEST

/* Whoever sends in the originator's name can open exchanges, but neither end nor divert one. */
START_TEST(forgers_do_not_disturb_an_honest_exchange)
{
    struct run honest, forged[2];
    struct http_answer answer;

    set_up(&(struct daemon_options){0});
    run_begin(&honest, meter, RUN_SERVER_NAME);
    run_begin(&forged[0], meter, RUN_SERVER_NAME);
    run_begin(&forged[1], meter, RUN_SERVER_NAME);
    notify("/notify", "Cmeter", "f0", &forged[0].message1, &answer);
    http_answer_release(&answer);
    notify("/notify", "Cmeter", "h1", &honest.message1, &answer);
    expect(&answer, 200, "2000");
    run_take_message2(&honest, answer.body);
    http_answer_release(&answer);
    notify("/notify", "Cmeter", "f1", &forged[1].message1, &answer);
    expect(&answer, 200, "2000");
    http_answer_release(&answer);

    /* A Message 3 of which a signed octet was changed signs no transcript here. */
    struct buffer bad = {.limit = 65536};
    ck_assert_int_eq(buffer_append(&bad, honest.message3.data, honest.message3.size), RESULT_OK);
    for (size_t i = 0; i + 4 < bad.size; i++)
        if (bad.data[i] == 16 && bad.data[i + 1] == 0 && bad.data[i + 2] == 0 &&
            bad.data[i + 3] == 66) { /* ClientKeyExchange: another point's octet */
            bad.data[i + 20] ^= 1;
            break;
        }
    notify("/notify", "Cmeter", "f2", &bad, &answer);
    expect(&answer, 403, "4106");
    http_answer_release(&answer);
    buffer_release(&bad);

    notify("/notify", "Cmeter", "h2", &honest.message3, &answer);
    expect(&answer, 200, "2000");
    run_take_message4(&honest, answer.body);
    http_answer_release(&answer);
    run_expect_key(&honest, &daemon_, "Cmeter");
    run_end(&honest);
    run_end(&forged[0]);
    run_end(&forged[1]);
    tear_down();
}
END_TEST

START_TEST(an_exchange_can_be_retrieved_and_deleted_by_its_originator)
{
    struct run run;
    struct http_answer answer;
    char path[200];

    set_up(&(struct daemon_options){0});
    run_begin(&run, meter, RUN_SERVER_NAME);
    send_message("POST", ENTRY, "Cmeter", "r1", &run.message1, &answer);
    snprintf(path, sizeof(path), ENTRY "/%s", run_member(&answer, "rn"));
    run_take_message2(&run, answer.body);
    http_answer_release(&answer);

    call("GET", path, "Cmeter", "r2", NULL, NULL, &answer);
    expect(&answer, 200, "2000");
    ck_assert_str_eq(run_member(&answer, "est"), "1");
    ck_assert_str_eq(run_member(&answer, "eckm"), "");
    http_answer_release(&answer);
    call("GET", path, "Cother", "r2", NULL, NULL, &answer);
    expect(&answer, 403, "4103");
    http_answer_release(&answer);
    call("DELETE", path, "Cother", "r2", NULL, NULL, &answer);
    expect(&answer, 403, "4103");
    http_answer_release(&answer);
    call("DELETE", path, "Cmeter", "r3", NULL, NULL, &answer);
    expect(&answer, 200, "2002");
    http_answer_release(&answer);
    call("GET", path, "Cmeter", "r4", NULL, NULL, &answer);
    expect(&answer, 404, "4004");
    http_answer_release(&answer);
    send_message("PUT", path, "Cmeter", "r5", &run.message3, &answer);
    expect(&answer, 404, "4004");
    http_answer_release(&answer);
    run_end(&run);
    tear_down();
}
END_TEST

START_TEST(deleting_an_established_exchange_leaves_the_key)
{
    struct run run;
    struct http_answer answer;
    char path[200];

    set_up(&(struct daemon_options){0});
    run_begin(&run, meter, RUN_SERVER_NAME);
    send_message("POST", ENTRY, "Cmeter", "r1", &run.message1, &answer);
    snprintf(path, sizeof(path), ENTRY "/%s", run_member(&answer, "rn"));
    run_take_message2(&run, answer.body);
    http_answer_release(&answer);
    send_message("PUT", path, "Cmeter", "r2", &run.message3, &answer);
    run_take_message4(&run, answer.body);
    http_answer_release(&answer);
    call("GET", path, "Cmeter", "r3", NULL, NULL, &answer);
    ck_assert_str_eq(run_member(&answer, "est"), "2");
    ck_assert_uint_eq(strlen(run_member(&answer, "kid")), 32);
    http_answer_release(&answer);
    call("DELETE", path, "Cmeter", "r4", NULL, NULL, &answer);
    expect(&answer, 200, "2002");
    http_answer_release(&answer);
    run_expect_key(&run, &daemon_, "Cmeter");
    run_end(&run);
    tear_down();
}
END_TEST

static void expect_security_info(const char *path, const char *member, const char *features)
{
    struct http_answer answer;

    call("GET", path, "Cmeter", "r1", NULL, NULL, &answer);
    expect(&answer, 200, "2000");
    json_t *root = json_loads(answer.body, 0, NULL);
    json_t *info = json_object_get(json_object_get(root, member), "esi");
    char *shown = json_dumps(json_object_get(info, "esf"), JSON_COMPACT);
    ck_assert_str_eq(shown, features);
    ck_assert_uint_eq(json_array_size(json_object_get(info, "escert")), 1);
    free(shown);
    json_decref(root);
    http_answer_release(&answer);
}

static void ask_for_a_random_object(const char *from, long status, const char *rsc, char **body)
{
    struct http_answer answer;

    call("POST", "/notify", from, "r2", "application/vnd.onem2m-ntfy+json",
        "{\"m2m:seci\":{\"sit\":3.0}}", &answer);
    expect(&answer, status, rsc);
    *body = strdup(answer.body);
    http_answer_release(&answer);
}

START_TEST(the_entry_point_shows_its_certificates)
{
    char *body;

    set_up(&(struct daemon_options){0});
    expect_security_info(ENTRY, "m2m:e2ek", "[44,45]");
    expect_security_info("/cse-in?atrl=esi", "m2m:cb", "[44,45]");
    ask_for_a_random_object("Cmeter", 501, "5001", &body);
    free(body);
    tear_down();
}
END_TEST

/* cse.esprim: the feature is shown, and random objects are given, each another. */
START_TEST(random_objects_are_given_where_the_policy_says_so)
{
    char *bodies[3];

    set_up(&(struct daemon_options){.policy = "{\"cse\": {\"esprim\": true}}"});
    expect_security_info(ENTRY, "m2m:e2ek", "[43,44,45]");
    expect_security_info("/cse-in?atrl=esi", "m2m:cb", "[43,44,45]");
    ask_for_a_random_object("Cmeter", 200, "2000", &bodies[0]);
    ask_for_a_random_object("/in-cse/Cmeter", 200, "2000", &bodies[1]);
    ask_for_a_random_object("/elsewhere/Cmeter", 403, "4103", &bodies[2]);
    ck_assert_ptr_nonnull(strstr(bodies[0], "\"sit\":4,\"ero\":{\"esri\":\"u"));
    ck_assert_str_ne(bodies[0], bodies[1]);
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
        free(bodies[i]);
    tear_down();
}
END_TEST

/* Exchanges under way finish under the policy that they began with. */
START_TEST(a_reload_leaves_exchanges_under_way)
{
    struct run run;
    struct http_answer answer;

    set_up(&(struct daemon_options){.inherit = true});
    run_begin(&run, meter, RUN_SERVER_NAME);
    send_message("POST", ENTRY, "Cmeter", "r1", &run.message1, &answer);
    run_take_message2(&run, answer.body);
    http_answer_release(&answer);
    daemon_change_policy(&daemon_, "{\"initiators\":[{\"flavour\":\"aeId\",\"trust\":\"field\","
                                   "\"identity\":\"//m2m.example/in-cse/Cnobody\"}]}");
    daemon_reload(&daemon_);
    send_message("PUT", ENTRY, "Cmeter", "r2", &run.message3, &answer);
    expect(&answer, 200, "2004");
    run_take_message4(&run, answer.body);
    http_answer_release(&answer);
    run_expect_key(&run, &daemon_, "Cmeter");
    run_end(&run);

    run_begin(&run, meter, RUN_SERVER_NAME);
    send_message("POST", ENTRY, "Cmeter", "r3", &run.message1, &answer);
    expect(&answer, 403, "4103");
    http_answer_release(&answer);
    send_message("POST", ENTRY, "Cnobody", "r4", &run.message1, &answer);
    run_take_message2(&run, answer.body);
    http_answer_release(&answer);
    send_message("PUT", ENTRY, "Cnobody", "r5", &run.message3, &answer);
    expect(&answer, 403, "4106");
    http_answer_release(&answer);
    run_end(&run);

    /* A policy with a fault changes nothing. */
    daemon_change_policy(&daemon_, "{\"initiators\":[{\"flavour\":\"none\"}]}");
    daemon_reload(&daemon_);
    call("GET", ENTRY, "Cmeter", "r6", NULL, NULL, &answer);
    expect(&answer, 200, "2000");
    http_answer_release(&answer);
    tear_down();
}
END_TEST

CHECK_MAIN("integration/exchange", create_and_update_establish_a_key, every_path_leads_in,
    notify_establishes_a_key, addresses_choose_the_end_point, retransmissions_get_the_same_octets,
    notify_retransmissions_get_the_same_octets, forgers_do_not_disturb_an_honest_exchange,
    an_exchange_can_be_retrieved_and_deleted_by_its_originator,
    deleting_an_established_exchange_leaves_the_key, the_entry_point_shows_its_certificates,
    random_objects_are_given_where_the_policy_says_so, a_reload_leaves_exchanges_under_way)
