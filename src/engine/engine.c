/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine.c - one run: frames are decoded in batches, then shown to the flow table and the features.
 *
 * Decoding a batch first lets the table's cache lines arrive while other packets are decoded.
 * Fragments interrupt the batch: what was decoded before them is worked off first, so order is
 * kept.
 */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/engine_internal.h"
#include "net/frag.h"

#define FRAGMENT_TIMEOUT_NS ((int64_t)30 * 1000 * 1000 * 1000) /* RFC 1122 3.3.2, as Linux does */

enum {
	NESTED_DATAGRAMS = 4,
	STATES_AHEAD = 4, /* packets of a batch before their turn: what their states point to */
	FRAMES_AHEAD = 8, /* frames of a team's batch before their turn: headers, */
	HEADERS = 64,     /* ... so many bytes */
	LINE = 64,
	PAYLOAD_LINES = 3, /* of a payload, before its turn: those behind the first */
	LINK_ETHERNET = 1,
	JUMBO_FRAME = 9216 + 18, /* longer ones are made by hardware or the kernel */
};

static void on_leave(void *ctx, struct flow *f)
{
	struct engine *en = ctx;

	if (f->active_ns <= en->lost_ns)
		f->marks |= FLOW_SENSOR_DROPS;
	en->emit.key = (struct lane_key){ f->timer.deadline_ns, f->part_number, f->seen_ns };
	if (en->soon == f)
		en->soon = NULL;
	emit_flow(&en->emit, f);
}

static void on_soon(void *ctx, const struct flow *f)
{
	struct engine *en = ctx;

	if (f->side[0].packets + f->side[1].packets == 0)
		return; /* on_leave() will not hear of it */
	calls_fetch(&en->calls, f);
	if (f->extra != NULL)
		__builtin_prefetch(f->extra);
	calls_fetch_whole(&en->calls, f, false);
	if (en->soon != NULL)
		calls_fetch_whole(&en->calls, en->soon, true);
	en->soon = f;
}

static bool make_table(struct engine *en, const struct conf *conf, uint64_t seed, struct err *e)
{
	struct table_conf tc = {
		.idle_ns = conf->idle_timeout.ns,
		.active_ns = conf->active_timeout.ns,
		.linger_ns = conf->linger.ns,
		.vlan_key = conf->vlan_key,
		.live = conf->interface != NULL,
		.memory = conf->memory.bytes,
		.seed = seed,
		.state_size = calls_state_size(&en->calls),
		.leave = on_leave,
		.soon = on_soon,
		.ctx = en,
	};

	en->table = table_new(&tc, e);
	return en->table != NULL;
}

struct engine *engine_new(const struct conf *conf, const struct registry *registry,
		struct sink *sink, struct err *e)
{
	return engine_make(
			&(struct engine_part){
					.conf = conf, .registry = registry, .to.sink = sink },
			e);
}

struct engine *engine_make(const struct engine_part *part, struct err *e)
{
	const struct conf *conf = part->conf;
	struct engine *en = calloc(1, sizeof *en);

	if (en == NULL) {
		err_set(e, "no memory for the engine");
		return NULL;
	}
	en->rules.outermost = conf->tunnel != NULL && strcmp(conf->tunnel, "outer") == 0;
	en->clock.jump_ns = conf->idle_timeout.ns;
	en->stats.first_ns = INT64_MAX;
	en->stats.last_ns = INT64_MIN;
	en->fragments_due_ns = INT64_MAX;
	en->table_due_ns = INT64_MIN;
	en->lost_ns = INT64_MIN;
	en->number_step = 1;
	en->share = part->share;
	calls_build(&en->calls, part->registry, NULL,
			&en->scratch); /* sizes; again when there is a pool */
	if (!make_table(en, conf, part->seed, e)) {
		free(en);
		return NULL;
	}
	calls_build(&en->calls, part->registry, table_pool(en->table), &en->scratch);
	en->frag = frag_new(FRAGMENT_TIMEOUT_NS, hash_seed(), e);
	if (en->frag == NULL || !calls_make_workers(&en->calls, e) ||
			!emit_init(&en->emit, &en->calls, &part->to, table_pool(en->table),
					&en->scratch, e)) {
		engine_free(en);
		return NULL;
	}
	return en;
}

