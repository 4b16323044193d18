/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_diag_linux.c - following sockets by sock_diag(7): ten times a second the kernel lists all
 * TCP and UDP sockets of our network namespace, with inode and cookie.
 */
#ifdef __linux__
#include "host/process_diag_linux.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

enum { BUFFER = 1 << 16 };

struct diag {
	int fd;
	struct poll_look look;
	union {
		struct nlmsghdr align;
		char bytes[BUFFER];
	} buffer;
};

struct diag *diag_new(struct watcher *w, struct err *e)
{
	struct diag *d = calloc(1, sizeof *d);

	if (d == NULL || !poll_new(&d->look, w)) {
		free(d);
		err_set(e, "no memory");
		return NULL;
	}
	d->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (d->fd < 0) {
		err_set(e, "cannot open a sock_diag socket: %s", strerror(errno));
		diag_free(d);
		return NULL;
	}
	return d;
}

void diag_free(struct diag *d)
{
	if (d == NULL)
		return;
	if (d->fd >= 0)
		close(d->fd);
	poll_free(&d->look);
	free(d);
}

static bool ask(int fd, uint8_t family, uint8_t protocol)
{
	/* those without a holder are left out: TIME_WAIT, SYN_RECV, NEW_SYN_RECV */
	const uint32_t held = ~(1U << TCP_TIME_WAIT | 1U << TCP_SYN_RECV | 1U << 12);
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} m = {
		.head = { .nlmsg_len = sizeof m,
				.nlmsg_type = SOCK_DIAG_BY_FAMILY,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = family, .sdiag_protocol = protocol, .idiag_states = held }
	};

	return send(fd, &m, sizeof m, 0) == (ssize_t)sizeof m;
}

static void show(struct diag *d, const struct inet_diag_msg *m, uint8_t protocol)
{
	const size_t bytes = m->idiag_family == AF_INET6 ? 16 : 4;
	struct seen s = { .cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0],
		.inode = m->idiag_inode,
		.tuple = { .version = m->idiag_family == AF_INET6 ? 6 : 4,
				.proto = protocol,
				.local_port = ntohs(m->id.idiag_sport),
				.remote_port = ntohs(m->id.idiag_dport) } };

	memcpy(s.tuple.local, m->id.idiag_src, bytes);
	memcpy(s.tuple.remote, m->id.idiag_dst, bytes);
	if (s.tuple.local_port != 0 && s.inode != 0)
		poll_see(&d->look, &s);
}

/* One message of a dump; false at the end of the dump. */
static bool take_message(struct diag *d, const struct nlmsghdr *h, uint8_t protocol, bool *good)
{
	if (h->nlmsg_type == NLMSG_ERROR)
		*good = false;
	if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE)
		return false;
	if (h->nlmsg_type == SOCK_DIAG_BY_FAMILY &&
			h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
		show(d, NLMSG_DATA(h), protocol);
	return true;
}

/* Reads one datagram of a dump; false at its end. */
static bool take(struct diag *d, uint8_t protocol, bool *good)
{
	ssize_t n = recv(d->fd, d->buffer.bytes, sizeof d->buffer.bytes, 0);
	size_t at = 0;

	if (n < 0)
		return *good = errno == EINTR;
	while (at + sizeof(struct nlmsghdr) <= (size_t)n) {
		const struct nlmsghdr *h = (const void *)(d->buffer.bytes + at);

		if (h->nlmsg_len < sizeof *h || h->nlmsg_len > (size_t)n - at)
			return *good = false;
		if (!take_message(d, h, protocol, good))
			return false;
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
	return true;
}

static bool dump(struct diag *d, uint8_t family, uint8_t protocol)
{
	bool good = ask(d->fd, family, protocol);

	while (good && take(d, protocol, &good))
		;
	return good;
}

bool diag_look(struct diag *d, bool close_missing)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	bool good = true;

	poll_begin(&d->look);
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < 2; k++)
			good &= dump(d, families[i], protocols[k]);
	poll_end(&d->look, close_missing && good);
	return good;
}

/* --- as a way of its own -----------------------------------------------------------------------
 */

static void *start(struct watcher *w, struct err *e)
{
	struct diag *d = diag_new(w, e);

	if (d == NULL)
		return NULL;
	poll_begin(&d->look);
	if (dump(d, AF_INET, IPPROTO_TCP))
		return d;
	err_set(e, "this kernel does not list its sockets");
	diag_free(d);
	return NULL;
}

static void look(void *state, struct watcher *w)
{
	(void)w;
	diag_look(state, true);
}

static void stop(void *state)
{
	diag_free(state);
}

const struct follow follow_diag = {
	.method = PROCESS_BY_DIAG,
	.name = "sock_diag, ten times a second",
	.start = start,
	.stop = stop,
	.seed = look,
	.look = look,
};
#endif
