/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TLS engine's own error numbers, as metrics_tls_failed counts them. */
#pragma once

const char *tls_error_text(int error); /* static, one line */
