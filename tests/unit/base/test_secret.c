/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/secret.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "support/check_main.h"

/* The sanitizers turn mlock(2) into nothing. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool mlock_is_real = false;
#else
static const bool mlock_is_real = true;
#endif

/* Whether a child that does ACT comes to an end of its own. */
static bool survives(void (*act)(void *), void *argument)
{
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO); /* of what a sanitizer would say */
        act(argument);
        _exit(0);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void touch(void *octet)
{
    *(volatile char *)octet = 1;
}

static bool is_zero(const void *memory, size_t size)
{
    const uint8_t *octets = memory;
    for (size_t i = 0; i < size; i++)
        if (octets[i])
            return false;
    return true;
}

/* What the kernel says of the mapping that starts at START: its VmFlags. */
static void flags_of(const void *start, char flags[256])
{
    char line[512], prefix[32];
    bool is_ours = false;
    FILE *maps = fopen("/proc/self/smaps", "re");
    ck_assert_ptr_nonnull(maps);
    snprintf(prefix, sizeof(prefix), "%jx-", (uintmax_t)(uintptr_t)start);
    flags[0] = '\0';
    while (fgets(line, sizeof(line), maps) && !flags[0]) {
        is_ours |= strncmp(line, prefix, strlen(prefix)) == 0;
        if (is_ours && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(flags, 256, "%.250s", line);
    }
    fclose(maps);
}

START_TEST(a_mapping_is_locked_undumped_and_guarded)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *mapping = NULL;
    char flags[256];
    struct fault fault = FAULT_INIT;
    ck_assert_msg(secret_map(3 * page - 5, &mapping, &fault) == RESULT_OK, "%s", fault.text);
    ck_assert(is_zero(mapping, 3 * page));
    flags_of(mapping, flags);
    ck_assert_msg(
        (strstr(flags, " lo ") || !mlock_is_real) && strstr(flags, " dd ") && strstr(flags, " wf "),
        "flags are %s", flags);
    ck_assert(survives(touch, mapping));
    ck_assert(!survives(touch, (char *)mapping - 1));
    ck_assert(!survives(touch, (char *)mapping + 3 * page));
    secret_unmap(mapping, 3 * page - 5);
    ck_assert(!survives(touch, mapping));
    secret_unmap(NULL, 1);
}
END_TEST

static void expect_zero(void *mapping)
{
    if (!is_zero(mapping, 100))
        abort();
}

START_TEST(a_child_finds_nothing)
{
    void *mapping = NULL;
    ck_assert_int_eq(secret_map(100, &mapping, NULL), RESULT_OK);
    memset(mapping, 'k', 100);
    ck_assert(survives(expect_zero, mapping));
    secret_unmap(mapping, 100);
}
END_TEST

START_TEST(a_file_outlives_its_mapping)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *mapping = NULL;
    char flags[256], text[7] = "";
    int fd AUTO_CLOSE = memfd_create("secret", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(fd, (off_t)(3 * page)), 0);
    ck_assert_int_eq(secret_map_file(fd, (off_t)page, page, &mapping, NULL), RESULT_OK);
    flags_of(mapping, flags);
    ck_assert_msg(
        (strstr(flags, " lo ") || !mlock_is_real) && strstr(flags, " dd ") && strstr(flags, " dc "),
        "flags are %s", flags);
    ck_assert(!survives(touch, (char *)mapping - 1));
    ck_assert(!survives(touch, (char *)mapping + page));
    ck_assert(!survives(touch, mapping)); /* the child has no such memory */
    memcpy(mapping, "secret", 6);
    secret_leave(mapping, page);
    ck_assert_int_eq(pread(fd, text, 6, (off_t)page), 6);
    ck_assert_str_eq(text, "secret");
    ck_assert_int_eq(secret_map_file(fd, (off_t)page, page, &mapping, NULL), RESULT_OK);
    secret_unmap(mapping, page);
    ck_assert_int_eq(pread(fd, text, 6, (off_t)page), 6);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(absurd_sizes_are_refused)
{
    void *mapping = NULL;
    ck_assert_int_ne(secret_map(0, &mapping, NULL), RESULT_OK);
    ck_assert_int_ne(secret_map(SIZE_MAX, &mapping, NULL), RESULT_OK);
    ck_assert_int_ne(secret_map(SIZE_MAX / 4, &mapping, NULL), RESULT_OK);
    ck_assert_ptr_null(mapping);
    ck_assert_ptr_null(secret_alloc(0));
    ck_assert_ptr_null(secret_alloc(SIZE_MAX));
}
END_TEST

