/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/token.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <gnutls/pkcs11.h>
#include <p11-kit/uri.h>

#include "base/clock.h"
#include "base/credential_dir.h"
#include "base/file.h"
#include "base/secret.h"
#include "observe/log.h"
#include "x509/p256.h"

#define PIN_FILE_OCTETS 256 /* the longest PIN that GnuTLS takes */
#define TURN_S          5
#define RETRY_MS        1000

struct token_key {
    struct token_key *next;
    char *uri;      /* without its query */
    char *module;   /* a path; NULL: the modules that p11-kit is configured with */
    char *pin_path; /* NULL: the token wants none */
    uint8_t point[P256_POINT_OCTETS];
    gnutls_privkey_t handle; /* NULL: not open */
    struct fault pin_fault;  /* why the last login failed; RESULT_OK: none has failed */
    bool pin_refused; /* the PIN is not tried again, so that the token does not lock itself */
    bool failing;     /* it does not sign, which has been logged */
    int64_t retry_ms;
};

/* One turn for all tokens of the process: modules differ in how many threads and sessions they
 * support, tokens do one thing at a time, and reopening a token can restart all modules, which
 * other threads must not be using then. */
static struct {
    pthread_mutex_t lock; /* protects TAKEN alone; the rest belongs to whoever has taken the turn */
    pthread_cond_t ended; /* signalled when a turn has ended */
    bool taken;
    struct token_key *keys;
    bool started, configured; /* modules are loaded; also those that p11-kit is configured with */
} tokens = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

/* Takes the turn. False after TURN_S seconds, so that a token that hangs does not block other
 * threads for ever: by a clock that nobody sets, which no mutex offers that the thread sanitizer
 * knows. */
static bool take_turn(void)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += TURN_S;
    pthread_mutex_lock(&tokens.lock);
    while (tokens.taken &&
           pthread_cond_clockwait(&tokens.ended, &tokens.lock, CLOCK_MONOTONIC, &until) == 0)
        continue;
    bool is_ours = !tokens.taken;
    tokens.taken = true;
    pthread_mutex_unlock(&tokens.lock);
    return is_ours;
}

static void end_turn(void)
{
    pthread_mutex_lock(&tokens.lock);
    tokens.taken = false;
    pthread_cond_signal(&tokens.ended);
    pthread_mutex_unlock(&tokens.lock);
}

/* --- URIs (RFC 7512) --- */

static enum result bad_uri(struct fault *fault, const struct token_key *key, const char *what)
{
    return fault_set(fault, RESULT_BAD_CONFIGURATION, "%.128s: %s", key->uri, what);
}

/* Returns the path of the file that SOURCE, a pin-source, names; NULL when it is neither a file:
 * URI nor a credential. */
static char *pin_path(const char *source)
{
    const char *folder = credential_dir(), *name = credential_name(source);
    char *path = NULL;

    if (strncmp(source, "file:/", 6) == 0)
        return strdup(source + 5);
    if (!name || !folder || !credential_name_is_valid(name) ||
        asprintf(&path, "%s/%s", folder, name) < 0)
        return NULL;
    return path;
}

/* URI has to name the token too: else any token that is plugged in would be sent the PIN. */
static bool names_one_key(P11KitUri *uri)
{
    const CK_TOKEN_INFO *token = p11_kit_uri_get_token_info(uri);

    return (token->label[0] || token->serialNumber[0]) &&
           (p11_kit_uri_get_attribute(uri, CKA_LABEL) || p11_kit_uri_get_attribute(uri, CKA_ID));
}

static enum result read_uri(struct token_key *key, P11KitUri *uri, struct fault *fault)
{
    const char *source = p11_kit_uri_get_pin_source(uri);
    const char *module = p11_kit_uri_get_module_path(uri);

    if (p11_kit_uri_get_pin_value(uri))
        return bad_uri(fault, key,
            "pin-value is for all to read: put the PIN into a file, with pin-source=file:/PATH"
            " or pin-source=credential:NAME");
    if (!names_one_key(uri))
        return bad_uri(
            fault, key, "does not name one key: give token= or serial=, and object= or id=");
    if (p11_kit_uri_get_module_name(uri))
        return bad_uri(fault, key, "module-name is not supported: give module-path=/PATH");
    if (module && (module[0] != '/' || !(key->module = strdup(module))))
        return bad_uri(fault, key, "module-path is not an absolute path");
    if (source && !(key->pin_path = pin_path(source)))
        return bad_uri(fault, key,
            "pin-source is neither file:/PATH nor credential:NAME (of a unit with "
            "LoadCredential=)");
    return RESULT_OK;
}

/* p11-kit takes PIN attributes before the "?" too. That part of the URI goes to the token and into
 * the log, so a PIN must not be there. p11-kit is not asked: it ignores what follows an empty
 * attribute, and all of a URI with a bad escape. */
static bool has_pin_in_path(const struct token_key *key)
{
    return strstr(key->uri, "pin-value") || strstr(key->uri, "pin-source");
}

