/* SPDX-License-Identifier: MIT */
/* Any octets as what answers at the key socket, to libe2ekey. The first octet says which of its
 * functions asks. */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/e2ekey.h"
#include "fuzz/fuzz.h"

#define ITEMS_MAX 200

static int listening = -1, peer = -1;
static struct bytes reply; /* to the next call */

static void open_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (listening >= 0)
        return;
    strncpy(address.sun_path, fuzz_path("keys.sock"), sizeof(address.sun_path) - 1);
    listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(listening, (struct sockaddr *)&address, sizeof(address)) == 0 &&
         listen(listening, 8) == 0);
}

/* Whoever answers at the socket does so as soon as the library has sent its call. */
ssize_t __real_send(int fd, const void *data, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t size, int flags)
{
    ssize_t sent = __real_send(fd, data, size, flags);

    must(sent == (ssize_t)size && ((const char *)data)[size - 1] == '\0');
    if (peer < 0) {
        peer = accept(listening, NULL, NULL);
        must(peer >= 0);
    }
    if (reply.size > 0)
        must(__real_send(peer, reply.data, reply.size, MSG_NOSIGNAL) == (ssize_t)reply.size);
    shutdown(peer, SHUT_WR);
    return sent;
}

static bool ends(const char *text, size_t room)
{
    return memchr(text, 0, room) != NULL;
}

static void check_key(const struct e2ekey_key *key)
{
    must(ends(key->key_id, sizeof(key->key_id)) && ends(key->peer, sizeof(key->peer)) &&
         ends(key->local, sizeof(key->local)) && ends(key->role, sizeof(key->role)) &&
         ends(key->flavour, sizeof(key->flavour)) &&
         ends(key->cipher_suite, sizeof(key->cipher_suite)));
}

static void get(struct e2ekey *e2ekey)
{
    struct e2ekey_key key;
    int error = e2ekey_get(e2ekey, "//m2m.example/in-cse/C1", NULL, NULL, &key);

    must(key.has_key == (error == E2EKEY_OK));
    check_key(&key);
    if (error != E2EKEY_OK)
        for (size_t i = 0; i < sizeof(key); i++) /* all of it is wiped */
            must(((const uint8_t *)&key)[i] == 0);
    e2ekey_wipe(&key);
}

static void get_text(struct e2ekey *e2ekey, int (*ask)(struct e2ekey *, char **))
{
    char *text AUTO_FREE = NULL;
    int error = ask(e2ekey, &text);

    must((error == E2EKEY_OK) == (text != NULL));
}

static void read_stream(struct e2ekey *e2ekey, bool is_list)
{
    struct e2ekey_stream *stream;
    struct e2ekey_key key;
    char event[E2EKEY_WORD_OCTETS] = "";
    int error = is_list ? e2ekey_list(e2ekey, NULL, "//m2m.example/in-cse", &stream)
                        : e2ekey_watch(e2ekey, &stream);

    must(error == E2EKEY_OK && e2ekey_stream_fd(stream) >= 0);
    for (unsigned i = 0; error == E2EKEY_OK && i < ITEMS_MAX; i++) {
        error = e2ekey_next(stream, 0, event, &key);
        check_key(&key);
        must(!key.has_key && ends(event, sizeof(event)));
    }
    must(error == E2EKEY_OK || e2ekey_strerror(error)[0] != '\0');
    e2ekey_stream_close(stream);
}

static void ask(struct e2ekey *e2ekey, unsigned which)
{
    switch (which) {
    case 0:
        get(e2ekey);
        break;
    case 1:
        must(e2ekey_revoke(e2ekey, "00") != E2EKEY_END);
        break;
    case 2:
        get_text(e2ekey, e2ekey_status);
        break;
    case 3:
        get_text(e2ekey, e2ekey_metrics);
        break;
    default:
        read_stream(e2ekey, which == 4);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    struct e2ekey *e2ekey;

    fuzz_begin();
    open_socket();
    uint8_t which = fuzz_octet(&in) % 12;
    reply = in;
    must(e2ekey_connect(fuzz_path("keys.sock"), &e2ekey) == E2EKEY_OK);
    e2ekey_set_timeout(e2ekey, which % 2 ? 1000 : -1);
    if (which / 2 > 3) { /* a stream has a connection of its own, behind the handle's */
        peer = accept(listening, NULL, NULL);
        close(peer);
        peer = -1;
    }
    ask(e2ekey, which / 2);
    if (peer >= 0)
        close(peer);
    peer = -1;
    if (which / 2 <= 3) { /* the other side has left: the handle connects again by itself */
        ask(e2ekey, which / 2);
        close(peer);
        peer = -1;
    }
    e2ekey_close(e2ekey);
    return 0;
}
