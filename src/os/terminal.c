/* SPDX-License-Identifier: BSD-3-Clause */
/* terminal.c - the size of a terminal, by ioctl. */
#include "os/terminal.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

bool terminal_is(int fd)
{
	return isatty(fd) == 1;
}

bool terminal_has_data(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 &&
	       (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || S_ISREG(st.st_mode));
}

unsigned terminal_columns(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}
