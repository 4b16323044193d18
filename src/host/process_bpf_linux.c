/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_bpf_linux.c - following sockets by eBPF: loads the programs of src/bpf, hangs them on the
 * root of the cgroup hierarchy, and reads their events (process_bpf_events_linux.c).
 *
 * The compiled programs lie in the library (process_bpf_object.c).  They are gone when the
 * watcher is: nothing is pinned.  After loading no system call bpf() is made any more.
 */
#ifdef __linux__
#include "host/process_bpf_linux.h"

#ifdef HAVE_PROCESS_BPF
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "host/process_bpf_events_linux.h"
#include "host/process_cgroup_linux.h"
#include "host/process_diag_linux.h"

enum { PROGRAMS = 32, ARRIVED_TICKS = 10 };

struct bpf {
	struct watcher *w;
	struct bpf_object *object;
	struct bpf_link *link[PROGRAMS];
	size_t links;
	struct ring_buffer *ring;
	const volatile uint64_t *lost; /* counted by the programs, in shared memory */
	uint64_t lost_before;
	struct bpf_events events;
	int ticks; /* looks since those of nobody were looked for */
	struct diag *diag;
};

/* What may be asked of the kernel, the most first. */
static const struct program_set {
	bool with_kernel; /* reads the kernel's structures: path and start time of processes */
	const char *note; /* what is missing */
} program_sets[] = {
	{ true, NULL },
	{ false, "eBPF may not read the kernel's structures here: processes that end at once "
		 "have no path" },
};

static int say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static bool refused(struct err *e, const char *what, int error)
{
	if (error == EPERM || error == EACCES)
		return err_set(e, "%s: %s (needs root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN)",
				what, strerror(error));
	return err_set(e, "%s: %s", what, strerror(error));
}

/* --- loading -----------------------------------------------------------------------------------
 */

/* The values that the programs are compiled to find: see the head of process.bpf.c. */
static void set_constants(struct bpf_object *object, bool with_kernel, bool with_cmdline)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		size_t size;
		bool *value = strstr(bpf_map__name(map), ".rodata") == NULL
					      ? NULL
					      : (bool *)(uintptr_t)bpf_map__initial_value(
								map, &size);

		if (value == NULL || size < 2)
			continue;
		value[0] = with_kernel;
		value[1] = with_cmdline;
	}
}

static const volatile uint64_t *find_lost(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		size_t size;

		if (strstr(bpf_map__name(map), ".bss") != NULL)
			return bpf_map__initial_value(map, &size);
	}
	return NULL;
}

static bool load(struct bpf *b, bool with_kernel, struct err *e)
{
	size_t size;
	const void *bytes = process_bpf_object(&size);
	int error;

	libbpf_set_print(say_nothing);
	b->object = bpf_object__open_mem(bytes, size, NULL);
	if (libbpf_get_error(b->object) != 0) {
		b->object = NULL;
		return err_set(e, "its programs cannot be read");
	}
	set_constants(b->object, with_kernel, b->w->conf->cmdline);
	error = bpf_object__load(b->object);
	if (error != 0)
		return refused(e, "the kernel does not take its programs", -error);
	b->lost = find_lost(b->object);
	return b->lost != NULL || err_set(e, "its programs have no counter");
}

static bool attach(struct bpf *b, struct err *e)
{
	struct bpf_program *program;
	int cgroup = cgroup_root(e);

	if (cgroup < 0)
		return false;
	bpf_object__for_each_program(program, b->object)
	{
		struct bpf_link *link = bpf_program__attach_cgroup(program, cgroup);
		long error = libbpf_get_error(link);

		if (error != 0 || b->links == PROGRAMS)
			return refused(e, bpf_program__section_name(program), (int)-error);
		b->link[b->links++] = link;
	}
	return true;
}

/* --- as a way to follow ------------------------------------------------------------------------
 */

static uint64_t find_netns(void)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof cookie;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0)
		cookie = 0;
	if (fd >= 0)
		close(fd);
	return cookie;
}

