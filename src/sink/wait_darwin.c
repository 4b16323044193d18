/* SPDX-License-Identifier: BSD-3-Clause */
/* wait_darwin.c - the same on macOS, whose condition variables wait for a length of time. */
#ifdef __APPLE__
#include "sink/wait.h"

#include <time.h>

#define NS INT64_C(1000000000)

int64_t wait_clock(void)
{
	return (int64_t)clock_gettime_nsec_np(CLOCK_MONOTONIC);
}

void wait_init(pthread_cond_t *c)
{
	pthread_cond_init(c, NULL);
}

void wait_until(pthread_cond_t *c, pthread_mutex_t *lock, int64_t until_ns)
{
	const int64_t left_ns = until_ns - wait_clock();
	const struct timespec t = { .tv_sec = left_ns / NS, .tv_nsec = left_ns % NS };

	if (left_ns > 0)
		pthread_cond_timedwait_relative_np(c, lock, &t);
}
#endif
