/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wait.h - waiting by a clock that nobody sets.  Private to the room.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>

/* ns of CLOCK_MONOTONIC */
int64_t wait_clock(void);

void wait_init(pthread_cond_t *c);

/* Waits for a signal, until wait_clock() is 'until_ns' at the latest. */
void wait_until(pthread_cond_t *c, pthread_mutex_t *lock, int64_t until_ns);
