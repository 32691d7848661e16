/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The procedure at the Initiating End-Point (TS-0003 8.7.2.2). */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/secret.h"
#include "ctl/common.h"
#include "ctl/http_client.h"
#include "ctl/key_output.h"
#include "ctl/syntax.h"
#include "ctl/verbs.h"
#include "onem2m/content.h"
#include "onem2m/status.h"
#include "tls/context.h"
#include "tls/initiator.h"
#include "tls/message.h"

#define MESSAGE_OCTETS_MAX 65536 /* the longest E2EKey message */

static struct {
    const char *url, *from, *certificate, *private_key, *anchors, *server_identity, *server_name;
    const char *server_public_key_id;
    const char *resource_type, *timeout, *retries, *output;
    const char *http_ca, *http_certificate, *http_private_key;
    bool raw_public_key, notify, show_key, trace;
} asked = {.resource_type = "30001", .timeout = "30", .retries = "3"};

static const struct flag flags[] = {
    {"url", "URL", &asked.url, NULL, "of <e2EKeyCSE> or <CSEBase>; with --notify, where to notify"},
    {"from", "ID", &asked.from, NULL, "who we are: AE-ID or CSE-ID"},
    {"certificate", "FILE", &asked.certificate, NULL, "our certificate, then its issuers (PEM)"},
    {"private-key", "FILE", &asked.private_key, NULL, "and its private key"},
    {"raw-public-key", NULL, NULL, &asked.raw_public_key,
        "presents its public key alone (RFC 7250)"},
    {"anchors", "FILE", &asked.anchors, NULL, "CAs that the other side's certificate is from"},
    {"server-public-key-id", "NI", &asked.server_public_key_id, NULL,
        "or which raw public key it has"},
    {"server-identity", "ID", &asked.server_identity, NULL, "who the other side is: //SP/CSE[/AE]"},
    {"server-name", "NAME", &asked.server_name, NULL, "its domain name, sent as SNI"},
    {"notify", NULL, NULL, &asked.notify, "by Notify rather than by the resource"},
    {"resource-type", "N", &asked.resource_type, NULL, "of <e2EKeyCSE> (30001)"},
    {"http-ca", "FILE", &asked.http_ca, NULL, "for HTTPS: CAs (the system's)"},
    {"http-certificate", "FILE", &asked.http_certificate, NULL, "for HTTPS: our certificate"},
    {"http-private-key", "FILE", &asked.http_private_key, NULL, "for HTTPS: and its private key"},
    {"timeout", "SECONDS", &asked.timeout, NULL, "for each request (30)"},
    {"retries", "N", &asked.retries, NULL, "how often each is sent again to one that is busy (3)"},
    {"output", "FILE", &asked.output, NULL, "writes the key's 32 octets there, mode 0600"},
    {"show-key", NULL, NULL, &asked.show_key, "prints the key"},
    {"trace", NULL, NULL, &asked.trace, "shows the HTTP requests and answers on stderr"},
};

static const struct syntax syntax = {
    .usage = "exchange --url URL --from ID --certificate FILE --private-key FILE --anchors FILE\n"
             "       --server-identity ID [--server-name NAME] [--notify] [--show-key] ...\n"
             "With raw public keys (RFC 7250): --raw-public-key rather than --certificate,\n"
             "       --server-public-key-id rather than --anchors",
    .about =
        "Establishes a pairwise key with a CSE or AE, as Initiating End-Point, in two requests:\n"
        "Message 1 goes out and Message 2 comes back, then Messages 3 and 4.",
    .flags = flags,
    .flag_count = ARRAY_SIZE(flags),
};

struct initiated_exchange {
    struct http_client *http;
    struct initiator *initiator;
    char update_url[HTTP_URL_OCTETS]; /* where Message 3 goes */
    bool has_resource;                /* update_url is of the resource that Message 1 created */
    struct answer_content content;    /* of the last answer */
    struct exported_key key;
};

static void exchange_release(struct initiated_exchange *exchange)
{
    if (exchange->http)
        http_client_free(exchange->http);
    initiator_free(exchange->initiator);
    buffer_release(&exchange->content.message);
    secret_wipe(&exchange->key, sizeof(exchange->key));
}

/* --- the other side's answers --- */

