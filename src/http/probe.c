/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* Duplicates FD to a number that libmicrohttpd gives to THREAD. It chooses the thread of an added
 * connection by descriptor modulo the number of threads. If that changed in a later version, two
 * threads might get each other's probes, but none would be reported as stalled. */
static int move_to(int fd, unsigned thread, unsigned threads)
{
    for (int least = (int)thread;;) {
        int moved = fcntl(fd, F_DUPFD_CLOEXEC, least);
        if (moved < 0)
            return -1;
        unsigned other = (unsigned)moved % threads;
        if (other == thread)
            return moved;
        close(moved);
        least = moved + (int)((thread + threads - other) % threads);
    }
}

/* Where we are out of descriptors, or the pool out of connections, the thread gets none: that does
 * not count as a stall. */
static void send_out(
    struct MHD_Daemon *daemon, struct probe *probe, unsigned thread, unsigned threads)
{
    static const struct sockaddr address = {.sa_family = AF_UNIX};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return;
    int ours AUTO_CLOSE = ends[0];
    int theirs AUTO_CLOSE = ends[1];
    int moved = move_to(theirs, thread, threads);
    if (moved < 0 || shutdown(ours, SHUT_WR) != 0) {
        auto_close(&moved);
        return;
    }
    probe->sent_ms = clock_steady_ms();
    if (MHD_add_connection(daemon, moved, &address, sizeof(address)) == MHD_YES)
        probe->fd = TAKE_FD(ours); /* else libmicrohttpd has closed MOVED */
}

static bool is_back(const struct probe *probe)
{
    char octet;

    return recv(probe->fd, &octet, 1, 0) >= 0 || errno != EAGAIN;
}

bool probe_threads(
    struct MHD_Daemon *daemon, struct probe *probes, unsigned count, int64_t patience_ms)
{
    bool all_well = true;

    for (unsigned i = 0; i < count; i++) {
        struct probe *probe = &probes[i];
        if (probe->fd >= 0 && is_back(probe)) {
            close(probe->fd);
            probe->fd = -1;
        }
        if (probe->fd < 0)
            send_out(daemon, probe, i, count);
        else if (clock_steady_ms() - probe->sent_ms > patience_ms)
            all_well = false;
    }
    return all_well;
}

void probe_wake(struct MHD_Daemon *daemon, struct probe *probes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        auto_close(&probes[i].fd); /* the thread may have begun the old one already */
        probes[i].fd = -1;
        send_out(daemon, &probes[i], i, count);
    }
}
