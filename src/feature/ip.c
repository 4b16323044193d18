/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ip.c - what the IP headers of each direction say: TTL, identification, DSCP, ECN, flags.
 *
 * Headers of one direction are nearly all alike, so the state keeps the first values, counts in
 * bytes (tally.h), and makes a block for more only in the flows where they differ.
 */
#include "feature/tally.h"

enum { FIRST_IDS = 14 };

enum count { NOT_ECT, ECT_1, ECT_0, CE, DF, MF, RESERVED, COUNTS, DSCP_SET = COUNTS, WORDS };

struct side {
	uint64_t *high; /* WORDS: carries of 'count', and one bit for each DSCP but the first */
	uint32_t flow_label;
	uint8_t count[COUNTS];
	uint8_t ttl, ttl_min, ttl_max;
	uint8_t dscp; /* of the first packet */
	bool seen;
};

/* Identifications of both directions: side 0 from the front, side 1 from the back. */
struct ids {
	uint32_t room;
	uint32_t count[2];
	uint16_t items[];
};

struct ip {
	struct ids *ids; /* NULL: none yet */
	struct side side[2];
};

struct options {
	bool ip;
};

struct out_ecn {
	uint64_t not_ect, ect_1, ect_0, ce;
};

struct out_side {
	int32_t ttl, ttl_min, ttl_max, dscp, flow_label;
	int64_t df, mf, reserved;
	struct field_list id, dscps;
	struct out_ecn ecn;
};

struct out {
	struct out_ip {
		struct out_side out, in;
	} ip;
};

/* Room for more; NULL without memory. */
static __attribute__((noinline)) struct ids *ids_grow(
		struct ids *old, struct flow *flow, struct pool *pool)
{
	uint32_t had = old == NULL ? 0 : old->room;
	size_t size = pool_room(sizeof *old + (had + had / 2 + FIRST_IDS) * sizeof old->items[0]);
	struct ids *s = arena_alloc(&flow->arena, pool, size);

	if (s == NULL)
		return NULL;
	*s = (struct ids){ .room = (uint32_t)((size - sizeof *s) / sizeof s->items[0]) };
	for (unsigned d = 0; old != NULL && d < 2; d++)
		s->count[d] = old->count[d];
	if (had > 0) {
		memcpy(s->items, old->items, s->count[0] * sizeof s->items[0]);
		memcpy(s->items + s->room - s->count[1], old->items + had - s->count[1],
				s->count[1] * sizeof s->items[0]);
	}
	arena_drop(&flow->arena, pool, old);
	return s;
}

static void ids_add(
		struct ids **ids, unsigned dir, uint16_t id, struct flow *flow, struct pool *pool)
{
	struct ids *s = *ids;
	uint32_t at;

	if (s == NULL || s->count[0] + s->count[1] == s->room) {
		s = ids_grow(s, flow, pool);
		if (s == NULL) {
			flow->marks |= FLOW_NO_MEMORY;
			return;
		}
		*ids = s;
	}
	at = s->count[dir]++;
	s->items[dir == 0 ? at : s->room - 1 - at] = id;
}

static void see_dscp(struct side *s, uint8_t dscp, struct flow *flow, struct pool *pool)
{
	if (dscp != s->dscp && tally_need(&s->high, WORDS, flow, pool))
		s->high[DSCP_SET] |= (uint64_t)1 << dscp;
}

static void see_first(struct side *s, const struct pkt *pkt)
{
	s->seen = true;
	s->ttl = s->ttl_min = s->ttl_max = pkt->ttl;
	s->dscp = pkt->tos >> 2;
	s->flow_label = pkt->flow_label;
}

_Static_assert(NOT_ECT == 0 && ECT_1 == 1 && ECT_0 == 2 && CE == 3, "as in the header");

static void add(struct side *s, enum count which, struct flow *flow, struct pool *pool)
{
	tally_add(s->count, &s->high, WORDS, which, flow, pool);
}