void engine_free(struct engine *en)
{
	if (en == NULL)
		return;
	emit_destroy(&en->emit);
	frag_free(en->frag);
	table_free(en->table);
	calls_free_workers(&en->calls);
	free(en->ethertypes);
	free(en->inner);
	free(en);
}

/* --- packets of flows
 * ------------------------------------------------------------------------------ */

static inline bool is_icmp(const struct pkt *pkt)
{
	return pkt->proto == PROTO_ICMP || pkt->proto == PROTO_ICMPV6;
}

static inline void advance(struct engine *en, int64_t clock_ns)
{
	if (clock_ns < en->table_due_ns)
		return;
	table_advance(en->table, clock_ns);
	en->table_due_ns = table_due(en->table);
}

/* Whether the flow that an ICMP error quotes, by its ticket, is alive; then the error is counted.
 */
static bool count_at_quoted(
		struct engine *en, const struct pkt *pkt, const struct table_ticket *quoted)
{
	advance(en, pkt->clock_ns);

	struct flow *f = table_peek(en->table, quoted, pkt->clock_ns);
	struct flow_extra *x = f == NULL ? NULL : flow_need_extra(f, table_pool(en->table));

	if (x == NULL)
		return false;
	x->icmp_errors[quoted->second ^ ((f->marks & FLOW_REVERSED) != 0)]++;
	en->stats.icmp_errors++;
	return true;
}

/* An ICMP error belongs to the flow whose packet it quotes, if that is here. */
static bool count_icmp_error(struct engine *en, const struct pkt *pkt)
{
	struct pkt quoted;
	struct table_ticket ticket;

	if (!decode_icmp_quote(pkt, &quoted))
		return false;
	table_ticket(en->table, &quoted, &ticket);
	return count_at_quoted(en, pkt, &ticket);
}

static inline void count_packet(
		struct engine *en, struct pkt *pkt, const struct table_ticket *ticket)
{
	struct flow *f = table_packet(en->table, pkt, ticket);

	if (f == NULL)
		return;
	en->stats.ip_packets++;
	calls_packet(&en->calls, f, pkt, table_pool(en->table));
}

static inline void work_off(struct engine *en, struct pkt *pkt, const struct table_ticket *ticket)
{
	advance(en, pkt->clock_ns);
	if (!is_icmp(pkt) || !count_icmp_error(en, pkt))
		count_packet(en, pkt, ticket);
}

/* What the states of a ticket's flow point to; the flow itself is on its way by now. */
static inline void fetch_states(const struct engine *en, const struct table_ticket *ticket)
{
	const struct flow *f = table_guess(en->table, ticket);

	if (f != NULL)
		calls_fetch(&en->calls, f);
}

/* Of a packet whose features see its bytes. */
static inline void fetch_payload(const struct pkt *pkt)
{
	for (size_t line = 1; line <= PAYLOAD_LINES; line++)
		__builtin_prefetch((const void *)((uintptr_t)pkt->payload.p + line * LINE));
}

void engine_flush(struct engine *en)
{
	const size_t n = en->batched;
	const bool fetch = en->calls.fetch_count > 0;
	const size_t until = fetch && n > STATES_AHEAD ? n - STATES_AHEAD : 0;

	table_prefetch(en->table, en->ticket, n);
	for (size_t i = 0; i < n; i++) {
		if (i < until) {
			fetch_states(en, &en->ticket[i + STATES_AHEAD]);
			fetch_payload(&en->batch[i + STATES_AHEAD]);
		}
		work_off(en, &en->batch[i], &en->ticket[i]);
	}
	en->batched = 0;
}

