/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that die while they put and remove keys: what they leave is whole. */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/secret.h"
#include "keys/cache.h"
#include "support/check_main.h"
#include "unit/keys/copy.h"
#include "unit/keys/sample.h"

#define PEER "//m2m.example/in-cse/Cmeter-with-a-name-that-takes-more-than-one-block-of-text"

static struct key_cache *restored(int fd, uint32_t capacity)
{
    struct key_cache *cache = NULL;
    struct key_restored counts;
    if (key_cache_restore(fd, capacity, capacity, &cache, &counts, NULL) != RESULT_OK)
        abort();
    ck_assert_uint_eq(counts.damaged, 0);
    return cache;
}

static enum result put(struct key_cache *cache, uint32_t number)
{
    static const uint8_t evidence[KEY_EVIDENCE_OCTETS];
    uint8_t key[KEY_OCTETS];
    struct key_info info = sample_info(number, PEER, 1000);
    sample_key(info.id, key);
    return key_cache_put(cache, &info, key, bytes_of(evidence, number * 37 % sizeof(evidence)));
}

static enum result take_out(struct key_cache *cache, uint32_t number)
{
    uint8_t id[KEY_ID_OCTETS] = {0};
    memcpy(id, &number, sizeof(number));
    return key_cache_revoke(cache, id);
}

/* A descriptor of the memory of a cache that holds the keys 1 and 2, and no more. */
static int memory_of_two(void)
{
    struct key_cache *cache = NULL;
    ck_assert_int_eq(key_cache_new(2, 2, &cache, NULL), RESULT_OK);
    ck_assert(put(cache, 1) == RESULT_OK && put(cache, 2) == RESULT_OK);
    int fd = dup(key_cache_memory(cache));
    key_cache_leave(cache);
    return fd;
}

/* --- between any two instructions --- */

static void put_third(struct key_cache *cache)
{
    if (put(cache, 3) != RESULT_OK)
        abort();
}

static void revoke_second(struct key_cache *cache)
{
    if (take_out(cache, 2) != RESULT_OK)
        abort();
}

/* A child that stops itself before and after WORK, to be led through it. */
static pid_t start(int memory, void (*work)(struct key_cache *))
{
    int status;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct key_cache *cache = restored(dup(memory), 2);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            abort();
        raise(SIGSTOP);
        work(cache);
        raise(SIGSTOP);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    return child;
}

/* False once it has done its work. */
static bool step(pid_t child)
{
    int status;
    ck_assert_int_eq(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSTOPPED(status), "the child ended with %d", status);
    return WSTOPSIG(status) == SIGTRAP;
}

/* Calls EXPECT with what a successor would have, after each instruction that changed the memory. */
static void at_each_store(void (*work)(struct key_cache *), void (*expect)(struct key_cache *))
{
    int memory AUTO_CLOSE = memory_of_two();
    size_t size = (size_t)lseek(memory, 0, SEEK_END);
    uint8_t *now = mmap(NULL, size, PROT_READ, MAP_SHARED, memory, 0), *before = malloc(size);
    ck_assert(now != MAP_FAILED && before);
    pid_t child = start(memory, work);
    unsigned steps = 0, stores = 0;
    memcpy(before, now, size);
    for (; step(child); steps++) {
        if (memcmp(before, now, size) == 0)
            continue;
        memcpy(before, now, size);
        struct key_cache *successor = restored(copy_of(memory), 2);
        expect(successor);
        key_cache_free(successor);
        stores++;
    }
    printf("%u instructions, %u of them changed the memory\n", steps, stores);
    ck_assert_uint_gt(stores, 10);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    struct key_cache *last = restored(copy_of(memory), 2);
    expect(last);
    ck_assert(!has_sample(last, work == put_third ? 1 : 2));
    ck_assert(work == revoke_second || has_sample(last, 3));
    key_cache_free(last);
    munmap(now, size);
    free(before);
}

/* The new key comes before the oldest goes. */
static void expect_two(struct key_cache *cache)
{
    ck_assert_uint_eq(key_cache_count(cache), 2);
    ck_assert(has_sample(cache, 2) && (has_sample(cache, 1) || has_sample(cache, 3)));
}

static void expect_the_first(struct key_cache *cache)
{
    ck_assert(has_sample(cache, 1) && !has_sample(cache, 3));
    ck_assert_uint_eq(key_cache_count(cache), 1U + has_sample(cache, 2));
}

START_TEST(a_put_may_end_anywhere)
{
    at_each_store(put_third, expect_two);
}
END_TEST
START_TEST(a_removal_may_end_anywhere)
{
    at_each_store(revoke_second, expect_the_first);
}
END_TEST

/* --- one death after the other --- */

#define CAPACITY 64
#define DEATHS   100
#define MOST     300 /* keys before a death */

/* What the processes had done when they died. */
static struct progress {
    _Atomic uint32_t last; /* number that was put */
    _Atomic uint8_t state[DEATHS * (MOST + 2000)];
} * progress;

enum { UNKNOWN, THERE, GOING, GONE };

/* Keys come; in every other stretch they are revoked in their turn, else the oldest make room. */
static void run_on(int memory)
{
    struct key_cache *cache = restored(dup(memory), CAPACITY);
    for (uint32_t number = progress->last + 1; number < ARRAY_SIZE(progress->state); number++) {
        if (put(cache, number) != RESULT_OK)
            _exit(1);
        progress->state[number] = THERE;
        progress->last = number;
        if (number / 100 % 2 == 0)
            continue;
        uint32_t old = number - 20;
        progress->state[old] = GOING;
        (void)take_out(cache, old); /* which may be gone: it is no capacity ago, but a death */
        progress->state[old] = GONE;
    }
    pause();
}

/* How many it was to do before it dies varies, and so does the point that it then is at. */
static void run_and_kill(int memory)
{
    uint32_t most = 0;
    ck_assert_int_eq(secret_random(&most, sizeof(most)), RESULT_OK);
    most = progress->last + most % MOST;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        run_on(memory);
    int status;
    while (progress->last < most && waitpid(child, &status, WNOHANG) == 0)
        ;
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* The last may have been followed by one more, which had the oldest go. */
static void check_what_is_left(int memory)
{
    struct key_cache *cache = restored(dup(memory), CAPACITY);
    uint32_t last = progress->last, first = last < CAPACITY ? 1 : last - CAPACITY + 2;
    for (uint32_t number = first; number <= last; number++) {
        uint8_t state = progress->state[number];
        ck_assert_msg(state != THERE || has_sample(cache, number), "key %u is lost", number);
        ck_assert_msg(state != GONE || !has_sample(cache, number), "key %u is back", number);
    }
    ck_assert(!has_sample(cache, last + 2));
    key_cache_leave(cache);
}

START_TEST(no_death_loses_a_key)
{
    struct key_cache *cache = NULL;
    progress =
        mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(progress != MAP_FAILED);
    ck_assert_int_eq(key_cache_new(CAPACITY, CAPACITY, &cache, NULL), RESULT_OK);
    int memory AUTO_CLOSE = dup(key_cache_memory(cache));
    key_cache_leave(cache);
    for (unsigned i = 0; i < DEATHS; i++) {
        run_and_kill(memory);
        check_what_is_left(memory);
        progress->last++; /* which may be there: its number is not used again */
    }
    printf("%u keys put in %d lives\n", progress->last, DEATHS);
}
END_TEST

CHECK_MAIN("keys/cache of the dead", a_put_may_end_anywhere, a_removal_may_end_anywhere,
    no_death_loses_a_key)
