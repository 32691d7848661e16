/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "interop/initiator.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"

#define LABEL         "EXPORTER-oneM2M-ESCertKE" /* TS-0003 10.3.1 */
#define ID_OCTETS     16
#define EXPORT_OCTETS 48

#define RECORD_HEADER_OCTETS 5
#define RECORD_ALERT         21

static const char *const suite_names[SUITE_COUNT] = {
    [SUITE_CBC] = "ECDHE-ECDSA-AES128-SHA256",
    [SUITE_GCM] = "ECDHE-ECDSA-AES128-GCM-SHA256",
    [SUITE_CCM_8] = "ECDHE-ECDSA-AES128-CCM8",
    [SUITE_CCM] = "ECDHE-ECDSA-AES128-CCM",
};

static char last_error[512];

void initiator_error(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(last_error, sizeof(last_error), format, values);
    va_end(values);
}

size_t wire_read(struct stack_wire *wire, void *out, size_t size)
{
    size_t taken = size < wire->in.size ? size : wire->in.size;
    struct bytes part;
    if (taken == 0 || !bytes_take(&wire->in, taken, &part))
        return 0;
    memcpy(out, part.data, part.size);
    return taken;
}

bool wire_write(struct stack_wire *wire, const void *data, size_t size)
{
    return buffer_append(&wire->out, data, size) == RESULT_OK;
}

/* The description in the last plaintext alert of MESSAGE, or -1. */
static int alert_in(struct bytes message)
{
    int alert = -1;
    while (message.size >= RECORD_HEADER_OCTETS) {
        uint8_t type;
        struct bytes version, body;
        if (!bytes_take_u8(&message, &type) || !bytes_take(&message, 2, &version) ||
            !bytes_take_block_16(&message, &body))
            break;
        if (type == RECORD_ALERT && body.size == 2)
            alert = body.data[1];
    }
    return alert;
}

static bool send_message(struct stack_wire *wire)
{
    struct buffer line AUTO_BUFFER = {.limit = BASE64_OCTETS(INITIATOR_MESSAGE_MAX)};
    if (base64_encode(buffer_bytes(&wire->out), &line) != RESULT_OK)
        return false;
    wire->out.size = 0;
    printf("%.*s\n", (int)line.size, (const char *)line.data);
    return fflush(stdout) == 0;
}

static bool receive_message(struct buffer *message)
{
    char line[BASE64_OCTETS(INITIATOR_MESSAGE_MAX) + 2];
    if (!fgets(line, sizeof(line), stdin)) {
        initiator_error("no more messages on standard input");
        return false;
    }
    message->size = 0;
    struct bytes text = bytes_of(line, strcspn(line, "\n"));
    if (base64_decode(text, message) == RESULT_OK)
        return true;
    initiator_error("the message is not base64");
    return false;
}

static bool save(const char *path, const uint8_t *data, size_t size)
{
    int fd AUTO_CLOSE = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && write(fd, data, size) == (ssize_t)size)
        return true;
    initiator_error("%s: %s", path, strerror(errno));
    return false;
}

static bool export_key(void *session, const char *path)
{
    uint8_t exported[EXPORT_OCTETS];
    char hex[2 * ID_OCTETS + 1];
    if (!initiator_stack.export(session, LABEL, exported, sizeof(exported)))
        return false;
    bytes_to_hex(bytes_of(exported, ID_OCTETS), hex);
    if (path && !save(path, exported, sizeof(exported)))
        return false;
    printf("pairwiseE2EKeyID %s\n", hex);
    return fflush(stdout) == 0;
}

/* Messages 1 and 3 go out, 2 and 4 come in; the handshake is done with the fourth, and no sooner.
 */
static bool exchange(void *session, struct stack_wire *wire, struct buffer *message)
{
    for (int reply = 2; reply <= 4; reply += 2) {
        if (initiator_stack.advance(session) != HANDSHAKE_WAITS)
            return false;
        if (!send_message(wire) || !receive_message(message))
            return false;
        wire->in = buffer_bytes(message);
    }
    if (initiator_stack.advance(session) == HANDSHAKE_WAITS)
        initiator_error("the handshake is not done after Message 4");
    else if (wire->in.size > 0)
        initiator_error("octets are left over after Message 4");
    return !*last_error;
}

