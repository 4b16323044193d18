/* SPDX-License-Identifier: BSD-3-Clause */
/* signals.h - an orderly end when somebody asks for it, and other wishes. */
#pragma once

#include <stdbool.h>

/*
 * From now on the first SIGTERM or SIGINT is remembered and ends standard input, so that a read
 * that waits there returns; a second one ends the program at once.  SIGPIPE is ignored:
 * writing to a closed pipe fails with EPIPE.  SIGHUP and SIGUSR1 are remembered.
 */
void signals_catch(void);

/* Has one come? */
bool signals_stop(void);

/* Has a SIGHUP come since the last call? */
bool signals_reload(void);

/* Has a SIGUSR1? */
bool signals_report(void);
