/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon: everything built in order, run, and torn down in reverse. */
#pragma once

/* Runs until SIGTERM or SIGINT; SIGHUP reloads the policy at PATH. The exit status. */
int daemon_run(const char *policy_path);
