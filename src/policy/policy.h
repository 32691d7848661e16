/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy: one immutable value, loaded from JSON files (e2ekeyd-policy(5)).
 * Strings are NUL-terminated and owned by the policy; all live until policy_free. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/report.h"
#include "identity/flavour.h"
#include "identity/identifier.h"
#include "identity/names.h"

#define POLICY_DEFAULT_PATH      "/etc/e2ekeyd/policy.json"
#define POLICY_ENDPOINTS_MAX     64
#define POLICY_ADDRESSES_MAX     16 /* of one end-point */
#define POLICY_TRUST_MAX         64 /* trust domains fit in one uint64_t */
#define POLICY_LISTEN_MAX        16
#define POLICY_PROXIES_MAX       64
#define POLICY_RULES_MAX         100000
#define POLICY_CLIENTS_MAX       1024
#define POLICY_CRLS_MAX          64 /* of one trust domain */
#define POLICY_PEERS_MAX         64 /* patterns of one client */
#define POLICY_REGISTRATIONS_MAX 16
#define POLICY_POINTS_MAX        8         /* of access of one registration */
#define POLICY_URL_OCTETS        256       /* of an address over HTTP, NUL included */
#define POLICY_NAME_OCTETS       64        /* of an end-point or trust domain, NUL included */
#define POLICY_LIFETIME_MAX_S    315360000 /* of a key: ten years */

/* A file that the policy names. */
struct policy_file {
    char *path; /* resolved: against the naming file, or the credentials folder; NULL = absent */
    struct source_position place; /* file NULL = absent */
};

struct policy_cse {
    char *sp_id;         /* "m2m.example" */
    char *cse_id;        /* "/in-cse" */
    char *cse_base;      /* "cse-in" */
    char *resource_name; /* "e2EKeyCSE" */
    int resource_type;   /* 30001 */
    bool esprim;         /* random objects are given out to whoever wants to protect primitives */
    char **points_of_access; /* URLs at which other CSEs reach us: poa of our <CSEBase> */
    size_t point_of_access_count;
};

/* One entry of "http.trustedProxies": an address, a network, or this host's Unix sockets. */
struct policy_network {
    bool is_unix;
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned prefix;     /* how many bits of it count */
};

struct policy_http {
    char **listen; /* "127.0.0.1:8383", "[::1]:8383" (port 0 = any free one), "unix:/run/x.sock" */
    size_t listen_count;
    mode_t socket_mode; /* of Unix sockets */
    char *socket_group; /* by name or number; NULL: whichever they get */
    unsigned threads;   /* 0: as many as cores */
    uint32_t header_timeout_s, body_timeout_s;
    char *notify_path;
    struct policy_network *trusted_proxies; /* whose word counts about who sent a request */
    size_t trusted_proxy_count;
    bool tls;
    struct policy_file certificate, private_key, client_anchors; /* client_anchors optional */
};

struct policy_endpoint {
    struct source_position place;
    char *name;
    char *identity;    /* absolute */
    char *server_name; /* lower case; NULL when it answers to no SNI of its own */
    struct policy_file certificate, private_key; /* certificate optional with raw_public_key */
    char **addresses; /* further ones of its own, CSE-relative: "cse-in/ae1", "Cae1" */
    size_t address_count;
    bool raw_public_key; /* answers with its raw public key (RFC 7250) where that is preferred */
};

struct policy_trust {
    struct source_position place;
    char *name;
    struct policy_file anchors;
    struct policy_file *crls;
    size_t crl_count;
    bool require_crl;
};

/* One entry of "initiators": who may establish a key (TS-0003 8.1.2.5). */
struct policy_rule {
    struct source_position place;
    enum flavour flavour;
    char *identity;      /* absolute, or a pattern (aeId only) */
    char *match;         /* what the certificate must say: the rule's identity, domainName, nodeId,
                            deviceId or publicKeyId, in canonical form */
    int trust;           /* index into policy.trust; -1 for raw public keys */
    uint32_t lifetime_s; /* of the keys established under this rule */
    uint64_t endpoints;  /* bit i: policy.endpoints[i] accepts it */
};

/* Whether the rule's identity, which must not be empty, is a pattern. */
bool policy_rule_is_pattern(const struct policy_rule *rule);

