/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "outbound/preflight.h"

#include <stdio.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "base/listen_address.h"
#include "x509/key_file.h"

/* --- files --- */

static void check_anchors(const struct policy_file *anchors, struct report *report)
{
    gnutls_certificate_credentials_t credentials = NULL;

    int count = gnutls_certificate_allocate_credentials(&credentials);
    if (count >= 0) {
        count =
            gnutls_certificate_set_x509_trust_file(credentials, anchors->path, GNUTLS_X509_FMT_PEM);
        gnutls_certificate_free_credentials(credentials);
    }
    if (count <= 0)
        report_fault(report, &anchors->place, "%s: %s", anchors->path,
            count < 0 ? gnutls_strerror(count) : "no certificate in PEM in it");
}

static void check_pair(const struct policy_registration *registration, struct report *report)
{
    const struct policy_file *files[] = {&registration->certificate, &registration->private_key};
    uint8_t spki[2][P256_SPKI_OCTETS];
    bool good = true;

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        struct fault fault = FAULT_INIT;
        if (public_key_of_file(files[i]->path, spki[i], &fault) == RESULT_OK)
            continue;
        report_fault(report, &files[i]->place, "%s", fault.text);
        good = false;
    }
    if (good && memcmp(spki[0], spki[1], sizeof(spki[0])) != 0)
        report_fault(report, &registration->private_key.place,
            "%s: not the private key of the certificate in %s", registration->private_key.path,
            registration->certificate.path);
}

enum result preflight_files(const struct policy *policy, struct report *report)
{
    const size_t faults = report->faults;

    for (size_t i = 0; i < policy->registration_count; i++) {
        const struct policy_registration *registration = &policy->registrations[i];
        if (registration->anchors.path)
            check_anchors(&registration->anchors, report);
        if (registration->certificate.path && registration->private_key.path)
            check_pair(registration, report);
    }
    return report->faults == faults ? RESULT_OK : RESULT_BAD_CONFIGURATION;
}

/* --- addresses --- */

/* Whether POINT ("http://127.0.0.1:8383/x") leads to LISTEN ("127.0.0.1:8383"), by the port alone
 * where one of the two has no certain address: a host name, or all addresses of this host. */
static bool leads_to(const char *point, const char *listen)
{
    const bool tls = strncmp(point, "https:", 6) == 0;
    const char *authority = strstr(point, "://") + 3;
    char text[POLICY_URL_OCTETS + 8];
    struct listen_address wanted, bound;

    int size = snprintf(text, sizeof(text), "%.*s", (int)strcspn(authority, "/"), authority);
    const char *colon = strrchr(text, ':');
    if (!colon || colon[strcspn(colon, "]")] == ']')
        snprintf(text + size, sizeof(text) - (size_t)size, tls ? ":443" : ":80");
    if (!listen_address_parse(listen, &bound))
        return false;
    if (listen_address_parse(text, &wanted) && strcmp(text, listen) == 0)
        return true;
    const bool is_any = strncmp(listen, "0.0.0.0:", 8) == 0 || strncmp(listen, "[::]:", 5) == 0;
    const bool is_name = !listen_address_parse(text, &wanted);
    const char *port = strrchr(listen, ':');
    return (is_any || is_name) && strcmp(strrchr(text, ':'), port) == 0;
}

static bool is_listened_at(const struct policy_http *http, const char *point)
{
    if (http->tls != (strncmp(point, "https:", 6) == 0))
        return false;
    for (size_t i = 0; i < http->listen_count; i++) {
        const size_t size = strlen(http->listen[i]);
        if (leads_to(point, http->listen[i]) || strcmp(http->listen[i] + size - 2, ":0") == 0)
            return true;
    }
    return false;
}

void preflight_addresses(const struct policy *policy, struct report *report)
{
    for (size_t i = 0; i < policy->registration_count; i++) {
        const struct policy_registration *registration = &policy->registrations[i];
        for (size_t j = 0; j < registration->point_count; j++) {
            char pointer[256];
            const struct source_position place = {registration->place.file, pointer};
            if (is_listened_at(&policy->http, registration->points_of_access[j]))
                continue;
            snprintf(
                pointer, sizeof(pointer), "%s/pointOfAccess/%zu", registration->place.pointer, j);
            report_warning(report, &place,
                "%s is no address of http.listen, with http.tls for https: correct it, unless a "
                "proxy or a socket of the service manager takes it",
                registration->points_of_access[j]);
        }
    }
}
