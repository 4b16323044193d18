/* SPDX-License-Identifier: BSD-3-Clause */
/* live_packet_linux.c - capturing by packet rings: opening, waking, counting, the end. */
#ifdef __linux__
#include "source/live_packet.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { LINK_ETHERNET = 1, LINK_RAW = 101, LINK_SLL2 = 276 };

int64_t packet_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- opening ------------------------------------------------------------------------------------
 */

static bool no_such_interface(const char *name, struct err *e)
{
	struct if_nameindex *all = if_nameindex();
	char list[256] = "";
	size_t used = 0;

	for (struct if_nameindex *i = all; i != NULL && i->if_index != 0; i++) {
		size_t size = strlen(i->if_name);

		if (used + size + 2 >= sizeof(list))
			break;
		list[used++] = ' ';
		memcpy(list + used, i->if_name, size + 1);
		used += size;
	}
	if (all != NULL)
		if_freenameindex(all);
	return err_set(e, "interface=%s: there is none of that name; there are:%s", name, list);
}

static bool no_socket(struct err *e)
{
	if (errno == EPERM || errno == EACCES)
		return err_set(e, "no right to capture: " LIVE_RIGHTS
				  " (setcap cap_net_raw+ep PROGRAM)");
	return err_set(e, "no packet socket: %s", strerror(errno));
}

static uint16_t linktype_of(int type)
{
	switch (type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		return LINK_ETHERNET;
	case ARPHRD_IEEE80211:
		return 105;
	case ARPHRD_IEEE80211_PRISM:
		return 119;
	case ARPHRD_IEEE80211_RADIOTAP:
		return 127;
	default:
		return LINK_RAW;
	}
}

static bool check_interface(struct packet *p, size_t i, struct err *e)
{
	const char *name = p->live.name[i];
	int type = device_type(p->netlink, name);

	if (type < 0)
		return no_such_interface(name, e);
	p->live.interface[i].linktype = linktype_of(type);
	if (p->live.conf.bpf != NULL && p->live.interface[i].linktype != LINK_RAW &&
			p->live.interface[i].linktype != LINK_ETHERNET)
		return err_set(e,
				"bpf= cannot be had for %s, which listens to radio; "
				"capture=libpcap can",
				name);
	if (p->ring_conf.adapter_clock && !device_stamp(p->netlink, name))
		live_say(&p->live, SOURCE_WARNING,
				"clock=adapter: %s does not stamp packets (%s), the host does",
				name, strerror(errno));
	return true;
}

/* Every socket that will ever be needed, since only now there are rights. */
static void open_spares(struct packet *p)
{
	enum { TIMES = 8 }; /* that interfaces may come back to a group */
	size_t wanted = (size_t)p->live.conf.rings * TIMES;

	if (p->live.conf.rings == 1 || p->live.any)
		return;
	wanted = (wanted < LIMIT_LIVE_SPARES ? wanted : LIMIT_LIVE_SPARES) + p->live.count;
	while (p->spares < wanted) {
		int fd = ring_socket();

		if (fd < 0)
			return; /* fewer have to do */
		p->spare[p->spares++] = fd;
	}
}

static bool open_worker(struct packet *p, unsigned w, struct err *e)
{
	p->worker[w].wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->worker[w].wake < 0)
		return err_set(e, "no event descriptor: %s", strerror(errno));
	p->workers++;
	for (size_t i = 0; i < p->live.count; i++) {
		int fd = ring_socket();

		if (fd < 0)
			return no_socket(e);
		struct ring *ring = ring_new(fd, &p->ring_conf, e);
		if (ring == NULL)
			return false;
		atomic_store(&packet_slot(p, i, w)->now, ring);
	}
	return true;
}

static bool packet_open(struct live *l, struct err *e)
{
	struct packet *p = packet_of(l);
	bool good = true;

	p->ring_conf = (struct ring_conf){
		.bytes = l->conf.ring_bytes,
		.snaplen = l->conf.snaplen,
		.adapter_clock = l->conf.clock != NULL && strcmp(l->conf.clock, "adapter") == 0,
		.gso_types = ring_knows_gso_types(),
	};
	p->ordered = !p->ring_conf.adapter_clock;
	p->opened = true;
	p->backlog = device_open_backlog();
	p->backlog_before = device_backlog(p->backlog);
	p->netlink = device_socket();
	if (p->netlink < 0)
		return err_set(e, "no netlink socket: %s", strerror(errno));
	p->worker = calloc(l->conf.rings, sizeof(*p->worker));
	p->slots = calloc(l->conf.rings * l->count, sizeof(*p->slots));
	if (p->worker == NULL || p->slots == NULL)
		return err_set(e, "no memory for the capture");
	if (l->any)
		l->interface[0].linktype = LINK_SLL2;
	for (size_t i = 0; good && i < l->count && !l->any; i++)
		good = check_interface(p, i, e);
	good = good && live_filter_make(&p->filter, l->conf.bpf, l->conf.snaplen, e);
	for (unsigned w = 0; good && w < l->conf.rings; w++)
		good = open_worker(p, w, e);
	if (good)
		open_spares(p);
	for (size_t i = 0; good && i < l->count; i++)
		good = packet_listen(p, i, e);
	return good;
}