/* "Don't fragment" is set or not as it comes: it is counted without asking. */
static void add_flags(struct side *s, unsigned flags, struct flow *flow, struct pool *pool)
{
	const uint8_t df = flags >> 1 & 1;

	s->count[DF] += df;
	if (s->count[DF] < df)
		tally_carry(&s->high, WORDS, DF, flow, pool);
	if (!(flags & (1 | 4)))
		return;
	if (flags & 1)
		add(s, MF, flow, pool);
	if (flags & 4)
		add(s, RESERVED, flow, pool);
}

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct ip *ip = state;
	struct side *s = &ip->side[pkt->dir];
	const uint8_t ttl = pkt->ttl;

	if (!s->seen)
		see_first(s, pkt);
	if (ttl != s->ttl) { /* rarely */
		s->ttl_min = ttl < s->ttl_min ? ttl : s->ttl_min;
		s->ttl_max = ttl > s->ttl_max ? ttl : s->ttl_max;
	}
	see_dscp(s, pkt->tos >> 2, flow, env->pool);
	add(s, pkt->tos & 3, flow, env->pool);
	if (pkt->ip_version != 4)
		return MORE;
	add_flags(s, pkt->ip_flags, flow, env->pool);
	if (ip->ids == NULL ? env->conf->num_pkts > 0
			    : ip->ids->count[pkt->dir] < env->conf->num_pkts)
		ids_add(&ip->ids, pkt->dir, pkt->ip_id, flow, env->pool);
	return MORE;
}

static struct field_list list_ids(const struct ids *s, unsigned dir, const struct feature_env *env)
{
	uint32_t n = s == NULL ? 0 : s->count[dir];
	uint16_t *turned;

	if (n == 0)
		return (struct field_list){ 0 };
	if (dir == 0)
		return (struct field_list){ s->items, n };
	turned = arena_alloc(env->scratch, env->pool, n * sizeof *turned);
	for (uint32_t i = 0; turned != NULL && i < n; i++)
		turned[i] = s->items[s->room - 1 - i];
	return (struct field_list){ turned, turned == NULL ? 0 : n };
}

static struct field_list list_dscps(const struct side *s, const struct feature_env *env)
{
	if (s->high == NULL)
		return (struct field_list){ &s->dscp, 1 };

	uint64_t set = s->high[DSCP_SET] | (uint64_t)1 << s->dscp;
	uint8_t *items = arena_alloc(env->scratch, env->pool, 64);
	size_t n = 0;

	for (; items != NULL && set != 0; set &= set - 1)
		items[n++] = (uint8_t)__builtin_ctzll(set);
	return (struct field_list){ items, n };
}

static uint64_t counted(const struct side *s, enum count which)
{
	return tally_read(s->count, s->high, which);
}

static void report(const struct ip *ip, unsigned dir, bool v4, const struct feature_env *env,
		struct out_side *o)
{
	const struct side *s = &ip->side[dir];

	*o = (struct out_side){ -1, -1, -1, -1, -1, -1, -1, -1, .ecn = { 0 } };
	if (!s->seen)
		return;
	o->ttl = s->ttl;
	o->ttl_min = s->ttl_min;
	o->ttl_max = s->ttl_max;
	o->dscp = s->dscp;
	o->dscps = list_dscps(s, env);
	o->ecn = (struct out_ecn){ counted(s, NOT_ECT), counted(s, ECT_1), counted(s, ECT_0),
		counted(s, CE) };
	if (!v4) {
		o->flow_label = (int32_t)s->flow_label;
		return;
	}
	o->df = (int64_t)counted(s, DF);
	o->mf = (int64_t)counted(s, MF);
	o->reserved = (int64_t)counted(s, RESERVED);
	o->id = list_ids(ip->ids, dir, env);
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct ip *ip = state;
	struct out *o = out;
	bool v4 = view->flow->key.ip_version == 4;

	report(ip, 0, v4, env, &o->ip.out);
	if (view->both)
		report(ip, 1, v4, env, &o->ip.in);
	return true;
}

#define NO_PACKET "left out when the direction has no packet"
#define ONLY_V4   "left out for IPv6 and when the direction has no packet"
#define NULLABLE  (FIELD_NULLABLE | FIELD_OPTIONAL)

static const struct field ecn_fields[] = {
	FIELD(struct out_ecn, not_ect, "not_ect", "packets", "Packets with codepoint 00, Not-ECT."),
	FIELD(struct out_ecn, ect_1, "ect_1", "packets", "Packets with codepoint 01, ECT(1)."),
	FIELD(struct out_ecn, ect_0, "ect_0", "packets", "Packets with codepoint 10, ECT(0)."),
	FIELD(struct out_ecn, ce, "ce", "packets",
			"Packets with codepoint 11, CE: a router met congestion."),
	{ 0 },
};

