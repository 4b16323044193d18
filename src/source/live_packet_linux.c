/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_packet_linux.c - capturing by packet rings: which socket listens where, and who reads it.
 *
 *	            worker 0   worker 1
 *	eth0          ring       ring      one group: the kernel shares its packets out (fanout)
 *	eth1          ring       ring      another
 *
 * any is one row whose rings are bound to no interface, so that they get the packets of all.
 *
 * When an interface was removed and is back, a socket that is alone is bound once more.  One of a
 * group cannot be: the group is left behind for another one, made of spare sockets that were opened
 * while there were rights.  The last spare is kept for a ring without group, which can be bound for
 * ever.  Workers go over to the new rings when the old ones have nothing left.
 */
#ifdef __linux__
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "source/live_device.h"
#include "source/live_filter.h"
#include "source/live_ops.h"
#include "source/live_ring.h"

enum { LINK_ETHERNET = 1, LINK_RAW = 101, LINK_SLL2 = 276 };

/*
 * The ring of one worker and interface.  live_watch() puts rings into 'coming' and frees those of
 * 'gone' (a chain by 'before'); in between the worker moves them by 'now'.
 */
struct slot {
	struct ring *_Atomic now, *_Atomic coming, *_Atomic gone;
};

struct face {
	struct live_counts counts; /* so far */
	struct ring *lone;         /* the ring that can be bound again; NULL: they are a group */
	int index;                 /* bound to, or tried to; 0: all interfaces */
	struct device_drops said;  /* by the interface, the last time */
	struct device_drops total; /* since the start, over all that had its name */
	bool absent, down, renamed, failed;
};

struct worker {
	int wake; /* eventfd */
	bool waiting[LIMIT_LIVE_INTERFACES];
	struct pollfd polled[LIMIT_LIVE_INTERFACES + 1];
};

struct packet {
	struct live live;
	struct live_filter filter;
	struct ring_conf ring_conf;
	struct face face[LIMIT_LIVE_INTERFACES];
	unsigned workers; /* that were made */
	struct worker *worker;
	struct slot *slots; /* a row of workers for each interface */
	int netlink;        /* for questions about interfaces; -1: none */
	uint32_t asked;
	int backlog; /* -1: not known */
	uint64_t backlog_before;
	int spare[LIMIT_LIVE_SPARES + LIMIT_LIVE_INTERFACES];
	size_t spares;
	_Atomic int64_t empty_ms; /* when all rings have given what they have; 0: not stopped */
	bool opened, ordered;     /* ordered: times of different interfaces can be compared */
};

static struct packet *packet_of(struct live *l)
{
	return (struct packet *)l;
}

