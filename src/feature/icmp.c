/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * icmp.c - messages of ICMP and ICMPv6 flows: types, sequence numbers, and how long echoes took.
 *
 *   | type | code | checksum | identifier | sequence number | ...      an echo
 *
 * RFC 792, RFC 4443 section 4.
 * Errors are not seen here: they belong to the flow that they quote.  The state is one block,
 * made with the first message.
 */
#include "feature/feature.h"
#include "feature/moments.h"

#define MS_NS 1e6

enum { ECHO_REPLY = 0, ECHO_REQUEST = 8, ECHO_REQUEST_6 = 128, ECHO_REPLY_6 = 129 };

struct type {
	uint64_t n;
	uint8_t type, code;
};

struct side {
	uint64_t n, requests, replies;
	struct vec types; /* of struct type */
	uint16_t first_seq, last_seq;
	bool has_seq;
};

struct request {
	int64_t ns;
	uint16_t seq;
	uint8_t dir;
	bool answered;
};

struct book {
	struct side side[2];
	struct moments rtt;  /* ns */
	struct vec requests; /* of struct request; when full, the oldest is overwritten */
	uint64_t requested;
};

struct icmp {
	struct book *book;
};

struct options {
	bool icmp;
};

struct out_side {
	uint64_t n, requests, replies;
	int32_t first_seq, last_seq;
	struct field_list types;
};

struct out {
	struct out_icmp {
		struct out_side out, in;
		struct out_rtt {
			uint64_t n;
			struct field_ms min, max;
			double mean, std;
		} rtt;
	} icmp;
};

static bool is_request(const struct pkt *pkt)
{
	return pkt->icmp_type == (pkt->proto == PROTO_ICMP ? ECHO_REQUEST : ECHO_REQUEST_6);
}

static bool is_reply(const struct pkt *pkt)
{
	return pkt->icmp_type == (pkt->proto == PROTO_ICMP ? ECHO_REPLY : ECHO_REPLY_6);
}

static void count_type(struct side *s, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct type *t = s->types.items;

	for (uint32_t i = 0; i < s->types.count; i++, t++) {
		if (t->type == pkt->icmp_type && t->code == pkt->icmp_code) {
			t->n++;
			return;
		}
	}
	t = vec_push(&s->types, &flow->arena, env->pool, sizeof *t, LIMIT_ICMP_TYPES);
	if (t == NULL)
		flow->marks |= s->types.count < LIMIT_ICMP_TYPES ? FLOW_NO_MEMORY : FLOW_CAPPED;
	else
		*t = (struct type){ 1, pkt->icmp_type, pkt->icmp_code };
}

static void remember(struct book *b, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt, uint16_t seq)
{
	struct request *r = vec_push(
			&b->requests, &flow->arena, env->pool, sizeof *r, LIMIT_ICMP_REQUESTS);

	if (r == NULL && b->requests.count == LIMIT_ICMP_REQUESTS)
		r = (struct request *)b->requests.items + b->requested % LIMIT_ICMP_REQUESTS;
	if (r == NULL) {
		flow->marks |= FLOW_NO_MEMORY;
		return;
	}
	*r = (struct request){ pkt->ns, seq, pkt->dir, false };
	b->requested++;
}

/* The latest remembered request that this answers. */
static void match(struct book *b, const struct pkt *pkt, uint16_t seq)
{
	struct request *items = b->requests.items;

	for (uint64_t back = 1; back <= b->requests.count; back++) {
		struct request *r = &items[(b->requested - back) % LIMIT_ICMP_REQUESTS];

		if (r->answered || r->dir == pkt->dir || r->seq != seq)
			continue;
		r->answered = true;
		moments_add(&b->rtt, pkt->ns > r->ns ? (uint64_t)(pkt->ns - r->ns) : 0);
		return;
	}
}

