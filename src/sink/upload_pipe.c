/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_pipe.c - start a program without a shell, move bytes to and from it, end it for certain.
 *
 * fork() and execve() instead of posix_spawn(): the child has to get rights back and to arrange
 * that it dies with us, for which posix_spawn() has no words.
 */
#include "sink/upload_pipe.h"

#include "base/limits.h"
#include "os/clock.h"
#include "sink/upload_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 64 << 10, IN_CAP = LIMIT_SFTP_PACKET + 2 * READ_SIZE, GRACE_MS = 1000 };

int64_t upload_now_ms(void)
{
	return clock_steady_ns() / 1000000;
}

/* --- the main process ---------------------------------------------------------------------------
 */

void upload_control_read(struct upload_control *c)
{
	char words[64];
	ssize_t n;
	bool woken = false;

	while ((n = recv(c->fd, words, sizeof words, MSG_DONTWAIT)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			woken |= words[i] == UPLOAD_WAKE;
			c->stop |= words[i] == UPLOAD_STOP;
		}
	}
	if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		c->end = true;
	c->woken |= woken;
	if (woken && c->changed != NULL)
		c->changed(c->ctx);
}

void upload_control_wait(struct upload_control *c, int timeout_ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	if (poll(&p, 1, timeout_ms) > 0)
		upload_control_read(c);
}

/* --- starting -----------------------------------------------------------------------------------
 */

/* What ssh, and what its configuration may start, has a use for. */
static void make_environment(char *out[8])
{
	static const char *const kept[] = {
		"HOME=", "LOGNAME=", "PATH=", "SSH_AUTH_SOCK=", "USER="
	};
	static char language[] = "LC_ALL=C";
	extern char **environ;
	size_t n = 0;

	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		for (char **at = environ; at != NULL && *at != NULL; at++) {
			if (strncmp(*at, kept[i], strlen(kept[i])) == 0) {
				out[n++] = *at;
				break;
			}
		}
	}
	out[n++] = language;
	out[n] = NULL;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child; the three files become its standard streams. */
