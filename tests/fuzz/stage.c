/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz/stage.h"

#include <stdio.h>
#include <string.h>

#include "identity/public_key_id.h"
#include "x509/key_file.h"

struct stage stage;

static void open_snapshot(void)
{
    struct report report CLEANUP(report_release) = {0};
    struct policy *policy = fuzz_policy("policy.json");
    struct tls_context *tls = NULL;

    if (tls_context_new(policy, &tls, &report) != RESULT_OK) {
        fprintf(stderr, "%s\n", report.entries[0].text);
        exit(2);
    }
    stage.snapshot = snapshot_new(policy, tls, tls_context_free, 1);
    must(stage.snapshot);
    stage.slot = snapshot_slot_new(snapshot_ref(stage.snapshot));
    must(stage.slot);
}

static void open_raw(void)
{
    uint8_t spki[P256_SPKI_OCTETS], digest[SPKI_DIGEST_SIZE];
    char id[PUBLIC_KEY_ID_OCTETS];
    struct initiator_credential **raw = &stage.credentials[STAGE_RAW];

    must(public_key_of_file(fuzz_path("in-cse.key"), spki, NULL) == RESULT_OK &&
         spki_digest(bytes_of(spki, sizeof(spki)), digest) == RESULT_OK);
    public_key_id_format(PUBLIC_KEY_ID_SHA_256, digest, id);
    must(initiator_credential_new(NULL, fuzz_path("meter.key"), NULL, raw, NULL) == RESULT_OK &&
         initiator_credential_pin(*raw, id, NULL) == RESULT_OK);
}

void stage_open(void)
{
    static const char *const names[] = {
        [STAGE_METER] = "meter",
        [STAGE_PUMP] = "pump",
        [STAGE_REVOKED] = "revoked",
        [STAGE_STRANGER] = "stranger",
    };

    if (stage.snapshot)
        return;
    fuzz_begin();
    must(tls_start(NULL) == RESULT_OK);
    open_snapshot();
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char certificate[32], key[32];
        snprintf(certificate, sizeof(certificate), "%s.pem", names[i]);
        snprintf(key, sizeof(key), "%s.key", names[i]);
        must(initiator_credential_new(fuzz_path(certificate), fuzz_path(key), fuzz_path("root.pem"),
                 &stage.credentials[i], NULL) == RESULT_OK);
    }
    open_raw();
}
