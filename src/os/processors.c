/* SPDX-License-Identifier: BSD-3-Clause */
/* processors.c - counting processors: those the process is bound to, or all. */
#include "os/processors.h"

#include <sched.h>
#include <unistd.h>

unsigned processors_count(void)
{
	long n = -1;

#ifdef __linux__
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) == 0)
		n = CPU_COUNT(&set);
#endif
	if (n < 1)
		n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : (unsigned)n;
}
