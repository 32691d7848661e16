/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a test shares with the shim that is preloaded into a daemon (tests/faults/shim.c): which of
 * its calls go wrong, and how. The file that both map is named by FAULTS in the environment. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* The calls that can be made to go wrong, each with its variants: ALLOCATION stands for malloc,
 * calloc, realloc and aligned ones, also where the C library calls them. */
#define SHIM_CALLS(X)                                                                              \
    X(ALLOCATION)                                                                                  \
    X(MMAP)                                                                                        \
    X(MADVISE)                                                                                     \
    X(MLOCK)                                                                                       \
    X(MEMFD_CREATE)                                                                                \
    X(FTRUNCATE)                                                                                   \
    X(FALLOCATE)                                                                                   \
    X(FLOCK)                                                                                       \
    X(GETRANDOM)                                                                                   \
    X(OPEN)                                                                                        \
    X(FSTAT)                                                                                       \
    X(READ)                                                                                        \
    X(WRITE)                                                                                       \
    X(WRITEV)                                                                                      \
    X(SOCKET)                                                                                      \
    X(BIND)                                                                                        \
    X(LISTEN)                                                                                      \
    X(ACCEPT)                                                                                      \
    X(RECV)                                                                                        \
    X(RECVMSG)                                                                                     \
    X(SEND)                                                                                        \
    X(SENDMSG)                                                                                     \
    X(SENDTO) X(EPOLL_CREATE) X(EPOLL_CTL) X(EPOLL_WAIT) X(EVENTFD) X(TIMERFD) X(SIGNALFD) X(THREAD)

#define SHIM_NUMBER(name) SHIM_##name##_NUMBER,
enum { SHIM_CALLS(SHIM_NUMBER) SHIM_CALL_COUNT };
#undef SHIM_NUMBER
#define SHIM_MASK(name) SHIM_##name = 1 << SHIM_##name##_NUMBER,
enum shim_call { SHIM_CALLS(SHIM_MASK) SHIM_ALL = (1 << SHIM_CALL_COUNT) - 1 };
#undef SHIM_MASK

enum shim_thread { SHIM_ANY_THREAD, SHIM_MAIN_THREAD, SHIM_OTHER_THREADS };

enum shim_effect {
    SHIM_FAIL,        /* it returns .error */
    SHIM_SHORT,       /* it gets one octet done, where it takes a size */
    SHIM_KILL_BEFORE, /* SIGKILL in its place */
    SHIM_KILL_AFTER,
};

#define SHIM_FOREVER UINT32_MAX
#define SHIM_FRAMES  24

struct shim {
    /* Set by the test while nothing is armed. */
    uint32_t calls; /* of enum shim_call */
    enum shim_thread thread;
    enum shim_effect effect;
    int error;
    uint32_t first, count; /* of the calls that are seen: from the FIRST (1) on, COUNT of them */
    _Atomic uint32_t armed;
    _Atomic int64_t wall_s; /* by so much the wall clock has been set forward; armed or not */
    /* Set by the shim. */
    _Atomic uint32_t seen, hit;
    _Atomic uint32_t deciding; /* threads that have seen it armed and may yet count themselves */
    _Atomic int64_t live;      /* allocations that are not released */
    uintptr_t base;            /* where the program is mapped */
    void *frames[SHIM_FRAMES]; /* where the first call was that was hit */
    _Atomic uint32_t frame_count;
};
