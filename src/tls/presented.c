/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/presented.h"

enum result presented_read(const struct message3 *message3, enum certificate_type type,
    struct presented *out, struct fault *fault)
{
    struct certificate leaf;

    out->type = type;
    if (type == CERTIFICATE_TYPE_RAW_PUBLIC_KEY)
        return message_read_public_key(message3->presented, &out->key, fault);
    TRY(message_read_chain(message3->presented, out->chain, &out->chain_count, fault));
    TRY(certificate_parse(out->chain[0], &leaf, fault));
    out->key = certificate_key(&leaf);
    return RESULT_OK;
}