static void see_echo(struct book *b, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct side *s = &b->side[pkt->dir];
	struct rd message = pkt->body;
	bool request = is_request(pkt);

	s->requests += request;
	s->replies += !request;
	rd_bytes(&message, 6);

	uint16_t seq = rd_u16(&message);

	if (!rd_ok(&message))
		return;
	s->first_seq = s->has_seq ? s->first_seq : seq;
	s->last_seq = seq;
	s->has_seq = true;
	if (request)
		remember(b, env, flow, pkt, seq);
	else
		match(b, pkt, seq);
}

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct icmp *icmp = state;

	if (pkt->marks & PKT_FRAGMENT)
		return MORE;
	if (icmp->book == NULL)
		icmp->book = arena_zalloc(&flow->arena, env->pool, sizeof *icmp->book);
	if (icmp->book == NULL) {
		flow->marks |= FLOW_NO_MEMORY;
		return MORE;
	}
	icmp->book->side[pkt->dir].n++;
	count_type(&icmp->book->side[pkt->dir], env, flow, pkt);
	if (is_request(pkt) || is_reply(pkt))
		see_echo(icmp->book, env, flow, pkt);
	return MORE;
}

static void report(const struct side *s, struct out_side *o)
{
	*o = (struct out_side){ s->n, s->requests, s->replies, s->has_seq ? s->first_seq : -1,
		s->has_seq ? s->last_seq : -1, { s->types.items, s->types.count } };
}

static struct out_rtt rtt_of(const struct moments *m)
{
	return (struct out_rtt){ m->n, { m->n > 0 ? (int64_t)m->min : -1 },
		{ m->n > 0 ? (int64_t)m->max : -1 }, moments_mean(m, MS_NS),
		moments_std(m, MS_NS) };
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct book *b = ((const struct icmp *)state)->book;
	struct out_icmp *o = &((struct out *)out)->icmp;

	(void)env;
	if (b == NULL)
		return false;
	report(&b->side[0], &o->out);
	if (!view->both)
		return true;
	report(&b->side[1], &o->in);
	o->rtt = rtt_of(&b->rtt);
	return true;
}

/* --- parts of a split flow ------------------------------------------------------------------- */

static struct type *find_type(struct type *items, size_t count, const struct type *t)
{
	for (size_t i = 0; i < count; i++)
		if (items[i].type == t->type && items[i].code == t->code)
			return &items[i];
	return NULL;
}

static bool merge_types(
		struct feature_join *join, const struct field_list *more, struct field_list *list)
{
	const struct type *next = more->items;
	size_t count = list->count;
	struct type *items = arena_alloc(
			join->arena, join->pool, (count + more->count + 1) * sizeof *items);

	if (items == NULL)
		return false;
	if (count > 0)
		memcpy(items, list->items, count * sizeof *items);
	for (size_t i = 0; i < more->count; i++) {
		struct type *t = find_type(items, count, &next[i]);

		if (t != NULL)
			t->n += next[i].n;
		else if (count < LIMIT_ICMP_TYPES)
			items[count++] = next[i];
		else
			join->capped = true;
	}
	*list = (struct field_list){ items, count };
	return true;
}

static uint64_t echoes(const struct out_icmp *i, bool requests)
{
	return requests ? i->out.requests + i->in.requests : i->out.replies + i->in.replies;
}

/* Whether a reply in 'b' may answer a request in 'a', which has no time then. */
static bool may_answer(const struct out_icmp *a, const struct out_icmp *b)
{
	return a->rtt.n == UINT64_MAX || b->rtt.n == UINT64_MAX ||
	       (echoes(a, true) > a->rtt.n && echoes(b, false) > b->rtt.n);
}

static struct moments moments_of(const struct out_rtt *r)
{
	return moments_from(r->n, (uint64_t)r->min.ns, (uint64_t)r->max.ns, r->mean, r->std, MS_NS);
}

static bool merge(struct feature_join *join, const void *before, const void *next, void *out)
{
	struct out_icmp *o = &((struct out *)out)->icmp;
	const struct out_icmp *b;

	if (before == NULL || next == NULL)
		return true;
	b = &((const struct out *)next)->icmp;

	const struct moments x = moments_of(&o->rtt), y = moments_of(&b->rtt);
	const struct moments all = moments_both(&x, &y);

	o->rtt = may_answer(&((const struct out *)before)->icmp, b) ? (struct out_rtt){ UINT64_MAX,
		{ -1 }, { -1 }, (double)NAN, (double)NAN }
								    : rtt_of(&all);
	return merge_types(join, &b->out.types, &o->out.types) &&
	       merge_types(join, &b->in.types, &o->in.types);
}

#define NULLABLE (FIELD_NULLABLE | FIELD_OPTIONAL)
#define NO_ECHO  "left out when the direction has no echo message with a sequence number"
#define NO_RTT   "left out when n is 0"

