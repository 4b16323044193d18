/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * _interrupt.c - whether SIGINT has come, for threads that Python does not know.
 *
 * DuckDB waits for a batch in a thread of its own, while the main thread waits for that one in a
 * lock: nobody could ever call a handler of Python's.  So while such a stream is alive a handler
 * here counts, and calls the one that was there before; who waits sees the count and gives up.
 */
#include <pthread.h>
#include <signal.h>

#include "_run.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned watchers;
static struct sigaction before;
static atomic_uint count;

static void on_interrupt(int number, siginfo_t *info, void *context)
{
	atomic_fetch_add(&count, 1);
	if (before.sa_flags & SA_SIGINFO)
		before.sa_sigaction(number, info, context);
	else
		before.sa_handler(number);
}

static bool is_ours(const struct sigaction *action)
{
	return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == on_interrupt;
}

/* Where nobody handles the signal, it needs no help to end the process. */
static void install(void)
{
	struct sigaction now;

	if (sigaction(SIGINT, NULL, &now) != 0 || is_ours(&now) ||
			(!(now.sa_flags & SA_SIGINFO) &&
					(now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN)))
		return;
	before = now;
	now.sa_flags |= SA_SIGINFO;
	now.sa_sigaction = on_interrupt;
	sigaction(SIGINT, &now, NULL);
}

unsigned interrupt_watch(void)
{
	pthread_mutex_lock(&lock);
	if (watchers++ == 0)
		install();
	pthread_mutex_unlock(&lock);
	return atomic_load(&count);
}

/* A handler that somebody has set meanwhile stays. */
void interrupt_leave(void)
{
	struct sigaction now;

	pthread_mutex_lock(&lock);
	if (--watchers == 0 && sigaction(SIGINT, NULL, &now) == 0 && is_ours(&now))
		sigaction(SIGINT, &before, NULL);
	pthread_mutex_unlock(&lock);
}

unsigned interrupt_count(void)
{
	return atomic_load(&count);
}