/* As an ordinary user: the superuser is not held to the limit. */
START_TEST(a_limit_too_low_is_said)
{
    const struct rlimit limit = {65536, 65536};
    void *mapping = NULL;
    struct fault fault = FAULT_INIT;
    if (!mlock_is_real)
        return;
    if (geteuid() == 0)
        ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    ck_assert_int_eq(secret_map(32768, &mapping, &fault), RESULT_OK);
    void *second = NULL;
    ck_assert_int_eq(secret_map(1 << 20, &second, &fault), RESULT_SYSTEM_ERROR);
    ck_assert_ptr_null(second);
    ck_assert_str_eq(fault.text, "cannot lock secret memory: 1056 KiB are needed, 64 allowed: "
                                 "raise LimitMEMLOCK= of the service, or ulimit -l");
    ck_assert_int_eq(secret_harden_process(&fault), RESULT_SYSTEM_ERROR);
    ck_assert_ptr_nonnull(strstr(fault.text, "LimitMEMLOCK="));
    ck_assert_ptr_null(secret_alloc(10));
    secret_unmap(mapping, 32768);
}
END_TEST

START_TEST(hardening_switches_dumps_off)
{
    struct fault fault = FAULT_INIT;
    struct rlimit core;
    ck_assert_msg(secret_harden_process(&fault) == RESULT_OK, "%s", fault.text);
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
    ck_assert_uint_eq(core.rlim_cur, 0);
}
END_TEST

START_TEST(what_is_freed_is_wiped)
{
    char *secret = secret_alloc(100);
    ck_assert_ptr_nonnull(secret);
    memset(secret, 'k', 100);
    secret_free(secret);
    ck_assert(is_zero(secret, 100)); /* the arena stays mapped */
    secret_free(NULL);
}
END_TEST

START_TEST(the_arena_is_bounded_and_joins_again)
{
    static void *parts[1000];
    size_t count = 0;
    void *other = secret_alloc(1);
    while (count < 1000 && (parts[count] = secret_alloc(10000)))
        count++;
    ck_assert_uint_ge(count, 100);
    ck_assert_uint_lt(count, 105);
    ck_assert_ptr_null(secret_alloc(10000));
    for (size_t i = 0; i < count; i += 2)
        secret_free(parts[i]);
    ck_assert_ptr_null(secret_alloc(30000));
    for (size_t i = 1; i < count; i += 2)
        secret_free(parts[i]);
    secret_free(other);
    void *all = secret_alloc(1 << 20);
    ck_assert_ptr_nonnull(all);
    ck_assert(is_zero(all, 1 << 20));
    secret_free(all);
}
END_TEST

static void free_again(void *secret)
{
    secret_free(secret);
}

START_TEST(a_wrong_free_stops_the_process)
{
    char *secret = secret_alloc(200), mine[64];
    ck_assert(!survives(free_again, secret + 1));
    ck_assert(!survives(free_again, secret + 64));
    ck_assert(!survives(free_again, mine));
    secret_free(secret);
    ck_assert(!survives(free_again, secret));
}
END_TEST

#define TURNS 20000

static void *take_and_give(void *number)
{
    uint8_t mark = (uint8_t)(uintptr_t)number;
    uint8_t *held[8] = {NULL};
    for (unsigned i = 0; i < TURNS; i++) {
        size_t size = 1 + (i * 37U + mark) % 500;
        uint8_t **place = &held[i % 8];
        if (*place && (**place != mark || (*place)[1] != mark))
            return (void *)"another thread wrote into it";
        secret_free(*place);
        *place = secret_alloc(size + 1);
        if (!*place || !is_zero(*place, size + 1))
            return (void *)"not there or not zero";
        memset(*place, mark, size + 1);
    }
    for (size_t i = 0; i < 8; i++)
        secret_free(held[i]);
    return NULL;
}

START_TEST(threads_do_not_meet_in_the_arena)
{
    pthread_t threads[8];
    for (uintptr_t i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_and_give, (void *)(i + 1)), 0);
    for (size_t i = 0; i < 8; i++) {
        void *complaint = NULL;
        pthread_join(threads[i], &complaint);
        ck_assert_msg(!complaint, "%s", (char *)complaint);
    }
    void *all = secret_alloc(1 << 20);
    ck_assert_ptr_nonnull(all);
    secret_free(all);
}
END_TEST

/* --- stacks --- */

#define CALL_THREADS 24 /* more than there are stacks */
#define CALLS        500

static uintptr_t frame; /* of the last call: a number, as it is gone when we look */

static void leave_secrets(void *context)
{
    volatile uint8_t octets[20000];
    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = 'k';
    frame = (uintptr_t)octets;
    ++*(int *)context;
}

/* The kernel's line for the mapping that AT lies in, by its start. */
static void *mapping_of(uintptr_t at)
{
    char line[512];
    uintmax_t start, end;
    void *found = NULL;
    FILE *maps = fopen("/proc/self/maps", "re");
    ck_assert_ptr_nonnull(maps);
    while (!found && fgets(line, sizeof(line), maps))
        if (sscanf(line, "%jx-%jx", &start, &end) == 2 && at >= start && at < end)
            found = (void *)(uintptr_t)start;
    fclose(maps);
    return found;
}

