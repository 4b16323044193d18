/* SPDX-License-Identifier: BSD-3-Clause */
/* daemon.c - fork, setsid, a pipe for the ready word, and the file with the process id. */
#include "os/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- into the background ----------------------------------------------------------------- */

static int status_of(pid_t child, struct err *e)
{
	int status;

	while (waitpid(child, &status, 0) == -1)
		if (errno != EINTR)
			return err_set(e, "cannot wait for the background process: %s",
					       strerror(errno)),
			       1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	err_set(e, "the background process was ended by signal %d", WTERMSIG(status));
	return 1;
}

/* Until the word comes, or the pipe closes because the child is gone. */
static int wait_for(pid_t child, int word, struct err *e)
{
	char byte;
	ssize_t n;

	do
		n = read(word, &byte, 1);
	while (n == -1 && errno == EINTR);
	close(word);
	return n == 1 ? 0 : status_of(child, e);
}

int daemon_fork(struct daemon *d, struct err *e)
{
	int ends[2];
	pid_t child;

	*d = (struct daemon){ -1, open("/dev/null", O_RDWR | O_CLOEXEC) };
	if (d->null == -1 || pipe(ends) != 0) {
		err_set(e, "cannot go to the background: %s", strerror(errno));
		return 1;
	}
	child = fork();
	if (child == -1) {
		err_set(e, "cannot go to the background: %s", strerror(errno));
		return 1;
	}
	if (child > 0) {
		close(ends[1]);
		return wait_for(child, ends[0], e);
	}
	close(ends[0]);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	setsid();
	d->word = ends[1];
	return DAEMON_CHILD;
}

void daemon_ready(struct daemon *d)
{
	struct stat st;

	if (d->word == -1)
		return;
	dup2(d->null, STDIN_FILENO);
	dup2(d->null, STDOUT_FILENO);
	if (fstat(STDERR_FILENO, &st) != 0 || !S_ISREG(st.st_mode))
		dup2(d->null, STDERR_FILENO);
	if (write(d->word, "R", 1) != 1)
		errno = 0; /* nobody waits any more */
	close(d->word);
	close(d->null);
	*d = (struct daemon){ -1, -1 };
}

/* --- the file with the process id -------------------------------------------------------- */

static bool write_pid(int fd)
{
	char text[32];
	int size = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)size, 0) == size;
}

bool daemon_pidfile(const char *path, int *fd, struct err *e)
{
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (*fd == -1)
		return err_set(e, "cannot write %s: %s", path, strerror(errno));
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0 && write_pid(*fd))
		return true;
	if (errno == EWOULDBLOCK)
		err_set(e, "%s belongs to a process that is running", path);
	else
		err_set(e, "cannot write %s: %s", path, strerror(errno));
	close(*fd);
	*fd = -1;
	return false;
}

void daemon_pidfile_remove(const char *path, int fd)
{
	if (fd == -1)
		return;
	if (unlink(path) != 0 && ftruncate(fd, 0) != 0)
		errno = 0; /* the lock goes with the process, whatever the file says */
	close(fd);
}
