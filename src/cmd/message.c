/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * message.c - "pcap2flow: warning: ..." lines.
 *
 * A line is one write(), so that lines of several threads and processes stay whole.
 */
#include "cmd/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "os/notify.h"

static const char *const names[] = { "error", "warning", "info", "debug" };
static const char priorities[] = "3467"; /* of syslog(3) */

enum { LEVELS = sizeof(names) / sizeof(names[0]) };

void message_start(struct messages *m)
{
	*m = (struct messages){ .fd = STDERR_FILENO, .journal = notify_is_journal(STDERR_FILENO) };
}

/* 2026-11-24T15:33:01Z */
static void put_time(struct buf *line)
{
	time_t now = time(NULL);
	struct tm t;
	char text[32];

	if (gmtime_r(&now, &t) != NULL && strftime(text, sizeof(text), "%FT%TZ ", &t) > 0)
		buf_text(line, text);
}

static void begin(const struct messages *m, enum joy_level level, struct buf *line)
{
	if (m->progress != NULL && m->fd == STDERR_FILENO)
		progress_erase(m->progress);
	if (m->journal)
		buf_printf(line, "<%c>", priorities[level]);
	else if (m->file)
		put_time(line);
	buf_text(line, "pcap2flow: ");
}

/* What a full disk does not take is lost. */
static void end(const struct messages *m, struct buf *line)
{
	buf_byte(line, '\n');
	for (size_t done = 0; done < line->size;) {
		ssize_t n = write(m->fd, line->p + done, line->size - done);

		if (n <= 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	buf_free(line);
}

void message(struct messages *m, enum joy_level level, const char *format, ...)
{
	struct buf line = buf_new(LIMIT_OPTION_BYTES * 2);
	char text[2048];
	va_list args;

	if ((unsigned)level > m->verbosity || (unsigned)level >= LEVELS)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	begin(m, level, &line);
	buf_printf(&line, "%s: %s", names[level], text);
	end(m, &line);
}

void message_text(struct messages *m, const char *text)
{
	struct buf line = buf_new(LIMIT_ANSWER_BYTES);

	begin(m, JOY_LOG_INFO, &line);
	buf_bytes(&line, text, strcspn(text, "\n"));
	end(m, &line);
}

const char *message_prefix(const struct messages *m)
{
	return m->journal ? "<3>pcap2flow: error: " : "pcap2flow: error: ";
}

void message_close(struct messages *m)
{
	if (m->file)
		close(m->fd);
	m->fd = STDERR_FILENO;
	m->file = false;
}

/* Others than the owner are not to read what may hold names of hosts and users. */
static int open_log(const char *path, bool *made)
{
	const int flags = O_WRONLY | O_APPEND | O_CLOEXEC;
	int fd = open(path, flags | O_CREAT | O_EXCL, 0640);

	*made = fd != -1;
	return fd != -1 || errno != EEXIST ? fd : open(path, flags | O_CREAT, 0640);
}

bool message_open(struct messages *m, const char *path)
{
	bool made;
	int fd = open_log(path, &made);

	if (fd == -1)
		return false;
	if (m->file && dup2(fd, m->fd) != -1) {
		fcntl(m->fd, F_SETFD, FD_CLOEXEC);
		close(fd);
	} else {
		m->fd = fd;
	}
	m->file = true;
	m->made = made;
	m->journal = false;
	return true;
}

void message_give(const struct messages *m, uid_t uid, gid_t gid)
{
	if (m->file && m->made && fchown(m->fd, uid, gid) != 0)
		errno = 0; /* whether he may write there is asked next */
}
