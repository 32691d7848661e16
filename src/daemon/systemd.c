/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/systemd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>

static enum result sort_in(struct inherited *out, int fd, const char *name, struct fault *fault)
{
    if (strcmp(name, SYSTEMD_KEYS) == 0 && sd_is_socket(fd, AF_UNSPEC, 0, -1) == 0) {
        if (out->keys < 0)
            out->keys = fd;
        else
            close(fd); /* a second one is not used; the manager still keeps it */
        return RESULT_OK;
    }
    if (sd_is_socket(fd, AF_UNIX, SOCK_STREAM, 1) > 0 && strcmp(name, SYSTEMD_HTTP) != 0) {
        if (out->query >= 0)
            return fault_set(fault, RESULT_BAD_CONFIGURATION,
                "the service manager passed two Unix sockets; one is the key "
                "socket, and those for HTTP have the name http");
        out->query = fd;
        return RESULT_OK;
    }
    if (sd_is_socket(fd, AF_UNIX, SOCK_STREAM, 1) > 0 ||
        sd_is_socket(fd, AF_INET, SOCK_STREAM, 1) > 0 ||
        sd_is_socket(fd, AF_INET6, SOCK_STREAM, 1) > 0) {
        if (strcmp(name, SYSTEMD_METRICS) == 0 && out->metrics < 0) {
            out->metrics = fd;
            return RESULT_OK;
        }
        if (out->http_count == INHERITED_MAX)
            return fault_set(fault, RESULT_BAD_CONFIGURATION,
                "the service manager passed more than %d HTTP sockets", INHERITED_MAX);
        out->http[out->http_count++] = fd;
        return RESULT_OK;
    }
    return fault_set(fault, RESULT_BAD_CONFIGURATION,
        "the service manager passed file descriptor %d, which is no listening stream socket", fd);
}

enum result systemd_inherit(struct inherited *out, struct fault *fault)
{
    char **names = NULL;
    int count = sd_listen_fds_with_names(1, &names);
    enum result result = RESULT_OK;

    *out = (struct inherited){.query = -1, .metrics = -1, .keys = -1};
    if (count < 0)
        return fault_set(
            fault, RESULT_BAD_CONFIGURATION, "LISTEN_FDS or LISTEN_FDNAMES is malformed");
    for (int i = 0; i < count; i++) {
        if (result == RESULT_OK)
            result = sort_in(out, SD_LISTEN_FDS_START + i, names[i], fault);
        free(names[i]);
    }
    free(names);
    return result;
}

/* FDPOLL=0: memory signals no hang-up, so there is nothing for the manager to poll for. */
void systemd_store(const char *name, int fd)
{
    char state[64];

    snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
    (void)sd_pid_notify_with_fds(0, 0, state, &fd, 1);
}

void systemd_forget(const char *name)
{
    (void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

bool systemd_notify_ready(const char *status)
{
    return sd_notifyf(0, "READY=1\nSTATUS=%s", status) >= 0;
}

/* MONOTONIC_USEC is read from CLOCK_MONOTONIC, while the daemon's own times are of CLOCK_BOOTTIME.
 */
void systemd_notify_reloading(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
        (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void systemd_notify_stopping(unsigned pending, uint64_t extend_us)
{
    char extend[64] = "";

    if (extend_us > 0)
        snprintf(
            extend, sizeof(extend), "\nEXTEND_TIMEOUT_USEC=%llu", (unsigned long long)extend_us);
    (void)sd_notifyf(0, "STOPPING=1\nSTATUS=stopping: %u exchange%s pending%s", pending,
        pending == 1 ? "" : "s", extend);
}

void systemd_notify_status(const char *status)
{
    (void)sd_notifyf(0, "STATUS=%s", status);
}
