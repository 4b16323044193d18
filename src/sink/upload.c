/* SPDX-License-Identifier: BSD-3-Clause */
/* upload.c - the main process' side of uploading: start, add, listen, stop. */
#include "sink/upload.h"

#include "os/clock.h"
#include "sink/upload_child.h"
#include "sink/upload_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* elsewhere the program ignores SIGPIPE */
#endif

enum { RETRY_MS = 5000, RETRY_MAX_MS = 600000, STALL_MS = 60000, END_MS = 5000 };

struct upload {
	struct upload_child child; /* as it was at the fork; 'fd' is the child's end, closed here */
	int fd;
	_Atomic pid_t pid; /* 0: has ended */
	void (*say)(void *ctx, enum upload_news what, const char *text);
	void *ctx;
	char line[UPLOAD_LINE]; /* what has come of one */
	size_t size;
};

/* --- starting -----------------------------------------------------------------------------------
 */

static bool open_spool(struct upload *u, const struct upload_conf *conf, struct err *e)
{
	const struct stat owner = { .st_uid = conf->uid, .st_gid = conf->gid };
	const bool give = conf->become && geteuid() == 0;
	const char *folder = conf->folder != NULL && conf->folder[0] != '\0' ? conf->folder : ".";

	u->child.user = (struct upload_user){ give, conf->uid, conf->gid };
	return upload_spool_open(&u->child.spool, folder, give ? &owner : NULL, e);
}

/* What earlier runs left; from then on the child counts. */
static bool count_waiting(const struct upload *u, struct err *e)
{
	struct upload_batch b;

	if (!upload_spool_list(&u->child.spool, UINT64_MAX, &b, e))
		return false;
	atomic_store(&u->child.shared->waiting, b.waiting);
	atomic_store(&u->child.shared->oldest, b.oldest);
	return true;
}

static bool make_channels(struct upload *u, struct err *e)
{
	int pair[2];
	void *shared = mmap(NULL, sizeof *u->child.shared, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return err_set(e, "upload: no memory");
	u->child.shared = shared; /* zero */
	if (!count_waiting(u, e))
		return false;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return err_set(e, "upload: cannot make a socket: %s", strerror(errno));
	u->fd = pair[0];
	u->child.fd = pair[1];
	fcntl(u->fd, F_SETFD, FD_CLOEXEC);
	fcntl(u->child.fd, F_SETFD, FD_CLOEXEC);
	return true;
}

/* No signal may come to the child before it has said what it does about them. */
static bool start_child(struct upload *u, struct err *e)
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	u->child.parent = getpid();
	u->pid = fork();
	if (u->pid == 0)
		upload_child_run(&u->child);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (u->pid < 0) {
		u->pid = 0;
		return err_set(e, "upload: cannot start a process: %s", strerror(errno));
	}
	close(u->child.fd);
	u->child.fd = -1;
	return true;
}

static uint32_t or_usual(uint32_t value, uint32_t usual)
{
	return value != 0 ? value : usual;
}

struct upload *upload_start(const struct upload_conf *conf, struct err *e)
{
	struct upload *u = calloc(1, sizeof *u);

	if (u == NULL) {
		err_set(e, "upload: no memory");
		return NULL;
	}
	u->fd = u->child.fd = u->child.spool.folder = u->child.spool.spool = -1;
	u->say = conf->say;
	u->ctx = conf->ctx;
	u->child.retain = conf->retain;
	u->child.retry_ms = or_usual(conf->retry_ms, RETRY_MS);
	u->child.retry_max_ms = or_usual(conf->retry_max_ms, RETRY_MAX_MS);
	u->child.stall_ms = or_usual(conf->stall_ms, STALL_MS);
	if (upload_target_parse(&u->child.target, conf->to, e) &&
			upload_command_new(&u->child.command, &u->child.target, conf->ssh,
					conf->keyfile, conf->known_hosts, e) &&
			open_spool(u, conf, e) && make_channels(u, e) && start_child(u, e))
		return u;
	upload_stop(u, 0);
	return NULL;
}

