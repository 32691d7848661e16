/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/secret.h"
#include "support/check_main.h"

/* Each test has a folder, and a file in it that it may make. */
static char folder[64], path[96];

static void make_folder(void)
{
    snprintf(folder, sizeof(folder), "/tmp/e2ekeyd-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/file", folder);
}

static void remove_folder(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* In place of one that is there. */
static void make_file(const char *text, mode_t mode)
{
    unlink(path);
    int fd AUTO_CLOSE = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(fchmod(fd, mode), 0);
}

static enum result read_secret(size_t limit, struct fault *fault)
{
    void *content = NULL;
    size_t size = 0;
    enum result result = file_read_secret(path, limit, &content, &size, fault);
    if (result == RESULT_OK)
        ck_assert(size == 5 && memcmp(content, "12345", 6) == 0);
    else
        ck_assert_ptr_null(content);
    secret_free(content);
    return result;
}

START_TEST(reads_up_to_the_limit)
{
    struct buffer out AUTO_BUFFER = {0};
    struct fault fault = FAULT_INIT;
    make_file("12345", 0644);
    ck_assert_int_eq(file_read(path, 5, &out, &fault), RESULT_OK);
    ck_assert(bytes_equal(buffer_bytes(&out), bytes_of_string("12345")));
    ck_assert_uint_eq(out.limit, 5);
}
END_TEST

START_TEST(refuses_a_larger_one)
{
    struct buffer out AUTO_BUFFER = {0};
    struct fault fault = FAULT_INIT;
    char expected[128];
    make_file("12345", 0600);
    ck_assert_int_eq(file_read(path, 4, &out, &fault), RESULT_BAD_CONFIGURATION);
    snprintf(expected, sizeof(expected), "%s: larger than 4 octets", path);
    ck_assert_str_eq(fault.text, expected);
    ck_assert_uint_eq(out.size, 0);
    ck_assert_int_eq(read_secret(4, &fault), RESULT_BAD_CONFIGURATION);
}
END_TEST

START_TEST(reads_an_empty_one)
{
    struct buffer out AUTO_BUFFER = {0};
    make_file("", 0600);
    ck_assert_int_eq(file_read(path, 0, &out, NULL), RESULT_OK);
    ck_assert_uint_eq(out.size, 0);
}
END_TEST

START_TEST(says_what_is_missing)
{
    struct buffer out AUTO_BUFFER = {0};
    struct fault fault = FAULT_INIT;
    ck_assert_int_eq(file_read("/no/such/file", 10, &out, &fault), RESULT_SYSTEM_ERROR);
    ck_assert_str_eq(fault.text, "/no/such/file: No such file or directory");
}
END_TEST

/* A FIFO must not hang us, nor a device be read. */
START_TEST(takes_regular_files_only)
{
    struct buffer out AUTO_BUFFER = {0};
    make_file("", 0600);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(file_read(path, 10, &out, NULL), RESULT_BAD_CONFIGURATION);
    ck_assert_int_eq(read_secret(10, NULL), RESULT_BAD_CONFIGURATION);
    ck_assert_int_eq(file_read(folder, 10, &out, NULL), RESULT_BAD_CONFIGURATION);
    ck_assert_int_eq(file_read("/dev/zero", 10, &out, NULL), RESULT_BAD_CONFIGURATION);
}
END_TEST

START_TEST(secrets_open_to_others_are_refused)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0610, 0601};
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        struct fault fault = FAULT_INIT;
        make_file("12345", modes[i]);
        ck_assert_int_eq(read_secret(10, &fault), RESULT_BAD_CONFIGURATION);
        ck_assert_ptr_nonnull(strstr(fault.text, "chmod 600"));
    }
    make_file("12345", 0400);
    ck_assert_int_eq(read_secret(10, NULL), RESULT_OK);
}
END_TEST

START_TEST(credentials_are_exempt_and_nothing_beside_them)
{
    make_file("12345", 0440);
    ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
    ck_assert_int_eq(read_secret(10, NULL), RESULT_OK);

    char beside[128];
    void *content = NULL;
    size_t size;
    snprintf(beside, sizeof(beside), "%s/../%s/file", folder, strrchr(folder, '/') + 1);
    ck_assert_int_eq(file_read_secret(beside, 10, &content, &size, NULL), RESULT_BAD_CONFIGURATION);
    ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", "", 1), 0);
    ck_assert_int_eq(read_secret(10, NULL), RESULT_BAD_CONFIGURATION);
}
END_TEST

/* Waits for the clock of the file system, which ticks some hundred times a second. */
static bool print_changes(struct file_print *before, void (*change)(void))
{
    struct file_print now;
    for (int i = 0; i < 1000; i++) {
        change();
        now = file_print_of(path);
        if (!file_print_equal(&now, before)) {
            *before = now;
            return true;
        }
        usleep(1000);
    }
    return false;
}

static void write_as_much_in_place(void)
{
    int fd AUTO_CLOSE = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(write(fd, "54321", 5), 5);
}

static void write_and_turn_back_the_time(void)
{
    const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    write_as_much_in_place();
    ck_assert_int_eq(utimensat(AT_FDCWD, path, old, 0), 0);
}

static void replace_by_a_copy(void)
{
    char copy[104];
    snprintf(copy, sizeof(copy), "%s.copy", path);
    int fd AUTO_CLOSE = open(copy, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(fd, "54321", 5), 5);
    ck_assert_int_eq(rename(copy, path), 0);
}

static void remove_it(void)
{
    unlink(path);
}

START_TEST(a_print_tells_contents_apart)
{
    make_file("12345", 0600);
    struct file_print print = file_print_of(path), same = file_print_of(path), none = {0};
    ck_assert(file_print_equal(&print, &same));
    ck_assert(!file_print_equal(&print, &none));
    ck_assert(print_changes(&print, write_as_much_in_place));
    ck_assert(print_changes(&print, write_and_turn_back_the_time));
    ck_assert(print_changes(&print, replace_by_a_copy));
    ck_assert(print_changes(&print, remove_it));
    ck_assert(file_print_equal(&print, &none));
}
END_TEST

CHECK_MAIN_FIXTURE("base/file", make_folder, remove_folder, a_print_tells_contents_apart,
    reads_up_to_the_limit, refuses_a_larger_one, reads_an_empty_one, says_what_is_missing,
    takes_regular_files_only, secrets_open_to_others_are_refused,
    credentials_are_exempt_and_nothing_beside_them)
