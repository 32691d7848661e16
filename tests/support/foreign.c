/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/foreign.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 24

static void become(const int streams[3], const char *program, const char *const *arguments)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < 3; i++)
        if (dup2(streams[i], i) < 0)
            _exit(126);
    execv(program, (char *const *)arguments);
    perror(program);
    _exit(127);
}

/* The child's end of three pipes is theirs[], ours becomes the FILEs. */
static void spawn(struct foreign *foreign, const char *program, const char *const *arguments)
{
    FILE **const files[] = {&foreign->in, &foreign->out, &foreign->err};
    int theirs[3];
    for (int i = 0; i < 3; i++) {
        int ends[2];
        ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
        theirs[i] = ends[i == 0 ? 0 : 1];
        *files[i] = fdopen(ends[i == 0 ? 1 : 0], i == 0 ? "w" : "r");
        ck_assert_ptr_nonnull(*files[i]);
    }
    foreign->pid = fork();
    ck_assert_int_ge(foreign->pid, 0);
    if (foreign->pid == 0)
        become(theirs, program, arguments);
    for (int i = 0; i < 3; i++)
        close(theirs[i]);
}

void foreign_start(struct foreign *foreign, const struct daemon *daemon, const char *stack,
    const char *name, const char *const *arguments)
{
    *foreign = (struct foreign){0};
    const char *build = getenv("BUILD");
    char program[DAEMON_PATH_OCTETS];
    snprintf(program, sizeof(program), "%s/tests/interop/%s", build ? build : "build", stack);
    const char *all[ARGUMENTS_MAX + 1] = {program, "--certificate",
        daemon_file(daemon, "%s.pem", name), "--private-key", daemon_file(daemon, "%s.key", name),
        "--anchors", daemon_file(daemon, "field-ca.pem")};
    size_t count = 7;
    for (size_t i = 0; arguments && arguments[i]; i++) {
        ck_assert_uint_lt(count, ARGUMENTS_MAX);
        all[count++] = arguments[i];
    }
    spawn(foreign, program, all);
}

const char *foreign_read(struct foreign *foreign)
{
    ssize_t size = getline(&foreign->line, &foreign->capacity, foreign->out);
    if (size <= 0) {
        char error[512] = "";
        foreign_end(foreign, error, sizeof(error));
        ck_abort_msg("the initiator ended early: %s", error);
    }
    foreign->line[strcspn(foreign->line, "\n")] = 0;
    return foreign->line;
}

void foreign_write(struct foreign *foreign, const char *line)
{
    ck_assert_int_ge(fprintf(foreign->in, "%s\n", line), 0);
    ck_assert_int_eq(fflush(foreign->in), 0);
}

int foreign_end(struct foreign *foreign, char *error, size_t error_size)
{
    fclose(foreign->in);
    if (!fgets(error, (int)error_size, foreign->err))
        *error = 0;
    error[strcspn(error, "\n")] = 0;
    int status;
    ck_assert_int_eq(waitpid(foreign->pid, &status, 0), foreign->pid);
    fclose(foreign->out);
    fclose(foreign->err);
    free(foreign->line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
