/* SPDX-License-Identifier: BSD-3-Clause */
/* process_watcher.c - the watcher: waits for sockets, hashes and the sensor's end; keeps the slots.
 */
#include "host/process_watcher.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/process_address.h"
#include "host/process_user.h"
#include "host/process_wire.h"
#include "os/clock.h"

enum { LOOK_MS = 100, SLOW_MS = 1000 };

/* --- to the sensor -----------------------------------------------------------------------------
 */

void watcher_flush(struct watcher *w)
{
	size_t at = 0;

	while (!w->gone && at < w->out.size) {
		ssize_t n = send(w->fd, w->out.p + at, w->out.size - at, 0);

		if (n >= 0)
			at += (size_t)n;
		else if (errno != EINTR)
			w->gone = true;
	}
	buf_clear(&w->out);
}

/* Room for one more message. */
static struct buf *out(struct watcher *w)
{
	enum { ONE = LIMIT_PROCESS_TEXT + 256 };

	if (w->out.size > LIMIT_PROCESS_MESSAGE - ONE)
		watcher_flush(w);
	return &w->out;
}

void watcher_note(struct watcher *w, const char *text)
{
	process_wire_note(out(w), PROCESS_WIRE_NOTE, 0, text);
}

/* --- processes ---------------------------------------------------------------------------------
 */

static void ask_for_hash(struct watcher *w, const struct process_facts *f, uint32_t slot)
{
	struct hash_job job = { .slot = slot,
		.generation = known_generation(w->known, slot),
		.pid = f->pid,
		.parent_pid = f->parent_pid,
		.inode = f->inode };

	if (w->hasher == NULL || f->kernel)
		return;
	facts_copy(job.path, sizeof job.path, f->path, sizeof f->path);
	hasher_ask(w->hasher, &job);
}

/* What CLOCK_BOOTTIME lacks of the time since 1970. */
static int64_t since_1970_ns(void)
{
	return clock_real_ns() - process_clock();
}

uint32_t watcher_process(struct watcher *w, struct process_facts *f)
{
	struct known_key key = { .start_ns = f->start_ns < 0 ? 0 : (uint64_t)f->start_ns,
		.inode = f->inode,
		.pid = f->pid,
		.uid = f->uid };
	struct process p;
	bool is_new;
	uint32_t slot = known_process(w->known, &key, &is_new);

	if (!is_new)
		return slot;
	system_facts(f, w->conf->cmdline);
	if (f->uid != UINT32_MAX)
		user_name(f->uid, f->user, sizeof f->user);
	facts_pack(f, w->conf->cmdline, &p);
	if (f->start_ns >= 0)
		p.start_ns = f->start_ns + since_1970_ns();
	process_wire_process(out(w), slot, known_generation(w->known, slot), &p);
	ask_for_hash(w, f, slot);
	return slot;
}

static void take_hashes(struct watcher *w)
{
	struct hash_job done;

	while (hasher_next(w->hasher, &done))
		process_wire_hash(out(w), done.slot, done.generation, done.hash);
}

/* --- sockets -----------------------------------------------------------------------------------
 */

static bool is_better(const struct known_socket *k, const struct sighting *s)
{
	if (s->process == KNOWN_NONE)
		return false;
	return k->process == KNOWN_NONE || s->confidence > k->confidence ||
	       (s->confidence == PROCESS_EXACT && s->process != k->process);
}

static void report_socket(struct watcher *w, const struct known_socket *k)
{
	struct process_socket socket = { .process = k->process,
		.process_generation = known_generation(w->known, k->process),
		.generation = k->generation,
		.confidence = k->confidence,
		.netns = k->netns,
		.open_ns = k->open_ns,
		.close_ns = INT64_MAX };

	process_wire_socket(out(w), known_socket_slot(w->known, k), &socket);
}

struct known_socket *watcher_sight(struct watcher *w, const struct sighting *s)
{
	struct known_socket *k = known_find_socket(w->known, s->cookie);

	if (k == NULL) {
		k = known_add_socket(w->known, s->cookie);
		k->open_ns = s->open_ns;
		k->netns = s->netns;
	}
	k->round = w->round;
	if (is_better(k, s)) {
		known_set_owner(w->known, k, s->process);
		k->confidence = s->confidence;
		report_socket(w, k);
	}
	if (s->tuple.local_port != 0 && k->process != KNOWN_NONE)
		process_wire_tuple(
				out(w), known_socket_slot(w->known, k), k->generation, &s->tuple);
	return k;
}

void watcher_close(struct watcher *w, struct known_socket *k, int64_t ns)
{
	if (!k->open)
		return;
	if (k->process != KNOWN_NONE)
		process_wire_close(out(w), known_socket_slot(w->known, k), k->generation, ns);
	known_close(w->known, k);
}

/* --- life --------------------------------------------------------------------------------------
 */

struct life {
	struct watcher w;
	const struct follow *follow;
	void *state;
	struct addresses *addresses;
};