/* All flows that have to leave before a moment leave, and the lane is told how far it is. */
static void reach(struct engine *en, int64_t clock_ns)
{
	while (table_catch_up(en->table, clock_ns, UINT32_MAX))
		;
	en->table_due_ns = table_due(en->table);
	lane_reach(en->emit.to.lane, table_passed(en->table));
}

struct at_error {
	struct engine *engine;
	int64_t clock_ns;
};

/* Of whom an answer is waited for has not come as far: it needs nothing of us but this. */
static void say_how_far(void *ctx)
{
	const struct at_error *at = ctx;

	reach(at->engine, at->clock_ns);
	lane_rest(at->engine->emit.to.lane);
}

/*
 * An ICMP error of a team: it is this engine's when the flow that it quotes is, and alive, or when
 * its own flow is and the other is not alive.  False: it quotes nothing.
 */
static bool take_shared_error(
		struct engine *en, const struct pkt *pkt, const struct table_ticket *ticket)
{
	const struct share *s = &en->share;
	struct table_ticket other;
	struct pkt quoted;

	if (!decode_icmp_quote(pkt, &quoted))
		return false;
	table_ticket(en->table, &quoted, &other);

	const size_t here = share_of_key(s, &ticket->key), there = share_of_key(s, &other.key);
	const bool mine = here == s->index, at_me = there == s->index, one = here == there;
	bool alive = false;

	if (!mine && !at_me)
		return true;

	struct pkt error = *pkt; /* these may lie in the batch, which goes first */
	const struct table_ticket own = *ticket;
	struct at_error at = { en, error.clock_ns };
	const struct board_wait wait = { say_how_far, &at };

	engine_flush(en);
	if (at_me)
		alive = count_at_quoted(en, &error, &other);
	if (at_me && !one)
		board_tell(s->board, error.number, alive, &wait);
	if (mine && !one)
		alive = board_ask(s->board, error.number, &wait);
	if (!mine || alive)
		return true;
	advance(en, error.clock_ns);
	count_packet(en, &error, &own);
	return true;
}

/* Whether a packet is for another engine, or was an error that is done with. */
static inline bool is_elsewhere(
		struct engine *en, const struct pkt *pkt, const struct table_ticket *ticket)
{
	if (en->share.count <= 1)
		return false;
	if (__builtin_expect(is_icmp(pkt), false) && take_shared_error(en, pkt, ticket))
		return true;
	return share_of_key(&en->share, &ticket->key) != en->share.index;
}

/* Outside the batch: fragments. */
static void work_off_alone(struct engine *en, struct pkt *pkt)
{
	struct table_ticket ticket;

	table_ticket(en->table, pkt, &ticket);
	if (!is_elsewhere(en, pkt, &ticket))
		work_off(en, pkt, &ticket);
}

void engine_reach(struct engine *en)
{
	reach(en, en->clock.now_ns);
}

/* --- what is no packet of a flow
 * --------------------------------------------------------------------- */

static void count_ethertype(struct engine *en, uint16_t type)
{
	if (en->ethertypes == NULL)
		en->ethertypes = calloc(65536, sizeof *en->ethertypes);
	if (en->ethertypes != NULL)
		en->ethertypes[type]++;
}

static void count_unknown_link(struct engine *en, uint16_t linktype)
{
	for (size_t i = 0; i < en->unknown_links; i++)
		if (en->unknown_link[i] == linktype)
			return;
	if (en->unknown_links < UNKNOWN_LINKS)
		en->unknown_link[en->unknown_links++] = linktype;
}

static void count_outcome(struct engine *en, enum outcome outcome, const struct pkt *pkt)
{
	en->stats.stage[pkt->stage].count[outcome]++;
	switch (outcome) {
	case OUTCOME_NOT_IP:
		en->stats.not_ip++;
		count_ethertype(en, pkt->ethertype);
		break;
	case OUTCOME_CUT_SHORT:
		en->stats.cut_short++;
		break;
	case OUTCOME_MALFORMED:
		en->stats.malformed++;
		break;
	default:
		en->stats.unknown++;
		break;
	}
}