static struct slot *slot_of(struct packet *p, size_t face, unsigned worker)
{
	return &p->slots[face * p->live.conf.rings + worker];
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- binding ------------------------------------------------------------------------------------
 */

static bool failed_to_listen(const struct packet *p, size_t i, struct err *e)
{
	return err_set(e, "cannot capture from %s: %s", p->live.name[i], strerror(errno));
}

/* A group takes no packets until it is complete: else each ring would get all packets meanwhile. */
static bool bind_group(struct packet *p, struct ring *const *rings, int index)
{
	int group = 0;
	bool good = true;

	for (unsigned w = 0; good && w < p->live.conf.rings; w++)
		good = live_filter_close(rings[w]->fd) && ring_bind(rings[w], index) &&
		       ring_join(rings[w], &group);
	for (unsigned w = 0; good && w < p->live.conf.rings; w++)
		good = live_filter_attach(&p->filter, rings[w]->fd);
	return good;
}

static bool bind_lone(struct packet *p, struct ring *ring, int index)
{
	return live_filter_attach(&p->filter, ring->fd) && ring_bind(ring, index);
}

/* 'index' was bound to: what else has to be told to the interface. */
static void bound(struct packet *p, size_t i, int fd, int index)
{
	struct face *face = &p->face[i];

	face->index = index;
	face->absent = face->renamed = false;
	if (!p->live.conf.promisc)
		return;
	if (index > 0) {
		device_promisc(fd, index);
		return;
	}
	struct if_nameindex *all = if_nameindex();
	for (struct if_nameindex *one = all; one != NULL && one->if_index != 0; one++)
		device_promisc(fd, (int)one->if_index);
	if (all != NULL)
		if_freenameindex(all);
}

/* --- an interface that is back ------------------------------------------------------------------
 */

static void add_counts(struct face *face, const struct ring *ring)
{
	struct ring_counts c;

	if (ring == NULL || !ring_counts(ring, &c))
		return;
	face->counts.packets += c.packets;
	face->counts.drops += c.drops;
	face->counts.freezes += c.freezes;
}

static void free_gone(struct slot *s)
{
	struct ring *ring = atomic_exchange(&s->gone, NULL);

	while (ring != NULL) {
		struct ring *before = ring->before;

		ring_free(ring);
		ring = before;
	}
}

/* Gives a worker another ring; it goes over once the present one must be empty. */
static void hand_over(struct face *face, struct slot *s, struct ring *ring)
{
	add_counts(face, atomic_load(&s->now));
	ring->ready_ms = now_ms() + RING_SETTLED_MS;
	atomic_store(&s->coming, ring);
}

/* Workers have not gone over to the rings that came last. */
static bool are_behind(struct packet *p, size_t i)
{
	for (unsigned w = 0; w < p->live.conf.rings; w++)
		if (atomic_load(&slot_of(p, i, w)->coming) != NULL)
			return true;
	return false;
}

static bool make_spare_rings(struct packet *p, size_t count, struct ring **rings, struct err *e)
{
	size_t made = 0;

	if (p->spares < count)
		return err_set(e, "it came and went too often: a restart is needed");
	while (made < count) {
		rings[made] = ring_new(p->spare[--p->spares], &p->ring_conf, e);
		if (rings[made] == NULL)
			break;
		made++;
	}
	if (made == count)
		return true;
	while (made > 0)
		ring_free(rings[--made]);
	return false;
}

/* The group's interface is gone for good: another group takes its place, or a ring without one. */
static bool replace_group(struct packet *p, size_t i, int index, struct err *e)
{
	struct ring *rings[LIMIT_WORKERS] = { NULL };
	bool grouped = p->spares >= p->live.conf.rings + p->live.count;
	size_t count = grouped ? p->live.conf.rings : 1;

	if (!make_spare_rings(p, count, rings, e))
		return false;
	bool good = grouped ? bind_group(p, rings, index) : bind_lone(p, rings[0], index);
	if (!good) {
		failed_to_listen(p, i, e);
		for (size_t w = 0; w < count; w++)
			ring_free(rings[w]);
		return false;
	}
	bound(p, i, rings[0]->fd, index);
	for (unsigned w = 0; w < count; w++)
		hand_over(&p->face[i], slot_of(p, i, w), rings[w]);
	p->face[i].lone = grouped ? NULL : rings[0];
	return true;
}

/* 'good': it is captured again, else 'e' says why not. */
static void say_back(
		const struct packet *p, size_t i, bool good, bool was_group, const struct err *e)
{
	const char *name = p->live.name[i];

	if (!good)
		live_say(&p->live, SOURCE_WARNING, "%s is back, but %s", name, e->text);
	else if (was_group && p->face[i].lone != NULL)
		live_say(&p->live, SOURCE_WARNING,
				"%s is back: captured by one worker until the next start", name);
	else
		live_say(&p->live, SOURCE_WARNING, "%s is back: captured", name);
}

static void came_back(struct packet *p, size_t i, int index)
{
	struct face *face = &p->face[i];
	bool was_group = face->lone == NULL, good;
	struct err e = { "" };

	if (was_group && (are_behind(p, i) || !device_is_up(p->netlink, p->live.name[i])))
		return; /* a group is made of what is up only */
	if (face->index == index && face->failed)
		return;
	if (was_group) {
		good = replace_group(p, i, index, &e);
	} else {
		good = ring_bind(face->lone, index) || failed_to_listen(p, i, &e);
		if (good)
			bound(p, i, face->lone->fd, index);
	}
	face->index = index;
	face->failed = !good;
	face->said = (struct device_drops){ 0 };
	say_back(p, i, good, was_group, &e);
}

static void went_away(struct packet *p, size_t i)
{
	char name[IFNAMSIZ];
	struct face *face = &p->face[i];

	if (!face->absent && device_name(p->netlink, face->index, name)) {
		if (!face->renamed)
			live_say(&p->live, SOURCE_WARNING, "%s is called %s now: still captured",
					p->live.name[i], name);
		face->renamed = true;
		return;
	}
	if (!face->absent)
		live_say(&p->live, SOURCE_WARNING, "%s is gone: waiting until it is back",
				p->live.name[i]);
	face->absent = true;
	face->down = face->failed = false;
}

static void look_after(struct packet *p, size_t i)
{
	struct face *face = &p->face[i];
	const char *name = p->live.name[i];
	const struct ring *ring = atomic_load(&slot_of(p, i, 0)->coming);
	int index = device_index(p->netlink, name);

	if (index < 0) {
		went_away(p, i);
		return;
	}
	if (ring == NULL)
		ring = atomic_load(&slot_of(p, i, 0)->now);
	if (ring_bound(face->lone != NULL ? face->lone : ring) != index) {
		if (!face->absent)
			live_say(&p->live, SOURCE_WARNING, "%s was replaced by another interface",
					name);
		face->absent = true;
		came_back(p, i, index);
	}
	bool down = !face->absent && !device_is_up(p->netlink, name);
	if (down && !face->down)
		live_say(&p->live, SOURCE_WARNING, "%s is down: waiting until it is up", name);
	else if (!face->absent && !down && face->down)
		live_say(&p->live, SOURCE_WARNING, "%s is up: captured", name);
	face->down = down;
}

static void packet_watch(struct live *l)
{
	struct packet *p = packet_of(l);

	for (size_t i = 0; i < l->count * l->conf.rings; i++)
		free_gone(&p->slots[i]);
	for (size_t i = 0; i < l->count && !l->any && p->empty_ms == 0; i++)
		look_after(p, i);
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
		atomic_store(&slot_of(p, i, w)->now, ring);
	}
	return true;
}

