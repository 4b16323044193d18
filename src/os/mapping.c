/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mapping.c - windows of files and the handler of SIGBUS.
 *
 * The handler may run in any thread that touches a window, so it looks into a list without locks: a
 * place in it is taken by its address and given back by 0.  Of a window that is in use nobody
 * changes the place.  What the handler calls, mmap(), is one system call.
 */
#include "os/mapping.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	WINDOWS = 64,       /* at once, of all runs of the process */
	PROBE = 512 * 1024, /* bytes that tell small pages, of which a fault brings 64 KiB, from
			       huge ones */
};

struct window {
	atomic_uintptr_t from; /* 0: free */
	atomic_size_t size;
	atomic_bool lost;
};

static struct window windows[WINDOWS];
static atomic_bool guarded;
static struct sigaction before;
static uintptr_t page_size;

static struct window *window_at(uintptr_t address)
{
	for (size_t i = 0; i < WINDOWS; i++) {
		const uintptr_t from = windows[i].from;

		if (from != 0 && address >= from && address - from < windows[i].size)
			return &windows[i];
	}
	return NULL;
}

/* Zeros from a page on to the window's end. */
static bool give_zeros(struct window *w, uintptr_t address)
{
	const uintptr_t page = address - address % page_size, end = w->from + w->size;

	w->lost = true;
	return mmap((void *)page, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			       -1, 0) != MAP_FAILED;
}

/* What would have been without us; on return the fault comes again, and kills if it is to. */
static void as_before(int number, siginfo_t *info, void *context)
{
	if (before.sa_flags & SA_SIGINFO)
		before.sa_sigaction(number, info, context);
	else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
		before.sa_handler(number);
	else
		signal(number, SIG_DFL);
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
	const uintptr_t address = (uintptr_t)info->si_addr;
	struct window *w = info->si_code > 0 ? window_at(address) : NULL; /* of the kernel */

	if (w == NULL || !give_zeros(w, address))
		as_before(number, info, context);
}

bool mapping_guard(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO };

	if (guarded)
		return true;
	page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	action.sa_sigaction = on_bus_error;
	sigemptyset(&action.sa_mask);
	guarded = sigaction(SIGBUS, &action, &before) == 0;
	return guarded;
}

static struct window *take_window(uintptr_t from, size_t size)
{
	for (size_t i = 0; i < WINDOWS; i++) {
		uintptr_t none = 0;

		/* Taken by an address that no page has; the handler must not meet an old size. */
		if (!atomic_compare_exchange_strong(&windows[i].from, &none, UINTPTR_MAX))
			continue;
		windows[i].size = size;
		windows[i].lost = false;
		windows[i].from = from;
		return &windows[i];
	}
	return NULL;
}

static long faults(void)
{
	struct rusage u;

	return getrusage(RUSAGE_THREAD, &u) == 0 ? u.ru_minflt + u.ru_majflt : 0;
}

/*
 * Brings the pages; whether they came, and in *huge if as huge ones.  The first pages tell: several
 * faults mean small ones, and these are brought together more cheaply by being touched.
 */
static bool bring(uint8_t *bytes, size_t size, bool *huge)
{
	const size_t first = size < PROBE ? size : PROBE;
	const long already = faults();

	if (madvise(bytes, first, MADV_POPULATE_READ) != 0)
		return false;
	*huge = faults() - already <= 2;
	return !*huge || first == size ||
	       madvise(bytes + first, size - first, MADV_POPULATE_READ) == 0;
}

const uint8_t *mapping_new(int fd, uint64_t offset, size_t size, bool *huge)
{
	void *bytes;

	if (!guarded)
		return NULL;
	bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)offset);
	if (bytes == MAP_FAILED)
		return NULL;
	madvise(bytes, size, MADV_SEQUENTIAL);
	if (!bring(bytes, size, huge) || take_window((uintptr_t)bytes, size) == NULL) {
		munmap(bytes, size);
		return NULL;
	}
	return bytes;
}

bool mapping_lost(const uint8_t *bytes)
{
	const struct window *w = window_at((uintptr_t)bytes);

	return w != NULL && w->lost;
}

void mapping_free(const uint8_t *bytes, size_t size)
{
	struct window *w = window_at((uintptr_t)bytes);

	if (w != NULL)
		w->from = 0; /* first: the next to be mapped may get the same address */
	munmap((void *)(uintptr_t)bytes, size);
}
