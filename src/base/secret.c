/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/secret.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <ucontext.h>

#include "base/page.h"

/* --- mappings --- */

static atomic_size_t locked; /* octets that are mapped now, to report what limit is needed */

static enum result lock_fault(struct fault *fault, size_t size)
{
    struct rlimit limit = {0};
    int error = errno;
    size_t needed = atomic_load_explicit(&locked, memory_order_relaxed) + size;
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (error == EPERM || (limit.rlim_cur != RLIM_INFINITY && needed > limit.rlim_cur))
        return fault_set(fault, RESULT_SYSTEM_ERROR,
            "cannot lock secret memory: %zu KiB are needed, %ju allowed: raise LimitMEMLOCK= of "
            "the service, or ulimit -l",
            (needed + 1023) / 1024, (uintmax_t)limit.rlim_cur / 1024);
    return fault_set(fault, RESULT_SYSTEM_ERROR, "cannot lock %zu KiB of secret memory: %s",
        size / 1024, strerror(error));
}

/* Replaces the inaccessible pages at SECRET. A forked child sees zeros there; of a memfd, it does
 * not inherit the mapping. */
static bool map_between(uint8_t *secret, size_t inner, int fd, off_t offset)
{
    int sharing = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    return mmap(secret, inner, PROT_READ | PROT_WRITE, sharing | MAP_FIXED, fd, offset) == secret &&
           madvise(secret, inner, MADV_DONTDUMP) == 0 &&
           madvise(secret, inner, fd < 0 ? MADV_WIPEONFORK : MADV_DONTFORK) == 0;
}

enum result secret_map(size_t size, void **out, struct fault *fault)
{
    return secret_map_file(-1, 0, size, out, fault);
}

