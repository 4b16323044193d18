/* SPDX-License-Identifier: BSD-3-Clause */
/* thread.h - threads of the library's own. */
#pragma once

#include <pthread.h>

/* Starts a thread that gets no signals: these are for the program's own.  An errno number, or 0. */
int thread_start(pthread_t *thread, void *(*run)(void *ctx), void *ctx);
