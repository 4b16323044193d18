/* SPDX-License-Identifier: BSD-3-Clause */
/* terminal.c - the size of a terminal, by ioctl. */
#include "os/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_is(int fd)
{
	return isatty(fd) == 1;
}

unsigned terminal_columns(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}
