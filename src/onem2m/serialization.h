/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The contents of primitives as structures, and what a serialization does with them.
 *
 * A serialization is one file that defines one struct serialization (json.h), and one row of the
 * table in content.c. Whoever handles requests uses content.h, which picks the row. */
#pragma once

#include "base/bytes.h"
#include "base/fault.h"
#include "identity/identifier.h"

enum exchange_state_value { /* of the attribute est */
    EST_AWAITING_MESSAGE3 = 1,
    EST_ESTABLISHED = 2,
    EST_FAILED = 3,
};

enum security_info { /* m2m:securityInfoType (TS-0004 6.3.4.2.35), the member sit of m2m:seci */
    SECURITY_INFO_RAND_OBJECT_REQUEST = 3,
    SECURITY_INFO_RAND_OBJECT = 4,
    SECURITY_INFO_ESCERTKE = 6,
};

enum content_root { CONTENT_E2EK, CONTENT_SECI }; /* m2m:e2ek, m2m:seci */

#define LABELS_OCTETS 256 /* of all texts of lbl, each with a NUL */

/* The attributes that a Create may give to its exchange. */
struct given_attributes {
    int64_t et_us;              /* et, since the epoch; 0: none */
    char labels[LABELS_OCTETS]; /* lbl: texts that are not empty, each ended by a NUL */
    size_t labels_octets;       /* 0: none */
};

/* What a request holds: m2m:e2ek of Create and Update, m2m:seci (TS-0004 6.3.5.48) of Notify. */
struct key_message {
    const char *create_only; /* a member that only a Create may have, rn, et or lbl; NULL: none */
    struct given_attributes given;
    bool has_sit;           /* only in m2m:seci */
    int sit;                /* 0 if it cannot be a value of m2m:securityInfoType */
    bool has_message;       /* eckm */
    struct buffer *message; /* the caller's; receives eckm, decoded, up to its limit */
};

/* The attributes of an exchange or of the entry point, both <e2EKeyCSE>, that a response shows. */
struct e2ek {
    const char *rn, *ri, *pi;
    int ty;
    int64_t ct_s, lt_s;
    int64_t et_s;                     /* 0 leaves it out */
    int est;                          /* 0 leaves it out */
    const char *kid;                  /* hex; NULL leaves it out */
    int64_t kex_s;                    /* when the key expires; 0 leaves it out */
    const char *lid;                  /* NULL leaves it out */
    struct bytes labels;              /* as in struct given_attributes; empty leaves lbl out */
    struct bytes message;             /* eckm, octets; empty leaves it out */
    const struct bytes *certificates; /* DER; with entry_point */
    size_t certificate_count;
    bool esprim;      /* esi lists ESPrim */
    bool entry_point; /* adds esi */
};

/* The attributes of <CSEBase> that we have (TS-0001 9.6.3), by their short names and in the order
 * in which they are written. */
#define CSE_BASE_ATTRIBUTES(ATTRIBUTE)                                                             \
    ATTRIBUTE(rn)                                                                                  \
    ATTRIBUTE(ty)                                                                                  \
    ATTRIBUTE(ri)                                                                                  \
    ATTRIBUTE(ct)                                                                                  \
    ATTRIBUTE(lt)                                                                                  \
    ATTRIBUTE(cst)                                                                                 \
    ATTRIBUTE(csi)                                                                                 \
    ATTRIBUTE(srt)                                                                                 \
    ATTRIBUTE(poa)                                                                                 \
    ATTRIBUTE(rr)                                                                                  \
    ATTRIBUTE(srv)                                                                                 \
    ATTRIBUTE(csz)                                                                                 \
    ATTRIBUTE(esi)
#define CSE_BASE_NUMBER(name) CSE_BASE_##name,
enum cse_base_attribute { CSE_BASE_ATTRIBUTES(CSE_BASE_NUMBER) CSE_BASE_COUNT };

