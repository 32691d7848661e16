/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/socket.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "support/check_main.h"

static char folder[64], path[96];
static struct socket_file place;
static struct fault fault;

static void begin(void)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/socket.XXXXXX", temporary ? temporary : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/keys.sock", folder);
}

static void end(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static int connect_to(const char *to)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, to, strlen(to) + 1);
    int fd AUTO_CLOSE = socket(AF_UNIX, SOCK_STREAM, 0);
    return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

START_TEST(it_listens_for_owner_and_group)
{
    begin();
    for (mode_t mask = 0; mask <= 0777; mask += 0777) { /* whatever umask is */
        mode_t before = umask(mask);
        int fd = -1;
        ck_assert_msg(socket_listen(path, 0660, (gid_t)-1, &fd, &place, &fault) == RESULT_OK, "%s",
            fault.text);
        umask(before);
        struct stat status;
        ck_assert_int_eq(lstat(path, &status), 0);
        ck_assert_uint_eq(status.st_mode, S_IFSOCK | 0660);
        ck_assert_int_eq(connect_to(path), 0);
        close(fd);
        socket_remove(&place);
        ck_assert_int_ne(access(path, F_OK), 0);
    }
    end();
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
    begin();
    int fd = -1;
    ck_assert_int_eq(socket_listen(path, 0660, (gid_t)-1, &fd, &place, &fault), RESULT_OK);
    close(fd); /* as if we had died: the name stays */
    free(place.path);
    ck_assert_int_eq(socket_listen(path, 0660, (gid_t)-1, &fd, &place, &fault), RESULT_OK);
    ck_assert_int_eq(connect_to(path), 0);
    close(fd);
    socket_remove(&place);
    end();
}
END_TEST

START_TEST(a_living_socket_is_left_alone)
{
    begin();
    int fd = -1, second = -1;
    struct socket_file none = {0};
    ck_assert_int_eq(socket_listen(path, 0660, (gid_t)-1, &fd, &place, &fault), RESULT_OK);
    ck_assert_int_eq(
        socket_listen(path, 0660, (gid_t)-1, &second, &none, &fault), RESULT_SYSTEM_ERROR);
    ck_assert_ptr_nonnull(strstr(fault.text, path));
    ck_assert_ptr_nonnull(strstr(fault.text, "another process answers"));
    ck_assert_int_eq(second, -1);
    ck_assert_int_eq(connect_to(path), 0);
    close(fd);
    socket_remove(&place);
    end();
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
    begin();
    int fd = -1, file = open(path, O_CREAT | O_WRONLY, 0600);
    ck_assert_int_ge(file, 0);
    close(file);
    ck_assert_int_eq(
        socket_listen(path, 0660, (gid_t)-1, &fd, &place, &fault), RESULT_SYSTEM_ERROR);
    ck_assert_ptr_nonnull(strstr(fault.text, path));
    ck_assert_ptr_nonnull(strstr(fault.text, "not a socket"));
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(unlink(path), 0);

    ck_assert_int_eq(symlink("/tmp", path), 0);
    ck_assert_int_eq(
        socket_listen(path, 0660, (gid_t)-1, &fd, &place, &fault), RESULT_SYSTEM_ERROR);
    ck_assert_int_eq(fd, -1);
    end();
}
END_TEST

START_TEST(another_ones_socket_is_not_removed)
{
    begin();
    int fd = -1, second = -1;
    struct socket_file next = {0};
    ck_assert_int_eq(socket_listen(path, 0660, (gid_t)-1, &fd, &place, &fault), RESULT_OK);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(socket_listen(path, 0660, (gid_t)-1, &second, &next, &fault), RESULT_OK);
    socket_remove(&place);
    ck_assert_int_eq(connect_to(path), 0);
    socket_remove(&next);
    socket_remove(&next);
    close(fd);
    close(second);
    end();
}
END_TEST

START_TEST(a_path_that_can_not_be_is_a_fault)
{
    int fd = -1;
    char longest[200] = "/tmp/";
    memset(longest + 5, 'x', sizeof(longest) - 6);
    ck_assert_int_eq(
        socket_listen(longest, 0660, (gid_t)-1, &fd, &place, &fault), RESULT_BAD_CONFIGURATION);
    ck_assert_int_eq(
        socket_listen("/no/such/folder/keys.sock", 0660, (gid_t)-1, &fd, &place, &fault),
        RESULT_SYSTEM_ERROR);
    ck_assert_ptr_nonnull(strstr(fault.text, "/no/such/folder/keys.sock"));
}
END_TEST

CHECK_MAIN("base/socket", it_listens_for_owner_and_group, a_stale_socket_is_replaced,
    a_living_socket_is_left_alone, what_is_no_socket_is_left_alone,
    another_ones_socket_is_not_removed, a_path_that_can_not_be_is_a_fault)
