/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_read_linux.c - what a worker reads: the blocks of its rings, in the order of time.
 *
 * Packets of several interfaces are merged by their times.  An interface that has given no block
 * may be keeping older packets in the one that it is filling, so those of others wait for it, but
 * never longer than it may keep them, and never at the cost of packets.
 */
#ifdef __linux__
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "source/live_packet.h"

static int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

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
	int64_t now = packet_now_ms(), until;

	*wait_ms = INT64_MAX;
	for (size_t i = 0; i < p->live.count; i++) {
		struct slot *s = packet_slot(p, i, w);

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
		const struct ring *ring = atomic_load_explicit(
				&packet_slot(p, i, w)->now, memory_order_relaxed);

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

size_t packet_read(struct live *l, unsigned ring, struct frame *frames, size_t max, int timeout_ms,
		bool *ok, struct err *e)
{
	struct packet *p = packet_of(l);
	int64_t end = packet_now_ms() + timeout_ms, wait_ms;

	/* an interface that is gone may come back: only a stop is an end */
	for (bool last = false;;) {
		int64_t now = packet_now_ms(), left = end - now, empty = atomic_load(&p->empty_ms);
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

#endif
