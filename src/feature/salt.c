/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * salt.c - the sequence of application message lengths and times (SALT).
 *
 * TCP does not mark where a message ends, but its sender shows it: while it sends one message it
 * learns nothing from the other side, so the acknowledgement number stays.  Closed messages are
 * kept as a trail of { ns since the message before << 1 | direction, bytes }; the bytes of the open
 * one stand in the state.
 */
#include "feature/journal.h"
#include "feature/trail.h"

struct salt {
	struct trail trail;
	int64_t start_ns; /* of the open message */
	uint64_t bytes;   /* of the open message so far */
	uint32_t count;   /* messages, with the open one */
	uint32_t ack;
	uint8_t dir;
};

struct options {
	bool on;
};

struct out_message {
	uint64_t b;
	const char *dir;
	struct field_ms ipt;
};

struct out {
	struct field_list salt;
};

static bool enabled(const struct conf *conf, const void *options)
{
	const struct options *o = options;

	return conf->num_pkts > 0 && (conf->type == 2 || o->on);
}

static bool continues(const struct salt *s, const struct pkt *pkt)
{
	return s->count > 0 && pkt->proto == PROTO_TCP && pkt->dir == s->dir && pkt->ack == s->ack;
}

/* Closes the open message and opens one with this packet. */
static bool begin(struct salt *s, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	int64_t now = pkt->now_ns;
	uint64_t gap = s->count > 0 ? (uint64_t)now - (uint64_t)s->start_ns : 0;
	uint8_t item[2 * TRAIL_NUMBER], *end = item;

	if (s->count > 0)
		end = trail_put(end, s->bytes);
	end = trail_put(end, gap << 1 | pkt->dir);
	if (!trail_add(&s->trail, env, flow, item, (size_t)(end - item)))
		return false;
	s->start_ns = now;
	s->bytes = 0;
	s->ack = pkt->ack;
	s->dir = pkt->dir;
	s->count++;
	return true;
}

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct salt *s = state;

	if (pkt_is_old(pkt))
		return MORE;
	if (!continues(s, pkt)) {
		if (s->count >= env->conf->num_pkts || !begin(s, env, flow, pkt))
			return DONE;
	}
	s->bytes += pkt->payload_len;
	return MORE;
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct salt *s = state;
	struct out *o = out;
	const uint8_t *from = s->trail.p;
	struct out_message *items;

	(void)view;
	if (s->count == 0)
		return true;
	items = arena_alloc(env->scratch, env->pool, s->count * sizeof *items);
	if (items == NULL)
		return false;
	for (uint32_t i = 0; i < s->count; i++) {
		uint64_t head = trail_get(&from);

		items[i].dir = head & 1 ? "<" : ">";
		items[i].ipt.ns = (int64_t)(head >> 1);
		items[i].b = i + 1 < s->count ? trail_get(&from) : s->bytes;
	}
	o->salt = (struct field_list){ items, s->count };
	return true;
}

static bool at_once(const struct journal_packet *packets, size_t count,
		const struct feature_env *env, const struct flow_view *view, void *out)
{
	const bool tcp = view->flow->key.proto == PROTO_TCP;
	struct out_message *items;
	const struct journal_packet *last = NULL; /* the open message's first */
	size_t n = 0;

	items = arena_alloc(env->scratch, env->pool, count * sizeof *items);
	if (items == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct journal_packet *p = &packets[i];

		if (p->payload_len == 0 || p->old)
			continue;
		if (last != NULL && tcp && p->dir == last->dir && p->ack == last->ack) {
			items[n - 1].b += p->payload_len;
			continue;
		}
		if (n >= env->conf->num_pkts)
			break;
		items[n++] = (struct out_message){ p->payload_len, p->dir ? "<" : ">",
			{ last == NULL ? 0 : p->now_ns - last->now_ns } };
		last = p;
	}
	((struct out *)out)->salt = (struct field_list){ items, n };
	return true;
}

/* --- parts of a split flow ------------------------------------------------------------------- */

