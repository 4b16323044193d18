/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ppi.c - per-packet information of TCP: sequence and acknowledgement numbers, lengths, flags,
 * times.
 *
 * Kept as a trail of { flags | option words | direction, length, time, sequence number,
 * acknowledgement }. Times are differences to the packet before, numbers to what the sender (the
 * other side) showed last, so that an ordinary packet takes about ten bytes.
 */
#include "feature/journal.h"
#include "feature/trail.h"

enum { HEADER = 20, DIR_BITS = 1, FLAG_BITS = 9, ITEM_MAX = 5 * TRAIL_NUMBER };

/* What the next packet is compared with; the same when writing and when reading. */
struct expected {
	uint32_t seq[2];
	int64_t ns;
};

struct ppi {
	struct trail trail;
	struct expected expected;
	uint32_t count;
};

struct options {
	bool on;
};

struct item {
	int64_t ns;
	uint32_t seq, ack, payload_len;
	uint16_t flags;
	uint8_t dir, option_words;
};

struct out_packet {
	uint32_t seq;
	int64_t ack;
	uint32_t b;
	uint8_t olen;
	const char *dir;
	struct field_ms t;
	struct field_text flags;
};

struct out {
	struct field_list ppi;
};

static const char flag_letters[] = "FSRPAUECN";

_Static_assert(sizeof flag_letters - 1 == FLAG_BITS, "one letter a flag");

static bool enabled(const struct conf *conf, const void *options)
{
	const struct options *o = options;

	return o->on && conf->num_pkts > 0;
}

static void expect_next(struct expected *e, const struct item *i)
{
	e->ns = i->ns;
	e->seq[i->dir] = i->seq + i->payload_len + ((i->flags & TCP_SYN) != 0) +
			 ((i->flags & TCP_FIN) != 0);
}

static uint64_t difference(uint32_t a, uint32_t b)
{
	return trail_fold((uint64_t)(int64_t)(int32_t)(a - b));
}

static uint8_t *write_item(uint8_t *to, struct expected *e, const struct item *i)
{
	unsigned head = (unsigned)i->option_words << (FLAG_BITS + DIR_BITS) |
			(unsigned)i->flags << DIR_BITS | i->dir;

	to = trail_put(to, head);
	to = trail_put(to, i->payload_len);
	to = trail_put(to, (uint64_t)i->ns - (uint64_t)e->ns);
	to = trail_put(to, difference(i->seq, e->seq[i->dir]));
	if (i->flags & TCP_ACK)
		to = trail_put(to, difference(i->ack, e->seq[!i->dir]));
	expect_next(e, i);
	return to;
}

static struct item read_item(const uint8_t **from, struct expected *e)
{
	unsigned head = (unsigned)trail_get(from);
	struct item i = { .dir = head & 1 };

	i.flags = (uint16_t)(head >> DIR_BITS & ((1u << FLAG_BITS) - 1));
	i.option_words = (uint8_t)(head >> (FLAG_BITS + DIR_BITS));
	i.payload_len = (uint32_t)trail_get(from);
	i.ns = (int64_t)((uint64_t)e->ns + trail_get(from));
	i.seq = e->seq[i.dir] + (uint32_t)trail_unfold(trail_get(from));
	if (i.flags & TCP_ACK)
		i.ack = e->seq[!i.dir] + (uint32_t)trail_unfold(trail_get(from));
	expect_next(e, &i);
	return i;
}

static uint8_t option_words(unsigned transport_len)
{
	return (uint8_t)(transport_len > HEADER ? (transport_len - HEADER) / 4 : 0);
}

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct ppi *s = state;
	struct item i = { pkt->now_ns, pkt->seq, pkt->ack, pkt->payload_len,
		pkt->tcp_flags & ((1u << FLAG_BITS) - 1), pkt->dir,
		option_words(pkt->transport_len) };
	uint8_t bytes[ITEM_MAX];

	if (s->count == 0)
		s->expected.ns = flow->start_ns;

	uint8_t *end = write_item(bytes, &s->expected, &i);

	if (!trail_add(&s->trail, env, flow, bytes, (size_t)(end - bytes)))
		return DONE;
	return ++s->count < env->conf->num_pkts ? MORE : DONE;
}

/* Of the first five flags; more are rare. */
#define TEXT(s)                                                                                    \
	{                                                                                          \
		s, sizeof s - 1                                                                    \
	}