static void close_handle(struct token_key *key)
{
    if (key->handle)
        gnutls_privkey_deinit(TAKE_PTR(key->handle));
}

static void key_free(struct token_key *key)
{
    close_handle(key);
    free(key->uri);
    free(key->module);
    free(key->pin_path);
    free(key);
}
DEFINE_CLEANUP(struct token_key *, key_free)
DEFINE_CLEANUP(P11KitUri *, p11_kit_uri_free)

static enum result key_new(const char *text, struct token_key **out, struct fault *fault)
{
    struct token_key *key CLEANUP(auto_key_free) = calloc(1, sizeof(*key));
    P11KitUri *uri CLEANUP(auto_p11_kit_uri_free) = p11_kit_uri_new();

    /* The query says where the PIN and the module are: neither the token nor the log needs it. */
    if (!key || !uri || !(key->uri = strndup(text, strcspn(text, "?"))))
        return fault_set(fault, RESULT_NO_MEMORY, "out of memory");
    if (has_pin_in_path(key))
        return fault_set(fault, RESULT_BAD_CONFIGURATION,
            "pkcs11: URI: pin-source belongs behind the \"?\", and pin-value nowhere");
    int bad = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri);
    if (bad)
        return bad_uri(fault, key, p11_kit_uri_message(bad));
    TRY(read_uri(key, uri, fault));
    *out = TAKE_PTR(key);
    return RESULT_OK;
}

/* --- the PIN --- */

static enum result read_pin(const char *path, char *out, size_t size, struct fault *fault)
{
    void *file CLEANUP(auto_secret_free) = NULL;
    size_t file_size;

    TRY(file_read_secret(path, PIN_FILE_OCTETS, &file, &file_size, fault));
    size_t length = strcspn(file, "\r\n"); /* file_read_secret puts a NUL after it */
    if (length == 0 || length >= size || length + 2 < file_size)
        return fault_set(fault, RESULT_BAD_CONFIGURATION, "%s: holds no PIN", path);
    memcpy(out, file, length);
    out[length] = '\0';
    return RESULT_OK;
}

/* Called by GnuTLS for a login. The PIN is read from its file each time, and tried only once, since
 * a token locks itself after a few wrong PINs. */
static int give_pin(void *context, int attempt, const char *url, const char *label, unsigned flags,
    char *pin, size_t size)
{
    struct token_key *key = context;
    struct fault *fault = &key->pin_fault;

    (void)url;
    (void)label;
    if (attempt > 0 || flags & GNUTLS_PIN_WRONG) {
        key->pin_refused = true;
        fault_set(fault, RESULT_BAD_CONFIGURATION, "the token refuses the PIN");
    } else if (flags & GNUTLS_PIN_FINAL_TRY) {
        fault_set(fault, RESULT_BAD_CONFIGURATION,
            "the token would lock itself at one more wrong PIN: log in by hand first");
    } else if (!key->pin_path) {
        fault_set(
            fault, RESULT_BAD_CONFIGURATION, "the token wants a PIN: give pin-source=file:/PATH");
    } else {
        read_pin(key->pin_path, pin, size, fault);
    }
    return fault->result == RESULT_OK ? 0 : GNUTLS_E_PKCS11_PIN_ERROR;
}

/* --- using a token, with the lock held --- */

static int sign(gnutls_privkey_t handle, struct bytes digest,
    uint8_t signature[ECDSA_SIGNATURE_OCTETS], size_t *size)
{
    const gnutls_datum_t in = {.data = (unsigned char *)digest.data, .size = (unsigned)digest.size};
    gnutls_datum_t out = {0};
    int error = gnutls_privkey_sign_hash(handle, GNUTLS_DIG_SHA256, 0, &in, &out);

    if (error != 0)
        return error;
    *size = out.size;
    if (out.size <= ECDSA_SIGNATURE_OCTETS)
        memcpy(signature, out.data, out.size);
    else
        error = GNUTLS_E_CERTIFICATE_KEY_MISMATCH; /* an RSA key, or a larger curve */
    gnutls_free(out.data);
    return error;
}

/* Has the token sign a random digest, and verifies that signature: this proves that the key works
 * and belongs to the certificate. */
static int prove(const struct token_key *key)
{
    uint8_t digest[SHA256_OCTETS], signature[ECDSA_SIGNATURE_OCTETS];
    size_t size;

    if (secret_random(digest, sizeof(digest)) != RESULT_OK)
        return GNUTLS_E_RANDOM_FAILED;
    int error = sign(key->handle, bytes_of(digest, sizeof(digest)), signature, &size);
    if (error == 0 && !ecdsa_verify_digest(bytes_of(key->point, sizeof(key->point)), digest,
                          bytes_of(signature, size)))
        error = GNUTLS_E_CERTIFICATE_KEY_MISMATCH;
    return error;
}

