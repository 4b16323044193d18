/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packets.c - the sequence of packet lengths and times (SPLT) of a flow's first data packets.
 *
 * Kept as a trail of { length << 1 | direction, ns since the packet before }: about six bytes a
 * packet.
 */
#include "feature/journal.h"
#include "feature/trail.h"

struct packets {
	struct trail trail;
	int64_t last_ns; /* of the packet listed last */
	uint32_t count;
};

struct out_packet {
	uint32_t b;
	const char *dir;
	struct field_ms ipt;
};

struct out {
	struct field_list packets;
};

static bool enabled(const struct conf *conf, const void *options)
{
	(void)options;
	return conf->num_pkts > 0 && conf->type == 1;
}

static bool is_listed(const struct conf *conf, uint32_t payload_len, unsigned marks, bool old)
{
	const bool data = (payload_len > 0) | (conf->zeros & !(marks & PKT_FRAGMENT));

	return data & (conf->retrans | !old);
}

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct packets *s = state;

	if (!is_listed(env->conf, pkt->payload_len, pkt->marks, pkt_is_old(pkt)))
		return MORE;

	int64_t now = pkt->now_ns;
	uint64_t gap = s->count > 0 ? (uint64_t)now - (uint64_t)s->last_ns : 0;
	uint8_t item[2 * TRAIL_NUMBER], *end = item;

	end = trail_put(end, (uint64_t)pkt->payload_len << 1 | pkt->dir);
	end = trail_put(end, gap);
	if (!trail_add(&s->trail, env, flow, item, (size_t)(end - item)))
		return DONE;
	s->last_ns = now;
	return ++s->count < env->conf->num_pkts ? MORE : DONE;
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct packets *s = state;
	struct out *o = out;
	const uint8_t *from = s->trail.p;
	struct out_packet *items;

	(void)view;
	if (s->count == 0)
		return true;
	items = arena_alloc(env->scratch, env->pool, s->count * sizeof *items);
	if (items == NULL)
		return false;
	for (uint32_t i = 0; i < s->count; i++) {
		uint64_t head = trail_get(&from);

		items[i].b = (uint32_t)(head >> 1);
		items[i].dir = head & 1 ? "<" : ">";
		items[i].ipt.ns = (int64_t)trail_get(&from);
	}
	o->packets = (struct field_list){ items, s->count };
	return true;
}

static bool at_once(const struct journal_packet *packets, size_t count,
		const struct feature_env *env, const struct flow_view *view, void *out)
{
	struct out_packet *items;
	int64_t last_ns = 0;
	size_t n = 0;

	(void)view;
	items = arena_alloc(env->scratch, env->pool, count * sizeof *items);
	if (items == NULL)
		return false;
	for (size_t i = 0; i < count && n < env->conf->num_pkts; i++) {
		const struct journal_packet *p = &packets[i];
		const bool listed = is_listed(env->conf, p->payload_len, p->marks, p->old);

		items[n].b = p->payload_len;
		items[n].dir = p->dir ? "<" : ">";
		items[n].ipt.ns = n > 0 ? (int64_t)((uint64_t)p->now_ns - (uint64_t)last_ns) : 0;
		last_ns = listed ? p->now_ns : last_ns;
		n += listed;
	}
	((struct out *)out)->packets = (struct field_list){ items, n };
	return true;
}

/* Whether every packet of a part is listed. */
static bool lists_all(const struct feature_part *p, const struct field_list *list)
{
	return p->packets == list->count;
}

static bool merge(struct feature_join *join, const void *before, const void *next, void *out)
{
	struct field_list *list = &((struct out *)out)->packets;
	const struct field_list *had, *more;
	struct out_packet *items;
	size_t count;

	if (before == NULL || next == NULL)
		return false;
	had = &((const struct out *)before)->packets;
	more = &((const struct out *)next)->packets;
	count = had->count < join->list_max ? join->list_max - had->count : 0;
	count = more->count < count ? more->count : count;
	if (count == 0)
		return true;
	items = arena_alloc(join->arena, join->pool, (had->count + count) * sizeof *items);
	if (items == NULL)
		return false;
	if (had->count > 0)
		memcpy(items, had->items, had->count * sizeof *items);
	memcpy(items + had->count, more->items, count * sizeof *items);
	if (had->count > 0)
		items[had->count].ipt.ns =
				lists_all(&join->before, had) && lists_all(&join->next, more)
						? feature_gap(join)
						: -1;
	*list = (struct field_list){ items, had->count + count };
	return true;
}

static const struct field packet_fields[] = {
	FIELD(struct out_packet, b, "b", "bytes",
			"Payload length of the packet on the wire, as counted in bytes_out; of a "
			"fragmented datagram that of the whole datagram."),
	FIELD(struct out_packet, dir, "dir", "",
			"\">\" from the initiator to the responder (in records of one direction: "
			"always), \"<\" back."),
	FIELD(struct out_packet, ipt, "ipt", "ms",
			"Time since the packet listed before it, of either direction, exact to the "
			"nanosecond; 0 for the first in the list.  Flow time: see time_end.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out, in a merged record, of the first packet of a part "
				     "when the time before it is not known"),
	{ 0 },
};

static const struct field fields[] = {
	FIELD_LIST_OF(struct out, packets, "packets", struct out_packet, packet_fields,
			"Lengths and times of the first num_pkts data packets (SPLT), in the order "
			"of capture.  A data packet has payload on the wire; zeros=1 lists packets "
			"without payload too.  TCP segments that bring nothing new (classes "
			"retransmission, duplicate, keep-alive) are left out unless retrans=1; "
			"out-of-order and overlapping ones are listed where they came.  A "
			"fragmented datagram is listed once, when its last missing fragment comes; "
			"its other fragments never are.  The list of a later part of a split flow "
			"(part > 1) begins with that part, not with the conversation.",
			.null_rule = "left out when num_pkts=0 or type=2; empty when no packet "
				     "qualifies",
			.merge = MERGE_OWN),
	{ 0 },
};

const struct feature feature_packets = {
	.name = "packets",
	.help = "lengths and times of the first data packets",
	.switched_by = "num_pkts",
	.wants = WANT_PACKET,
	.size = sizeof(struct packets),
	.out_size = sizeof(struct out),
	.update = update,
	.finish = finish,
	.merge = merge,
	.later = true,
	.at_once = at_once,
	.fields = fields,
	.always = true,
	.enabled = enabled,
};
