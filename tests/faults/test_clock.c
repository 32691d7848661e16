/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wall clock is set in the middle of an exchange, and with keys in the cache. Certificates are
 * judged by it; exchanges and keys live by the steady clock. tests/integration/clock has keys that
 * expire. */
#include "support/check_main.h"

#include <poll.h>
#include <string.h>

#include "faults/inject.h"
#include "tls/context.h"

#define HOUR 3600
#define DAY  (24 * HOUR)
#define YEAR (365 * DAY)

#define POLICY                                                                                     \
    "{\"keys\":{\"perPeer\":64,\"capacity\":256},"                                                 \
    "\"limits\":{\"createsPerSecond\":100000,\"createBurst\":100000}}"

static struct daemon daemon_;
static struct initiator_credential *credential;
static struct attempt kept;

static int carry(void (*message)(struct attempt *attempt, const struct daemon *daemon,
                     struct attempt_answer *answer),
    struct attempt *attempt, const char *reason)
{
    struct attempt_answer answer;

    message(attempt, &daemon_, &answer);
    int status = answer.status;
    ck_assert_msg(!reason || strstr(answer.text, reason), "%s", answer.text);
    attempt_answer_release(&answer);
    return status;
}

static void set_up(void)
{
    ck_assert_int_eq(tls_start(NULL), RESULT_OK);
    daemon_prepare(&daemon_, &(struct daemon_options){.policy = POLICY});
    credential = exchange_credential(&daemon_, "meter");
    inject_open(&daemon_);
    inject_launch(&daemon_, false);
    ck_assert(inject_await_start(&daemon_));
    attempt_begin(&kept, credential, false, "Cmeter");
    ck_assert_int_eq(carry(attempt_message1, &kept, NULL), 201);
    ck_assert_int_eq(carry(attempt_message3, &kept, NULL), 200);
}

static void tear_down(void)
{
    attempt_end(&kept);
    initiator_credential_free(credential);
    daemon_stop(&daemon_);
    inject_close();
}

static const struct {
    int64_t seconds;
    int status;         /* of Message 3 after it */
    const char *reason; /* NULL: any */
} jumps[] = {
    {HOUR, 200, NULL},
    {DAY, 200, NULL},
    {2 * YEAR, 403, "expired"},
    {-HOUR, 403, "not valid yet"},
    {-DAY, 403, "not valid yet"},
    {-2 * YEAR, 403, "not valid yet"},
};

START_TEST(in_the_middle_of_an_exchange)
{
    for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
        struct attempt attempt;
        attempt_begin(&attempt, credential, false, "Cmeter");
        ck_assert_int_eq(carry(attempt_message1, &attempt, NULL), 201);
        inject_wall_clock(jumps[i].seconds);
        ck_assert_int_eq(carry(attempt_message3, &attempt, jumps[i].reason), jumps[i].status);
        ck_assert_int_eq(attempt_key_is_there(&attempt, &daemon_), jumps[i].status == 200);
        ck_assert(attempt_key_is_there(&kept, &daemon_));
        inject_wall_clock(0);
        ck_assert(attempt_key_is_there(&kept, &daemon_));
        ck_assert(attempt_run(&daemon_, credential, i % 2, "Cmeter"));
        attempt_end(&attempt);
    }
}
END_TEST

/* A loop that a jump made busy would go round thousands of times a second. */
START_TEST(no_timer_goes_wild)
{
    enum { WATCHED_MS = 1500, ROUNDS_MAX = 100 };

    for (size_t i = 0; i < ARRAY_SIZE(jumps); i += 2) {
        inject_wall_clock(jumps[i].seconds);
        inject(&(struct fault_plan){.calls = SHIM_EPOLL_WAIT, .first = SHIM_FOREVER});
        poll(NULL, 0, WATCHED_MS);
        uint32_t rounds = inject_end();
        ck_assert_msg(rounds > 0 && rounds < ROUNDS_MAX, "%u rounds", rounds);
        ck_assert(attempt_key_is_there(&kept, &daemon_));
    }
    inject_wall_clock(0);
}
END_TEST

CHECK_MAIN_FIXTURE(
    "faults/clock", set_up, tear_down, in_the_middle_of_an_exchange, no_timer_goes_wild)