/* --- fragments
 * ----------------------------------------------------------------------------------------- */

/* A fragment as a packet of the flow 'whole' belongs to: it counts, but its payload stands
 * elsewhere. */
static struct pkt as_packet(const struct pkt *whole, const struct pkt *fragment)
{
	struct pkt p = *whole;

	p.ns = fragment->ns;
	p.number = fragment->number;
	p.ip_len = fragment->ip_len;
	p.ip_id = fragment->ip_id;
	p.ttl = fragment->ttl;
	p.tos = fragment->tos;
	p.ip_flags = fragment->ip_flags;
	p.payload = (struct rd){ whole->payload.p, 0 };
	p.tcp_options = p.payload;
	p.payload_len = 0;
	p.transport_len = 0;
	p.tcp_flags = 0;
	p.marks = (uint16_t)(fragment->marks | PKT_FRAGMENT |
			     (whole->marks & (PKT_NO_PORTS | PKT_INCOMPLETE)));
	return p;
}

/* What is given up when its time is over counts at that moment, whenever the next frame comes. */
static int64_t moment_of(const struct engine *en, const struct frag_datagram *d)
{
	int64_t over = d->fragments[0].clock_ns + FRAGMENT_TIMEOUT_NS;

	return !d->complete && over < en->clock.now_ns ? over : en->clock.now_ns;
}

/* Every fragment is a packet; the last to arrive stands for the datagram, if that is complete. */
static void count_fragments(struct engine *en, const struct frag_datagram *d,
		const struct pkt *whole, bool with_payload)
{
	for (size_t i = 0; i < d->count; i++) {
		struct pkt p = as_packet(whole, &d->fragments[i]);

		p.clock_ns = moment_of(en, d);
		if (with_payload && i + 1 == d->count) {
			p.payload = whole->payload;
			p.tcp_options = whole->tcp_options;
			p.payload_len = whole->payload_len;
			p.transport_len = whole->transport_len;
			p.tcp_flags = whole->tcp_flags;
			p.marks = whole->marks;
		}
		work_off_alone(en, &p);
	}
}

static void take_fragment(struct engine *en, struct pkt *pkt, unsigned depth);

static void without_ports(struct engine *en, const struct frag_datagram *d)
{
	struct pkt whole = d->fragments[0];

	whole.marks |= PKT_NO_PORTS | PKT_INCOMPLETE;
	whole.port[0] = whole.port[1] = 0;
	whole.icmp_id = 0;
	whole.icmp_type = whole.icmp_code = 0;
	whole.spi = 0;
	count_fragments(en, d, &whole, false);
}

/* The bytes of a datagram that turned out to hold a fragment itself must survive the table's next
 * call. */
static bool keep_inner(struct engine *en, struct pkt *pkt)
{
	if (en->inner == NULL)
		en->inner = malloc(NESTED_DATAGRAMS * INNER_BYTES);
	if (en->inner == NULL || pkt->body.left > INNER_BYTES)
		return false;

	uint8_t *to = en->inner + (size_t)(en->nested % NESTED_DATAGRAMS) * INNER_BYTES;

	if (pkt->body.left > 0)
		memmove(to, pkt->body.p, pkt->body.left);
	pkt->body.p = to;
	for (unsigned i = 0; i < pkt->layer_count; i++)
		pkt->layer[i].addresses = NULL;
	return true;
}