static void packet_close(struct live *l)
{
	struct packet *p = packet_of(l);

	if (!p->opened)
		return;
	for (unsigned w = 0; w < p->workers; w++)
		close(p->worker[w].wake);
	for (size_t i = 0; p->slots != NULL && i < l->count * l->conf.rings; i++) {
		ring_free(atomic_load(&p->slots[i].now));
		ring_free(atomic_load(&p->slots[i].coming));
		packet_free_gone(&p->slots[i]);
	}
	while (p->spares > 0)
		close(p->spare[--p->spares]);
	if (p->netlink >= 0)
		close(p->netlink);
	if (p->backlog >= 0)
		close(p->backlog);
	live_filter_free(&p->filter);
	free(p->worker);
	free(p->slots);
}

static void packet_wake(struct live *l)
{
	struct packet *p = packet_of(l);
	uint64_t one = 1;

	for (unsigned w = 0; w < p->workers; w++) {
		ssize_t written = write(p->worker[w].wake, &one, sizeof(one));

		(void)written; /* fails only where wakes without number have gone unread */
	}
}

static void packet_stop(struct live *l)
{
	struct packet *p = packet_of(l);

	for (size_t i = 0; i < l->count * l->conf.rings; i++) {
		const struct ring *now = atomic_load(&p->slots[i].now);
		const struct ring *coming = atomic_load(&p->slots[i].coming);

		live_filter_close(now->fd);
		if (coming != NULL)
			live_filter_close(coming->fd);
	}
	atomic_store(&p->empty_ms, packet_now_ms() + 2 * RING_SETTLED_MS);
	packet_wake(l);
}

/* --- counters -----------------------------------------------------------------------------------
 */

/* Since the last time; an interface that was replaced counts from 0 again. */
static uint64_t grown(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

/*
 * What the interface dropped is a loss as far as the kernel's queues had no room: the rest had
 * been captured.
 */
static void add_interface_drops(struct packet *p, struct face *face)
{
	struct device_drops now;

	if (!device_drops(p->netlink, ++p->asked, face->index, &now))
		return;
	uint64_t queue = device_backlog(p->backlog);

	if (queue != UINT64_MAX)
		queue -= p->backlog_before;
	face->total.missed += grown(now.missed, face->said.missed);
	face->total.dropped += grown(now.dropped, face->said.dropped);
	face->said = now;
	face->counts.interface_drops = face->total.missed +
				       (face->total.dropped < queue ? face->total.dropped : queue);
}

static bool packet_counts(struct live *l, size_t i, struct live_counts *out)
{
	struct packet *p = packet_of(l);
	struct face *face = &p->face[i];

	for (unsigned w = 0; w < l->conf.rings; w++) {
		packet_add_counts(face, atomic_load(&packet_slot(p, i, w)->now));
		packet_add_counts(face, atomic_load(&packet_slot(p, i, w)->coming));
	}
	if (!face->absent)
		add_interface_drops(p, face);
	*out = face->counts;
	return true;
}

static unsigned packet_fill(struct live *l, unsigned ring)
{
	struct packet *p = packet_of(l);
	unsigned most = 0;

	for (size_t i = 0; i < l->count; i++) {
		unsigned fill = ring_fill(atomic_load(&packet_slot(p, i, ring)->now));

		if (fill > most)
			most = fill;
	}
	return most;
}

const struct live_ops *live_packet(void)
{
	static const struct live_ops ops = {
		.size = sizeof(struct packet),
		.open = packet_open,
		.close = packet_close,
		.read = packet_read,
		.wake = packet_wake,
		.watch = packet_watch,
		.stop = packet_stop,
		.counts = packet_counts,
		.fill = packet_fill,
	};

	return &ops;
}
#endif