static const struct field_text usual_flags[] = {
	TEXT(""),
	TEXT("F"),
	TEXT("S"),
	TEXT("FS"),
	TEXT("R"),
	TEXT("FR"),
	TEXT("SR"),
	TEXT("FSR"),
	TEXT("P"),
	TEXT("FP"),
	TEXT("SP"),
	TEXT("FSP"),
	TEXT("RP"),
	TEXT("FRP"),
	TEXT("SRP"),
	TEXT("FSRP"),
	TEXT("A"),
	TEXT("FA"),
	TEXT("SA"),
	TEXT("FSA"),
	TEXT("RA"),
	TEXT("FRA"),
	TEXT("SRA"),
	TEXT("FSRA"),
	TEXT("PA"),
	TEXT("FPA"),
	TEXT("SPA"),
	TEXT("FSPA"),
	TEXT("RPA"),
	TEXT("FRPA"),
	TEXT("SRPA"),
	TEXT("FSRPA"),
};

enum { USUAL_FLAGS = sizeof usual_flags / sizeof usual_flags[0] };

/* 'to': FLAG_BITS bytes. */
static struct field_text flags_text(unsigned flags, char *to)
{
	struct field_text t = { to, 0 };

	if (flags < USUAL_FLAGS)
		return usual_flags[flags];
	for (unsigned i = 0; i < FLAG_BITS; i++) {
		if (flags & 1u << i)
			to[t.size++] = flag_letters[i];
	}
	return t;
}

static void fill(struct out_packet *to, const struct item *i, int64_t start_ns, char *text)
{
	to->seq = i->seq;
	to->ack = i->flags & TCP_ACK ? (int64_t)i->ack : -1;
	to->b = i->payload_len;
	to->olen = (uint8_t)(i->option_words * 4);
	to->dir = i->dir ? "<" : ">";
	to->t.ns = (int64_t)((uint64_t)i->ns - (uint64_t)start_ns);
	to->flags = flags_text(i->flags, text);
}

/* Numbers become relative to the first sequence number of their direction. */
static void make_relative(struct out_packet *items, size_t count)
{
	bool seen[2] = { false, false };
	uint32_t base[2] = { 0, 0 };

	for (size_t i = 0; i < count && !(seen[0] && seen[1]); i++) {
		const unsigned dir = items[i].dir[0] == '<';

		base[dir] = seen[dir] ? base[dir] : items[i].seq;
		seen[dir] = true;
	}
	for (size_t i = 0; i < count; i++) {
		const unsigned dir = items[i].dir[0] == '<';

		items[i].seq -= base[dir];
		if (!seen[!dir])
			items[i].ack = -1;
		else if (items[i].ack != -1)
			items[i].ack = (uint32_t)items[i].ack - base[!dir];
	}
}

/* Room for so many; false without memory. */
static bool make_room(
		const struct feature_env *env, size_t count, struct out_packet **items, char **text)
{
	*items = arena_alloc(env->scratch, env->pool, count * (sizeof **items + FLAG_BITS));
	*text = (char *)(*items + count);
	return *items != NULL;
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct ppi *s = state;
	struct expected e = { .ns = view->flow->start_ns };
	const uint8_t *from = s->trail.p;
	struct out_packet *items;
	char *text;

	if (s->count == 0)
		return view->flow->key.proto == PROTO_TCP;
	if (!make_room(env, s->count, &items, &text))
		return false;
	for (uint32_t i = 0; i < s->count; i++) {
		struct item item = read_item(&from, &e);

		fill(&items[i], &item, view->flow->start_ns, text + (size_t)i * FLAG_BITS);
	}
	make_relative(items, s->count);
	((struct out *)out)->ppi = (struct field_list){ items, s->count };
	return true;
}

static bool at_once(const struct journal_packet *packets, size_t count,
		const struct feature_env *env, const struct flow_view *view, void *out)
{
	struct out_packet *items;
	char *text;
	size_t n = 0;

	if (view->flow->key.proto != PROTO_TCP)
		return false;
	if (!make_room(env, count, &items, &text))
		return false;
	for (size_t i = 0; i < count && n < env->conf->num_pkts; i++) {
		const struct journal_packet *p = &packets[i];
		const struct item item = { p->now_ns, p->seq, p->ack, p->payload_len, p->tcp_flags,
			p->dir, option_words(p->transport_len) };

		if (!p->segment)
			continue;
		fill(&items[n], &item, view->flow->start_ns, text + n * FLAG_BITS);
		n++;
	}
	make_relative(items, n);
	((struct out *)out)->ppi = (struct field_list){ items, n };
	return true;
}

/* --- parts of a split flow ------------------------------------------------------------------- */

