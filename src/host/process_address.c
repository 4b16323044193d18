/* SPDX-License-Identifier: BSD-3-Clause */
/* process_address.c - compare the interfaces' addresses with those reported before. */
#include "host/process_address.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/process_watcher.h"
#include "host/process_wire.h"

struct address {
	uint8_t version, bytes[16];
};

struct addresses {
	int fd;
	size_t count;
	struct address item[LIMIT_PROCESS_ADDRESSES];
};

#ifdef __linux__
#include <linux/rtnetlink.h>

static int open_news(void)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&to, sizeof to) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}
#else
static int open_news(void)
{
	return -1;
}
#endif

struct addresses *addresses_new(void)
{
	struct addresses *a = calloc(1, sizeof *a);

	if (a != NULL)
		a->fd = open_news();
	return a;
}

void addresses_free(struct addresses *a)
{
	if (a != NULL && a->fd >= 0)
		close(a->fd);
	free(a);
}

int addresses_fd(const struct addresses *a)
{
	return a->fd;
}

static bool convert(const struct sockaddr *from, struct address *to)
{
	*to = (struct address){ 0 };
	if (from == NULL)
		return false;
	if (from->sa_family == AF_INET) {
		to->version = 4;
		memcpy(to->bytes, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
		return true;
	}
	if (from->sa_family != AF_INET6)
		return false;
	to->version = 6;
	memcpy(to->bytes, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
	return true;
}

static bool has(const struct addresses *a, const struct address *x)
{
	for (size_t i = 0; i < a->count; i++)
		if (memcmp(&a->item[i], x, sizeof *x) == 0)
			return true;
	return false;
}

static void tell_difference(struct watcher *w, const struct addresses *from,
		const struct addresses *to, bool here)
{
	for (size_t i = 0; i < from->count; i++) {
		if (has(to, &from->item[i]))
			continue;
		process_wire_address(&w->out, from->item[i].version, from->item[i].bytes, here);
		if (w->out.size > LIMIT_PROCESS_MESSAGE / 2)
			watcher_flush(w);
	}
}

void addresses_look(struct addresses *a, struct watcher *w)
{
	static struct addresses now; /* of the watcher, which has one thread */
	struct ifaddrs *list = NULL;
	char news[4096];

	while (a->fd >= 0 && recv(a->fd, news, sizeof news, MSG_DONTWAIT) > 0)
		;
	if (getifaddrs(&list) != 0)
		return;
	now.count = 0;
	now.fd = a->fd;
	for (struct ifaddrs *i = list; i != NULL && now.count < LIMIT_PROCESS_ADDRESSES;
			i = i->ifa_next)
		now.count += convert(i->ifa_addr, &now.item[now.count]);
	freeifaddrs(list);
	tell_difference(w, a, &now, false);
	tell_difference(w, &now, a, true);
	*a = now;
}