/* The pages before and after the secret ones stay inaccessible, as guards. */
enum result secret_map_file(int fd, off_t offset, size_t size, void **out, struct fault *fault)
{
    size_t guard = page_size();
    if (size == 0 || size > SIZE_MAX / 2)
        return fault_set(fault, RESULT_INTERNAL, "no such size of secret memory: %zu", size);
    size_t inner = (size_t)whole_pages(size);
    uint8_t *outer = mmap(
        NULL, inner + 2 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (outer == MAP_FAILED)
        return fault_set(fault, RESULT_NO_MEMORY, "secret memory: %s", strerror(errno));

    enum result result = RESULT_OK;
    uint8_t *secret = outer + guard;
    if (!map_between(secret, inner, fd, offset))
        result = fault_set(fault, RESULT_SYSTEM_ERROR, "secret memory: %s", strerror(errno));
    else if (mlock(secret, inner) != 0)
        result = lock_fault(fault, inner);
    if (result != RESULT_OK) {
        munmap(outer, inner + 2 * guard);
        return result;
    }
    atomic_fetch_add_explicit(&locked, inner, memory_order_relaxed);
    *out = secret;
    return RESULT_OK;
}

void secret_unmap(void *mapping, size_t size)
{
    if (!mapping)
        return;
    secret_wipe(mapping, (size_t)whole_pages(size));
    secret_leave(mapping, size);
}

void secret_leave(void *mapping, size_t size)
{
    size_t inner = (size_t)whole_pages(size);
    munmap((uint8_t *)mapping - page_size(), inner + 2 * page_size());
    atomic_fetch_sub_explicit(&locked, inner, memory_order_relaxed);
}

/* --- the shared arena --- */

#define GRAIN  64U
#define GRAINS ((1U << 20) / GRAIN)

/* The arena is divided into runs of grains, each free or in use. runs[] describes a run at the
 * index of its first grain. It is outside the arena, so that writing past the end of a secret
 * cannot change it. There are few secrets at a time (private keys, and one exported key a thread),
 * so that the first free run that fits is found soon. */
static struct {
    pthread_mutex_t lock;
    uint8_t *start; /* NULL until arena_open */
    struct run {
        uint16_t grains;
        bool used;
    } runs[GRAINS];
} arena = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* With the lock held. */
static enum result arena_open(struct fault *fault)
{
    void *start = NULL;
    if (arena.start)
        return RESULT_OK;
    TRY(secret_map((size_t)GRAINS * GRAIN, &start, fault));
    arena.runs[0] = (struct run){.grains = GRAINS};
    arena.start = start;
    return RESULT_OK;
}

/* Joins the free runs that follow the free run at AT to it. */
static void arena_join(size_t at)
{
    struct run *run = &arena.runs[at];
    for (size_t next = at + run->grains; next < GRAINS && !arena.runs[next].used;
         next = at + run->grains)
        run->grains = (uint16_t)(run->grains + arena.runs[next].grains);
}

/* The index of a run of GRAINS grains, now in use; GRAINS when there is none. */
static size_t arena_take(size_t grains)
{
    for (size_t at = 0; at < GRAINS; at += arena.runs[at].grains) {
        struct run *run = &arena.runs[at];
        if (run->used)
            continue;
        arena_join(at);
        if (run->grains < grains)
            continue;
        if (run->grains > grains)
            arena.runs[at + grains] = (struct run){.grains = (uint16_t)(run->grains - grains)};
        *run = (struct run){.grains = (uint16_t)grains, .used = true};
        return at;
    }
    return GRAINS;
}

void *secret_alloc(size_t size)
{
    if (size == 0 || size > (size_t)GRAINS * GRAIN)
        return NULL;
    pthread_mutex_lock(&arena.lock);
    size_t at = GRAINS;
    if (arena_open(NULL) == RESULT_OK)
        at = arena_take((size + GRAIN - 1) / GRAIN);
    pthread_mutex_unlock(&arena.lock);
    return at < GRAINS ? arena.start + at * GRAIN : NULL;
}

void secret_free(void *secret)
{
    if (!secret)
        return;
    pthread_mutex_lock(&arena.lock);
    size_t offset = (size_t)((uint8_t *)secret - arena.start);
    if (!arena.start || offset % GRAIN != 0 || offset / GRAIN >= GRAINS ||
        !arena.runs[offset / GRAIN].used)
        abort(); /* not from secret_alloc, or freed twice: memory is corrupted */
    struct run *run = &arena.runs[offset / GRAIN];
    secret_wipe(secret, run->grains * (size_t)GRAIN);
    run->used = false;
    pthread_mutex_unlock(&arena.lock);
}

/* --- stacks --- */

#define STACK_OCTETS 32768U
#define STACKS_MAX   8U /* this many threads compute at a time; others wait */

/* Each stack is a mapping of its own, so that an overflow hits a guard page. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t given_back;
    size_t count, idle_count;
    void *idle[STACKS_MAX];
} stacks = {.lock = PTHREAD_MUTEX_INITIALIZER, .given_back = PTHREAD_COND_INITIALIZER};

/* With the lock held. */
static enum result stack_add(struct fault *fault)
{
    void *stack = NULL;
    TRY(secret_map(STACK_OCTETS, &stack, fault));
    stacks.count++;
    stacks.idle[stacks.idle_count++] = stack;
    return RESULT_OK;
}

/* NULL when there is none at all. */
static void *stack_take(void)
{
    void *stack = NULL;
    pthread_mutex_lock(&stacks.lock);
    if (stacks.idle_count == 0 && stacks.count < STACKS_MAX)
        (void)stack_add(NULL); /* when memory is short, wait for one of the stacks in use */
    while (stacks.idle_count == 0 && stacks.count > 0)
        pthread_cond_wait(&stacks.given_back, &stacks.lock);
    if (stacks.idle_count > 0)
        stack = stacks.idle[--stacks.idle_count];
    pthread_mutex_unlock(&stacks.lock);
    return stack;
}

static void stack_give_back(void *stack)
{
    secret_wipe(stack, STACK_OCTETS);
    pthread_mutex_lock(&stacks.lock);
    stacks.idle[stacks.idle_count++] = stack;
    pthread_cond_signal(&stacks.given_back);
    pthread_mutex_unlock(&stacks.lock);
}

/* What this thread is to run on the other stack: makecontext(3) cannot pass pointers. */
static _Thread_local struct {
    void (*function)(void *);
    void *context;
} due;

static void run_due(void)
{
    due.function(due.context);
}

/* Does what swapcontext(3) does, for which the address sanitizer prints a warning. */
static void run_due_on(void *stack)
{
    volatile bool is_done = false;
    ucontext_t here, there;
    getcontext(&there);
    there.uc_stack = (stack_t){.ss_sp = stack, .ss_size = STACK_OCTETS};
    there.uc_link = &here;
    makecontext(&there, run_due, 0);
    getcontext(&here); /* returns a second time, when the function has returned */
    if (!is_done) {
        is_done = true;
        setcontext(&there);
    }
}

enum result secret_call(void (*function)(void *), void *context)
{
    void *stack = stack_take();
    if (!stack)
        return RESULT_NO_MEMORY;
    due.function = function;
    due.context = context;
    run_due_on(stack);
    stack_give_back(stack);
    return RESULT_OK;
}

/* --- the process --- */

enum result secret_harden_process(struct fault *fault)
{
    const struct rlimit none = {0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fault_set(
            fault, RESULT_SYSTEM_ERROR, "cannot switch core dumps off: %s", strerror(errno));
    pthread_mutex_lock(&arena.lock);
    enum result result = arena_open(fault);
    pthread_mutex_unlock(&arena.lock);
    pthread_mutex_lock(&stacks.lock);
    if (result == RESULT_OK && stacks.count == 0)
        result = stack_add(fault);
    pthread_mutex_unlock(&stacks.lock);
    return result;
}

/* --- random octets --- */

enum result secret_random(void *out, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = getrandom((uint8_t *)out + done, size - done, 0);
        if (got < 0 && errno != EINTR)
            return RESULT_SYSTEM_ERROR;
        done += got > 0 ? (size_t)got : 0;
    }
    return RESULT_OK;
}
