/* SPDX-License-Identifier: BSD-3-Clause */
/* upload_confine_other.c - systems without the calls of Linux: user ids have to do. */
#ifndef __linux__
#include "sink/upload_confine_os.h"

#include <unistd.h>

bool upload_confine_os_child(pid_t parent, const char *name)
{
	(void)parent, (void)name;
	return true;
}

void upload_confine_os_begin(void)
{
}

void upload_confine_os_end(int folder)
{
	(void)folder;
}

void upload_confine_os_close(unsigned first, unsigned last)
{
	const long room = sysconf(_SC_OPEN_MAX);
	const unsigned end = room > 0 ? (unsigned)room : 1024;

	for (unsigned fd = first; fd <= last && fd < end; fd++)
		close((int)fd);
}
#endif
