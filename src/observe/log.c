/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/text.h"

#define MESSAGE_OCTETS 1024
#define FIELD_OCTETS   320
#define LINE_OCTETS    3840 /* less than PIPE_BUF, so that a line is written to a pipe as a whole */

static const char *program = "e2ekeyd"; /* log_open sets these two before there are threads */
static bool to_journal;
static atomic_int least_level = LOG_INFO;

static const char *const level_names[] = {
    [LOG_EMERG] = "error: ",
    [LOG_ALERT] = "error: ",
    [LOG_CRIT] = "error: ",
    [LOG_ERR] = "error: ",
    [LOG_WARNING] = "warning: ",
    [LOG_NOTICE] = "info: ",
    [LOG_INFO] = "info: ",
    [LOG_DEBUG] = "debug: ",
};

/* --- an entry: named texts, which become fields in the journal, or one line on stderr --- */

struct log_entry {
    char space[LINE_OCTETS];
    size_t used;
    struct iovec field[13];
    int fields;
};

/* Adds at most MOST octets of VALUE, escaped so that a value that a peer chose cannot begin a field
 * or line of its own. */
static void add(struct log_entry *entry, const char *name, const char *value, size_t most)
{
    char *start = entry->space + entry->used;
    size_t name_size = strlen(name), room = sizeof(entry->space) - entry->used - 1;
    if (!value || name_size >= room || (size_t)entry->fields >= ARRAY_SIZE(entry->field))
        return;
    memcpy(start, name, name_size);
    room -= name_size;
    bytes_escape(bytes_of_string(value), start + name_size, most < room ? most : room);
    size_t size = name_size + strlen(start + name_size);
    entry->field[entry->fields++] = (struct iovec){.iov_base = start, .iov_len = size};
    entry->used += size;
}

