/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded into the real daemon. Counts the calls that tests/faults/shim.h names and makes those
 * go wrong that a test asks for. Nothing counts before main. */
#include "faults/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <grp.h>
#include <link.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* It stands in for the C library under that one's own names.
 * NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static struct shim nothing, *shim = &nothing;
static bool in_main;
static _Thread_local bool in_shim; /* what backtrace(3) allocates does not count */

/* The first object is the program. */
static int remember_base(struct dl_phdr_info *object, size_t size, void *context)
{
    (void)size;
    (void)context;
    shim->base = object->dlpi_addr;
    return 1;
}

__attribute__((constructor)) static void open_shim(void)
{
    void *frames[2];
    const char *path = getenv("FAULTS");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;

    (void)backtrace(frames, 2); /* loads what it needs */
    if (fd < 0)
        return;
    void *shared = (void *)syscall(
        SYS_mmap, NULL, sizeof(struct shim), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (shared == MAP_FAILED)
        return;
    shim = shared;
    dl_iterate_phdr(remember_base, NULL);
}

static void die(void)
{
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;)
        pause();
}

static void remember_place(void)
{
    in_shim = true;
    shim->frame_count = (uint32_t)backtrace(shim->frames, SHIM_FRAMES);
    in_shim = false;
}

static bool decide(enum shim_call call)
{
    if (!shim->armed || !(shim->calls & call))
        return false;
    bool is_main = gettid() == getpid();
    if (shim->thread != SHIM_ANY_THREAD && (shim->thread == SHIM_MAIN_THREAD) != is_main)
        return false;
    uint32_t number = atomic_fetch_add(&shim->seen, 1) + 1;
    if (number < shim->first || number - shim->first >= shim->count)
        return false;
    if (atomic_fetch_add(&shim->hit, 1) == 0)
        remember_place();
    return true;
}

/* Whether this call, one of CALL, is to go wrong. */
static bool is_hit(enum shim_call call)
{
    if (!in_main || in_shim || !shim->armed)
        return false;
    atomic_fetch_add(&shim->deciding, 1);
    bool hit = decide(call);
    atomic_fetch_sub(&shim->deciding, 1);
    if (hit && shim->effect == SHIM_KILL_BEFORE)
        die();
    return hit;
}

static bool fails(bool hit)
{
    if (!hit || shim->effect != SHIM_FAIL)
        return false;
    errno = shim->error;
    return true;
}

static void after(bool hit)
{
    if (hit && shim->effect == SHIM_KILL_AFTER)
        die();
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
    void (*fini)(void), void (*leave)(void), void *stack);
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
    void (*fini)(void), void (*leave)(void), void *stack)
{
    typeof(__libc_start_main) *real;

    *(void **)&real = dlsym(RTLD_NEXT, "__libc_start_main");
    in_main = true;
    return real(main, argc, argv, init, fini, leave, stack);
}

/* --- accounts: what glibc does at the first look-up does not count, as it ends the process when it
 * has no memory then (src/daemon/main.c) --- */

