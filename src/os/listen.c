/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * listen.c - sockets by path and by address.
 *
 * Two programs that start at once must not both replace a dead socket: the folder is locked while
 * one looks and binds.
 */
#include "os/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 8, SECONDS = 10 };

/* A socket that no other program of ours inherits. */
static int new_socket(int family)
{
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd != -1)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

static bool address_of(const char *path, struct sockaddr_un *a, struct err *e)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (snprintf(a->sun_path, sizeof(a->sun_path), "%s", path) >= (int)sizeof(a->sun_path))
		return err_set(e, "the path of a socket has at most %zu characters: %s",
				sizeof(a->sun_path) - 1, path);
	return true;
}

static bool connect_to(const struct sockaddr_un *a, int *fd)
{
	*fd = new_socket(AF_UNIX);
	if (*fd != -1 && connect(*fd, (const struct sockaddr *)a, sizeof(*a)) == 0)
		return true;
	int why = errno;

	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = why;
	return false;
}

bool listen_connect(const char *path, int *fd, struct err *e)
{
	struct timeval limit = { .tv_sec = SECONDS };
	struct sockaddr_un a;

	if (!address_of(path, &a, e))
		return false;
	if (connect_to(&a, fd)) {
		setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		return true;
	}
	if (errno == EACCES)
		return err_set(e, "only root and the user that it runs as may ask at %s", path);
	return err_set(e, "nothing answers at %s: %s (is pcap2flow running, with control=%s?)",
			path, strerror(errno), path);
}

/* --- of the file system ------------------------------------------------------------------ */

/* Removes a socket that nobody listens on; what is no socket stays, and bind() will say so. */
static bool replace_dead(const struct sockaddr_un *a, struct err *e)
{
	struct stat st;
	int fd;

	if (lstat(a->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return true;
	if (connect_to(a, &fd)) {
		close(fd);
		return err_set(e, "another pcap2flow answers at %s", a->sun_path);
	}
	if (errno != ECONNREFUSED)
		return err_set(e, "cannot tell whether somebody uses %s: %s", a->sun_path,
				strerror(errno));
	return unlink(a->sun_path) == 0 ||
	       err_set(e, "cannot remove the dead socket %s: %s", a->sun_path, strerror(errno));
}

/* Nobody but the owner may ask from the first moment on. */
static bool bind_path(int fd, const struct sockaddr_un *a)
{
	mode_t mask = umask(0177);
	bool good = bind(fd, (const struct sockaddr *)a, sizeof(*a)) == 0;
	int why = errno;

	umask(mask);
	errno = why;
	return good && listen(fd, BACKLOG) == 0;
}

static bool open_at(const struct sockaddr_un *a, int *fd, struct err *e)
{
	if (!replace_dead(a, e))
		return false;
	*fd = new_socket(AF_UNIX);
	if (*fd != -1 && bind_path(*fd, a))
		return true;
	err_set(e, "cannot listen on %s: %s", a->sun_path, strerror(errno));
	if (*fd != -1)
		close(*fd);
	*fd = -1;
	return false;
}

bool listen_path(const char *path, int *fd, struct err *e)
{
	struct sockaddr_un a;
	char copy[sizeof(a.sun_path)];

	*fd = -1;
	if (!address_of(path, &a, e))
		return false;
	memcpy(copy, a.sun_path, sizeof(copy));
	const char *folder = dirname(copy);

	if (mkdir(folder, 0755) != 0 && errno != EEXIST)
		return err_set(e, "cannot make folder %s: %s", folder, strerror(errno));
	int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lock == -1 || flock(lock, LOCK_EX) != 0) {
		err_set(e, "cannot open folder %s: %s", folder, strerror(errno));
		if (lock != -1)
			close(lock);
		return false;
	}
	bool good = open_at(&a, fd, e);

	close(lock);
	return good;
}

/* --- of an address ----------------------------------------------------------------------- */

/* "a:p" or "[a]:p" into two texts; 'host' has room for all. */
static bool split(const char *address, char *host, size_t room, const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t size = colon == NULL ? 0 : (size_t)(colon - address);
	bool brackets = size >= 2 && address[0] == '[' && address[size - 1] == ']';

	if (colon == NULL || size >= room || (!brackets && memchr(address, ':', size) != NULL))
		return false;
	memcpy(host, address + brackets, size - 2 * brackets);
	host[size - 2 * brackets] = '\0';
	*port = colon + 1;
	return host[0] != '\0' && **port != '\0' && strlen(*port) <= 5 &&
	       strtoul(*port, NULL, 10) <= 65535;
}

static bool listen_at(const struct addrinfo *to, int *fd)
{
	int one = 1;

	*fd = new_socket(to->ai_family);
	if (*fd == -1)
		return false;
	setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(*fd, to->ai_addr, to->ai_addrlen) == 0 && listen(*fd, BACKLOG) == 0)
		return true;
	int why = errno;

	close(*fd);
	*fd = -1;
	errno = why;
	return false;
}

bool listen_address(const char *address, int *fd, struct err *e)
{
	struct addrinfo wanted = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	char host[128];
	const char *port;

	*fd = -1;
	if (!split(address, host, sizeof(host), &port) ||
			getaddrinfo(host, port, &wanted, &found) != 0)
		return err_set(e,
				"'%s' is no address and port: it looks like 127.0.0.1:9464 or "
				"[::1]:9464",
				address);
	bool good = listen_at(found, fd) ||
		    err_set(e, "cannot listen on %s: %s", address, strerror(errno));

	freeaddrinfo(found);
	return good;
}