static bool listen_to(struct packet *p, size_t i, struct err *e)
{
	struct ring *rings[LIMIT_WORKERS] = { NULL };
	unsigned count = p->live.conf.rings;
	int index = p->live.any ? 0 : device_index(p->netlink, p->live.name[i]);

	for (unsigned w = 0; w < count; w++)
		rings[w] = atomic_load(&slot_of(p, i, w)->now);
	if (count == 1)
		p->face[i].lone = rings[0];
	bool good = count == 1 ? bind_lone(p, rings[0], index) : bind_group(p, rings, index);
	if (!good && index > 0 && !device_is_up(p->netlink, p->live.name[i]))
		return err_set(e, "%s is down: several workers need it up", p->live.name[i]);
	if (!good)
		return failed_to_listen(p, i, e);
	bound(p, i, rings[0]->fd, index);
	if (!device_drops(p->netlink, ++p->asked, index, &p->face[i].said))
		live_say(&p->live, SOURCE_WARNING, "%s: its own counters of drops cannot be read",
				p->live.name[i]);
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
		good = listen_to(p, i, e);
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
		free_gone(&p->slots[i]);
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

/* --- reading ------------------------------------------------------------------------------------
 */

/* The ring to read from: the one that came, when the one before has nothing more to give. */
static struct ring *present_ring(struct slot *s, int64_t now)
{
	struct ring *ring = atomic_load_explicit(&s->now, memory_order_relaxed);
	struct ring *coming = atomic_load_explicit(&s->coming, memory_order_acquire);

	if (coming == NULL || now < coming->ready_ms || ring_begin(ring, now))
		return ring;
	coming = atomic_exchange(&s->coming, NULL);
	atomic_store(&s->now, coming);
	ring->before = atomic_load(&s->gone);
	while (!atomic_compare_exchange_weak(&s->gone, &ring->before, ring))
		;
	return coming;
}

/*
 * Up to which time packets of 'ring' can be taken while other interfaces have none to give: there
 * may be older ones in a block that the kernel is still filling.  Waiting must not cost packets.
 */
static int64_t settled_ns(const struct ring *ring, int64_t now)
{
	if (now - ring->opened_ms >= RING_SETTLED_MS || ring_is_filling(ring))
		return INT64_MAX;
	return wall_ns() - RING_SETTLED_MS * (int64_t)1000000;
}

/* In how many ms the next packet can be taken, if not now. */
static int64_t time_to_wait(const struct ring *ring, int64_t settled, int64_t now)
{
	int64_t by_block = ring->opened_ms + RING_SETTLED_MS - now;
	int64_t by_time = (ring_next_ns(ring) - settled) / 1000000 + 1;

	return by_time < by_block ? by_time : by_block;
}

/* The ring whose next packet is the oldest; *until is the time of the next of the others. */
static struct ring *oldest(struct ring *const *rings, size_t count, size_t *which, int64_t *until)
{
	int64_t best = INT64_MAX;
	struct ring *found = NULL;

	*until = INT64_MAX;
	for (size_t i = 0; i < count; i++) {
		if (!rings[i]->open || rings[i]->left == 0)
			continue;
		int64_t ns = ring_next_ns(rings[i]);

		if (found == NULL || ns < best) {
			*until = best;
			best = ns;
			found = rings[i];
			*which = i;
		} else if (ns < *until) {
			*until = ns;
		}
	}
	return found;
}

/*
 * Takes what can be had now, in the order of time over all interfaces; *wait_ms is after how long
 * there may be more although nothing comes.
 */
static size_t take_now(
		struct packet *p, unsigned w, struct frame *frames, size_t max, int64_t *wait_ms)
{
	struct ring *rings[LIMIT_LIVE_INTERFACES];
	struct worker *worker = &p->worker[w];
	size_t n = 0, which = 0, ready = 0;
	int64_t now = now_ms(), until;

	*wait_ms = INT64_MAX;
	for (size_t i = 0; i < p->live.count; i++) {
		struct slot *s = slot_of(p, i, w);

		ring_end(atomic_load_explicit(&s->now, memory_order_relaxed));
		rings[i] = present_ring(s, now);
		worker->waiting[i] = !ring_begin(rings[i], now);
		ready += !worker->waiting[i];
		if (atomic_load_explicit(&s->coming, memory_order_relaxed) != NULL)
			*wait_ms = RING_SETTLED_MS;
	}
	while (n < max) {
		struct ring *ring = oldest(rings, p->live.count, &which, &until);

		if (ring == NULL)
			break;
		int64_t settled = ready < p->live.count && p->ordered ? settled_ns(ring, now)
								      : INT64_MAX;
		if (ring_next_ns(ring) > settled) {
			int64_t wait = time_to_wait(ring, settled, now);

			*wait_ms = wait < *wait_ms ? wait : *wait_ms;
			break;
		}
		n += ring_take(ring, until < settled ? until : settled, (uint32_t)which, frames + n,
				max - n);
		if (ring->left == 0)
			break; /* what follows in this ring may be older than what others have */
	}
	return n;
}

/* Waits for the rings that had nothing.  False: somebody wants this worker awake. */
static bool wait_for_packets(struct packet *p, unsigned w, int timeout_ms)
{
	struct worker *worker = &p->worker[w];
	nfds_t count = 0;
	uint64_t wakes;
	socklen_t size = sizeof(int);
	int fault;

	worker->polled[count++] = (struct pollfd){ .fd = worker->wake, .events = POLLIN };
	for (size_t i = 0; i < p->live.count; i++) {
		const struct ring *ring =
				atomic_load_explicit(&slot_of(p, i, w)->now, memory_order_relaxed);

		if (worker->waiting[i])
			worker->polled[count++] = (struct pollfd){
				.fd = ring->fd,
				.events = POLLIN,
			};
	}
	if (poll(worker->polled, count, timeout_ms) <= 0)
		return true;
	for (nfds_t i = 1; i < count; i++) /* an interface went down: take the news away */
		if (worker->polled[i].revents & POLLERR)
			getsockopt(worker->polled[i].fd, SOL_SOCKET, SO_ERROR, &fault, &size);
	return read(worker->wake, &wakes, sizeof(wakes)) != sizeof(wakes);
}

static size_t packet_read(struct live *l, unsigned ring, struct frame *frames, size_t max,
		int timeout_ms, bool *ok, struct err *e)
{
	struct packet *p = packet_of(l);
	int64_t end = now_ms() + timeout_ms, wait_ms;

	/* an interface that is gone may come back: only a stop is an end */
	for (bool last = false;;) {
		int64_t now = now_ms(), left = end - now, empty = atomic_load(&p->empty_ms);
		size_t n = take_now(p, ring, frames, max, &wait_ms);

		if (n == 0 && empty > 0 && now >= empty)
			*ok = err_set(e, "the capture was stopped");
		if (n > 0 || last || !*ok)
			return n;
		if (wait_ms > left)
			wait_ms = left;
		if (empty > 0 && wait_ms > empty - now)
			wait_ms = empty - now;
		last = !wait_for_packets(p, ring, wait_ms > 0 ? (int)wait_ms : 0) || left <= 0;
	}
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
	atomic_store(&p->empty_ms, now_ms() + 2 * RING_SETTLED_MS);
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
		add_counts(face, atomic_load(&slot_of(p, i, w)->now));
		add_counts(face, atomic_load(&slot_of(p, i, w)->coming));
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
		unsigned fill = ring_fill(atomic_load(&slot_of(p, i, ring)->now));

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