static void take_datagram(struct engine *en, unsigned depth)
{
	struct frag_datagram d = frag_take(en->frag);
	struct pkt whole = d.fragments[0];
	unsigned layers = whole.layer_count;

	if (!d.has_first) {
		without_ports(en, &d);
		return;
	}
	for (size_t i = 0; i < d.count; i++)
		if (d.fragments[i].fragment_offset == 0)
			whole = d.fragments[i];

	const struct pkt *last = &d.fragments[d.count - 1];

	whole.ns = last->ns;
	whole.number = last->number;
	whole.clock_ns = moment_of(en, &d);
	whole.ip_len = whole.ip_header_len + d.whole_len;
	whole.body = d.whole;
	whole.marks |= PKT_REASSEMBLED | (d.complete ? 0 : PKT_INCOMPLETE);
	switch (decode_datagram(&en->rules, &whole)) {
	case OUTCOME_PACKET:
		if (whole.layer_count == layers)
			count_fragments(en, &d, &whole, d.complete && !d.late);
		else if (!d.late) /* a tunnel: its packet is one packet */
			work_off_alone(en, &whole);
		break;
	case OUTCOME_FRAGMENT:
		if (d.late)
			break;
		if (depth < NESTED_DATAGRAMS && keep_inner(en, &whole)) {
			take_fragment(en, &whole, depth + 1);
			break;
		}
		/* fallthrough */
	default:
		without_ports(en, &d);
	}
}

static void take_fragment(struct engine *en, struct pkt *pkt, unsigned depth)
{
	en->nested = depth;
	if (frag_add(en->frag, pkt))
		take_datagram(en, depth);
	en->fragments_due_ns = frag_due(en->frag);
}

void engine_expire_fragments(struct engine *en, int64_t clock_ns)
{
	while (frag_expired(en->frag, clock_ns)) {
		engine_flush(en);
		take_datagram(en, 0);
	}
	en->fragments_due_ns = frag_due(en->frag);
}

/* --- frames
 * --------------------------------------------------------------------------------------------- */

static inline void queue(struct engine *en, const struct pkt *pkt)
{
	struct table_ticket *ticket = &en->ticket[en->batched];

	table_ticket(en->table, pkt, ticket);
	if (!is_elsewhere(en, pkt, ticket))
		en->batched++;
}

static void take_outcome(
		struct engine *en, enum outcome outcome, struct pkt *pkt, const struct frame *frame)
{
	switch (outcome) {
	case OUTCOME_PACKET:
		queue(en, pkt);
		break;
	case OUTCOME_FRAGMENT: {
		struct pkt fragment = *pkt;

		engine_flush(en);
		take_fragment(en, &fragment, 0);
		break;
	}
	case OUTCOME_UNKNOWN:
		if (pkt->stage == STAGE_LINK && decode_link_name(frame->linktype) == NULL)
			count_unknown_link(en, frame->linktype);
		/* fallthrough */
	default:
		count_outcome(en, outcome, pkt);
	}
}

static inline struct pkt *next_pkt(struct engine *en, int64_t ns, int64_t clock_ns)
{
	if (en->batched == BATCH)
		engine_flush(en);

	struct pkt *pkt = &en->batch[en->batched];

	pkt->ns = ns;
	pkt->clock_ns = clock_ns;
	en->stats.packets++;
	pkt->number = en->number += en->number_step;
	return pkt;
}

/* Whatever is not simply one packet; 'pkt' has the frame's times. */
static void take_unusual(
		struct engine *en, enum outcome outcome, struct pkt *pkt, const struct frame *frame)
{
	const int64_t ns = pkt->ns, clock_ns = pkt->clock_ns;

	if (outcome == OUTCOME_FRAGMENT)
		en->stats.stage[STAGE_NETWORK].count[OUTCOME_FRAGMENT]++;
	while (pkt->marks & PKT_MORE) {
		struct rd rest = pkt->rest;

		take_outcome(en, outcome, pkt, frame);
		pkt = next_pkt(en, ns, clock_ns);
		pkt->rest = rest;
		outcome = decode_rest(&en->rules, frame, pkt);
	}
	take_outcome(en, outcome, pkt, frame);
}

static inline void take_frame(
		struct engine *en, const struct frame *frame, int64_t ns, int64_t clock_ns)
{
	enum outcome outcome = OUTCOME_PACKET;
	struct pkt *pkt;
	bool usual;