#define ACCOUNT(name, entry)                                                                       \
    int name(                                                                                      \
        const char *account, struct entry *out, char *room, size_t size, struct entry **found)     \
    {                                                                                              \
        static bool is_known;                                                                      \
        typeof(name) *real;                                                                        \
                                                                                                   \
        *(void **)&real = dlsym(RTLD_NEXT, #name);                                                 \
        in_shim = !is_known;                                                                       \
        int error = real(account, out, room, size, found);                                         \
        in_shim = false;                                                                           \
        is_known = true;                                                                           \
        return error;                                                                              \
    }

ACCOUNT(getpwnam_r, passwd)
ACCOUNT(getgrnam_r, group)

/* --- allocations: the C library's own are there under these names --- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static void *allocated(bool hit, void *memory)
{
    if (memory)
        atomic_fetch_add(&shim->live, 1);
    after(hit);
    return memory;
}

void *malloc(size_t size)
{
    bool hit = is_hit(SHIM_ALLOCATION);
    return fails(hit) ? NULL : allocated(hit, __libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    bool hit = is_hit(SHIM_ALLOCATION);
    return fails(hit) ? NULL : allocated(hit, __libc_calloc(count, size));
}

void *realloc(void *memory, size_t size)
{
    bool hit = is_hit(SHIM_ALLOCATION);
    if (fails(hit))
        return NULL;
    void *moved = __libc_realloc(memory, size);
    if (!memory && moved)
        atomic_fetch_add(&shim->live, 1);
    if (memory && size == 0 && !moved)
        atomic_fetch_sub(&shim->live, 1);
    after(hit);
    return moved;
}

void *reallocarray(void *memory, size_t count, size_t size)
{
    size_t all;
    if (__builtin_mul_overflow(count, size, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(memory, all);
}

void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size)
{
    bool hit = is_hit(SHIM_ALLOCATION);
    return fails(hit) ? NULL : allocated(hit, __libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *memory = memalign(alignment, size);
    if (!memory)
        return ENOMEM;
    *out = memory;
    return 0;
}

void free(void *memory)
{
    if (memory)
        atomic_fetch_sub(&shim->live, 1);
    __libc_free(memory);
}

/* --- system calls --- */

/* RESULT NAME PARAMETERS, which counts as CALL; WRONG is what it returns when it fails, and SHORTEN
 * what makes it get less done. */
#define WRAP(result, name, call, parameters, arguments, wrong, shorten)                            \
    result name parameters;                                                                        \
    result name parameters                                                                         \
    {                                                                                              \
        static result(*real) parameters;                                                           \
        if (!real)                                                                                 \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                             \
        bool hit = is_hit(SHIM_##call);                                                            \
        if (fails(hit))                                                                            \
            return wrong;                                                                          \
        if (hit && shim->effect == SHIM_SHORT)                                                     \
            shorten;                                                                               \
        result outcome = real arguments;                                                           \
        after(hit);                                                                                \
        return outcome;                                                                            \
    }
#define WRAP_FD(name, call, parameters, arguments)                                                 \
    WRAP(int, name, call, parameters, arguments, -1, (void)0)
#define WRAP_SIZED(name, call, parameters, arguments)                                              \
    WRAP(ssize_t, name, call, parameters, arguments, -1, size = size > 1 ? 1 : size)

WRAP(void *, mmap, MMAP, (void *at, size_t size, int access, int flags, int fd, off_t offset),
    (at, size, access, flags, fd, offset), MAP_FAILED, (void)0)
WRAP(void *, mmap64, MMAP, (void *at, size_t size, int access, int flags, int fd, off_t offset),
    (at, size, access, flags, fd, offset), MAP_FAILED, (void)0)
WRAP_FD(madvise, MADVISE, (void *at, size_t size, int advice), (at, size, advice))
WRAP_FD(mlock, MLOCK, (const void *at, size_t size), (at, size))
WRAP_FD(memfd_create, MEMFD_CREATE, (const char *name, unsigned flags), (name, flags))
WRAP_FD(ftruncate, FTRUNCATE, (int fd, off_t size), (fd, size))
WRAP_FD(fallocate, FALLOCATE, (int fd, int mode, off_t from, off_t size), (fd, mode, from, size))
WRAP_FD(flock, FLOCK, (int fd, int operation), (fd, operation))
WRAP_SIZED(getrandom, GETRANDOM, (void *out, size_t size, unsigned flags), (out, size, flags))
WRAP_FD(fstat, FSTAT, (int fd, struct stat *out), (fd, out))
WRAP_FD(stat, FSTAT, (const char *path, struct stat *out), (path, out))

/* Of a file: the kernel's own descriptors (timerfd, signalfd, eventfd) do not fail so. */
static bool is_read_hit(int fd)
{
    struct stat status;

    return syscall(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH) == 0 &&
           S_ISREG(status.st_mode) && is_hit(SHIM_READ);
}

ssize_t read(int fd, void *out, size_t size)
{
    bool hit = is_read_hit(fd);
    if (fails(hit))
        return -1;
    ssize_t done = syscall(SYS_read, fd, out, hit && shim->effect == SHIM_SHORT && size ? 1 : size);
    after(hit);
    return done;
}

ssize_t __read_chk(int fd, void *out, size_t size, size_t room);
ssize_t __read_chk(int fd, void *out, size_t size, size_t room)
{
    return read(fd, out, size < room ? size : room);
}

WRAP_SIZED(write, WRITE, (int fd, const void *in, size_t size), (fd, in, size))
WRAP(ssize_t, writev, WRITEV, (int fd, const struct iovec *parts, int count), (fd, parts, count),
    -1, (void)0)
WRAP_FD(socket, SOCKET, (int domain, int type, int protocol), (domain, type, protocol))
WRAP_FD(bind, BIND, (int fd, __CONST_SOCKADDR_ARG address, socklen_t size), (fd, address, size))
WRAP_FD(listen, LISTEN, (int fd, int backlog), (fd, backlog))
WRAP_FD(accept4, ACCEPT, (int fd, __SOCKADDR_ARG address, socklen_t *size, int flags),
    (fd, address, size, flags))
WRAP_SIZED(recv, RECV, (int fd, void *out, size_t size, int flags), (fd, out, size, flags))
WRAP_SIZED(__recv_chk, RECV, (int fd, void *out, size_t size, size_t room, int flags),
    (fd, out, size, room, flags))
WRAP(ssize_t, recvmsg, RECVMSG, (int fd, struct msghdr *message, int flags), (fd, message, flags),
    -1, (void)0)
WRAP_SIZED(send, SEND, (int fd, const void *in, size_t size, int flags), (fd, in, size, flags))

/* The first octet of MESSAGE alone. */
static ssize_t send_octet(int fd, const struct msghdr *message, int flags)
{
    for (size_t i = 0; i < message->msg_iovlen; i++)
        if (message->msg_iov[i].iov_len > 0)
            return syscall(SYS_sendto, fd, message->msg_iov[i].iov_base, 1, flags, NULL, 0);
    return 0;
}

WRAP(ssize_t, sendmsg, SENDMSG, (int fd, const struct msghdr *message, int flags),
    (fd, message, flags), -1, return send_octet(fd, message, flags))
WRAP(ssize_t, sendto, SENDTO,
    (int fd, const void *in, size_t size, int flags, __CONST_SOCKADDR_ARG to, socklen_t to_size),
    (fd, in, size, flags, to, to_size), -1, (void)0)
WRAP_FD(epoll_create1, EPOLL_CREATE, (int flags), (flags))

/* Only where it adds: nothing else needs memory. */
int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    bool hit = operation == EPOLL_CTL_ADD && is_hit(SHIM_EPOLL_CTL);
    if (fails(hit))
        return -1;
    int done = (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
    after(hit);
    return done;
}

WRAP_FD(epoll_wait, EPOLL_WAIT, (int epoll, struct epoll_event *events, int most, int wait_ms),
    (epoll, events, most, wait_ms))
WRAP_FD(eventfd, EVENTFD, (unsigned count, int flags), (count, flags))
WRAP_FD(timerfd_create, TIMERFD, (clockid_t clock, int flags), (clock, flags))
WRAP_FD(signalfd, SIGNALFD, (int fd, const sigset_t *signals, int flags), (fd, signals, flags))
WRAP(int, pthread_create, THREAD,
    (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context),
    (thread, attributes, run, context), errno, (void)0)

/* open(2) takes its mode only where it makes a file. */
#define WRAP_OPEN(name, before, names)                                                             \
    int name(before const char *path, int flags, ...);                                             \
    int name(before const char *path, int flags, ...)                                              \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                    \
        va_end(rest);                                                                              \
        bool hit = is_hit(SHIM_OPEN);                                                              \
        if (fails(hit))                                                                            \
            return -1;                                                                             \
        int fd = (int)syscall(SYS_openat, names, path, flags, mode);                               \
        after(hit);                                                                                \
        return fd;                                                                                 \
    }
#define IN_FOLDER int folder,
WRAP_OPEN(open, , AT_FDCWD)
WRAP_OPEN(open64, , AT_FDCWD)
WRAP_OPEN(openat, IN_FOLDER, folder)
WRAP_OPEN(openat64, IN_FOLDER, folder)
WRAP_FD(__open_2, OPEN, (const char *path, int flags), (path, flags))
WRAP_FD(__open64_2, OPEN, (const char *path, int flags), (path, flags))
WRAP_FD(__openat64_2, OPEN, (int folder, const char *path, int flags), (folder, path, flags))

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);

    if (result == 0 && clock == CLOCK_REALTIME)
        now->tv_sec += shim->wall_s;
    return result;
}

/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
