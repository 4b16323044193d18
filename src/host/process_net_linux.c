/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_net_linux.c - following sockets by /proc/net/{tcp,tcp6,udp,udp6}: where sock_diag is
 * refused.
 *
 *	sl: local:port remote:port st tx:rx tr:when retrnsmt uid timeout inode ...
 *
 * An address is printed as words of 32 bits of this machine's order, a port as a number.
 */
#ifdef __linux__
#include "host/process_net_linux.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct net {
	struct poll_look look;
};

enum { LINE = 512 };

static bool parse_end(const char *text, uint8_t address[16], uint16_t *port, uint8_t *version)
{
	const char *colon = strchr(text, ':');
	size_t digits = colon == NULL ? 0 : (size_t)(colon - text);

	if (digits != 8 && digits != 32)
		return false;
	*version = digits == 8 ? 4 : 6;
	for (size_t i = 0; i < digits / 8; i++) {
		char word[9] = { 0 };
		uint32_t value;

		memcpy(word, text + i * 8, 8);
		value = (uint32_t)strtoul(word, NULL, 16);
		memcpy(address + i * 4, &value, 4);
	}
	*port = (uint16_t)strtoul(colon + 1, NULL, 16);
	return true;
}

bool net_parse_line(const char *line, uint8_t proto, struct seen *out)
{
	char local[40], remote[40];
	unsigned state;
	unsigned long long inode;
	uint8_t version;

	*out = (struct seen){ .tuple = { .proto = proto } };
	if (sscanf(line, " %*u: %39s %39s %x %*s %*s %*s %*u %*u %llu", local, remote, &state,
			    &inode) != 4)
		return false;
	if (!parse_end(local, out->tuple.local, &out->tuple.local_port, &out->tuple.version) ||
			!parse_end(remote, out->tuple.remote, &out->tuple.remote_port, &version))
		return false;
	out->inode = inode;
	out->cookie = inode; /* these kernels tell no other name of it */
	return version == out->tuple.version && inode != 0 && out->tuple.local_port != 0 &&
	       state != TCP_TIME_WAIT;
}

static bool look_at(struct net *n, const char *path, uint8_t proto)
{
	FILE *f = fopen(path, "re");
	char line[LINE];
	struct seen s;

	if (f == NULL)
		return false;
	while (fgets(line, sizeof line, f) != NULL)
		if (net_parse_line(line, proto, &s))
			poll_see(&n->look, &s);
	fclose(f);
	return true;
}

static void look(void *state, struct watcher *w)
{
	struct net *n = state;
	bool good;

	(void)w;
	poll_begin(&n->look);
	good = look_at(n, "/proc/net/tcp", IPPROTO_TCP);
	good &= look_at(n, "/proc/net/udp", IPPROTO_UDP);
	look_at(n, "/proc/net/tcp6", IPPROTO_TCP);
	look_at(n, "/proc/net/udp6", IPPROTO_UDP);
	poll_end(&n->look, good);
}

static void stop(void *state)
{
	struct net *n = state;

	poll_free(&n->look);
	free(n);
}

static void *start(struct watcher *w, struct err *e)
{
	struct net *n = calloc(1, sizeof *n);

	if (n == NULL || !poll_new(&n->look, w)) {
		free(n);
		err_set(e, "no memory");
		return NULL;
	}
	return n;
}

const struct follow follow_net = {
	.method = PROCESS_BY_PROC,
	.name = "/proc, ten times a second",
	.start = start,
	.stop = stop,
	.seed = look,
	.look = look,
};
#endif