static int fail_refused(
    const struct http_client_answer *answer, const struct answer_content *content)
{
    int alert = message_find_alert(buffer_bytes(&content->message));
    char tried[32] = "";
    if (answer->attempts > 1)
        snprintf(tried, sizeof(tried), ", tried %u times", answer->attempts);
    return fail(STATUS_REFUSED, "refused: RSC %d (HTTP %ld)%s%s%s%s%s", answer->rsc, answer->status,
        tried, content->reason[0] != '\0' ? ": " : "", content->reason,
        alert != FAULT_NO_ALERT ? "; TLS alert " : "",
        alert != FAULT_NO_ALERT ? alert_name(alert) : "");
}

/* Sends MESSAGE, and reads the content of the answer into exchange->content. */
static int send_message(struct initiated_exchange *exchange, struct http_client_request *request,
    struct bytes message, int success, struct http_client_answer *answer)
{
    struct buffer body AUTO_BUFFER = {.limit = 2 * MESSAGE_OCTETS_MAX};
    request->media_type = content_type(0)->name;
    if (content_write_message(content_serialization(bytes_of_string(request->media_type)),
            asked.notify ? CONTENT_SECI : CONTENT_E2EK, message, &body) != RESULT_OK)
        return fail(STATUS_REFUSED, "out of memory");
    request->body = buffer_bytes(&body);
    int status = http_client_send(exchange->http, request, answer);
    request->body = (struct bytes){0};
    if (status != STATUS_DONE)
        return status;

    struct fault fault = FAULT_INIT;
    buffer_release(&exchange->content.message);
    exchange->content = (struct answer_content){.message.limit = MESSAGE_OCTETS_MAX};
    enum result result =
        content_read_answer(content_serialization(bytes_of_string(answer->media_type)),
            buffer_bytes(&answer->body), &exchange->content, &fault);
    if (answer->rsc != success)
        return fail_refused(answer, &exchange->content);
    if (result != RESULT_OK)
        return fail(STATUS_REFUSED, "the answer (RSC %d): %s", answer->rsc, fault.text);
    if (exchange->content.message.size == 0)
        return fail(STATUS_REFUSED, "the answer (RSC %d) holds no E2EKey message", answer->rsc);
    return STATUS_DONE;
}

/* --- Messages 1 and 2 --- */

/* Some CSEs drop Content-Location when they forward an answer; then the resource is known by its
 * name, below its parent. Without that either, Message 3 goes where Message 1 went. */
static int find_update_url(struct initiated_exchange *exchange, const char *location)
{
    const struct answer_content *content = &exchange->content;
    bool is_located = location[0] != '\0' && !asked.notify;
    bool is_named = content->name[0] != '\0' && !asked.notify;

    exchange->has_resource = is_located || is_named;
    if (is_located && !http_client_locate(asked.url, location, exchange->update_url))
        return fail(STATUS_REFUSED, "the Content-Location of the answer names no resource");
    if (!is_located && is_named &&
        !http_client_descend(asked.url, content->parent, content->name, exchange->update_url))
        return fail(STATUS_REFUSED, "the answer has no Content-Location, and no usable rn and pi");
    if (!exchange->has_resource)
        snprintf(exchange->update_url, HTTP_URL_OCTETS, "%s", asked.url);
    return STATUS_DONE;
}

static int begin(struct initiated_exchange *exchange, struct bytes message1)
{
    struct http_client_request request = {
        .title = asked.notify ? "Notify: Message 1, and Message 2 in the answer"
                              : "Create <e2EKeyCSE>: Message 1, and Message 2 in the answer",
        .method = "POST",
        .url = asked.url,
        .from = asked.from,
        .resource_type = asked.notify ? NULL : asked.resource_type,
    };
    struct http_client_answer answer = {0};
    int status =
        send_message(exchange, &request, message1, asked.notify ? RSC_OK : RSC_CREATED, &answer);
    if (status == STATUS_DONE)
        status = find_update_url(exchange, answer.location);
    buffer_release(&answer.body);
    return status;
}

/* Deletes the exchange at the other side, which would otherwise wait for Message 3 until it times
 * out. */
static void give_up(struct initiated_exchange *exchange)
{
    if (!exchange->has_resource)
        return;
    struct http_client_request request = {
        .title = "Delete: this exchange ends here",
        .method = "DELETE",
        .url = exchange->update_url,
        .from = asked.from,
        .media_type = content_type(0)->name,
    };
    struct http_client_answer answer = {0};
    if (http_client_send(exchange->http, &request, &answer) != STATUS_DONE)
        fail(STATUS_REFUSED, "the exchange stays pending at the other side for a while");
    buffer_release(&answer.body);
}

