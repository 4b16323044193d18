/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * signals.c - TERM and INT become a flag, HUP and USR1 others.
 *
 * A program that waits for packets on a pipe would see its flag only with the next packet.  So the
 * handler puts /dev/null in the place of standard input: the read that the signal interrupts is
 * tried again and finds the end.  dup2() may be called in a handler (POSIX 2.4.3).
 */
#include "os/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t stop;
static volatile sig_atomic_t reload;
static volatile sig_atomic_t report;
static int empty = -1; /* /dev/null */

static void on_signal(int number)
{
	int saved = errno;

	(void)number;
	stop = 1;
	if (empty >= 0)
		dup2(empty, STDIN_FILENO);
	errno = saved;
}

static void on_hang_up(int number)
{
	(void)number;
	reload = 1;
}

static void on_user(int number)
{
	(void)number;
	report = 1;
}

static void set(int number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_flags = flags };

	action.sa_handler = handler;
	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

void signals_catch(void)
{
	empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
	set(SIGPIPE, SIG_IGN, 0);
	set(SIGTERM, on_signal, (int)SA_RESETHAND); /* without SA_RESTART: read() is to return */
	set(SIGINT, on_signal, (int)SA_RESETHAND);
	set(SIGHUP, on_hang_up, SA_RESTART);
	set(SIGUSR1, on_user, SA_RESTART);
}

bool signals_stop(void)
{
	return stop != 0;
}

bool signals_reload(void)
{
	bool come = reload != 0;

	reload = 0;
	return come;
}

bool signals_report(void)
{
	bool come = report != 0;

	report = 0;
	return come;
}
