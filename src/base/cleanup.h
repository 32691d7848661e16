/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scope-bound release and explicit hand-over of ownership, and the attributes used throughout. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function)   __attribute__((cleanup(function)))
#define WARN_UNUSED         __attribute__((warn_unused_result))
#define PRINTF(text, first) __attribute__((format(printf, text, first)))

/* Defines auto_FUNCTION(), to stand in CLEANUP() on a variable of TYPE (a pointer type). */
#define DEFINE_CLEANUP(type, function)                                                             \
    static inline void auto_##function(type *owned)                                                \
    {                                                                                              \
        if (*owned)                                                                                \
            function(*owned);                                                                      \
    }

/* Hands a pointer over: the value of the expression is the pointer, the variable becomes NULL. */
#define TAKE_PTR(pointer)                                                                          \
    __extension__({                                                                                \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

/* The same for a file descriptor, which becomes -1. */
#define TAKE_FD(fd)                                                                                \
    __extension__({                                                                                \
        int taken_ = (fd);                                                                         \
        (fd) = -1;                                                                                 \
        taken_;                                                                                    \
    })

static inline void auto_free(void *owned)
{
    free(*(void **)owned);
}

static inline void auto_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define AUTO_FREE  CLEANUP(auto_free)
#define AUTO_CLOSE CLEANUP(auto_close)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