/* --- Messages 3 and 4 --- */

static int finish(struct initiated_exchange *exchange, struct bytes message3)
{
    struct http_client_request request = {
        .title = asked.notify ? "Notify: Message 3, and Message 4 in the answer"
                              : "Update: Message 3, and Message 4 in the answer",
        .method = asked.notify ? "POST" : "PUT",
        .url = exchange->update_url,
        .from = asked.from,
    };
    struct http_client_answer answer = {0};
    int status =
        send_message(exchange, &request, message3, asked.notify ? RSC_OK : RSC_UPDATED, &answer);
    buffer_release(&answer.body);
    return status;
}

/* The key id is exported from the handshake on both sides (TS-0003 10.3.1), so it has to be the
 * same. */
static int check_key_id(const struct initiated_exchange *exchange)
{
    char ours[E2EKEY_ID_OCTETS];
    bytes_to_hex(bytes_of(exchange->key.id, sizeof(exchange->key.id)), ours);
    const char *theirs = exchange->content.key_id;
    if (theirs[0] != '\0' && strcmp(theirs, ours) != 0)
        return fail(STATUS_REFUSED, "the other side calls the key %s, but it is %s", theirs, ours);
    return STATUS_DONE;
}

static int run(struct initiated_exchange *exchange, struct initiator_credential *credential)
{
    struct buffer message1 AUTO_BUFFER = {.limit = MESSAGE_OCTETS_MAX};
    struct buffer message3 AUTO_BUFFER = {.limit = MESSAGE_OCTETS_MAX};
    struct fault fault = FAULT_INIT;
    if (initiator_start(credential, asked.server_name, &exchange->initiator, &message1, &fault) !=
        RESULT_OK)
        return fail(STATUS_USAGE, "%s", fault.text);
    int status = begin(exchange, buffer_bytes(&message1));
    if (status != STATUS_DONE)
        return status;

    if (initiator_answer(exchange->initiator, buffer_bytes(&exchange->content.message),
            asked.server_identity, &message3, &fault) != RESULT_OK) {
        give_up(exchange);
        return fail(fault.result == RESULT_BAD_INPUT ? STATUS_USAGE : STATUS_REFUSED,
            "Message 2: %s", fault.text);
    }
    status = finish(exchange, buffer_bytes(&message3));
    if (status != STATUS_DONE)
        return status;
    if (initiator_finish(exchange->initiator, buffer_bytes(&exchange->content.message),
            &exchange->key, &fault) != RESULT_OK)
        return fail(STATUS_REFUSED, "Message 4: %s", fault.text);
    return check_key_id(exchange);
}

/* --- the outcome --- */

static int print_text(const struct initiated_exchange *exchange, const char *key_id)
{
    printf("Key id      %s\nPeer        %s\nOurselves   %s\n", key_id, asked.server_identity,
        asked.from);
    if (exchange->content.key_expires_s != 0) {
        char expires[TIME_TEXT_OCTETS];
        format_time(exchange->content.key_expires_s, expires);
        printf("Expires     %s\n", expires);
    }
    if (!asked.show_key || fflush(stdout) != 0)
        return STATUS_DONE;
    char line[] = "Key         0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";
    char *hex = line + strcspn(line, "0");
    bytes_to_hex(bytes_of(exchange->key.key, sizeof(exchange->key.key)), hex);
    line[sizeof(line) - 2] = '\n';
    bool written = write_secret(STDOUT_FILENO, bytes_of(line, sizeof(line) - 1));
    secret_wipe(line, sizeof(line));
    return written ? STATUS_DONE : fail_write("the output");
}

static int print_json(const struct initiated_exchange *exchange, const char *key_id)
{
    char key[BASE64_OCTETS(sizeof(exchange->key.key)) + 1];
    base64_encode_text(bytes_of(exchange->key.key, sizeof(exchange->key.key)), key);
    json_t *object = json_pack("{s:s, s:s*, s:s, s:s}", "keyId", key_id, "key",
        asked.show_key ? key : NULL, "peer", asked.server_identity, "local", asked.from);
    if (object && exchange->content.key_expires_s != 0)
        json_object_set_new(object, "expires", json_integer(exchange->content.key_expires_s));
    int status = print_json_line(object);
    secret_wipe(key, sizeof(key));
    return status;
}