static void stop(void *state)
{
	struct bpf *b = state;

	if (b == NULL)
		return;
	if (b->ring != NULL)
		ring_buffer__free(b->ring);
	for (size_t i = 0; i < b->links; i++)
		bpf_link__destroy(b->link[i]);
	if (b->object != NULL)
		bpf_object__close(b->object);
	diag_free(b->diag);
	free(b);
}

static bool open_all(struct bpf *b, bool with_kernel, struct err *e)
{
	int fd;

	b->events = (struct bpf_events){ .w = b->w, .own_netns = find_netns() };
	if (b->events.own_netns == 0)
		return err_set(e, "this kernel does not tell its network namespaces apart");
	if (!load(b, with_kernel, e) || !attach(b, e))
		return false;
	fd = bpf_object__find_map_fd_by_name(b->object, "events");
	b->ring = fd < 0 ? NULL : ring_buffer__new(fd, bpf_events_take, &b->events, NULL);
	if (b->ring == NULL)
		return err_set(e, "its events cannot be read");
	b->diag = diag_new(b->w, e);
	return b->diag != NULL;
}

static struct bpf *try_set(struct watcher *w, const struct program_set *set, struct err *e)
{
	struct bpf *b = calloc(1, sizeof *b);

	if (b == NULL) {
		err_set(e, "no memory");
		return NULL;
	}
	b->w = w;
	if (open_all(b, set->with_kernel, e))
		return b;
	stop(b);
	return NULL;
}

static void *start(struct watcher *w, struct err *e)
{
	for (size_t i = 0; i < sizeof program_sets / sizeof program_sets[0]; i++) {
		struct err why = { "" };
		struct bpf *b = try_set(w, &program_sets[i], &why);

		if (b != NULL && program_sets[i].note != NULL)
			watcher_note(w, program_sets[i].note);
		if (b != NULL)
			return b;
		if (i == 0)
			err_set(e, "%s", why.text);
	}
	return NULL;
}

static void seed(void *state, struct watcher *w)
{
	struct bpf *b = state;

	(void)w;
	ring_buffer__consume(b->ring);
	diag_look(b->diag, false);
}

static int ring_fd(const void *state)
{
	const struct bpf *b = state;

	return ring_buffer__epoll_fd(b->ring);
}

static void ready(void *state, struct watcher *w)
{
	struct bpf *b = state;

	(void)w;
	ring_buffer__consume(b->ring);
}

/* Once a second is often enough: it takes a walk through all open files. */
static bool check_arrived(struct bpf *b)
{
	if (!b->events.arrived || known_unowned(b->w->known) == 0 || ++b->ticks < ARRIVED_TICKS)
		return false;
	b->events.arrived = false;
	b->ticks = 0;
	return true;
}

/*
 * The kernel's tables are looked at when a UDP socket was connected, whose port is told by nobody
 * before it is closed; when a connection was taken by a process that did not ask from where; and
 * when events were lost.
 */
static void look(void *state, struct watcher *w)
{
	struct bpf *b = state;
	const uint64_t lost = *b->lost;
	const bool more_lost = lost != b->lost_before;

	ring_buffer__consume(b->ring);
	w->lost += lost - b->lost_before;
	b->lost_before = lost;
	if (b->events.planned || more_lost || check_arrived(b))
		diag_look(b->diag, more_lost);
	b->events.planned = false;
}

const struct follow follow_bpf = {
	.method = PROCESS_BY_EBPF,
	.name = "eBPF",
	.start = start,
	.stop = stop,
	.seed = seed,
	.fd = ring_fd,
	.ready = ready,
	.look = look,
};

#else /* without libbpf 1.0, or without clang when it was built */

static void *start(struct watcher *w, struct err *e)
{
	(void)w;
	err_set(e, "this build has none (libbpf 1.0 or clang was missing)");
	return NULL;
}

const struct follow follow_bpf = { .method = PROCESS_BY_EBPF, .name = "eBPF", .start = start };
#endif
#endif
