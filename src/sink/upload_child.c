/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_child.c - rounds over the spool, oldest first; what is said; the keeper.
 *
 * A round ends when all files have been tried or the other side fails as a whole.  A file that
 * fails by itself waits for its own next try and holds up nobody.
 */
#include "sink/upload_child.h"

#include "base/hash.h"
#include "sink/upload_confine_os.h"
#include "sink/upload_retry.h"
#include "sink/upload_send.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct work {
	struct upload_child *child;
	struct upload_control control;
	struct upload_sender sender;
	struct upload_retry retry;
	struct upload_batch batch;
	struct upload_batch measured; /* for counting in between */
	int64_t due_ms;               /* the next round because the last one was cut short */
	bool last;                    /* everything gets one more try, whenever its time is */
};

/* --- saying -------------------------------------------------------------------------------------
 */

/* One line; when nobody reads them any more they are lost. */
__attribute__((format(printf, 3, 4))) static void say(
		const struct upload_child *c, enum upload_news what, const char *format, ...)
{
	char line[UPLOAD_LINE];
	va_list args;

	line[0] = (char)('0' + what);
	va_start(args, format);
	const int n = vsnprintf(line + 1, sizeof line - 2, format, args);
	va_end(args);
	if (n < 0)
		return;
	size_t size = 1 + ((size_t)n < sizeof line - 2 ? (size_t)n : sizeof line - 3);
	line[size++] = '\n';
	send(c->fd, line, size, MSG_DONTWAIT);
}

static void publish(struct work *w, const struct upload_batch *b)
{
	struct upload_shared *shared = w->child->shared;

	atomic_store(&shared->waiting, b->waiting);
	atomic_store(&shared->oldest, b->oldest);
}

/* New files were announced in the middle of a transfer. */
static void measure(void *ctx)
{
	struct work *w = ctx;

	if (upload_spool_list(&w->child->spool, UINT64_MAX, &w->measured, NULL))
		publish(w, &w->measured);
}

/* --- what becomes of tries ----------------------------------------------------------------------
 */

static void count_failure(struct work *w)
{
	atomic_fetch_add(&w->child->shared->failed_tries, 1);
}

static void side_failed(struct work *w, bool reached, const struct err *why)
{
	const struct upload_target *t = &w->child->target;

	count_failure(w);
	atomic_store(&w->child->shared->away, true);
	if (upload_retry_away(&w->retry, upload_now_ms()))
		say(w->child, UPLOAD_WARNING, "upload: %s %s: %s; %" PRIu64 " waiting", t->host,
				reached ? "takes no files" : "is away", why->text,
				atomic_load(&w->child->shared->waiting));
	w->due_ms = w->retry.side.next_ms;
}

static void file_failed(struct work *w, uint64_t number, const struct err *why)
{
	count_failure(w);
	if (upload_retry_failed(&w->retry, number, upload_now_ms()))
		say(w->child, UPLOAD_ERROR, "upload: %s", why->text);
}

static void file_there(struct work *w, const struct upload_entry *entry)
{
	struct upload_shared *shared = w->child->shared;
	const uint32_t tries = w->retry.side.failures;

	upload_retry_forget(&w->retry, entry->number);
	atomic_fetch_add(&shared->done, 1);
	atomic_store(&shared->away, false);
	if (upload_retry_back(&w->retry))
		say(w->child, UPLOAD_WARNING, "upload: %s is back after %" PRId64 " s (%u tries)",
				w->child->target.host, (upload_now_ms() - w->retry.away_ms) / 1000,
				tries);
	say(w->child, UPLOAD_INFO, "upload: %s is there", entry->name);
}

/* Tries one; false when the round is over. */
static bool try_one(struct work *w, const struct upload_entry *entry)
{
	struct err e = { "" };
	enum upload_sent sent = UPLOAD_SENT_GONE;

	if (upload_send_connect(&w->sender, &e))
		sent = upload_send(&w->sender, entry, &e);
	if (w->control.end)
		return false;
	switch (sent) {
	case UPLOAD_SENT_THERE:
		file_there(w, entry);
		return true;
	case UPLOAD_SENT_BAD:
		file_failed(w, entry->number, &e);
		return true;
	case UPLOAD_SENT_REFUSED: /* in the next round others are first: they may be smaller */
		upload_retry_failed(&w->retry, entry->number, upload_now_ms());
		side_failed(w, true, &e);
		return false;
	case UPLOAD_SENT_GONE:
		break;
	}
	side_failed(w, false, &e);
	return false;
}

/* --- rounds -------------------------------------------------------------------------------------
 */

static bool try_batch(struct work *w)
{
	for (size_t i = 0; i < w->batch.count; i++) {
		const struct upload_entry *entry = &w->batch.entry[i];

		if ((w->last || upload_retry_may(&w->retry, entry->number, upload_now_ms())) &&
				!try_one(w, entry))
			return false;
	}
	return true;
}

