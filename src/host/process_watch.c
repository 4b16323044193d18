/* SPDX-License-Identifier: BSD-3-Clause */
/* process_watch.c - the sensor's side: starts the watcher, takes in what it reports, answers. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/process_store.h"
#include "host/process_watcher.h"
#include "host/process_wire.h"
#include "os/clock.h"

enum {
	START_MS = 20000, /* the watcher has this long to begin */
	END_MS = 2000,    /* and to end */
	SOCKET_BYTES = 4 << 20,
	READS = 4096, /* at most, by one process_watch_poll() */
};

struct process_watch {
	struct process_store *store;
	pid_t pid;
	int fd;                       /* -1: the watcher is gone */
	_Atomic int64_t ended_ns;     /* when that was noticed; INT64_MAX: it is there */
	enum process_wire_type begun; /* READY or FAILED; 0: not yet */
	enum process_method method;
	struct process_counts counts;
	char note[LIMIT_PROCESS_TEXT];     /* to be said */
	char bytes[LIMIT_PROCESS_MESSAGE]; /* read, and not worked off */
	size_t size;
};

int64_t process_clock(void)
{
	return clock_boot_ns();
}

/* --- what the watcher reports ------------------------------------------------------------------
 */

static void keep_note(struct process_watch *w, struct rd text)
{
	size_t n = text.left < sizeof w->note - 1 ? text.left : sizeof w->note - 1;

	if (n == 0)
		return;
	memcpy(w->note, text.p, n);
	w->note[n] = '\0';
}

static void apply(struct process_watch *w, const struct process_wire *m)
{
	switch (m->type) {
	case PROCESS_WIRE_PROCESS:
		process_store_process(w->store, m->slot, m->generation, &m->process);
		w->counts.processes++;
		break;
	case PROCESS_WIRE_HASH:
		process_store_hash(w->store, m->slot, m->generation, m->hash);
		break;
	case PROCESS_WIRE_SOCKET:
		process_store_socket(w->store, m->slot, &m->socket);
		w->counts.sockets++;
		break;
	case PROCESS_WIRE_TUPLE:
		process_store_tuple(w->store, &m->tuple, m->slot, m->generation);
		break;
	case PROCESS_WIRE_CLOSE:
		process_store_close(w->store, m->slot, m->generation, m->socket.close_ns);
		break;
	case PROCESS_WIRE_ADDRESS:
		process_store_address(
				w->store, m->address.version, m->address.bytes, m->address.here);
		break;
	case PROCESS_WIRE_COUNTS:
		w->counts.lost = m->lost;
		break;
	case PROCESS_WIRE_READY:
	case PROCESS_WIRE_FAILED:
		w->begun = m->type;
		w->method = m->note.method;
		keep_note(w, m->note.text);
		break;
	case PROCESS_WIRE_NOTE:
		keep_note(w, m->note.text);
		break;
	}
}

/* Works off the whole messages; returns the last one's type. -1: these are none. */
static int apply_whole(struct process_watch *w)
{
	const size_t whole = process_wire_whole((struct rd){ (uint8_t *)w->bytes, w->size });
	struct rd r = { (uint8_t *)w->bytes, whole };
	struct process_wire m = { 0 };

	if (whole == 0 && w->size == sizeof w->bytes)
		return -1;
	while (rd_more(&r))
		if (process_wire_next(&r, &m))
			apply(w, &m);
	w->size -= whole;
	memmove(w->bytes, w->bytes + whole, w->size);
	return (int)m.type;
}

/* Takes in what one read gives; returns the last message's type. 0: nothing. -1: it is gone. */
static int take(struct process_watch *w)
{
	ssize_t n = recv(w->fd, w->bytes + w->size, sizeof w->bytes - w->size, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	w->size += (size_t)n;
	return apply_whole(w);
}

void process_watch_poll(
		struct process_watch *w, void (*say)(void *ctx, const char *text), void *ctx)
{
	int type = 1;

	for (int i = 0; i < READS && type > 0 && w->fd >= 0; i++)
		type = take(w);
	if (type < 0) {
		close(w->fd);
		w->fd = -1;
		atomic_store_explicit(&w->ended_ns, process_clock(), memory_order_relaxed);
		say(ctx, "the watcher of processes has ended: flows have no process from now on");
	}
	if (w->note[0] != '\0')
		say(ctx, w->note);
	w->note[0] = '\0';
}

/* --- the child ---------------------------------------------------------------------------------
 */

static void make_room(int fd)
{
	const int bytes = SOCKET_BYTES;

#ifdef SO_SNDBUFFORCE
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) == 0)
		return;