static void add_event(struct log_entry *entry, const struct log_event *event)
{
    const struct log_caller *caller = event->caller;
    char rsc[16], uid[16];
    snprintf(rsc, sizeof(rsc), "%d", event->rsc);
    snprintf(uid, sizeof(uid), "%u", caller ? (unsigned)caller->uid : 0);
    const struct {
        const char *in_journal, *on_line, *value;
    } fields[] = {
        {"E2EKEY_PEER=", " peer=", event->peer},
        {"E2EKEY_ENDPOINT=", " endpoint=", event->local},
        {"E2EKEY_KEY_ID=", " keyId=", event->key_id},
        {"E2EKEY_EXCHANGE=", " exchange=", event->exchange},
        {"E2EKEY_RSC=", " rsc=", event->rsc ? rsc : NULL},
        {"E2EKEY_METHOD=", " method=", event->method},
        {"E2EKEY_UID=", " uid=", caller ? uid : NULL},
        {"E2EKEY_USER=", " user=", caller ? caller->user : NULL},
        {"E2EKEY_UNIT=", " unit=", caller ? caller->unit : NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        add(entry, to_journal ? fields[i].in_journal : fields[i].on_line, fields[i].value,
            FIELD_OCTETS);
}

static void write_line(struct log_entry *entry)
{
    entry->space[entry->used++] = '\n';
    while (write(STDERR_FILENO, entry->space, entry->used) < 0 && errno == EINTR)
        ;
}

static void write_entry(const struct log_event *event, const char *message)
{
    int level = event->level & LOG_PRIMASK;
    struct log_entry entry;
    entry.used = 0;
    entry.fields = 0;
    add(&entry, to_journal ? "MESSAGE=" : level_names[level], message, MESSAGE_OCTETS);
    add_event(&entry, event);
    if (!to_journal) {
        write_line(&entry);
        return;
    }
    const char priority[] = {(char)('0' + level), '\0'};
    add(&entry, "PRIORITY=", priority, sizeof(priority));
    add(&entry, "SYSLOG_IDENTIFIER=", program, FIELD_OCTETS);
    add(&entry, "MESSAGE_ID=", event->message_id, FIELD_OCTETS);
    sd_journal_sendv(entry.field, entry.fields);
}

/* --- the rate limit --- */

#define KINDS     32
#define BURST     100
#define PERIOD_MS 10000

struct log_budget {
    uint64_t share;
    int level;
    int64_t ends_ms;     /* of the current period */
    unsigned written;    /* in this period */
    uint64_t suppressed; /* since log_say_suppressed */
};

static struct log_kind {
    char message_id[33];
    struct log_budget whole; /* of share 0 */
    struct log_budget shares[LOG_SHARES];
} kinds[KINDS];
static pthread_mutex_t kinds_lock = PTHREAD_MUTEX_INITIALIZER; /* over KINDS and their budgets */

/* When the table is full, all further kinds share its last row. */
static struct log_kind *kind_of(const char *message_id)
{
    size_t i = 0;
    while (i < KINDS - 1 && kinds[i].message_id[0] && strcmp(kinds[i].message_id, message_id) != 0)
        i++;
    if (!kinds[i].message_id[0])
        snprintf(kinds[i].message_id, sizeof(kinds[i].message_id), "%s", message_id);
    return &kinds[i];
}

#define SHARE_OF_USER (UINT64_C(1) << 32) /* set for a user id; else it is log_event.share */

/* A budget is free for another share once its period is over and its suppressed entries have been
 * reported. */
static struct log_budget *budget_of(struct log_kind *kind, uint64_t share, int64_t now_ms)
{
    struct log_budget *free_one = NULL;
    for (size_t i = 0; share != 0 && i < LOG_SHARES; i++) {
        struct log_budget *budget = &kind->shares[i];
        if (budget->share == share)
            return budget;
        if (!free_one && budget->suppressed == 0 && now_ms >= budget->ends_ms)
            free_one = budget;
    }
    if (!free_one)
        return &kind->whole;
    *free_one = (struct log_budget){.share = share};
    return free_one;
}

static bool may_write(const struct log_event *event)
{
    int64_t now_ms = clock_steady_ms();
    uint64_t share = event->caller ? SHARE_OF_USER | event->caller->uid : event->share;
    pthread_mutex_lock(&kinds_lock);
    struct log_budget *budget = budget_of(kind_of(event->message_id), share, now_ms);
    budget->level = event->level;
    if (now_ms >= budget->ends_ms) {
        budget->ends_ms = now_ms + PERIOD_MS;
        budget->written = 0;
    }
    bool may = budget->written < BURST;
    budget->written += may;
    budget->suppressed += !may;
    pthread_mutex_unlock(&kinds_lock);
    return may;
}

static void report_suppressed(const struct log_kind *kind, struct log_budget *budget)
{
    pthread_mutex_lock(&kinds_lock);
    struct log_budget was = *budget;
    budget->suppressed = 0;
    pthread_mutex_unlock(&kinds_lock);
    if (was.suppressed == 0)
        return;
    char message[64];
    snprintf(message, sizeof(message), "%" PRIu64 " more of these suppressed", was.suppressed);
    const struct log_caller caller = {.uid = (uid_t)was.share};
    write_entry(&(struct log_event){.level = was.level,
                    .message_id = kind->message_id,
                    .caller = was.share & SHARE_OF_USER ? &caller : NULL},
        message);
}

void log_say_suppressed(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        report_suppressed(&kinds[i], &kinds[i].whole);
        for (size_t j = 0; j < LOG_SHARES; j++)
            report_suppressed(&kinds[i], &kinds[i].shares[j]);
    }
}

/* --- the public functions --- */

/* $JOURNAL_STREAM is device and inode of the stream to the journal (systemd.exec(5)): stderr is
 * that stream if its own are the same. */
void log_open(const char *name)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    char here[64];
    program = name;
    to_journal = false;
    if (!stream || fstat(STDERR_FILENO, &status) != 0)
        return;
    snprintf(here, sizeof(here), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    to_journal = strcmp(stream, here) == 0;
}

void log_set_level(int level)
{
    atomic_store_explicit(&least_level, level, memory_order_relaxed);
}

static void write_formatted(const struct log_event *event, const char *format, va_list arguments)
{
    char message[MESSAGE_OCTETS + 4]; /* room for an escape that begins at the end of the text */
    if (vsnprintf(message, sizeof(message), format, arguments) < 0)
        return;
    write_entry(event, message);
}

static bool is_wanted(int level)
{
    return level <= atomic_load_explicit(&least_level, memory_order_relaxed);
}

#define DEFINE_LOG(function, at)                                                                   \
    void function(const char *format, ...)                                                         \
    {                                                                                              \
        if (!is_wanted(at))                                                                        \
            return;                                                                                \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        write_formatted(&(struct log_event){.level = (at)}, format, arguments);                    \
        va_end(arguments);                                                                         \
    }

DEFINE_LOG(log_error, LOG_ERR)
DEFINE_LOG(log_warning, LOG_WARNING)
DEFINE_LOG(log_info, LOG_INFO)
DEFINE_LOG(log_debug, LOG_DEBUG)

void log_event(const struct log_event *event, const char *format, ...)
{
    if (!is_wanted(event->level) || !may_write(event))
        return;
    va_list arguments;
    va_start(arguments, format);
    write_formatted(event, format, arguments);
    va_end(arguments);
}
