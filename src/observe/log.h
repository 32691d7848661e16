/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log: journal entries with fields under systemd, else lines on stderr ("<level>: text", with
 * the fields after it). Each is one line of printable ASCII, all else escaped (base/text.h).
 * No function here takes a key: key material reaches the log only where a caller formats it. */
#pragma once

#include <stddef.h>
#include <sys/types.h>
#include <syslog.h>

#include "base/cleanup.h"

/* Chooses the journal when stderr is connected to it ($JOURNAL_STREAM). Before this call, the log
 * goes to stderr. */
void log_open(const char *program);
/* Leaves out entries less important than LEVEL (LOG_ERR … LOG_DEBUG), which is LOG_INFO until this
 * is called. */
void log_set_level(int level);

void log_error(const char *format, ...) PRINTF(1, 2);
void log_warning(const char *format, ...) PRINTF(1, 2);
void log_info(const char *format, ...) PRINTF(1, 2);
void log_debug(const char *format, ...) PRINTF(1, 2);

/* A local process that asked for something. */
struct log_caller {
    uid_t uid;        /* E2EKEY_UID= */
    const char *user; /* E2EKEY_USER=; NULL leaves a field out */
    const char *unit; /* E2EKEY_UNIT= */
};

/* An entry that operators search for: its kind, which is the message id, and its fields. */
struct log_event {
    int level;
    const char *message_id;          /* 32 hex digits: the kind; never changes */
    const char *peer;                /* E2EKEY_PEER=; NULL leaves a field out */
    const char *local;               /* E2EKEY_ENDPOINT= */
    const char *key_id;              /* E2EKEY_KEY_ID= */
    const char *exchange;            /* E2EKEY_EXCHANGE= */
    int rsc;                         /* E2EKEY_RSC=; 0 leaves it out */
    const char *method;              /* E2EKEY_METHOD= */
    const struct log_caller *caller; /* NULL: no local process asked for it */
    unsigned share;                  /* of the rate limit of this kind: see log_event() */
};

/* Each was made by `systemd-id128 new` and is explained in systemd/e2ekeyd.catalog. */
#define LOG_EVENT_ESTABLISHED    "9d03dfca46df469e9be6cafe46f08b36"
#define LOG_EVENT_REFUSED        "2803e9d8e3bb49b2a5dea13320620b64"
#define LOG_EVENT_READ           "99b877e69650453399f204854bc62ab7"
#define LOG_EVENT_DENIED         "c136eaa751f4495a9e51a2a6c78df290"
#define LOG_EVENT_REVOKED        "461d370e3b7744daa91ecd08a4498425"
#define LOG_EVENT_EXPIRED        "f5a907fb9aee48288e9b6be346f08684"
#define LOG_EVENT_LIMIT          "8c1af78aaf4c4f56bc8befc9f891bc37"
#define LOG_EVENT_TOKEN          "c2b0c0470e614757bd80cc9b2b99e91b"
#define LOG_EVENT_RELOADED       "291078d7aa03421eaa9d7842908ec81c"
#define LOG_EVENT_NOT_RELOADED   "ea07f38f826f4960a06070efee0521f0"
#define LOG_EVENT_RESTORED       "caae96cd47f5487a989c8169230ce4f1"
#define LOG_EVENT_NOT_RESTORED   "e145b549ec5b42649f040f92431677cd"
#define LOG_EVENT_STARTED        "9c99d6ec681f49248548adaedefce010"
#define LOG_EVENT_STOPPING       "777c9f63849d46ef81d6e9057b6b0763"
#define LOG_EVENT_STOPPED        "e46ff7c9b8d64c38827c18bcb631cc9b"
#define LOG_EVENT_NEW_CRLS       "be5793a2e8ac428eacfec4d095ad08d8"
#define LOG_EVENT_BAD_CRLS       "a23ddb6e08f44418900e2541bbb9efb7"
#define LOG_EVENT_STALE_CRL      "90ede34cc6454fc1ab75e7a18a9b67c3"
#define LOG_EVENT_STALE_OWN      "89f3dd40fdd04cffa2c4fa99675a6826"
#define LOG_EVENT_STALLED        "08e6ee2101444c4e8bc82915c058e005"
#define LOG_EVENT_REGISTERED     "842ea31941b647a08e34809e29d60b4b"
#define LOG_EVENT_NOT_REGISTERED "3e256f2492114792bf41a0d5c9037c87"
#define LOG_EVENT_DEREGISTERED   "267a8f310edd44968f668e11da87d5ba"

/* Writes an entry, unless there were 100 of its kind in ten seconds: further ones are only counted.
 * Within a kind, each calling user has a limit of its own, and so has each share other than 0, so
 * that nobody who causes many entries suppresses those about others. At most LOG_SHARES users and
 * shares of a kind have limits of their own at a time; entries of others count as of share 0. */
#define LOG_SHARES 64
void log_event(const struct log_event *event, const char *format, ...) PRINTF(2, 3);
/* Logs how many entries were suppressed since the last call, one entry for each kind and share. To
 * be called every few seconds and at the end. */
void log_say_suppressed(void);