/* A receiverESPrimRandObject (TS-0004 6.3.5.50), for HMAC-SHA-256 and A256GCM, which are all that
 * we derive keys for. */
struct rand_object_content {
    const char *id, *value; /* esri, esrv */
    int64_t expires_s;      /* esrx */
};

#define RESOURCE_TYPE_CSE_BASE 5 /* TS-0004 6.3.4.2.1 */

struct cse_base {
    const char *rn, *ri, *csi;
    int64_t ct_s, lt_s;
    const int *srt;
    size_t srt_count;
    const char *const *poa, *const *srv, *const *csz;
    size_t poa_count, srv_count, csz_count; /* without any, poa is left out */
    const struct bytes *certificates;       /* of esi: DER */
    size_t certificate_count;
    bool esprim;      /* esi lists ESPrim */
    const char *only; /* names of the attributes that are asked for, with + or blanks between them;
                         NULL: all */
    uint32_t chosen;  /* of enum cse_base_attribute, a bit each: set by content_write_cse_base */
};

/* The content of a refusal: the reason in m2m:dbg, and the TLS alert if there is one. */
struct refusal_content {
    const char *text;
    struct bytes alert;     /* a TLS record, as eckm; empty leaves it out */
    enum content_root root; /* the alert stands in m2m:e2ek, with est 3, or in m2m:seci */
};

#define KID_TEXT_OCTETS 33 /* 32 hex digits of kid and a NUL */

#define NAME_TEXT_OCTETS 128 /* a resource name or id and a NUL */

/* What an Initiating End-Point reads in a response. Members that are absent, or of another type or
 * longer than any valid one, are empty. */
struct answer_content {
    struct buffer message;          /* eckm, decoded; release it with buffer_release */
    char key_id[KID_TEXT_OCTETS];   /* kid */
    char local[IDENTIFIER_OCTETS];  /* lid */
    char name[NAME_TEXT_OCTETS];    /* rn */
    char parent[NAME_TEXT_OCTETS];  /* pi */
    int64_t key_expires_s;          /* kex; 0: absent */
    char reason[FAULT_TEXT_OCTETS]; /* m2m:dbg, cut to fit; printable, as all these texts are */
};

#define SERIALIZATION_TYPES_MAX 4

/* Writers append to OUT, within its limit; they fail with buffer's errors. The same input always
 * gives the same octets, as a retransmission is answered like the request that it repeats. */
struct serialization {
    struct serialization_type {
        const char *name; /* "application/json"; NULL after the last */
        bool is_answer;   /* responses may have it too, not requests alone */
    } types[SERIALIZATION_TYPES_MAX];

    /* Reads the content of a request: ROOT with its known members and nothing else.
     * RESULT_BAD_MESSAGE when eckm exceeds OUT->message->limit, else RESULT_BAD_REQUEST. Does not
     * check what the values mean. */
    enum result (*read)(
        struct bytes content, enum content_root root, struct key_message *out, struct fault *fault);

    /* Reads the content of a response, m2m:e2ek or m2m:seci; whatever else another CSE puts into it
     * is ignored. OUT->message is empty with its limit set. Fails as READ does when the content is
     * not in this serialization or eckm is malformed; then OUT holds what could be read. */
    enum result (*read_answer)(
        struct bytes content, struct answer_content *out, struct fault *fault);

    /* With a URI that is not NULL: within m2m:rce, together with that address (rcn 3). */
    enum result (*write_e2ek)(const struct e2ek *e2ek, const char *uri, struct buffer *out);
    enum result (*write_cse_base)(const struct cse_base *cse_base, struct buffer *out);
    /* Writes ROOT with eckm and, in m2m:seci, sit: a request, or the answer to a Notify. */
    enum result (*write_message)(enum content_root root, struct bytes message, struct buffer *out);
    enum result (*write_rand_object)(const struct rand_object_content *object, struct buffer *out);
    enum result (*write_refusal)(const struct refusal_content *refusal, struct buffer *out);
};
