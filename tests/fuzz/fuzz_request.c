/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests, one a line, to the procedure at the Terminating End-Point, under a real policy, while
 * real initiators go through their exchanges. A line is "NAME=VALUE" with blanks between:
 *
 *   op= ty= rcn= rt= atrl= rvi= ret= ri= from= to=     as in a request; what is left out is absent
 *   by=NUMBER      which initiator, from here on
 *   m=1 or m=3     content with that initiator's next message;  n=1: as Notify has it
 *   swap=NUMBER    flips a bit of that message
 *   c=JSON         the content, to the end of the line
 *   skip           is no request: a minute passes, and what has expired is swept
 *
 * "$" in to= stands for the name of the exchange that the initiator opened last. */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "exchange/procedure.h"
#include "fuzz/stage.h"
#include "tls/message.h"

#define TEXT_OCTETS  4096
#define REQUESTS_MAX 24

struct party {
    struct initiator *initiator;
    struct buffer message1, message3;
    char name[64]; /* of its exchange */
};

static struct rand_objects *rand_objects;
static struct procedure *procedure;
static struct key_cache *cache;
static struct party parties[STAGE_CREDENTIALS];
static unsigned by;

static struct party *party(void)
{
    return &parties[by % STAGE_CREDENTIALS];
}

static void leave(struct party *party)
{
    initiator_free(TAKE_PTR(party->initiator));
    buffer_release(&party->message1);
    buffer_release(&party->message3);
}

/* --- a line --- */

struct line {
    struct request request;
    char to[256];
    char message; /* '1', '3' or NUL */
    bool is_notify, is_skip;
    unsigned swap;
    bool has_swap;
};

static void read_to(struct line *line, const char *value)
{
    const char *mark = strchr(value, '$');

    if (mark)
        snprintf(line->to, sizeof(line->to), "%.*s%s%s", (int)(mark - value), value, party()->name,
            mark + 1);
    else
        snprintf(line->to, sizeof(line->to), "%s", value);
}

