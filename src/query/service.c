/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query/service.h"

#include <string.h>

#include "query/reply.h"

/* Puts the text of FILE, an interface definition, into the binary as SYMBOL. */
#define EMBED(symbol, file)                                                                        \
    __asm__(".pushsection .rodata\n"                                                               \
            ".globl " #symbol "\n"                                                                 \
            ".hidden " #symbol "\n" #symbol ":\n"                                                  \
            ".incbin \"" file "\"\n"                                                               \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const char symbol[] __attribute__((visibility("hidden")))

EMBED(keys_definition, "org.e2ekeyd.Keys.varlink");
EMBED(service_definition, "org.varlink.service.varlink");

static const struct {
    const char *name, *definition;
} interfaces[] = {
    {SERVICE_INTERFACE, service_definition},
    {KEYS_INTERFACE, keys_definition},
};

static const char *definition_of(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++)
        if (strlen(interfaces[i].name) == length && strncmp(interfaces[i].name, name, length) == 0)
            return interfaces[i].definition;
    return NULL;
}

bool service_has_interface(const char *name, size_t length)
{
    return definition_of(name, length);
}

enum result service_get_info(struct session *session, const struct call *call)
{
    const char *bad = call_parameters(call, NULL, 0);
    if (bad)
        return reply_error_about(session->out, ERROR_INVALID_PARAMETER, "parameter", bad);
    json_t *names = json_array();
    for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++)
        if (json_array_append_new(names, json_string(interfaces[i].name)) < 0)
            return json_decref(names), RESULT_NO_MEMORY;
    return reply_json(session->out,
        json_pack("{s:s, s:s, s:s, s:s, s:o}", "vendor", "e2ekeyd", "product", "e2ekeyd", "version",
            E2EKEYD_VERSION, "url", "man:e2ekeyd(8)", "interfaces", names));
}

enum result service_get_interface_description(struct session *session, const struct call *call)
{
    const char *name = NULL;
    const struct parameter parameters[] = {{"interface", &name}};
    const char *bad = call_parameters(call, parameters, ARRAY_SIZE(parameters));
    if (bad || !name)
        return reply_error_about(
            session->out, ERROR_INVALID_PARAMETER, "parameter", bad ? bad : "interface");
    const char *definition = definition_of(name, strlen(name));
    if (!definition)
        return reply_error_about(session->out, ERROR_INTERFACE_NOT_FOUND, "interface", name);
    return reply_json(session->out, json_pack("{s:s}", "description", definition));
}