/* --- running ------------------------------------------------------------------------------------
 */

static void tell(const struct upload *u, char word)
{
	send(u->fd, &word, 1, MSG_DONTWAIT | MSG_NOSIGNAL); /* full of wakes is as good */
}

bool upload_add(struct upload *u, const char *path, struct err *e)
{
	if (!upload_spool_add(&u->child.spool, path, e))
		return false;
	/* Until the child, once woken, has counted itself. */
	atomic_fetch_add(&u->child.shared->waiting, 1);
	tell(u, UPLOAD_WAKE);
	return true;
}

static void say(const struct upload *u, enum upload_news what, const char *text)
{
	if (u->say != NULL)
		u->say(u->ctx, what, text);
}

static void take_lines(struct upload *u, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != '\n') {
			if (u->size + 1 < sizeof u->line)
				u->line[u->size++] = bytes[i];
			continue;
		}
		u->line[u->size] = '\0';
		if (u->size > 1 && u->line[0] >= '0' && u->line[0] <= '0' + UPLOAD_INFO)
			say(u, (enum upload_news)(u->line[0] - '0'), u->line + 1);
		u->size = 0;
	}
}

/* Reads what has been said; false: the child's end is closed. */
static bool listen_to(struct upload *u)
{
	char bytes[4096];
	ssize_t n;

	while ((n = recv(u->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
		take_lines(u, bytes, (size_t)n);
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

void upload_poll(struct upload *u)
{
	if (u->pid == 0 || listen_to(u))
		return;

	const pid_t pid = waitpid(u->pid, NULL, WNOHANG);
	if (pid == 0)
		return; /* still on its way out */
	u->pid = 0;
	say(u, UPLOAD_ERROR,
			"upload: the uploader has ended; files wait in the spool for the next "
			"start");
}

void upload_counts(const struct upload *u, struct upload_counts *out)
{
	const struct upload_shared *shared = u->child.shared;
	const uint64_t oldest = atomic_load(&shared->oldest);
	const int64_t age = clock_real_ns() - (int64_t)oldest;

	*out = (struct upload_counts){
		.waiting = atomic_load(&shared->waiting),
		.done = atomic_load(&shared->done),
		.failed_tries = atomic_load(&shared->failed_tries),
		.oldest_ns = oldest != 0 && age > 0 ? age : 0,
		.running = u->pid != 0,
		.away = atomic_load(&shared->away),
	};
}

/* --- stopping -----------------------------------------------------------------------------------
 */

static void wait_for_end(struct upload *u, uint32_t wait_ms)
{
	const int64_t until = upload_now_ms() + wait_ms;
	struct pollfd p = { .fd = u->fd, .events = POLLIN };

	tell(u, UPLOAD_STOP);
	while (listen_to(u)) {
		const int64_t left = until - upload_now_ms();

		if (wait_ms != UINT32_MAX && left <= 0)
			break;
		poll(&p, 1, wait_ms == UINT32_MAX || left > END_MS ? END_MS : (int)left);
	}
}

/* It ends once the socket is closed; what hangs in the kernel is left to init. */
static void reap(pid_t pid)
{
	const struct timespec moment = { .tv_nsec = 5000000 };
	const int64_t until = upload_now_ms() + END_MS;

	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (upload_now_ms() > until) {
			kill(pid, SIGKILL);
			break;
		}
		nanosleep(&moment, NULL);
	}
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void upload_stop(struct upload *u, uint32_t wait_ms)
{
	if (u == NULL)
		return;
	if (u->pid != 0 && wait_ms > 0)
		wait_for_end(u, wait_ms);
	if (u->pid != 0)
		listen_to(u);
	close_fd(u->fd);
	close_fd(u->child.fd);
	if (u->pid != 0)
		reap(u->pid);
	if (u->child.shared != NULL)
		munmap(u->child.shared, sizeof *u->child.shared);
	upload_command_free(&u->child.command);
	upload_spool_close(&u->child.spool);
	free(u);
}