/* From numbers relative to the first of a part to those relative to the first of the flow. */
static bool offsets(const struct feature_join *join, uint32_t to[2])
{
	for (unsigned dir = 0; dir < 2; dir++) {
		const int64_t before = join->before.seq[dir], next = join->next.seq[dir];

		to[dir] = before < 0 || next < 0 ? 0 : (uint32_t)next - (uint32_t)before;
	}
	return join->next.seq[0] >= 0 || join->next.seq[1] >= 0;
}

static void append(const struct feature_join *join, const uint32_t offset[2],
		const struct field_list *more, size_t count, struct out_packet *to)
{
	const int64_t later = join->next.start_ns - join->before.start_ns;

	memcpy(to, more->items, count * sizeof *to);
	for (size_t i = 0; i < count; i++) {
		const unsigned dir = to[i].dir[0] == '<';

		to[i].t.ns += later;
		to[i].seq += offset[dir];
		if (to[i].ack >= 0)
			to[i].ack = (uint32_t)to[i].ack + offset[!dir];
	}
}

/* Where the first sequence numbers (tcp=1) are not known, or in records of one direction the time
 * of the part's first packet, the list ends with the first part. */
static bool merge(struct feature_join *join, const void *before, const void *next, void *out)
{
	struct field_list *list = &((struct out *)out)->ppi;
	const struct field_list *had, *more;
	struct out_packet *items;
	uint32_t offset[2];
	size_t count;

	if (before == NULL || next == NULL)
		return before != NULL;
	had = &((const struct out *)before)->ppi;
	more = &((const struct out *)next)->ppi;
	count = had->count < join->list_max ? join->list_max - had->count : 0;
	count = more->count < count ? more->count : count;
	if (count == 0 || join->closed)
		return true;
	if (!join->both || !offsets(join, offset)) {
		join->capped = join->closed = true;
		return true;
	}
	items = arena_alloc(join->arena, join->pool, (had->count + count) * sizeof *items);
	if (items == NULL)
		return false;
	if (had->count > 0)
		memcpy(items, had->items, had->count * sizeof *items);
	append(join, offset, more, count, items + had->count);
	*list = (struct field_list){ items, had->count + count };
	return true;
}

static const struct field packet_fields[] = {
	FIELD(struct out_packet, seq, "seq", "",
			"Sequence number less the sequence number of the first packet of the same "
			"direction in the list, modulo 2^32.",
			.source = "RFC 9293 section 3.1"),
	FIELD(struct out_packet, ack, "ack", "",
			"Acknowledgement number less the sequence number of the first packet of "
			"the other direction in the list, modulo 2^32.",
			.flags = FIELD_NULLABLE | FIELD_OPTIONAL,
			.null_rule = "left out without the ACK flag, and when the list has no "
				     "packet "
				     "of the other direction",
			.source = "RFC 9293 section 3.1"),
	FIELD(struct out_packet, b, "b", "bytes", "Length of the payload on the wire."),
	FIELD(struct out_packet, olen, "olen", "bytes",
			"Length of the TCP options with their padding: data offset times 4, less "
			"20.",
			.source = "RFC 9293 section 3.1"),
	FIELD(struct out_packet, dir, "dir", "",
			"\">\" from the initiator to the responder (in records of one direction: "
			"always), \"<\" back."),
	FIELD(struct out_packet, t, "t", "ms",
			"Time since the first packet of the flow (of this part of it), of either "
			"direction, exact to the nanosecond.  Flow time: see time_end."),
	FIELD(struct out_packet, flags, "flags", "",
			"One letter for each flag that is set, always in the order F S R P A U E C "
			"N: FIN SYN RST PSH ACK URG ECE CWR AE (once NS); empty without any.",
			.source = "RFC 9293 section 3.1, RFC 3168, RFC 9768"),
	{ 0 },
};

static const struct field fields[] = {
	FIELD_LIST_OF(struct out, ppi, "ppi", struct out_packet, packet_fields,
			"The first num_pkts TCP segments of the flow (of this part of it) in the "
			"order of capture, with and without payload, retransmissions too.  "
			"Segments whose header contradicts itself, or was cut before its options, "
			"are "
			"not listed.",
			.null_rule = "left out for protocols other than TCP, and when num_pkts=0",
			.merge = MERGE_OWN),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct options, on, "ppi", "list header facts of the first TCP packets",
			.flags = OPTION_FEATURE, .on = "1",
			.more = "Sequence and acknowledgement numbers, lengths, flags and times of "
				"the first num_pkts packets."),
	{ 0 },
};

const struct feature feature_ppi = {
	.name = "ppi",
	.help = "header facts of the first TCP packets",
	.wants = WANT_TCP,
	.size = sizeof(struct ppi),
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
