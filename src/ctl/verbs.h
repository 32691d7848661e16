/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of e2ekeyctl, each in verb_NAME.c. They read their arguments and return the exit
 * status (ctl/common.h). */
#pragma once

int verb_get(int argc, char **argv);
int verb_list(int argc, char **argv);
int verb_revoke(int argc, char **argv);
int verb_watch(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_metrics(int argc, char **argv);
int verb_exchange(int argc, char **argv);
int verb_public_key_id(int argc, char **argv);
int verb_check_certificate(int argc, char **argv);