enum policy_right {
    RIGHT_GET = 1,
    RIGHT_LIST = 2,
    RIGHT_REVOKE = 4,
    RIGHT_SUBSCRIBE = 8,
    RIGHT_STATUS = 16,
};

/* One entry of "clients": every condition that is given must hold. */
struct policy_client {
    struct source_position place;
    char *user_name, *group_name; /* as written; NULL = any */
    uid_t uid;                    /* (uid_t)-1: there is no such user: never matches */
    gid_t gid;                    /* (gid_t)-1: likewise */
    char *unit;                   /* "meter.service"; NULL = any */
    unsigned rights;              /* of enum policy_right */
    char **peers;                 /* patterns; count 0 = every peer */
    size_t peer_count;
};

/* One entry of "registration": a CSE at which we register. */
struct policy_registration {
    struct source_position place;
    char *url;        /* of its <CSEBase> */
    bool is_ae;       /* as an <AE>; else as a <remoteCSE> */
    char *originator; /* for an <AE> a stem, "Ce2ekeyd"; else our CSE-ID, "/in-cse" */
    char *name;       /* of our resource below its <CSEBase> */
    char **points_of_access;
    size_t point_count;
    uint32_t expires_s;
    struct policy_file anchors, certificate, private_key; /* for https; the last two optional */
};

/* The cipher suites that a policy may list (TS-0003 10.2.3). */
struct policy_suite {
    uint16_t code;    /* IANA's code point */
    const char *name; /* OpenSSL's name: "ECDHE-ECDSA-AES128-SHA256" */
};
extern const struct policy_suite policy_suites[];
extern const size_t policy_suite_count;

struct policy_tls {
    const struct policy_suite **suites; /* in order of preference */
    size_t suite_count;
    bool require_extended_master_secret;
};

/* The sections that are made of numbers: field, member in the file, least, most, default. The
 * structs and the loader's tables are made from these lines; conf/policy.schema.json and
 * conf/e2ekeyd-policy.5 are tested against them. */
#define POLICY_KEYS(NUMBER)                                                                        \
    NUMBER(capacity, "capacity", 1, 10000000, 100000)                                              \
    NUMBER(lifetime_s, "lifetime", 1, POLICY_LIFETIME_MAX_S, 86400)                                \
    NUMBER(per_peer, "perPeer", 1, 64, 2)

#define POLICY_LIMITS(NUMBER)                                                                      \
    NUMBER(pending_exchanges, "pendingExchanges", 1, 1000000, 20000)                               \
    NUMBER(pending_per_originator, "pendingPerOriginator", 1, 64, 4)                               \
    NUMBER(exchange_timeout_s, "exchangeTimeout", 1, 600, 30)                                      \
    NUMBER(stop_timeout_s, "stopTimeout", 0, 600, 5)                                               \
    NUMBER(message_octets, "messageBytes", 1024, 65536, 16384)                                     \
    NUMBER(creates_per_s, "createsPerSecond", 1, 1000000, 2000)                                    \
    NUMBER(create_burst, "createBurst", 1, 1000000, 4000)

#define POLICY_NUMBER_FIELD(field, name, least, most, by_default) uint32_t field;

struct policy_keys {
    POLICY_KEYS(POLICY_NUMBER_FIELD)
};

struct policy_limits {
    POLICY_LIMITS(POLICY_NUMBER_FIELD)
};

struct policy {
    struct policy_cse cse;
    struct policy_http http;
    char *socket_path;
    char *metrics_listen; /* NULL: nowhere */
    struct policy_endpoint *endpoints;
    size_t endpoint_count;
    struct policy_trust *trust;
    size_t trust_count;
    struct policy_rule *rules;
    size_t rule_count;
    struct policy_client *clients;
    size_t client_count;
    struct policy_registration *registrations;
    size_t registration_count;
    struct policy_tls tls;
    struct policy_keys keys;
    struct policy_limits limits;
    struct rule_index *index;   /* of the rules: policy/index.h */
    struct policy_texts *texts; /* owns every text and array of this policy, and the index */
};

/* Releases POLICY and all that it owns; NULL is allowed. */
void policy_free(struct policy *policy);
DEFINE_CLEANUP(struct policy *, policy_free)