/* Of TCP, what a part begins with may go on with the last message of the part before. */
static bool may_go_on(const struct feature_join *join, const struct out_message *last,
		const struct out_message *first)
{
	return join->proto == PROTO_TCP && last->dir[0] == first->dir[0];
}

static struct field_list concat(struct feature_join *join, const struct field_list *had,
		const struct field_list *more)
{
	const size_t count = had->count + more->count < join->list_max ? had->count + more->count
								       : join->list_max;
	struct out_message *items = arena_alloc(join->arena, join->pool, count * sizeof *items);

	if (items == NULL)
		return (struct field_list){ 0 };
	memcpy(items, had->items, had->count * sizeof *items);
	memcpy(items + had->count, more->items, (count - had->count) * sizeof *items);
	items[had->count].ipt.ns =
			join->before.packets == had->count && join->next.packets == more->count
					? feature_gap(join)
					: -1;
	return (struct field_list){ items, count };
}

/* The list ends with the last message whose size is sure. */
static bool merge(struct feature_join *join, const void *before, const void *next, void *out)
{
	struct field_list *list = &((struct out *)out)->salt;
	const struct field_list *had, *more;
	const struct out_message *last;

	if (before == NULL || next == NULL)
		return false;
	had = &((const struct out *)before)->salt;
	more = &((const struct out *)next)->salt;
	if (more->count == 0 || join->closed)
		return true;
	if (had->count == 0) {
		*list = *more;
		return true;
	}
	last = (const struct out_message *)had->items + (had->count - 1);
	if (may_go_on(join, last, more->items)) {
		list->count--;
		join->capped = join->closed = true;
	} else if (had->count < join->list_max) {
		*list = concat(join, had, more);
	}
	return true;
}

static const struct field message_fields[] = {
	FIELD(struct out_message, b, "b", "bytes",
			"Length of the message: sum of the payload lengths on the wire of its "
			"packets."),
	FIELD(struct out_message, dir, "dir", "",
			"\">\" from the initiator to the responder (in records of one direction: "
			"always), \"<\" back."),
	FIELD(struct out_message, ipt, "ipt", "ms",
			"Time from the first packet of the message listed before to the first "
			"packet of this one, exact to the nanosecond; 0 for the first.  Flow time: "
			"see time_end.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out, in a merged record, of the first message of a part "
				     "when the time before it is not known"),
	{ 0 },
};

static const struct field fields[] = {
	FIELD_LIST_OF(struct out, salt, "salt", struct out_message, message_fields,
			"Lengths and times of the first num_pkts application messages (SALT), in "
			"the order of their first packets.  Data packets (payload on the wire) are "
			"taken in the order of capture, TCP segments that bring nothing new "
			"(classes retransmission, duplicate, keep-alive) being skipped.  For TCP a "
			"packet belongs to the message of the packet taken before it when it has "
			"the same direction and the same value in the acknowledgement number "
			"field; else it begins a new message.  For other protocols each datagram "
			"is a message; a fragmented one at the time its last missing fragment "
			"comes.  Segments that overlap earlier ones count whole.",
			.null_rule = "left out unless salt=1 or type=2, or when num_pkts=0; empty "
				     "without data packets",
			.merge = MERGE_OWN),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct options, on, "salt", "list lengths and times of application messages",
			.flags = OPTION_FEATURE, .on = "1",
			.more = "Messages are told apart by acknowledgement numbers.  At most "
				"num_pkts are listed.  type=2 lists them in place of packets."),
	{ 0 },
};

const struct feature feature_salt = {
	.name = "salt",
	.help = "lengths and times of application messages",
	.wants = WANT_DATA,
	.size = sizeof(struct salt),
	.out_size = sizeof(struct out),
	.update = update,
	.finish = finish,
	.merge = merge,
	.later = true,
	.at_once = at_once,
	.fields = fields,
	.options = options,
	.options_size = sizeof(struct options),
	.enabled = enabled,
};
