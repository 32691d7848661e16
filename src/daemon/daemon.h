/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon: builds all its parts in order, runs, and tears them down in reverse. */
#pragma once

/* Runs by the policy at POLICY_PATH until SIGTERM or SIGINT, and reloads it on SIGHUP. Returns the
 * exit status. */
int daemon_run(const char *policy_path);