static bool is_asked_for(const struct process_conf *c, const struct follow *f)
{
	return c->method == PROCESS_BY_BEST || c->method == f->method;
}

/* Tries the ways in turn; the note says why better ones were passed over. */
static bool begin(struct life *l, struct buf *note)
{
	struct err e = { "" };

	for (size_t i = 0; process_follows[i] != NULL; i++) {
		const struct follow *f = process_follows[i];

		if (!is_asked_for(l->w.conf, f))
			continue;
		l->state = f->start(&l->w, &e);
		if (l->state != NULL) {
			l->follow = f;
			if (note->size > 0)
				buf_printf(note, ": processes are found by %s", f->name);
			return true;
		}
		if (note->size > 0)
			buf_text(note, "; ");
		buf_printf(note, "%s: %s", f->name, e.text);
	}
	return false;
}

static void say(struct watcher *w, enum process_wire_type type, uint8_t method, struct buf *text)
{
	buf_byte(text, '\0');
	process_wire_note(&w->out, type, method, buf_ok(text) ? text->p : "");
	watcher_flush(w);
}

static bool set_up(struct life *l)
{
	struct watcher *w = &l->w;
	struct buf note = buf_new(LIMIT_PROCESS_TEXT);
	struct err e = { "" };
	bool good = begin(l, &note);

	if (good)
		good = system_rights(w->conf->user, w->conf->filter, &e);
	if (good && w->conf->hash)
		good = (w->hasher = hasher_new(&e)) != NULL;
	if (good) {
		addresses_look(l->addresses, w);
		l->follow->seed(l->state, w);
		w->seeded = true;
		watcher_flush(w);
	} else if (e.text[0] != '\0') {
		buf_clear(&note);
		buf_text(&note, e.text);
	}
	say(w, good ? PROCESS_WIRE_READY : PROCESS_WIRE_FAILED,
			good ? (uint8_t)l->follow->method : 0, &note);
	buf_free(&note);
	return good;
}

enum { FD_SENSOR, FD_FOLLOW, FD_ADDRESSES, FD_HASHES, FDS };

static void wait_for(const struct life *l, struct pollfd fds[FDS], int timeout_ms)
{
	const struct follow *f = l->follow;

	fds[FD_SENSOR] = (struct pollfd){ .fd = l->w.fd, .events = POLLIN };
	fds[FD_FOLLOW] = (struct pollfd){ .fd = f->fd == NULL ? -1 : f->fd(l->state),
		.events = POLLIN };
	fds[FD_ADDRESSES] = (struct pollfd){ .fd = addresses_fd(l->addresses), .events = POLLIN };
	fds[FD_HASHES] = (struct pollfd){ .fd = l->w.hasher == NULL ? -1 : hasher_fd(l->w.hasher),
		.events = POLLIN };
	if (poll(fds, FDS, timeout_ms) <= 0)
		for (size_t i = 0; i < FDS; i++)
			fds[i].revents = 0;
}

static void tell_losses(struct watcher *w)
{
	uint64_t lost = w->lost + known_evicted(w->known);

	if (lost != w->lost_told)
		process_wire_lost(out(w), lost);
	w->lost_told = lost;
}

static void turn(struct life *l, int64_t *next_ns)
{
	const int64_t look_ns = LOOK_MS * INT64_C(1000000);
	struct pollfd fds[FDS];
	int64_t now = process_clock();

	wait_for(l, fds, now >= *next_ns ? 0 : (int)((*next_ns - now) / 1000000) + 1);
	if (fds[FD_SENSOR].revents != 0) /* it never writes: it has closed */
		l->w.gone = true;
	if (fds[FD_FOLLOW].revents & POLLIN)
		l->follow->ready(l->state, &l->w);
	if (fds[FD_ADDRESSES].revents & POLLIN)
		addresses_look(l->addresses, &l->w);
	if (fds[FD_HASHES].revents & POLLIN)
		take_hashes(&l->w);
	now = process_clock();
	if (now >= *next_ns) {
		if (l->follow->look != NULL)
			l->follow->look(l->state, &l->w);
		tell_losses(&l->w);
		*next_ns = process_clock() + look_ns;
	}
	watcher_flush(&l->w);
}

static void ignore_signals(void)
{
	const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGQUIT };
	sigset_t none;

	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int watcher_run(const struct process_conf *conf, int fd)
{
	struct life l = { .w = { .conf = conf, .fd = fd, .round = 1 } };
	int64_t next_ns = 0;

	ignore_signals();
	system_follow_parent();
	l.w.out = buf_new(LIMIT_PROCESS_MESSAGE);
	l.w.known = known_new(LIMIT_PROCESSES, LIMIT_PROCESS_SOCKETS);
	l.addresses = addresses_new();
	if (l.w.known == NULL || l.addresses == NULL || !set_up(&l))
		return 1;
	while (!l.w.gone)
		turn(&l, &next_ns);
	l.follow->stop(l.state);
	hasher_free(l.w.hasher);
	known_free(l.w.known);
	addresses_free(l.addresses);
	buf_free(&l.w.out);
	return 0;
}
