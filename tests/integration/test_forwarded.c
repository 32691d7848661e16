/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who sends a request, behind a proxy that is trusted to say so, and behind one that is not: floods
 * in a device's name, and what becomes of its pending exchange. 127.0.0.1 is the trusted proxy. */
#include "support/check_main.h"
#include "support/fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/raw.h"
#include "support/run.h"

#define FLOOD     20 /* more than limits.pendingPerOriginator */
#define STRANGER  "127.0.0.2"
#define OF_DEVICE "198.51.100.7"
#define OF_OTHER  "198.51.100.8"

/* Creates in the device's name, from ADDRESS, each with HEADER. */
static void flood(const char *address, const char *header)
{
    char *content = exchange_begin(meter);
    struct raw_answer answer;

    http_use_address(address);
    int fd = raw_connect(daemon_.port);
    for (unsigned i = 0; i < FLOOD; i++) {
        dprintf(fd,
            "POST " ENTRY " HTTP/1.1\r\n" HOST CREATE "X-M2M-Origin: Cmeter\r\nX-M2M-RI: f%u\r\n"
            "X-M2M-RVI: 3\r\n%sContent-Length: %zu\r\n\r\n%s",
            i, header, strlen(content), content);
        raw_receive(fd, &answer);
        raw_expect_status(&answer, 201, "2001");
    }
    close(fd);
    http_use_address(NULL);
    free(content);
}

/* The device opens an exchange through the trusted proxy, and the flood comes. STATUS: what the
 * device finds then. */
static void expect_after(const char *address, const char *header, long status)
{
    static const char *const of_device[] = {"X-Forwarded-For: " OF_DEVICE, NULL};
    struct run run;
    struct http_answer answer;
    char *content;

    fixture_start("{\"http\":{\"trustedProxies\":[\"127.0.0.1\"]}}");
    run_begin(&run, meter, RUN_SERVER_NAME);
    content = exchange_content(buffer_bytes(&run.message1));
    m2m_call(client, daemon_.port,
        &(struct m2m_request){.method = "POST",
            .path = RUN_ENTRY,
            .from = "Cmeter",
            .request_id = "device",
            .content_type = "application/json;ty=30001",
            .body = content,
            .headers = of_device},
        &answer);
    ck_assert_int_eq(answer.status, 201);
    snprintf(run.path, sizeof(run.path), "/~%s", http_answer_header(&answer, "Content-Location"));
    run.from = "Cmeter";
    http_answer_release(&answer);
    free(content);

    flood(address, header);
    run_expect_status(&run, client, &daemon_, status);
    run_end(&run);
    fixture_stop();
}

START_TEST(a_flood_through_the_trusted_proxy_is_another_peer)
{
    expect_after("127.0.0.1", "X-Forwarded-For: " OF_OTHER "\r\n", 200);
    expect_after("127.0.0.1", "Forwarded: for=" OF_OTHER "\r\n", 200);
}
END_TEST

/* What the client wrote itself stands before what the proxy adds. */
START_TEST(a_forged_address_before_the_proxys_counts_for_nothing)
{
    expect_after("127.0.0.1", "X-Forwarded-For: " OF_DEVICE ", " OF_OTHER "\r\n", 200);
    expect_after(
        "127.0.0.1", "X-Forwarded-For: " OF_DEVICE "\r\nX-Forwarded-For: " OF_OTHER "\r\n", 200);
}
END_TEST

START_TEST(who_is_no_trusted_proxy_is_not_believed)
{
    expect_after(STRANGER, "X-Forwarded-For: " OF_DEVICE "\r\n", 200);
    expect_after(STRANGER, "Forwarded: for=" OF_DEVICE "\r\n", 200);
}
END_TEST

/* The other tests can fail: this is what happens to who is the same peer. */
START_TEST(the_same_peer_displaces_its_own)
{
    expect_after("127.0.0.1", "X-Forwarded-For: " OF_DEVICE "\r\n", 404);
}
END_TEST

CHECK_MAIN("integration/forwarded", a_flood_through_the_trusted_proxy_is_another_peer,
    a_forged_address_before_the_proxys_counts_for_nothing, who_is_no_trusted_proxy_is_not_believed,
    the_same_peer_displaces_its_own)
