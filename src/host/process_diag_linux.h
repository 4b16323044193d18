/* SPDX-License-Identifier: BSD-3-Clause */
/* process_diag_linux.h - looks at all sockets of our network namespace, by sock_diag. */
#pragma once

#include "host/process_poll.h"

extern const struct follow follow_diag;

struct diag;

struct diag *diag_new(struct watcher *w, struct err *e);
void diag_free(struct diag *d);

/* One look; 'close_missing': sockets that are not listed any more are closed. False: refused. */
bool diag_look(struct diag *d, bool close_missing);