#endif
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

/* Standard streams lead nowhere, and no other file of the sensor stays open. */
static void close_files(int keep)
{
	int null = open("/dev/null", O_RDWR);
	long most = sysconf(_SC_OPEN_MAX);

	for (int i = 0; i <= STDERR_FILENO; i++)
		dup2(null, i);
	if (most < 0 || most > 65536)
		most = 65536;
	for (int i = STDERR_FILENO + 1; i < (int)most; i++)
		if (i != keep)
			close(i);
}

static bool start(struct process_watch *w, const struct process_conf *conf, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return err_set(e, "no socket pair for the watcher of processes: %s",
				strerror(errno));
	make_room(pair[1]);
	w->pid = fork();
	if (w->pid == 0) {
		close_files(pair[1]);
		_exit(watcher_run(conf, pair[1]));
	}
	close(pair[1]);
	w->fd = pair[0];
	fcntl(w->fd, F_SETFD, FD_CLOEXEC);
	if (w->pid < 0)
		return err_set(e, "cannot start the watcher of processes: %s", strerror(errno));
	return true;
}

/* Until it says that it is ready, or why not. */
static bool await(struct process_watch *w, struct err *e)
{
	const int64_t until = process_clock() + START_MS * INT64_C(1000000);

	while (w->begun == 0) {
		struct pollfd p = { .fd = w->fd, .events = POLLIN };
		int64_t left = (until - process_clock()) / 1000000;

		if (left <= 0)
			return err_set(e, "the watcher of processes does not begin");
		if (poll(&p, 1, (int)left) > 0 && take(w) < 0)
			return err_set(e, "the watcher of processes has ended");
	}
	return w->begun == PROCESS_WIRE_READY ||
	       err_set(e, "processes cannot be found: %s", w->note);
}

struct process_watch *process_watch_new(const struct process_conf *conf, struct err *e)
{
	struct process_watch *w = calloc(1, sizeof *w);

	if (w == NULL) {
		err_set(e, "no memory for the watcher of processes");
		return NULL;
	}
	w->fd = -1;
	w->pid = -1;
	atomic_init(&w->ended_ns, INT64_MAX);
	w->store = process_store_new(e);
	if (w->store != NULL && start(w, conf, e) && await(w, e))
		return w;
	process_watch_free(w);
	return NULL;
}

/* Gives it time to end by itself. */
static void reap(pid_t pid)
{
	const struct timespec little = { .tv_nsec = 5000000 };

	for (int i = 0; i < END_MS / 5; i++) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		nanosleep(&little, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void process_watch_free(struct process_watch *w)
{
	if (w == NULL)
		return;
	if (w->fd >= 0) {
		shutdown(w->fd, SHUT_RDWR); /* other children may hold it too */
		close(w->fd);
	}
	if (w->pid > 0)
		reap(w->pid);
	process_store_free(w->store);
	free(w);
}

/* --- answers -----------------------------------------------------------------------------------
 */

enum process_method process_watch_method(const struct process_watch *w)
{
	return w->method;
}

int process_watch_fd(const struct process_watch *w)
{
	return w->fd;
}

struct process_counts process_watch_counts(const struct process_watch *w)
{
	struct process_counts c = w->counts;

	c.evicted = process_store_evicted(w->store);
	return c;
}

struct process_match process_find(const struct process_watch *w, const struct process_flow *flow)
{
	if (flow->start_ns > atomic_load_explicit(&w->ended_ns, memory_order_relaxed))
		return (struct process_match){ .confidence = PROCESS_NOBODY };
	return process_store_find(w->store, flow);
}

bool process_read(const struct process_watch *w, struct process_match match, struct process *out)
{
	return process_store_read(w->store, match, out);
}