static _Noreturn void become(char *const argv[], const int fd[3], pid_t parent)
{
	char *environment[8];

	for (int i = 0; i < 3; i++)
		dup2(fd[i], i);
	setpgid(0, 0);
	reset_signals();
	make_environment(environment);
	if (upload_confine_program(parent))
		execve(argv[0], argv, environment);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

/* Pipe ends that survive no exec; none of them is a standard stream, so dup2() makes copies. */
static bool make_pipe(int *read_end, int *write_end)
{
	int fd[2];

	if (pipe(fd) != 0)
		return false;
	*read_end = fcntl(fd[0], F_DUPFD_CLOEXEC, 3);
	*write_end = fcntl(fd[1], F_DUPFD_CLOEXEC, 3);
	close(fd[0]);
	close(fd[1]);
	return *read_end >= 0 && *write_end >= 0;
}

static bool set_non_blocking(int fd)
{
	const int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool start(struct upload_pipe *p, char *const argv[], int theirs[3])
{
	const pid_t self = getpid();

	if (!make_pipe(&theirs[0], &p->to) || !make_pipe(&p->from, &theirs[1]) ||
			!make_pipe(&p->errors, &theirs[2]) || !set_non_blocking(p->to) ||
			!set_non_blocking(p->from) || !set_non_blocking(p->errors))
		return false;
	p->pid = fork();
	if (p->pid == 0)
		become(argv, theirs, self);
	if (p->pid > 0)
		setpgid(p->pid, p->pid); /* whoever of the two comes first */
	return p->pid > 0;
}

bool upload_pipe_open(struct upload_pipe *p, struct upload_control *control, uint32_t stall_ms,
		char *const argv[], struct err *e)
{
	int theirs[3] = { -1, -1, -1 };

	*p = (struct upload_pipe){ .control = control,
		.stall_ms = stall_ms,
		.to = -1,
		.from = -1,
		.errors = -1,
		.out = buf_new(LIMIT_UPLOAD_SENDING),
		.in = buf_new(IN_CAP),
		.moved_ms = upload_now_ms() };
	const bool done = start(p, argv, theirs);
	const int why = errno;

	close_all(theirs, 3);
	if (done)
		return true;
	p->pid = 0;
	upload_pipe_close(p);
	return err_set(e, "cannot start %s: %s", argv[0], strerror(why));
}

/* --- moving bytes -------------------------------------------------------------------------------
 */

static void drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void upload_pipe_no_more(struct upload_pipe *p)
{
	drop(&p->to);
}

size_t upload_pipe_unsent(const struct upload_pipe *p)
{
	return p->out.size - p->sent;
}

static bool is_passing(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void hear_one(struct upload_pipe *p, char c)
{
	if (c == '\n' || c == '\r') {
		p->line_ended = true;
		return;
	}
	if (p->line_ended && p->line[1][0] != '\0') {
		memcpy(p->line[0], p->line[1], sizeof p->line[0]);
		p->line[1][0] = '\0';
	}
	p->line_ended = false;

	const size_t at = strlen(p->line[1]);
	if (at + 1 < sizeof p->line[1]) {
		p->line[1][at] = c >= ' ' && c < 0x7f ? c : '?';
		p->line[1][at + 1] = '\0';
	}
}

/* What was said last is kept, as the reason for what comes next. */
static void hear(struct upload_pipe *p)
{
	char text[512];
	const ssize_t n = read(p->errors, text, sizeof text);

	if (n == 0 || (n < 0 && !is_passing()))
		drop(&p->errors);
	for (ssize_t i = 0; i < n; i++)
		hear_one(p, text[i]);
}

static void receive(struct upload_pipe *p)
{
	if (p->taken > 0) {
		p->in.size -= p->taken;
		memmove(p->in.p, p->in.p + p->taken, p->in.size);
		p->taken = 0;
	}

	char *to = buf_reserve(&p->in, READ_SIZE);
	const ssize_t n = to != NULL ? read(p->from, to, READ_SIZE) : 0;
	if (n > 0) {
		buf_commit(&p->in, (size_t)n);
		p->moved_ms = upload_now_ms();
	} else if (n == 0 || !is_passing()) {
		p->ended = true;
	}
}

static void send_on(struct upload_pipe *p)
{
	const ssize_t n = write(p->to, p->out.p + p->sent, p->out.size - p->sent);

	if (n > 0) {
		p->sent += (size_t)n;
		p->moved_ms = upload_now_ms();
	} else if (n < 0 && !is_passing()) {
		drop(&p->to); /* it has ended; why, it says on the other pipes */
	}
	if (p->sent == p->out.size) {
		buf_clear(&p->out);
		p->sent = 0;
	}
}

/* The reason for an end, in the program's own words. */
static bool say_ended(struct upload_pipe *p, struct err *e)
{
	const int64_t until = upload_now_ms() + GRACE_MS;
	struct pollfd f = { .events = POLLIN };

	while ((f.fd = p->errors) >= 0) { /* the last words may still be on their way */
		const int64_t left = until - upload_now_ms();

		if (left <= 0 || poll(&f, 1, (int)left) <= 0)
			break;
		hear(p);
	}
	if (p->line[1][0] == '\0')
		return err_set(e, "ssh has ended without a word");
	return err_set(e, "%s%s%s", p->line[0], p->line[0][0] != '\0' ? "; " : "", p->line[1]);
}

bool upload_pipe_turn(struct upload_pipe *p, struct err *e)
{
	const bool pending = upload_pipe_unsent(p) > 0;
	struct pollfd f[] = {
		{ .fd = p->from, .events = POLLIN },
		{ .fd = p->errors, .events = POLLIN },
		{ .fd = pending ? p->to : -1, .events = POLLOUT },
		{ .fd = p->control->fd, .events = POLLIN },
	};
	const int64_t left = p->moved_ms + p->stall_ms - upload_now_ms();

	if (p->control->end)
		return err_set(e, "the main process has ended");
	if (p->ended)
		return say_ended(p, e);
	if (left <= 0)
		return err_set(e, "nothing has moved for %u ms", p->stall_ms);
	if (poll(f, 4, (int)left) <= 0)
		return true;
	if (f[3].revents != 0)
		upload_control_read(p->control);
	if (f[1].revents != 0)
		hear(p);
	if (f[2].revents != 0)
		send_on(p);
	if (f[0].revents != 0)
		receive(p);
	return true;
}

/* --- ending -------------------------------------------------------------------------------------
 */

/* Ends by itself once its input has ended, unless it hangs. */
static void wait_for_end(struct upload_pipe *p)
{
	const int64_t until = upload_now_ms() + GRACE_MS;

	p->moved_ms = upload_now_ms();
	p->stall_ms = GRACE_MS;
	while (!p->ended && upload_now_ms() < until && upload_pipe_turn(p, NULL))
		p->taken = p->in.size;
}

void upload_pipe_close(struct upload_pipe *p)
{
	drop(&p->to);
	if (p->pid > 0) {
		if (!p->ended && upload_pipe_unsent(p) == 0)
			wait_for_end(p);
		kill(-p->pid, SIGKILL); /* not yet waited for, so the number is still its own */
	}
	drop(&p->from); /* before the wait: whoever sees no child any more sees no pipe either */
	drop(&p->errors);
	while (p->pid > 0 && waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	buf_free(&p->out);
	buf_free(&p->in);
	p->pid = 0;
}