static void stop_modules(void)
{
    for (struct token_key *key = tokens.keys; key; key = key->next)
        close_handle(key);
    if (tokens.started)
        gnutls_pkcs11_deinit();
    tokens.started = false;
}

/* Makes GnuTLS ready to load modules: those that p11-kit is configured with, if any key names no
 * module of its own. A module that a key names is loaded by open_handle. */
static int start_modules(const struct token_key *key)
{
    if (tokens.started && (key->module || tokens.configured))
        return 0;
    stop_modules();
    tokens.configured = false;
    for (const struct token_key *each = tokens.keys; each; each = each->next)
        tokens.configured |= !each->module;
    int error = gnutls_pkcs11_init(
        tokens.configured ? GNUTLS_PKCS11_FLAG_AUTO : GNUTLS_PKCS11_FLAG_MANUAL, NULL);
    tokens.started = error == 0;
    return error;
}

static int open_handle(struct token_key *key)
{
    int error = start_modules(key);

    key->pin_fault = (struct fault){.result = RESULT_OK};
    if (error == 0 && key->module)
        error =
            gnutls_pkcs11_add_provider(key->module, NULL); /* harmless if it is loaded already */
    if (error == 0)
        error = gnutls_privkey_init(&key->handle);
    if (error != 0)
        return error;
    gnutls_privkey_set_pin_function(key->handle, give_pin, key);
    error = gnutls_privkey_import_url(key->handle, key->uri, 0);
    if (error == 0)
        error = prove(key);
    if (error != 0)
        close_handle(key);
    return error;
}

/* Opens KEY again. If that fails, restarts the modules and tries once more, as some modules do not
 * see a token that was plugged in again until they are restarted. */
static int open_anew(struct token_key *key)
{
    close_handle(key);
    int error = open_handle(key);

    if (error != 0 && key->pin_fault.result == RESULT_OK) {
        stop_modules();
        error = open_handle(key);
    }
    key->retry_ms = error ? clock_steady_ms() + RETRY_MS : 0;
    return error;
}

static const char *reason(const struct token_key *key, int error)
{
    if (key->pin_fault.result != RESULT_OK)
        return key->pin_fault.text;
    switch (error) {
    case GNUTLS_E_PKCS11_LOAD_ERROR:
        return "its module does not load";
    case GNUTLS_E_PKCS11_ERROR:
        return "its module fails";
    case GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE:
        return "there is no such token";
    case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE:
        return "the token has no such private key";
    case GNUTLS_E_CERTIFICATE_KEY_MISMATCH:
        return "is not the private key of the certificate";
    default:
        return gnutls_strerror(error);
    }
}

/* --- opening, signing, closing --- */

enum result token_key_open(
    const char *uri, struct bytes point, struct token_key **out, struct fault *fault)
{
    struct token_key *key CLEANUP(auto_token_key_close) = NULL;
    enum result result = key_new(uri, &key, fault);

    if (!key)
        return result;
    memcpy(key->point, point.data, sizeof(key->point));
    if (!take_turn())
        return fault_set(fault, RESULT_BUSY, "%.128s: a token does not answer", key->uri);
    key->next = tokens.keys;
    tokens.keys = key;
    int error = open_anew(key);
    end_turn();
    if (error != 0)
        return fault_set(
            fault, RESULT_BAD_CONFIGURATION, "%.128s: %s", key->uri, reason(key, error));
    *out = TAKE_PTR(key);
    return RESULT_OK;
}

static void log_change(struct token_key *key, int error)
{
    if (error != 0 && !key->failing)
        log_event(&(struct log_event){.level = LOG_ERR, .message_id = LOG_EVENT_TOKEN},
            "%s: the token does not sign, so that exchanges fail: %s", key->uri,
            reason(key, error));
    else if (error == 0 && key->failing)
        log_event(&(struct log_event){.level = LOG_NOTICE, .message_id = LOG_EVENT_TOKEN},
            "%s: the token signs again", key->uri);
    key->failing = error != 0;
}

enum result token_key_sign(struct token_key *key, struct bytes digest,
    uint8_t signature[ECDSA_SIGNATURE_OCTETS], size_t *size)
{
    if (!take_turn())
        return RESULT_BUSY;
    int error = key->handle ? sign(key->handle, digest, signature, size)
                            : GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE;
    if (error != 0 && !key->pin_refused && clock_steady_ms() >= key->retry_ms) {
        error = open_anew(key);
        if (error == 0)
            error = sign(key->handle, digest, signature, size);
    }
    log_change(key, error);
    end_turn();
    return error == 0 ? RESULT_OK : RESULT_SYSTEM_ERROR;
}

void token_key_close(struct token_key *key)
{
    if (!key || !take_turn()) /* while a token hangs, only the end of the process can close it */
        return;
    for (struct token_key **link = &tokens.keys; *link; link = &(*link)->next)
        if (*link == key) {
            *link = key->next;
            break;
        }
    key_free(key);
    if (!tokens.keys)
        stop_modules();
    end_turn();
}