	if (__builtin_expect(clock_ns >= en->fragments_due_ns, false))
		engine_expire_fragments(en, clock_ns);
	pkt = next_pkt(en, ns, clock_ns);
	usual = decode_usual(&en->rules, frame, pkt);
	if (!usual)
		outcome = decode_walk(&en->rules, frame, pkt);
	if (frame->merged || (frame->wirelen > JUMBO_FRAME && frame->linktype == LINK_ETHERNET))
		pkt->marks |= PKT_OFFLOAD;
	if (usual)
		queue(en, pkt);
	else
		take_unusual(en, outcome, pkt, frame);
}

static bool end_feed(struct engine *en, const struct portion_sums *sums, struct err *e)
{
	en->stats.frames += sums->frames;
	en->stats.bytes += sums->bytes;
	en->stats.truncated += sums->truncated;
	if (sums->first_ns < en->stats.first_ns)
		en->stats.first_ns = sums->first_ns;
	if (sums->last_ns > en->stats.last_ns)
		en->stats.last_ns = sums->last_ns;
	engine_flush(en);
	return engine_well(en, e);
}

bool engine_feed(struct engine *en, const struct frame *frames, size_t count, struct err *e)
{
	struct portion_sums sums = PORTION_SUMS_NONE;

	for (size_t i = 0; i < count && !en->emit.failed; i++) {
		const int64_t ns = clock_clamp(frames[i].ns);

		portion_add(&sums, &frames[i], ns);
		take_frame(en, &frames[i], ns, clock_at(&en->clock, frames[i].interface, ns));
	}
	return end_feed(en, &sums, e);
}

/* --- a portion of a team's frames
 * --------------------------------------------------------------------- */

/* Which frames an engine has to look at. */
static size_t choose(const struct portion *b, size_t index, uint16_t *chosen)
{
	size_t n = 0;

	for (size_t i = 0; i < b->count; i++) { /* no branch: it would go either way */
		chosen[n] = (uint16_t)i;
		n += (b->owner[i] == index) | (b->owner[i] == PORTION_ALL);
	}
	return n;
}

/* Headers that another processor has read. */
static inline void fetch_frame(const struct frame *frame)
{
	__builtin_prefetch(frame->bytes);
	__builtin_prefetch(frame->bytes + HEADERS);
}

/* Frames that are one packet each, of other engines' flows. */
static inline void pass_over(struct engine *en, size_t frames)
{
	en->stats.packets += frames;
	en->number += en->number_step * frames;
}

bool engine_feed_portion(struct engine *en, const struct portion *b, struct err *e)
{
	uint16_t chosen[PORTION_FRAMES];
	const size_t n = choose(b, en->share.index, chosen);
	size_t next = 0;

	for (size_t k = 0; k < n && !en->emit.failed; k++) {
		const size_t i = chosen[k];

		if (k + FRAMES_AHEAD < n)
			fetch_frame(&b->frame[chosen[k + FRAMES_AHEAD]]);
		pass_over(en, i - next);
		next = i + 1;
		en->clock.now_ns = b->clock_ns[i];
		take_frame(en, &b->frame[i], clock_clamp(b->frame[i].ns), b->clock_ns[i]);
	}
	pass_over(en, b->count - next);
	en->clock.now_ns = b->now_ns;
	en->clock.jumps = b->jumps;
	if (en->clock.now_ns >= en->fragments_due_ns)
		engine_expire_fragments(en, en->clock.now_ns);
	return end_feed(en, &b->sums, e);
}

bool engine_finish(struct engine *en, struct err *e)
{
	engine_flush(en);
	engine_expire_fragments(en, INT64_MAX);
	table_finish(en->table, en->clock.now_ns);
	return engine_well(en, e);
}

/* --- one file after the other
 * --------------------------------------------------------------------- */

void engine_begin(struct engine *en, const char *file)
{
	calls_set_file(&en->calls, file);
	table_renew(en->table);
	frag_renew(en->frag);
	en->clock = (struct clock){ .jump_ns = en->clock.jump_ns, .jumps = en->clock.jumps };
	en->number = 0;
	en->table_due_ns = INT64_MIN;
	en->fragments_due_ns = INT64_MAX;
}
