/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real e2ekeyd as a child of a test, with a PKI, a policy and a folder of its own.
 *
 *   struct daemon daemon;
 *   daemon_start(&daemon, &(struct daemon_options){.policy = "{\"tls\":{…}}"});
 *   …
 *   daemon_stop(&daemon);
 *
 * Whatever goes wrong here fails the test (Check), with what the daemon said on stderr. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DAEMON_PATH_OCTETS 256
#define DAEMON_TIMEOUT_MS  30000 /* for anything that the daemon ought to do at once */

struct daemon_options {
    const char *policy; /* JSON: merged over the example policy; arrays replace; NULL = as it is */
    unsigned meters;    /* more AE certificates: meter-1, meter-2 … */
    bool zoo;           /* tests/zoo: zoo/NAME.pem, zoo/NAME.key, and a policy for them */
    unsigned watchdog_ms; /* the service manager's; 0: none */
    bool inherit;         /* hand it its sockets (LISTEN_FDS), else it binds a free port itself */
    bool store;           /* keep its keys for the next launch, as FileDescriptorStoreMax=1 does */
};

struct daemon {
    char folder[DAEMON_PATH_OCTETS]; /* certificates and keys of scripts/mkpki, policy.json */
    char socket[DAEMON_PATH_OCTETS]; /* the key socket */
    uint16_t port;                   /* HTTP on 127.0.0.1 */
    uint16_t metrics_port;           /* 0: none */
    pid_t pid;                       /* 0: not running */
    int pidfd;
    int notify; /* what the daemon tells the service manager arrives here */
    unsigned watchdog_ms;
    int inherited[2]; /* listening sockets, HTTP and the key socket, that outlive it; -1: none */
    bool store;
    int stored; /* what it had us keep, and the next launch is handed; -1: nothing */
};

/* Returns when the daemon says that it is ready. */
void daemon_start(struct daemon *daemon, const struct daemon_options *options);
/* At once, whatever is pending; the exit status must be 0. Removes the folder. */
void daemon_stop(struct daemon *daemon);

/* The steps of daemon_start, for tests of starting itself. */
void daemon_prepare(struct daemon *daemon, const struct daemon_options *options);
void daemon_launch(struct daemon *daemon, bool inherit);
void daemon_await_ready(struct daemon *daemon);
void daemon_await_notice(struct daemon *daemon, const char *line); /* to the service manager */
/* Whether LINE comes within so long. */
bool daemon_hears_notice(struct daemon *daemon, const char *line, int wait_ms);
/* Exit status, or 128 + signal. What it told the manager has been heard by then. */
int daemon_await_exit(struct daemon *daemon);
void daemon_remove(struct daemon *daemon); /* the folder */

/* Merges PATCH (JSON) into policy.json. */
void daemon_change_policy(struct daemon *daemon, const char *patch);
/* SIGHUP; returns when the daemon says that it is ready again, with the new policy or the old. */
void daemon_reload(struct daemon *daemon);

/* FOLDER/NAME, in one of four static buffers a thread. */
const char *daemon_file(const struct daemon *daemon, const char *name, ...)
    __attribute__((format(printf, 2, 3)));
/* How many descriptors it has open; and until there are from LEAST to MOST. */
unsigned daemon_count_descriptors(const struct daemon *daemon);
void daemon_await_descriptors(const struct daemon *daemon, unsigned least, unsigned most);
/* What it said on stderr up to now; the caller frees. */
char *daemon_log(const struct daemon *daemon);
