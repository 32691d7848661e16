/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls/presented.h"

static enum result read_leaf(struct presented *out, struct fault *fault)
{
    struct certificate leaf;
    enum result result = certificate_parse(out->chain[0], &leaf, fault);

    if (result == RESULT_OK)
        out->key = certificate_key(&leaf);
    return result;
}

enum result presented_read(const struct message3 *message3, enum certificate_type type,
    struct presented *out, struct fault *fault)
{
    out->type = type;
    if (type == CERTIFICATE_TYPE_RAW_PUBLIC_KEY)
        return message_read_public_key(message3->presented, &out->key, fault);

    enum result result =
        message_read_chain(message3->presented, out->chain, &out->chain_count, fault);
    return result == RESULT_OK ? read_leaf(out, fault) : result;
}