static const struct field side_fields[] = {
	FIELD(struct out_side, ttl, "ttl", "hops",
			"Time to live, or IPv6 hop limit, of the direction's first packet.",
			.flags = NULLABLE, .null_rule = NO_PACKET, .source = "IANA ipTTL (192)",
			.merge = MERGE_FIRST),
	FIELD(struct out_side, ttl_min, "ttl_min", "hops",
			"Lowest time to live or hop limit among all packets of the direction.",
			.flags = NULLABLE, .null_rule = NO_PACKET, .source = "IANA minimumTTL (52)",
			.merge = MERGE_MIN),
	FIELD(struct out_side, ttl_max, "ttl_max", "hops",
			"Highest time to live or hop limit among all packets of the direction.",
			.flags = NULLABLE, .null_rule = NO_PACKET, .source = "IANA maximumTTL (53)",
			.merge = MERGE_MAX),
	FIELD_SCALARS(struct out_side, id, "id", uint16_t, "",
			"Identification of the IPv4 header, of the first num_pkts packets of the "
			"direction in the order seen: every packet, with payload or without, and "
			"every fragment.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out for IPv6, when the direction has no packet, and "
				     "with num_pkts=0",
			.source = "RFC 791; IANA fragmentIdentification (54)",
			.merge = MERGE_CONCAT),
	FIELD(struct out_side, dscp, "dscp", "",
			"Differentiated services codepoint (upper six bits of type of service or "
			"traffic class) of the direction's first packet.",
			.flags = NULLABLE, .null_rule = NO_PACKET,
			.source = "RFC 2474; IANA ipDiffServCodePoint (195)", .merge = MERGE_FIRST),
	FIELD_SCALARS(struct out_side, dscps, "dscps", uint8_t, "",
			"All differentiated services codepoints of the direction, each once, in "
			"rising order.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_PACKET, .source = "RFC 2474",
			.merge = MERGE_UNION),
	FIELD_SUB(struct out_side, ecn, "ecn", ecn_fields,
			"The direction's packets by their two bits of explicit congestion "
			"notification.",
			.source = "RFC 3168", .merge = MERGE_SUM),
	FIELD(struct out_side, df, "df", "packets",
			"IPv4 packets of the direction with the flag \"don't fragment\".",
			.flags = NULLABLE, .null_rule = ONLY_V4,
			.source = "RFC 791; IANA fragmentFlags (197)", .merge = MERGE_SUM),
	FIELD(struct out_side, mf, "mf", "packets",
			"IPv4 packets of the direction with the flag \"more fragments\": each "
			"fragment but the last of a datagram.",
			.flags = NULLABLE, .null_rule = ONLY_V4,
			.source = "RFC 791; IANA fragmentFlags (197)", .merge = MERGE_SUM),
	FIELD(struct out_side, reserved, "reserved", "packets",
			"IPv4 packets of the direction with the reserved flag, which should be 0.",
			.flags = NULLABLE, .null_rule = ONLY_V4,
			.source = "RFC 791; IANA fragmentFlags (197)", .merge = MERGE_SUM),
	FIELD(struct out_side, flow_label, "flow_label", "",
			"Flow label (20 bits) of the direction's first IPv6 packet.",
			.flags = NULLABLE,
			.null_rule = "left out for IPv4 and when the direction has no packet",
			.source = "RFC 6437; IANA flowLabelIPv6 (31)", .merge = MERGE_FIRST),
	{ 0 },
};

static const struct field ip_fields[] = {
	FIELD_SUB(struct out_ip, out, "out", side_fields,
			"IP headers of the packets from sa to da; the innermost ones of tunnelled "
			"packets, unless tunnel=outer."),
	FIELD_SUB(struct out_ip, in, "in", side_fields, "As ip.out, from da to sa.",
			.flags = FIELD_REVERSE),
	{ 0 },
};

static const struct field fields[] = {
	FIELD_SUB(struct out, ip, "ip", ip_fields,
			"What the IP headers say.  All packets count, each fragment as one."),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct options, ip, "ip",
			"give TTL, identification, DSCP, ECN and flags of IP headers",
			.flags = OPTION_FEATURE, .on = "1"),
	{ 0 },
};

const struct feature feature_ip = {
	.name = "ip",
	.help = "TTL, identification, DSCP, ECN and flags of the IP headers",
	.wants = WANT_PACKET,
	.size = sizeof(struct ip),
	.pointers = 1,
	.out_size = sizeof(struct out),
	.update = update,
	.finish = finish,
	.fields = fields,
	.options = options,
	.options_size = sizeof(struct options),
};