START_TEST(a_call_has_a_secret_stack_and_leaves_nothing)
{
    char flags[256];
    int calls = 0;
    ck_assert_int_eq(secret_call(leave_secrets, &calls), RESULT_OK);
    ck_assert_int_eq(calls, 1);
    uintptr_t first = frame;
    uint8_t *mapping = mapping_of(frame);
    flags_of(mapping, flags);
    ck_assert_msg(
        (strstr(flags, " lo ") || !mlock_is_real) && strstr(flags, " dd ") && strstr(flags, " wf "),
        "flags are %s", flags);
    ck_assert(is_zero(mapping, 32768));
    ck_assert(survives(touch, mapping));
    ck_assert(!survives(touch, mapping - 1));
    ck_assert_int_eq(secret_call(leave_secrets, &calls), RESULT_OK);
    ck_assert_uint_eq(frame, first); /* the same stack once more */
    ck_assert_int_eq(calls, 2);
}
END_TEST

static void count_and_yield(void *count)
{
    int *counted = count;
    sched_yield();
    ++*counted;
    sched_yield();
}

static void *call_often(void *count)
{
    for (int i = 0; i < CALLS; i++)
        ck_assert_int_eq(secret_call(count_and_yield, count), RESULT_OK);
    return NULL;
}

START_TEST(threads_wait_for_a_stack)
{
    pthread_t threads[CALL_THREADS];
    int counts[CALL_THREADS] = {0};
    for (size_t i = 0; i < CALL_THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, call_often, &counts[i]), 0);
    for (size_t i = 0; i < CALL_THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_int_eq(counts[i], CALLS);
    }
}
END_TEST

/* As an ordinary user, as with a_limit_too_low_is_said. */
START_TEST(without_any_stack_nothing_is_called)
{
    const struct rlimit limit = {4096, 4096};
    int calls = 0;
    if (!mlock_is_real || (geteuid() == 0 && seteuid(65534) != 0))
        return;
    ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    ck_assert_int_eq(secret_call(leave_secrets, &calls), RESULT_NO_MEMORY);
    ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(random_octets_differ)
{
    uint8_t a[4096] = {0}, b[4096] = {0};
    ck_assert_int_eq(secret_random(a, sizeof(a)), RESULT_OK);
    ck_assert_int_eq(secret_random(b, sizeof(b)), RESULT_OK);
    ck_assert_mem_ne(a, b, sizeof(a));
    ck_assert(!is_zero(a + 4080, 16));
    ck_assert_int_eq(secret_random(a, 0), RESULT_OK);
}
END_TEST

START_TEST(wiping_realloc_keeps_the_content)
{
    char *text = wiping_realloc(NULL, 6);
    ck_assert_ptr_nonnull(text);
    memcpy(text, "hello", 6);
    text = wiping_realloc(text, 100000);
    ck_assert_str_eq(text, "hello");
    text = wiping_realloc(text, 3);
    ck_assert_mem_eq(text, "hel", 3);
    wiping_free(text);
    wiping_free(NULL);
    wiping_free(wiping_malloc(1));
}
END_TEST

/* Reads what is no longer ours through the kernel's eyes. */
static bool was_wiped(uintptr_t at, size_t size)
{
    uint8_t found[512];
    int memory AUTO_CLOSE = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    ck_assert_uint_le(size, sizeof(found));
    ck_assert_int_eq(pread(memory, found, size, (off_t)at), (ssize_t)size);
    return is_zero(found + 16, size - 16); /* malloc writes its links into the first 16 */
}

START_TEST(the_wiping_family_leaves_nothing)
{
    char *text = wiping_malloc(400);
    uintptr_t first = (uintptr_t)text;
    memset(text, 'k', 400);
    text = wiping_realloc(text, 500);
    uintptr_t second = (uintptr_t)text;
    ck_assert(was_wiped(first, 400));
    ck_assert(!was_wiped(second, 400));
    memset(text, 'k', 500);
    wiping_free(text);
    ck_assert(was_wiped(second, 500));
}
END_TEST

CHECK_MAIN("base/secret", a_mapping_is_locked_undumped_and_guarded, a_child_finds_nothing,
    a_file_outlives_its_mapping, absurd_sizes_are_refused, a_limit_too_low_is_said,
    hardening_switches_dumps_off, what_is_freed_is_wiped, the_arena_is_bounded_and_joins_again,
    a_wrong_free_stops_the_process, threads_do_not_meet_in_the_arena,
    a_call_has_a_secret_stack_and_leaves_nothing, threads_wait_for_a_stack,
    without_any_stack_nothing_is_called, random_octets_differ, wiping_realloc_keeps_the_content,
    the_wiping_family_leaves_nothing)