static const struct field type_fields[] = {
	FIELD(struct type, type, "type", "", "ICMP or ICMPv6 type."),
	FIELD(struct type, code, "code", "", "Its code."),
	FIELD(struct type, n, "n", "packets", "Messages of this type and code."),
	{ 0 },
};

static const struct field side_fields[] = {
	FIELD(struct out_side, n, "n", "packets",
			"Messages of the direction; a fragmented one counts once, when it is "
			"whole.",
			.merge = MERGE_SUM),
	FIELD(struct out_side, requests, "requests", "packets",
			"Echo requests: type 8 of ICMP, 128 of ICMPv6.",
			.source = "RFC 792, RFC 4443", .merge = MERGE_SUM),
	FIELD(struct out_side, replies, "replies", "packets",
			"Echo replies: type 0 of ICMP, 129 of ICMPv6.",
			.source = "RFC 792, RFC 4443", .merge = MERGE_SUM),
	FIELD(struct out_side, first_seq, "first_seq", "",
			"Sequence number of the direction's first echo request or reply.",
			.flags = NULLABLE, .null_rule = NO_ECHO, .merge = MERGE_FIRST),
	FIELD(struct out_side, last_seq, "last_seq", "",
			"Sequence number of the direction's last echo request or reply, in the "
			"order seen.",
			.flags = NULLABLE, .null_rule = NO_ECHO, .merge = MERGE_LAST),
	FIELD_LIST_OF(struct out_side, types, "types", struct type, type_fields,
			"The direction's messages by type and code, in the order in which these "
			"were first seen; at most 8 (with more the flow is marked as capped).",
			.source = "IANA icmpTypeCodeIPv4 (32), icmpTypeCodeIPv6 (139)",
			.merge = MERGE_OWN),
	{ 0 },
};

static const struct field rtt_fields[] = {
	FIELD(struct out_rtt, n, "n", "packets",
			"Echo replies with a request: a reply belongs to the latest unanswered "
			"request of the other direction with its sequence number, among the flow's "
			"last 32 echo requests.  A reply without one (a duplicate, a late one) has "
			"no time.",
			.flags = NULLABLE,
			.null_rule = "left out, in a merged record, when a reply may answer a "
				     "request of an earlier part"),
	FIELD(struct out_rtt, min, "min_ms", "ms",
			"Least time from request to reply, as captured; 0 when the clock went "
			"backwards.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_RTT),
	FIELD(struct out_rtt, mean, "mean_ms", "ms", "Mean of these times.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_RTT),
	FIELD(struct out_rtt, std, "std_ms", "ms",
			"Sample standard deviation (n - 1) of these times.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when n is below 2"),
	FIELD(struct out_rtt, max, "max_ms", "ms", "Greatest of these times.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_RTT),
	{ 0 },
};

static const struct field icmp_fields[] = {
	FIELD_SUB(struct out_icmp, out, "out", side_fields, "Messages from sa to da."),
	FIELD_SUB(struct out_icmp, in, "in", side_fields, "As icmp.out, from da to sa.",
			.flags = FIELD_REVERSE),
	FIELD_SUB(struct out_icmp, rtt, "rtt", rtt_fields,
			"Times from echo requests to their replies.", .flags = FIELD_REVERSE,
			.merge = MERGE_OWN),
	{ 0 },
};

static const struct field fields[] = {
	FIELD_SUB(struct out, icmp, "icmp", icmp_fields,
			"Messages of an ICMP or ICMPv6 flow.  Errors are counted at the flow whose "
			"packet they quote (icmp_errors_out, icmp_errors_in) and appear here only "
			"when that flow is unknown.",
			.null_rule = "left out of flows of other protocols"),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct options, icmp, "icmp", "give types, sequence numbers and echo times of ICMP",
			.flags = OPTION_FEATURE, .on = "1"),
	{ 0 },
};

const struct feature feature_icmp = {
	.name = "icmp",
	.help = "types, sequence numbers and echo times of ICMP",
	.wants = WANT_ICMP,
	.size = sizeof(struct icmp),
	.out_size = sizeof(struct out),
	.update = update,
	.finish = finish,
	.merge = merge,
	.fields = fields,
	.options = options,
	.options_size = sizeof(struct options),
};
