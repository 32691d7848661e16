/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/https.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"

#define KEY_OCTETS_MAX  65536
#define FILE_OCTETS_MAX 1048576
#define EXPIRING_S      (30 * 86400) /* before its end, as of end-points' certificates */

static void auto_credentials(gnutls_certificate_credentials_t *credentials)
{
    if (*credentials)
        gnutls_certificate_free_credentials(*credentials);
}

static void auto_certificate(gnutls_x509_crt_t *certificate)
{
    if (*certificate)
        gnutls_x509_crt_deinit(*certificate);
}

static gnutls_datum_t datum(const struct buffer *buffer)
{
    return (gnutls_datum_t){.data = buffer->data, .size = (unsigned)buffer->size - 1};
}

static bool read_text(const struct policy_file *file, struct buffer *out, struct report *report)
{
    struct fault fault = FAULT_INIT;

    enum result result = file_read(file->path, FILE_OCTETS_MAX, out, &fault);
    if (result == RESULT_OK) {
        out->limit = FILE_OCTETS_MAX + 1;
        result = buffer_append(out, "", 1);
    }
    if (result == RESULT_OK)
        return true;
    report_fault(
        report, &file->place, "%s", fault.text[0] != '\0' ? fault.text : result_text(result));
    return false;
}

/* A copy with a NUL at its end, which the file's octets lack. */
static bool read_key(const struct policy_file *file, struct https *out, struct report *report)
{
    CLEANUP(auto_secret_free) void *key = NULL;
    struct fault fault = FAULT_INIT;
    size_t size = 0;

    if (file_read_secret(file->path, KEY_OCTETS_MAX, &key, &size, &fault) != RESULT_OK) {
        report_fault(report, &file->place, "%s", fault.text);
        return false;
    }
    out->private_key = secret_alloc(size + 1);
    if (!out->private_key) {
        report_fault(report, &file->place, "%s: no secret memory left", file->path);
        return false;
    }
    memcpy(out->private_key, key, size);
    out->private_key[size] = '\0';
    return true;
}

static bool check_pair(const struct policy_http *http, const struct https *https,
    gnutls_certificate_credentials_t credentials, struct report *report)
{
    const gnutls_datum_t certificate = datum(&https->certificate);
    const gnutls_datum_t key = {
        .data = (unsigned char *)https->private_key,
        .size = (unsigned)strlen(https->private_key),
    };

    int error =
        gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key, GNUTLS_X509_FMT_PEM);
    if (error >= 0)
        return true;
    report_fault(report, &http->certificate.place, "%s with %s: %s", http->certificate.path,
        http->private_key.path, gnutls_strerror(error));
    return false;
}

/* No more than a warning: what the hop's clients make of it is theirs. */
static void warn_of_dates(
    const struct policy_http *http, const struct https *https, struct report *report)
{
    CLEANUP(auto_certificate) gnutls_x509_crt_t certificate = NULL;
    const gnutls_datum_t pem = datum(&https->certificate);
    const struct policy_file *file = &http->certificate;
    int64_t now_s = clock_wall_s();

    if (gnutls_x509_crt_init(&certificate) < 0 ||
        gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM) < 0)
        return;
    int64_t left_s = gnutls_x509_crt_get_expiration_time(certificate) - now_s;
    if (gnutls_x509_crt_get_activation_time(certificate) > now_s)
        report_warning(report, &file->place, "%s: certificate is not valid yet", file->path);
    else if (left_s < 0)
        report_warning(report, &file->place, "%s: certificate is out of date", file->path);
    else if (left_s < EXPIRING_S)
        report_warning(report, &file->place, "%s: certificate expires in %lld days", file->path,
            (long long)left_s / 86400);
}

static bool check_anchors(const struct policy_http *http, const struct https *https,
    gnutls_certificate_credentials_t credentials, struct report *report)
{
    const gnutls_datum_t anchors = datum(&https->client_anchors);

    if (gnutls_certificate_set_x509_trust_mem(credentials, &anchors, GNUTLS_X509_FMT_PEM) > 0)
        return true;
    report_fault(report, &http->client_anchors.place, "%s: no certificate in PEM in it",
        http->client_anchors.path);
    return false;
}

enum result https_load(const struct policy_http *http, struct https *out, struct report *report)
{
    CLEANUP(auto_credentials) gnutls_certificate_credentials_t credentials = NULL;

    if (gnutls_certificate_allocate_credentials(&credentials) != 0)
        return RESULT_NO_MEMORY;
    bool has_certificate = read_text(&http->certificate, &out->certificate, report);
    bool has_key = read_key(&http->private_key, out, report);
    bool ok = has_certificate && has_key && check_pair(http, out, credentials, report);
    if (ok)
        warn_of_dates(http, out, report);
    if (http->client_anchors.path)
        ok = read_text(&http->client_anchors, &out->client_anchors, report) &&
             check_anchors(http, out, credentials, report) && ok;
    return ok ? RESULT_OK : RESULT_BAD_CONFIGURATION;
}

void https_release(struct https *https)
{
    secret_free(https->private_key);
    buffer_release(&https->certificate);
    buffer_release(&https->client_anchors);
    *https = (struct https){0};
}

/* libmicrohttpd asks clients for a certificate but goes on without one. */
bool https_is_client_trusted(gnutls_session_t session)
{
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID,
        .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT,
    };
    unsigned status = 0;

    return session && gnutls_certificate_verify_peers(session, &purpose, 1, &status) == 0 &&
           status == 0;
}