static void read_field(struct line *line, const char *name, const char *value)
{
    struct request *request = &line->request;
    const struct {
        const char *name, **text;
    } texts[] = {
        {"ty", &request->resource_type},
        {"rcn", &request->result_content},
        {"rt", &request->response_type},
        {"atrl", &request->attribute_list},
        {"rvi", &request->release},
        {"ret", &request->expiration},
        {"ri", &request->request_id},
        {"from", &request->from},
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (strcmp(name, texts[i].name) == 0)
            *texts[i].text = value;
    if (strcmp(name, "op") == 0)
        request->operation = OPERATION_CREATE + (unsigned)(atoi(value) + 4) % OPERATION_NOTIFY;
    else if (strcmp(name, "to") == 0)
        read_to(line, value);
    else if (strcmp(name, "by") == 0)
        by = (unsigned)atoi(value);
    else if (strcmp(name, "m") == 0 || strcmp(name, "n") == 0) {
        line->message = value[0];
        line->is_notify = name[0] == 'n';
    } else if (strcmp(name, "swap") == 0) {
        line->swap = (unsigned)atoi(value);
        line->has_swap = true;
    } else if (strcmp(name, "skip") == 0) {
        line->is_skip = true;
    }
}

static struct line read_line(char *text)
{
    struct line line = {.request.operation = OPERATION_CREATE};

    while (text && *text) {
        if (strncmp(text, "c=", 2) == 0) {
            line.request.content = bytes_of_string(text + 2);
            break;
        }
        char *value = strsep(&text, " ");
        const char *name = strsep(&value, "=");
        read_field(&line, name, value ? value : "");
    }
    return line;
}

/* --- messages --- */

static void begin(struct party *party)
{
    leave(party);
    party->message1.limit = party->message3.limit = 65536;
    must(initiator_start(stage.credentials[party - parties], NULL, &party->initiator,
             &party->message1, NULL) == RESULT_OK);
}

static void write_content(const struct line *line, struct buffer *out)
{
    struct buffer message AUTO_BUFFER = {.limit = 65536};
    struct party *who = party();
    bool is_first = line->message == '1';

    if (is_first)
        begin(who);
    const struct buffer *from = is_first ? &who->message1 : &who->message3;
    if (from->size == 0)
        return;
    must(buffer_append(&message, from->data, from->size) == RESULT_OK);
    if (line->has_swap)
        message.data[line->swap / 8 % message.size] ^= (uint8_t)(1U << line->swap % 8);
    fuzz_append(out,
        line->is_notify ? "{\"m2m:seci\":{\"sit\":6,\"eckm\":\"" : "{\"m2m:e2ek\":{\"eckm\":\"");
    must(base64_encode(buffer_bytes(&message), out) == RESULT_OK);
    fuzz_append(out, "\"}}");
}

static bool read_message(const struct response *response, struct buffer *out)
{
    static const char member[] = "\"eckm\":\"";
    const char *text = (const char *)response->content.data;
    const char *start =
        text ? memmem(text, response->content.size, member, sizeof(member) - 1) : NULL;

    if (!start)
        return false;
    start += sizeof(member) - 1;
    const char *end = memchr(start, '"', response->content.size - (size_t)(start - text));
    return end && base64_decode(bytes_of(start, (size_t)(end - start)), out) == RESULT_OK;
}

/* The key of an initiator that takes Message 4 is in the cache. */
static void finish(struct party *party, struct bytes message4)
{
    struct exported_key exported;
    struct fault fault = FAULT_INIT;
    struct key_info info;
    uint8_t key[KEY_OCTETS];

    if (initiator_finish(party->initiator, message4, &exported, &fault) == RESULT_OK &&
        key_cache_find_by_id(cache, exported.id, &info, key))
        must(memcmp(key, exported.key, sizeof(key)) == 0);
}

static void take_answer(const struct line *line, const struct response *response)
{
    struct buffer message AUTO_BUFFER = {.limit = 65536};
    struct fault fault = FAULT_INIT;
    struct party *who = party();
    const char *name = strrchr(response->location, '/');

    if (name)
        snprintf(who->name, sizeof(who->name), "%.63s", name + 1);
    if (response->result != RESULT_OK || !read_message(response, &message) || !who->initiator)
        return;
    if (line->message == '1' && who->message3.size == 0 && !line->has_swap)
        must(initiator_answer(who->initiator, buffer_bytes(&message), "//m2m.example/in-cse",
                 &who->message3, &fault) == RESULT_OK);
    else if (line->message == '3' && !line->has_swap)
        finish(who, buffer_bytes(&message));
}

static void ask(struct line *line)
{
    struct buffer content AUTO_BUFFER = {.limit = 65536};
    struct response response CLEANUP(response_release) = {0};

    if (line->message != '\0')
        write_content(line, &content);
    if (content.size > 0)
        line->request.content = buffer_bytes(&content);
    line->request.to = line->to;
    procedure_answer(procedure, &line->request, NULL, &response);
    must(response.rsc >= 2000 && response.rsc < 7000);
    must((response.rsc < 3000) == (response.result == RESULT_OK));
    take_answer(line, &response);
}

/* --- the input --- */

static void run(char *text)
{
    char *each;

    for (unsigned i = 0; i < REQUESTS_MAX && (each = strsep(&text, "\n")); i++) {
        struct line line = read_line(each);
        if (line.is_skip) {
            fuzz_pass();
            procedure_sweep(procedure, 100);
        } else {
            ask(&line);
        }
    }
    const struct procedure_counts counts = procedure_count(procedure);
    must(counts.pending <= REQUESTS_MAX && counts.retained <= REQUESTS_MAX);
    must(key_cache_count(cache) <= key_cache_capacity(cache));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_OCTETS + 1];

    if (size > TEXT_OCTETS)
        return -1;
    stage_open();
    fuzz_begin();
    memcpy(text, data, size);
    text[size] = '\0';
    by = 0;
    must(key_cache_new(4, 2, &cache, NULL) == RESULT_OK &&
         rand_objects_new(&rand_objects) == RESULT_OK &&
         procedure_new(stage.slot, cache, rand_objects, &procedure, NULL) == RESULT_OK);
    run(text);
    procedure_close(procedure);
    for (size_t i = 0; i < STAGE_CREDENTIALS; i++) {
        leave(&parties[i]);
        parties[i] = (struct party){0};
    }
    procedure_free(procedure);
    rand_objects_free(rand_objects);
    key_cache_free(cache);
    return 0;
}
