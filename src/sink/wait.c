/* SPDX-License-Identifier: BSD-3-Clause */
/* wait.c - condition variables by the monotonic clock, where POSIX has them. */
#ifndef __APPLE__
#include "sink/wait.h"
#include "os/clock.h"

#include <time.h>

#define NS INT64_C(1000000000)

int64_t wait_clock(void)
{
	return clock_steady_ns();
}

void wait_init(pthread_cond_t *c)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attributes);
	pthread_condattr_destroy(&attributes);
}

void wait_until(pthread_cond_t *c, pthread_mutex_t *lock, int64_t until_ns)
{
	const struct timespec t = { .tv_sec = until_ns / NS, .tv_nsec = until_ns % NS };

	pthread_cond_timedwait(c, lock, &t);
}
#endif
