/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_bind_linux.c - rings and interfaces: the first time, and when an interface goes and comes.
 *
 * An interface is known by its name.  It is asked for again and again rather than awaited: a
 * message about it may be lost, what it says of itself now is true.
 */
#ifdef __linux__
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "source/live_packet.h"

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

bool packet_listen(struct packet *p, size_t i, struct err *e)
{
	struct ring *rings[LIMIT_WORKERS] = { NULL };
	unsigned count = p->live.conf.rings;
	int index = p->live.any ? 0 : device_index(p->netlink, p->live.name[i]);

	for (unsigned w = 0; w < count; w++)
		rings[w] = atomic_load(&packet_slot(p, i, w)->now);
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

/* --- an interface that is back ------------------------------------------------------------------
 */

void packet_add_counts(struct face *face, const struct ring *ring)
{
	struct ring_counts c;

	if (ring == NULL || !ring_counts(ring, &c))
		return;
	face->counts.packets += c.packets;
	face->counts.drops += c.drops;
	face->counts.freezes += c.freezes;
}

void packet_free_gone(struct slot *s)
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
	packet_add_counts(face, atomic_load(&s->now));
	ring->ready_ms = packet_now_ms() + RING_SETTLED_MS;
	atomic_store(&s->coming, ring);
}

/* Workers have not gone over to the rings that came last. */
static bool are_behind(struct packet *p, size_t i)
{
	for (unsigned w = 0; w < p->live.conf.rings; w++)
		if (atomic_load(&packet_slot(p, i, w)->coming) != NULL)
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
		hand_over(&p->face[i], packet_slot(p, i, w), rings[w]);
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
	const struct ring *ring = atomic_load(&packet_slot(p, i, 0)->coming);
	int index = device_index(p->netlink, name);

	if (index < 0) {
		went_away(p, i);
		return;
	}
	if (ring == NULL)
		ring = atomic_load(&packet_slot(p, i, 0)->now);
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

void packet_watch(struct live *l)
{
	struct packet *p = packet_of(l);

	for (size_t i = 0; i < l->count * l->conf.rings; i++)
		packet_free_gone(&p->slots[i]);
	for (size_t i = 0; i < l->count && !l->any && p->empty_ms == 0; i++)
		look_after(p, i);
}
#endif