static void go_round(struct work *w)
{
	struct err e = { "" };
	uint64_t after = 0;

	w->due_ms = INT64_MAX;
	w->control.woken = false;
	for (;;) {
		if (!upload_spool_list(&w->child->spool, after, &w->batch, &e)) {
			side_failed(w, true, &e); /* here, but for the same time */
			break;
		}
		publish(w, &w->batch);
		if (w->batch.count == 0 || !try_batch(w))
			break;
		after = w->batch.entry[w->batch.count - 1].number;
	}
	upload_send_disconnect(&w->sender);
	if (!w->control.end)
		measure(w);
}

/* The moment of the next round, as far as is known now. */
static int64_t next_round(const struct work *w)
{
	const int64_t file_ms = upload_retry_next(&w->retry);
	const int64_t due_ms = w->due_ms < file_ms ? w->due_ms : file_ms;
	const int64_t side_ms = w->retry.side.next_ms;

	if (w->control.woken)
		return side_ms;
	return due_ms > side_ms ? due_ms : side_ms;
}

static void wait_for_round(struct work *w)
{
	for (;;) {
		const int64_t next_ms = next_round(w), now_ms = upload_now_ms();
		const int64_t left = next_ms - now_ms;

		if (left <= 0 || w->control.end || w->control.stop)
			return;
		upload_control_wait(&w->control, next_ms == INT64_MAX ? -1
						 : left < INT_MAX     ? (int)left
								      : INT_MAX);
	}
}

static void work_off(struct work *w)
{
	while (!w->control.end && !w->last) {
		upload_control_read(&w->control);
		w->last = w->control.stop;
		go_round(w);
		if (!w->last)
			wait_for_round(w);
	}
}

static _Noreturn void run_worker(struct upload_child *c, pid_t keeper)
{
	static struct work w;
	struct err e = { "" };

	if (!upload_confine_child(keeper, "joy-uploader"))
		_exit(1);
	w.child = c;
	w.control = (struct upload_control){ .fd = c->fd, .changed = measure, .ctx = &w };
	w.retry = upload_retry_new(c->retry_ms, c->retry_max_ms, hash_seed());
	w.sender = (struct upload_sender){ .target = &c->target,
		.command = &c->command,
		.spool = &c->spool,
		.control = &w.control,
		.retain = c->retain,
		.stall_ms = c->stall_ms };
	if (!upload_confine_uploader(c->spool.folder, &c->user, &e)) {
		say(c, UPLOAD_ERROR, "upload: %s", e.text);
		_exit(1);
	}
	work_off(&w);
	_exit(0);
}

/* --- the keeper ---------------------------------------------------------------------------------
 */

/* Signals to the whole group are meant for the main process, which says when to end. */
static void set_signals(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE,
		SIGALRM, SIGTSTP };
	sigset_t none;

	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL); /* all were blocked until here */
}

/* Whatever else the main process has open is none of our business. */
static void close_others(const struct upload_child *c)
{
	int keep[] = { c->fd, c->spool.folder, c->spool.spool };
	unsigned from = STDERR_FILENO + 1;

	for (;;) {
		int *next = NULL;

		for (size_t i = 0; i < 3; i++) {
			if (keep[i] >= (int)from && (next == NULL || keep[i] < *next))
				next = &keep[i];
		}
		if (next == NULL)
			break;
		if ((unsigned)*next > from)
			upload_confine_os_close(from, (unsigned)*next - 1);
		from = (unsigned)*next + 1;
	}
	upload_confine_os_close(from, UINT_MAX);
}

static void redirect(void)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
}

/* Waits; true when the main process has gone meanwhile. */
static bool pause_or_end(const struct upload_child *c, int wait_ms)
{
	struct pollfd p = { .fd = c->fd, .events = 0 }; /* what is said is for the other one */

	return poll(&p, 1, wait_ms) > 0;
}

_Noreturn void upload_child_run(struct upload_child *c)
{
	const pid_t self = getpid();
	int status = 0;

	if (!upload_confine_child(c->parent, "joy-upload"))
		_exit(1);
	setsid(); /* no terminal for ssh to ask at */
	set_signals();
	redirect();
	close_others(c);
	for (uint32_t wait_ms = c->retry_ms;; wait_ms *= 2) {
		const pid_t pid = fork();

		if (pid == 0)
			run_worker(c, self);
		if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
				WEXITSTATUS(status) == 0)
			_exit(0);
		if (wait_ms > c->retry_max_ms / 2)
			wait_ms = c->retry_max_ms / 2;
		if (pause_or_end(c, 0))
			_exit(0);
		say(c, UPLOAD_ERROR, "upload: the uploader has failed (%s %d) and is started again",
				WIFSIGNALED(status) ? "signal" : "status",
				WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		if (pause_or_end(c, (int)wait_ms))
			_exit(0);
	}
}
