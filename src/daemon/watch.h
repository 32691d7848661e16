/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says when files change: replaced, written in place, removed, made readable. By inotify on their
 * folders, and by a look every WATCH_INTERVAL_S, as a sandbox, a network file system or a link can
 * hide the event. The main loop's alone. */
#pragma once

#include <systemd/sd-event.h>

#include "base/file.h"

#define WATCH_INTERVAL_S 20

struct watched {
    const char *path;
    struct file_print seen;
};

struct watch;

/* Called from the loop once things have settled, so that one who writes in place is done. */
typedef void watch_listener(void *context);

enum result watch_new(sd_event *loop, watch_listener *listener, void *context, struct watch **out)
    WARN_UNUSED;
void watch_free(struct watch *watch);
DEFINE_CLEANUP(struct watch *, watch_free)

/* Watches these instead of those before. Takes FILES over, from malloc, whatever it answers; their
 * paths have to stay. A first look is taken soon: SEEN may be old already. */
enum result watch_files(struct watch *watch, struct watched *files, size_t count) WARN_UNUSED;

/* Has FILE another content than was seen? It has, and that is said at every look, until PRINT is
 * what was seen. */
bool watch_sees_change(const struct watch *watch, size_t file);
void watch_saw(struct watch *watch, size_t file, struct file_print print);
