/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * notify.c - READY=1 and the like to the socket that NOTIFY_SOCKET names: a path, or with @ in
 * front an abstract name.
 */
#include "os/notify.h"
#include "os/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int connect_to(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t size = strlen(name);
	int fd;

	if ((name[0] != '/' && name[0] != '@') || size >= sizeof(a.sun_path))
		return -1;
	memcpy(a.sun_path, name, size);
	if (name[0] == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd != -1) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	if (fd != -1 && connect(fd, (const struct sockaddr *)&a,
					(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
							size)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static uint64_t number(const char *name)
{
	const char *text = getenv(name);

	return text == NULL ? 0 : strtoull(text, NULL, 10);
}

void notify_open(struct notify *n)
{
	const char *name = getenv("NOTIFY_SOCKET");
	uint64_t pid = number("WATCHDOG_PID"), us = number("WATCHDOG_USEC");

	*n = (struct notify){ .fd = name == NULL ? -1 : connect_to(name) };
	if (us > 0 && us < UINT64_MAX / 1000 && (pid == 0 || pid == (uint64_t)getpid()))
		n->watchdog_ns = (int64_t)(us * 1000 / 2);
}

void notify_close(struct notify *n)
{
	if (n->fd != -1)
		close(n->fd);
	n->fd = -1;
}

/* A manager that does not read has nobody wait for it. */
static void send_text(const struct notify *n, const char *text)
{
	if (n->fd != -1 && send(n->fd, text, strlen(text), 0) == -1)
		errno = 0;
}

void notify_ready(struct notify *n, const char *status)
{
	char text[256];

	snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", status);
	send_text(n, text);
}

void notify_stopping(struct notify *n)
{
	send_text(n, "STOPPING=1\nSTATUS=Writing the flows that are left");
}

/* systemd since 253 wants the time with it, for Type=notify-reload. */
void notify_reloading(struct notify *n)
{
	char text[96];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
			clock_steady_ns() / 1000);
	send_text(n, text);
}

void notify_alive(struct notify *n, int64_t now_ns)
{
	if (n->watchdog_ns == 0 || now_ns < n->next_ns)
		return;
	n->next_ns = now_ns + n->watchdog_ns;
	send_text(n, "WATCHDOG=1");
}

bool notify_is_journal(int fd)
{
	const char *text = getenv("JOURNAL_STREAM");
	char mine[64];
	struct stat st;

	if (text == NULL || fstat(fd, &st) != 0)
		return false;
	snprintf(mine, sizeof(mine), "%" PRIuMAX ":%" PRIuMAX, (uintmax_t)st.st_dev,
			(uintmax_t)st.st_ino);
	return strcmp(text, mine) == 0;
}