static bool run(const struct initiator_options *options, const char *export_path)
{
    struct buffer message AUTO_BUFFER = {.limit = INITIATOR_MESSAGE_MAX};
    struct stack_wire wire = {.out = {.limit = INITIATOR_MESSAGE_MAX}};
    void *session = initiator_stack.start(options, &wire);
    bool good = session && exchange(session, &wire, &message) && export_key(session, export_path);
    if (!good) {
        int received = alert_in(buffer_bytes(&message)), sent = alert_in(buffer_bytes(&wire.out));
        fprintf(stderr, "error %s: %s", initiator_stack.name,
            *last_error ? last_error : "the handshake ended too early");
        if (received >= 0)
            fprintf(stderr, " (alert %d received)", received);
        if (sent >= 0)
            fprintf(stderr, " (alert %d sent)", sent);
        fputc('\n', stderr);
    }
    if (session)
        initiator_stack.end(session);
    buffer_release(&wire.out);
    return good;
}

static int usage(void)
{
    fprintf(stderr,
        "usage: %s --certificate FILE --private-key FILE --anchors FILE [--server-name NAME]\n"
        "    [--cipher NAME] [--no-ems] [--give TYPES] [--take TYPES] [--peer FILE] [--export "
        "FILE]\n"
        "TYPES: x509, raw, or both with a comma between them\n",
        initiator_stack.name);
    return 2;
}

/* Both spellings are about: OpenSSL's CCM8 and the policy's CCM-8. */
static bool find_suite(const char *name, struct initiator_options *out)
{
    if (strcmp(name, "ECDHE-ECDSA-AES128-CCM-8") == 0)
        name = suite_names[SUITE_CCM_8];
    for (enum suite suite = 0; suite < SUITE_COUNT; suite++) {
        if (strcmp(name, suite_names[suite]) == 0) {
            out->suite = suite;
            out->suite_name = suite_names[suite];
            return true;
        }
    }
    return false;
}

static bool find_types(const char *text, enum type types[2])
{
    for (int i = 0; i < 2 && text; i++) {
        size_t length = strcspn(text, ",");
        if (length == 4 && strncmp(text, "x509", length) == 0)
            types[i] = TYPE_X509;
        else if (length == 3 && strncmp(text, "raw", length) == 0)
            types[i] = TYPE_RAW;
        else
            return false;
        text = text[length] == ',' ? text + length + 1 : NULL;
    }
    return !text;
}

static bool read_options(
    int argc, char **argv, struct initiator_options *out, const char **export_path)
{
    const char *suite_name = NULL, *gives = "x509", *takes = "x509";
    const char **const values[] = {&out->certificate, &out->private_key, &out->anchors,
        &out->server_name, &suite_name, export_path, &gives, &takes, &out->peer};
    static const struct option long_options[] = {
        {"certificate", required_argument, NULL, 0},
        {"private-key", required_argument, NULL, 1},
        {"anchors", required_argument, NULL, 2},
        {"server-name", required_argument, NULL, 3},
        {"cipher", required_argument, NULL, 4},
        {"export", required_argument, NULL, 5},
        {"give", required_argument, NULL, 6},
        {"take", required_argument, NULL, 7},
        {"peer", required_argument, NULL, 8},
        {"no-ems", no_argument, NULL, 'n'},
        {0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'n')
            out->extended_master_secret = false;
        else if (option < (int)ARRAY_SIZE(values))
            *values[option] = optarg;
        else
            return false;
    }
    if ((suite_name && !find_suite(suite_name, out)) || !find_types(gives, out->gives) ||
        !find_types(takes, out->takes))
        return false;
    return optind == argc && out->certificate && out->private_key && out->anchors;
}

int main(int argc, char **argv)
{
    struct initiator_options options = {.suite = SUITE_COUNT, .extended_master_secret = true};
    const char *export_path = NULL;
    if (!read_options(argc, argv, &options, &export_path))
        return usage();
    return run(&options, export_path) ? EXIT_SUCCESS : EXIT_FAILURE;
}
