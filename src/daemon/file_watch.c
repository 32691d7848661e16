/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/file_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "daemon/timer.h"
#include "observe/log.h"

#define QUIET_US           250000 /* the time without an event after which the files are compared */
#define QUIET_WAIT_MOST_US 2000000 /* the longest wait for that, in a folder with steady events */
#define INTERVAL_US        (FILE_WATCH_INTERVAL_S * UINT64_C(1000000))

#define FOLDER_GONE (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)
#define FOLDER_EVENTS                                                                              \
    (IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVE | IN_DELETE_SELF |   \
        IN_MOVE_SELF | IN_ONLYDIR)

struct folder {
    struct file_watch *watch;
    char *path;
    sd_event_source *source; /* NULL: there is no inotify watch; see follow_folders */
};

struct file_watch {
    sd_event *loop;
    file_watch_listener *listener;
    void *context;
    sd_event_source *look, *quiet;
    uint64_t first_event_us; /* the first since the files were last compared; 0: none */
    struct watched_file *files;
    size_t count;
    struct folder *folders;
    size_t folder_count;
};

/* --- comparing --- */

static bool has_changed(const struct watched_file *file)
{
    struct file_print now = file_print_of(file->path);
    return !file_print_equal(&now, &file->seen);
}

void file_watch_set_seen(struct file_watch *watch, size_t file, struct file_print print)
{
    if (file < watch->count)
        watch->files[file].seen = print;
}

static void follow_folders(struct file_watch *watch);

static void look(struct file_watch *watch)
{
    follow_folders(watch);
    for (size_t i = 0; i < watch->count; i++) {
        if (!has_changed(&watch->files[i]))
            continue;
        watch->listener(watch->context);
        return;
    }
}

static int on_look(sd_event_source *source, uint64_t now_us, void *context)
{
    look(context);
    return sd_event_source_set_time(source, now_us + INTERVAL_US);
}

static int on_quiet(sd_event_source *source, uint64_t now_us, void *context)
{
    struct file_watch *watch = context;
    (void)source;
    (void)now_us;
    watch->first_event_us = 0;
    look(watch);
    return 0;
}

/* --- events --- */

/* What cannot be waited for, the next look finds. */
static void wait_for_quiet(struct file_watch *watch)
{
    uint64_t now_us;
    if (sd_event_now(watch->loop, CLOCK_BOOTTIME, &now_us) < 0)
        return;
    if (watch->first_event_us == 0)
        watch->first_event_us = now_us;
    uint64_t quiet_us = now_us + QUIET_US, latest_us = watch->first_event_us + QUIET_WAIT_MOST_US;
    (void)sd_event_source_set_time(watch->quiet, quiet_us < latest_us ? quiet_us : latest_us);
    (void)sd_event_source_set_enabled(watch->quiet, SD_EVENT_ONESHOT);
}

static int on_event(sd_event_source *source, const struct inotify_event *event, void *context)
{
    struct folder *folder = context;
    (void)source;
    if (event->mask & FOLDER_GONE)
        folder->source = sd_event_source_disable_unref(folder->source);
    wait_for_quiet(folder->watch);
    return 0;
}

static void follow_folders(struct file_watch *watch)
{
    for (size_t i = 0; i < watch->folder_count; i++) {
        struct folder *folder = &watch->folders[i];
        if (folder->source)
            continue;
        int added = sd_event_add_inotify(
            watch->loop, &folder->source, folder->path, FOLDER_EVENTS, on_event, folder);
        if (added < 0)
            log_debug("%s: not watched, looked at every %d s: %s", folder->path,
                FILE_WATCH_INTERVAL_S, strerror(-added));
    }
}

/* --- the files --- */

static void drop_files(struct file_watch *watch)
{
    for (size_t i = 0; i < watch->folder_count; i++) {
        sd_event_source_disable_unref(watch->folders[i].source);
        free(watch->folders[i].path);
    }
    free(watch->folders);
    free(watch->files);
    watch->folders = NULL;
    watch->files = NULL;
    watch->folder_count = watch->count = 0;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

/* FOLDERS ends with a folder whose path is NULL. */
static bool is_listed(const struct folder *folders, const char *path)
{
    for (; folders->path; folders++) {
        if (strcmp(folders->path, path) == 0)
            return true;
    }
    return false;
}

/* Lists the folder of each file, without duplicates. On failure the caller releases the list. */
static enum result list_folders(struct file_watch *watch)
{
    watch->folders = calloc(watch->count + 1, sizeof(*watch->folders)); /* sources point into it */
    if (!watch->folders)
        return RESULT_NO_MEMORY;
    for (size_t i = 0; i < watch->count; i++) {
        char *path = folder_of(watch->files[i].path);
        if (!path)
            return RESULT_NO_MEMORY;
        if (is_listed(watch->folders, path))
            free(path);
        else
            watch->folders[watch->folder_count++] = (struct folder){.watch = watch, .path = path};
    }
    return RESULT_OK;
}

enum result file_watch_set(struct file_watch *watch, struct watched_file *files, size_t count)
{
    drop_files(watch);
    watch->files = files;
    watch->count = count;
    enum result result = list_folders(watch);
    if (result != RESULT_OK) {
        drop_files(watch);
        return result;
    }
    follow_folders(watch);
    wait_for_quiet(watch);
    return RESULT_OK;
}

/* --- creating and freeing --- */

int file_watch_new(
    sd_event *loop, file_watch_listener *listener, void *context, struct file_watch **out)
{
    struct file_watch *watch CLEANUP(auto_file_watch_free) = calloc(1, sizeof(*watch));
    *out = NULL;
    if (!watch)
        return -ENOMEM;
    watch->loop = sd_event_ref(loop);
    watch->listener = listener;
    watch->context = context;
    int error = timer_repeat(loop, CLOCK_BOOTTIME, INTERVAL_US, on_look, watch, &watch->look);
    if (error >= 0)
        error = sd_event_add_time_relative(
            loop, &watch->quiet, CLOCK_BOOTTIME, QUIET_US, 10000, on_quiet, watch);
    if (error < 0)
        return error;
    *out = TAKE_PTR(watch);
    return 0;
}

void file_watch_free(struct file_watch *watch)
{
    if (!watch)
        return;
    drop_files(watch);
    sd_event_source_disable_unref(watch->look);
    sd_event_source_disable_unref(watch->quiet);
    sd_event_unref(watch->loop);
    free(watch);
}
