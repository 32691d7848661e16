/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices when files are replaced, written in place, removed or made readable. It uses inotify(7)
 * on their folders, and also compares the files every FILE_WATCH_INTERVAL_S, as a sandbox, a
 * network file system or a symbolic link can hide the event. Used by the main thread only. */
#pragma once

#include <systemd/sd-event.h>

#include "base/file.h"

#define FILE_WATCH_INTERVAL_S 20

struct watched_file {
    const char *path;
    struct file_print seen;
};

struct file_watch;

/* Called from the loop when a watched file has changed, once no event has come for a quarter of a
 * second, so that a program that writes a file in place is done. */
typedef void file_watch_listener(void *context);

/* 0, or a negative errno as sd-event has it. */
int file_watch_new(sd_event *loop, file_watch_listener *listener, void *context,
    struct file_watch **out) WARN_UNUSED;
void file_watch_free(struct file_watch *watch);
DEFINE_CLEANUP(struct file_watch *, file_watch_free)

/* Watches FILES instead of those before. Takes FILES (from malloc) over, also on failure; their
 * paths have to outlive the watch. The files are compared with .seen soon after, as they may have
 * changed since. */
enum result file_watch_set(struct file_watch *watch, struct watched_file *files, size_t count)
    WARN_UNUSED;

/* The listener is called again and again until the print of file number FILE is the one that it has
 * now. Nothing is done when file_watch_set had no memory for the files. */
void file_watch_set_seen(struct file_watch *watch, size_t file, struct file_print print);
