/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <grp.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/secret.h"
#include "daemon/configuration.h"
#include "daemon/daemon.h"
#include "observe/log.h"
#include "policy/policy.h"
#include "tls/context.h"

#define EXIT_USAGE     2
#define ACCOUNT_OCTETS 4096

static void print_help(void)
{
    puts("Usage: e2ekeyd [OPTION]...\n"
         "The Terminating End-Point of oneM2M end-to-end key establishment (ESCertKE): takes\n"
         "exchanges over HTTP, keeps the keys, answers local AEs on a Unix socket.\n"
         "\n"
         "  --policy FILE  the policy to run by (default " POLICY_DEFAULT_PATH ")\n"
         "  --check        load the policy and all that it names, say what is wrong, and exit\n"
         "  -V, --version  print the version and exit\n"
         "  -h, --help     print this and exit\n"
         "\n"
         "Runs in the foreground. SIGHUP reloads the policy, SIGTERM stops, SIGINT\n"
         "stops and forgets the keys.\n"
         "Exit status: 0 done, 1 failed or a fault in the policy, 2 wrong usage.\n"
         "See e2ekeyd(8), e2ekeyd-policy(5), e2ekeyctl(1).");
}

/* glibc finds out at the first look-up how accounts are looked up (nsswitch.conf), and ends the
 * process when it has no memory for that, though not later: so it is done here, while there is
 * nothing to lose, and for an account that nobody has, as then all ways are tried. */
static void prepare_accounts(void)
{
    static const char nobody[] = "e2ekeyd.no.such.account";
    char room[ACCOUNT_OCTETS];
    struct passwd user, *found_user;
    struct group group, *found_group;

    (void)getpwnam_r(nobody, &user, room, sizeof(room), &found_user);
    (void)getgrnam_r(nobody, &group, room, sizeof(room), &found_group);
}

static int prepare(struct fault *fault)
{
    prepare_accounts();
    if (secret_harden_process(fault) != RESULT_OK || tls_start(fault) != RESULT_OK)
        return EXIT_FAILURE;
    json_set_alloc_funcs(wiping_malloc, wiping_free);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    enum { OPTION_POLICY = 1, OPTION_CHECK };
    static const struct option options[] = {
        {"policy", required_argument, NULL, OPTION_POLICY},
        {"check", no_argument, NULL, OPTION_CHECK},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const char *policy_path = POLICY_DEFAULT_PATH;
    struct fault fault = FAULT_INIT;
    bool check = false;
    int option;

    while ((option = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
        switch (option) {
        case OPTION_POLICY:
            policy_path = optarg;
            break;
        case OPTION_CHECK:
            check = true;
            break;
        case 'V':
            puts("e2ekeyd " E2EKEYD_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            print_help();
            return EXIT_SUCCESS;
        default:
            fputs("See e2ekeyd --help.\n", stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "e2ekeyd: unexpected argument \"%s\"\nSee e2ekeyd --help.\n", argv[optind]);
        return EXIT_USAGE;
    }

    log_open("e2ekeyd");
    if (prepare(&fault) != EXIT_SUCCESS) {
        log_error("%s", fault.text);
        return EXIT_FAILURE;
    }
    return check ? configuration_check(policy_path) : daemon_run(policy_path);
}