static int deliver(const struct initiated_exchange *exchange, struct key_output *file)
{
    char key_id[E2EKEY_ID_OCTETS];
    bytes_to_hex(bytes_of(exchange->key.id, sizeof(exchange->key.id)), key_id);
    int status = key_output_write(file, bytes_of(exchange->key.key, sizeof(exchange->key.key)));
    if (status != STATUS_DONE)
        return status;
    return common.json ? print_json(exchange, key_id) : print_text(exchange, key_id);
}

/* --- the command line --- */

static int check_identity(const char *flag, const char *identity)
{
    if (identifier_is_absolute(identity))
        return STATUS_DONE;
    return fail_usage("%s %s: not an absolute identifier (//SP/CSE, //SP/CSE/AE)", flag, identity);
}

static bool read_number(const char *text, long least, long most, long *out)
{
    char *end;
    *out = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0' && *out >= least && *out <= most;
}

/* Whether TEXT can be the value of an HTTP header: no spaces, no control characters. */
static bool is_header_text(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static bool is_given(const char *value)
{
    return value && value[0] != '\0';
}

/* Checks that the needed options are given. Raw public keys need no certificate and no anchors. */
static int check_needed(void)
{
    const struct {
        const char *flag, *value;
        bool spared;
    } needed[] = {
        {"--url", asked.url, false},
        {"--from", asked.from, false},
        {"--certificate", asked.certificate, asked.raw_public_key},
        {"--private-key", asked.private_key, false},
        {"--anchors", asked.anchors, asked.server_public_key_id},
        {"--server-identity", asked.server_identity, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
        if (!is_given(needed[i].value) && !needed[i].spared)
            return fail_usage("exchange needs %s", needed[i].flag);
    if (is_given(asked.anchors) && asked.server_public_key_id)
        return fail_usage("--anchors and --server-public-key-id: say one or the other");
    return STATUS_DONE;
}

static int check(long *timeout_s, long *retries)
{
    int status = check_needed();
    if (status != STATUS_DONE)
        return status;
    long type;
    if (!read_number(asked.resource_type, 1, 99999, &type))
        return fail_usage("--resource-type %s: not a resource type", asked.resource_type);
    if (!read_number(asked.timeout, 1, 86400, timeout_s))
        return fail_usage("--timeout %s: not a number of seconds", asked.timeout);
    if (!read_number(asked.retries, 0, HTTP_RETRIES_MAX, retries))
        return fail_usage(
            "--retries %s: not a number from 0 to %d", asked.retries, HTTP_RETRIES_MAX);
    if (!is_header_text(asked.from))
        return fail_usage("--from: not an identifier");
    if (strlen(asked.url) >= HTTP_URL_OCTETS)
        return fail_usage("--url: longer than %d characters", HTTP_URL_OCTETS - 1);
    return check_identity("--server-identity", asked.server_identity);
}

static enum result load_credential(struct initiator_credential **out, struct fault *fault)
{
    const char *pin = asked.server_public_key_id;
    enum result result = tls_start(fault);
    if (result == RESULT_OK)
        result = initiator_credential_new(asked.raw_public_key ? NULL : asked.certificate,
            asked.private_key, pin ? NULL : asked.anchors, out, fault);
    return result == RESULT_OK && pin ? initiator_credential_pin(*out, pin, fault) : result;
}

static int establish(long timeout_s, long retries)
{
    struct fault fault = FAULT_INIT;
    struct initiator_credential *credential CLEANUP(auto_initiator_credential_free) = NULL;
    if (load_credential(&credential, &fault) != RESULT_OK)
        return fail(STATUS_USAGE, "%s", fault.text);
    struct key_output file CLEANUP(key_output_release) = {0};
    int status = key_output_open(asked.output, &file);
    if (status != STATUS_DONE)
        return status;

    const struct http_options options = {
        .authorities = asked.http_ca,
        .certificate = asked.http_certificate,
        .private_key = asked.http_private_key,
        .timeout_s = timeout_s,
        .retries = retries,
        .trace = asked.trace,
    };
    struct initiated_exchange exchange CLEANUP(exchange_release) = {0};
    status = http_client_new(&options, &exchange.http);
    if (status == STATUS_DONE)
        status = run(&exchange, credential);
    return status == STATUS_DONE ? deliver(&exchange, &file) : status;
}

int verb_exchange(int argc, char **argv)
{
    int status = STATUS_USAGE;
    if (!syntax_read(&syntax, argc, argv, &status))
        return status;
    long timeout_s = 0, retries = 0;
    status = check(&timeout_s, &retries);
    return status == STATUS_DONE ? establish(timeout_s, retries) : status;
}
