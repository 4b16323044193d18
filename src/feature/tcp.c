/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp.c - what the TCP headers of each direction say: flags, windows, options, handshake times.
 *
 * A direction's state is one block in the arena that ends with a copy of its options, so flows
 * of other protocols pay two pointers.  How segments follow each other (retransmissions and the
 * like) is known to the flow itself and reported by base.c.
 */
#include "feature/tally.h"
#include "proto/tcp_options.h"

enum { FLAGS = 9, ZERO_WINDOW = FLAGS, COUNTS, OPTION_BYTES = 40 };

struct side {
	uint64_t *high; /* COUNTS carries of 'count' */
	uint32_t first_seq;
	uint16_t window_first, window_min, window_max;
	uint8_t count[COUNTS]; /* by flag, from FIN up; then zero windows */
	uint8_t option_size;   /* on the wire */
	uint8_t option_kept;
	bool from_syn;
	uint8_t options[]; /* 'option_kept' bytes */
};

struct tcp {
	struct side *side[2];
	uint64_t syn_ack_ns; /* from the flow's first packet to the first SYN-ACK, plus 1; 0: none
			      */
};

struct options {
	bool tcp;
};

struct out_option {
	uint8_t kind;
	const char *name;
	struct field_hex value;
};

struct out_counts {
	uint64_t flag[FLAGS];
};

struct out_side {
	const char *flags; /* flags_text, or NULL */
	char flags_text[FLAGS + 1];
	struct out_counts counts;
	int32_t first_window_size, window_min, window_max, window_scale, mss, opt_len;
	uint64_t zero_windows;
	bool sack_permitted;
	int64_t ts_value, ts_echo;
	struct field_list opts;
};

struct out {
	struct out_tcp {
		int64_t first_seq, first_seq_in;
		struct out_side out, in;
		struct out_handshake {
			struct field_ms syn_ack, ack;
		} handshake;
	} tcp;
};

/* --- while packets come ---------------------------------------------------------------------- */

/* Bytes of options by the data offset, captured or not. */
static uint8_t option_size(const struct pkt *pkt)
{
	struct rd header = pkt->body;

	rd_bytes(&header, 12);

	unsigned words = rd_u8(&header) >> 4;

	return (uint8_t)(words < 5 ? 0 : (words - 5) * 4);
}

static void keep_options(struct side *s, const struct pkt *pkt, size_t kept)
{
	s->from_syn = pkt->tcp_flags & TCP_SYN;
	s->option_size = option_size(pkt);
	s->option_kept = (uint8_t)kept;
	if (kept > 0)
		memcpy(s->options, pkt->tcp_options.p, kept);
}

/*
 * The direction's block: made at its first segment, made anew when a SYN comes behind other
 * segments, because the SYN's options are the ones to keep.
 */
static __attribute__((noinline)) struct side *make_side(struct tcp *t,
		const struct feature_env *env, struct flow *flow, const struct pkt *pkt)
{
	struct side *old = t->side[pkt->dir], *s;
	struct rd raw = rd_first(pkt->tcp_options, OPTION_BYTES);

	s = arena_move(&flow->arena, env->pool, old, old == NULL ? 0 : sizeof *old,
			sizeof *s + raw.left);
	if (s == NULL) {
		flow->marks |= FLOW_NO_MEMORY;
		return old;
	}
	if (old == NULL)
		*s = (struct side){
			.first_seq = pkt->seq, .window_first = pkt->window, .window_min = UINT16_MAX
		};
	keep_options(s, pkt, raw.left);
	return t->side[pkt->dir] = s;
}

static struct side *side_for(struct tcp *t, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct side *s = t->side[pkt->dir];

	if (s != NULL && (!(pkt->tcp_flags & TCP_SYN) || s->from_syn))
		return s;
	return make_side(t, env, flow, pkt);
}

/*
 * Eight flags at a time, in a word that has a byte for each, unless one of the counts is high: then
 * one by one, with carries.
 */
static void count_flags(struct side *s, unsigned flags, struct flow *flow, struct pool *pool)
{
	const uint64_t each = UINT64_C(0x8040201008040201), low = UINT64_C(0x7f7f7f7f7f7f7f7f);
	uint64_t counts, set = ((flags & 0xff) * UINT64_C(0x0101010101010101)) & each;

	memcpy(&counts, s->count, sizeof counts);
	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && flags <= 0xff && (counts & ~low) == 0) {
		counts += ((set + low) | set) >> 7 & UINT64_C(0x0101010101010101);
		memcpy(s->count, &counts, sizeof counts);
		return;
	}
	for (unsigned f = 0; flags != 0; f++, flags >>= 1)
		if (flags & 1)
			tally_add(s->count, &s->high, COUNTS, f, flow, pool);
}

static void see_window(struct side *s, const struct pkt *pkt, struct flow *flow, struct pool *pool)
{
	if (pkt->tcp_flags & TCP_RST)
		return;
	s->window_min = pkt->window < s->window_min ? pkt->window : s->window_min;
	s->window_max = pkt->window > s->window_max ? pkt->window : s->window_max;
	if (pkt->window == 0 && !(pkt->tcp_flags & (TCP_SYN | TCP_FIN)))
		tally_add(s->count, &s->high, COUNTS, ZERO_WINDOW, flow, pool);
}

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	enum { SYN_ACK = TCP_SYN | TCP_ACK };
	struct tcp *t = state;
	struct side *s = side_for(t, env, flow, pkt);

	if (s == NULL)
		return MORE;
	count_flags(s, pkt->tcp_flags & ((1u << FLAGS) - 1), flow, env->pool);
	see_window(s, pkt, flow, env->pool);
	if (t->syn_ack_ns == 0 && flow->rtt_ns < 0 && pkt->dir == 1 &&
			(pkt->tcp_flags & SYN_ACK) == SYN_ACK)
		t->syn_ack_ns = 1 + (uint64_t)(flow->side[1].last_ns - flow->start_ns);
	return MORE;
}

/* --- at flow end ----------------------------------------------------------------------------- */

static const char letters[FLAGS] = "FSRPAUECN";

/* 'o' has its counts. */
static void fill_flags(struct out_side *o)
{
	size_t n = 0;

	for (unsigned f = 0; f < FLAGS; f++) {
		o->flags_text[n] = letters[f]; /* stays when the next does not overwrite it */
		n += o->counts.flag[f] > 0;
	}
	o->flags_text[n] = '\0';
	o->flags = o->flags_text;
}

static struct field_list list_options(struct rd r, const struct feature_env *env)
{
	struct out_option *items;
	struct tcp_option o;
	size_t n = 0;

	if (!rd_more(&r))
		return (struct field_list){ 0 };
	items = arena_alloc(env->scratch, env->pool, r.left * sizeof *items);
	while (items != NULL && tcp_option_next(&r, &o)) {
		items[n++] = (struct out_option){ o.kind, tcp_option_name(o.kind),
			{ o.value.left > 0 ? o.value.p : NULL, o.value.left } };
	}
	return (struct field_list){ items, n };
}

static void report_options(const struct side *s, const struct feature_env *env, struct out_side *o)
{
	struct rd raw = { s->options, s->option_kept };
	struct tcp_options known;

	tcp_options_parse(raw, &known);
	o->opt_len = s->option_size;
	o->opts = list_options(raw, env);
	o->mss = known.has_mss ? known.mss : -1;
	o->window_scale = known.has_scale ? known.scale : -1;
	o->sack_permitted = known.sack_permitted;
	o->ts_value = known.has_timestamps ? (int64_t)known.ts_value : -1;
	o->ts_echo = known.has_timestamps ? (int64_t)known.ts_echo : -1;
}

static void report_side(const struct side *s, const struct feature_env *env, struct out_side *o)
{
	for (unsigned f = 0; f < FLAGS; f++)
		o->counts.flag[f] = tally_read(s->count, s->high, f);
	fill_flags(o);
	o->first_window_size = s->window_first;
	if (s->window_min <= s->window_max) {
		o->window_min = s->window_min;
		o->window_max = s->window_max;
	}
	o->zero_windows = tally_read(s->count, s->high, ZERO_WINDOW);
	report_options(s, env, o);
}

/* Returns the direction's first sequence number, or -1. */
static int64_t report(const struct side *s, const struct feature_env *env, struct out_side *o)
{
	*o = (struct out_side){ .first_window_size = -1,
		.window_min = -1,
		.window_max = -1,
		.window_scale = -1,
		.mss = -1,
		.opt_len = -1,
		.ts_value = -1,
		.ts_echo = -1 };
	if (s == NULL)
		return -1;
	report_side(s, env, o);
	return s->first_seq;
}

static void report_handshake(const struct tcp *t, const struct flow *f, struct out_handshake *h)
{
	*h = (struct out_handshake){ { -1 }, { -1 } };
	int64_t first = (int64_t)t->syn_ack_ns - 1;

	if (f->rtt_ns < 0 || first < 0)
		return;
	h->syn_ack.ns = first;
	h->ack.ns = f->rtt_ns - first;
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct tcp *t = state;
	struct out_tcp *o = &((struct out *)out)->tcp;

	if (t->side[0] == NULL && t->side[1] == NULL)
		return false;
	o->first_seq = report(t->side[0], env, &o->out);
	if (!view->both)
		return true;
	o->first_seq_in = report(t->side[1], env, &o->in);
	report_handshake(t, view->flow, &o->handshake);
	return true;
}

/* --- parts of a split flow ------------------------------------------------------------------- */

static bool has_flag(const char *flags, char letter)
{
	return flags != NULL && strchr(flags, letter) != NULL;
}

static void merge_flags(const struct out_side *a, const struct out_side *b, struct out_side *o)
{
	size_t n = 0;

	if (a->flags == NULL && b->flags == NULL)
		return;
	for (unsigned f = 0; f < FLAGS; f++)
		if (has_flag(a->flags, letters[f]) || has_flag(b->flags, letters[f]))
			o->flags_text[n++] = letters[f];
	o->flags_text[n] = '\0';
	o->flags = o->flags_text;
}

/* Options are those of the first segment with SYN, or of the first segment. */
static bool takes_options(const struct out_side *a, const struct out_side *b)
{
	if (a->opt_len < 0)
		return true;
	return !has_flag(a->flags, 'S') && has_flag(b->flags, 'S');
}

static void merge_side(const struct out_side *a, const struct out_side *b, struct out_side *o)
{
	merge_flags(a, b, o);
	if (!takes_options(a, b))
		return;
	o->opt_len = b->opt_len;
	o->opts = b->opts;
	o->mss = b->mss;
	o->window_scale = b->window_scale;
	o->sack_permitted = b->sack_permitted;
	o->ts_value = b->ts_value;
	o->ts_echo = b->ts_echo;
}

static bool merge(struct feature_join *join, const void *before, const void *next, void *out)
{
	const struct out *a = before, *b = next;
	struct out *o = out;

	(void)join;
	if (a == NULL || b == NULL)
		return true;
	merge_side(&a->tcp.out, &b->tcp.out, &o->tcp.out);
	merge_side(&a->tcp.in, &b->tcp.in, &o->tcp.in);
	return true;
}

/* --- words ----------------------------------------------------------------------------------- */

#define NULLABLE   (FIELD_NULLABLE | FIELD_OPTIONAL)
#define NO_SEGMENT "left out when the direction has no segment"
#define FIRST_SYN  "the direction's first segment with SYN, or its first segment when none has"

static const struct field option_fields[] = {
	FIELD(struct out_option, kind, "kind", "", "Option kind.",
			.source = "IANA TCP option kinds"),
	FIELD(struct out_option, name, "name", "",
			"Name of the kind; \"unknown\" without one here."),
	FIELD(struct out_option, value, "value", "",
			"Bytes behind kind and length; for kind 0 (end of options) the padding "
			"behind it.",
			.flags = FIELD_OPTIONAL | FIELD_IS_ADDRESS,
			.null_rule = "left out when there are none, and with anonymisation (an "
				     "option of multipath TCP holds an address)"),
	{ 0 },
};

#define COUNT(bit, key, words, iana)                                                               \
	FIELD(struct out_counts, flag[bit], key, "segments", "Segments with " words ".",           \
			.source = iana)

static const struct field count_fields[] = {
	COUNT(0, "fin", "FIN", "IANA tcpFinTotalCount (219)"),
	COUNT(1, "syn", "SYN", "IANA tcpSynTotalCount (218)"),
	COUNT(2, "rst", "RST", "IANA tcpRstTotalCount (220)"),
	COUNT(3, "psh", "PSH", "IANA tcpPshTotalCount (221)"),
	COUNT(4, "ack", "ACK", "IANA tcpAckTotalCount (222)"),
	COUNT(5, "urg", "URG", "IANA tcpUrgTotalCount (223)"),
	COUNT(6, "ece", "ECE", "RFC 3168"),
	COUNT(7, "cwr", "CWR", "RFC 3168"),
	COUNT(8, "ae", "AE (accurate ECN, once NS)", "RFC 9768"),
	{ 0 },
};

static const struct field side_fields[] = {
	FIELD(struct out_side, flags, "flags", "",
			"Flags that at least one segment of the direction had, one letter each, in "
			"this order: F FIN, S SYN, R RST, P PSH, A ACK, U URG, E ECE, C CWR, N AE.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_SEGMENT,
			.source = "RFC 9293; IANA tcpControlBits (6)", .merge = MERGE_OWN),
	FIELD_SUB(struct out_side, counts, "counts", count_fields,
			"How many segments of the direction had each flag; all segments count.",
			.merge = MERGE_SUM),
	FIELD(struct out_side, first_window_size, "first_window_size", "",
			"Window of the direction's first segment as it stands in the header, not "
			"scaled.",
			.flags = NULLABLE, .null_rule = NO_SEGMENT,
			.source = "IANA tcpWindowSize (186)", .merge = MERGE_FIRST),
	FIELD(struct out_side, window_min, "window_min", "",
			"Smallest window of the direction's segments without RST, as it stands in "
			"the header.",
			.flags = NULLABLE,
			.null_rule = "left out when the direction has no segment without RST",
			.merge = MERGE_MIN),
	FIELD(struct out_side, window_max, "window_max", "",
			"Largest window of the direction's segments without RST, as it stands in "
			"the header.",
			.flags = NULLABLE,
			.null_rule = "left out when the direction has no segment without RST",
			.merge = MERGE_MAX),
	FIELD(struct out_side, zero_windows, "zero_windows", "segments",
			"Segments with window 0 and none of SYN, FIN, RST: the receiver asks for a "
			"pause.",
			.merge = MERGE_SUM),
	FIELD(struct out_side, opt_len, "opt_len", "bytes",
			"Length of the option area, padding included, by the data offset, "
			"of " FIRST_SYN ".",
			.flags = NULLABLE, .null_rule = NO_SEGMENT, .merge = MERGE_OWN),
	FIELD_LIST_OF(struct out_side, opts, "opts", struct out_option, option_fields,
			"The options, in order, of " FIRST_SYN
			", no-operations included.  Ends behind an end of options, and before an "
			"option that does not fit in the area or was not captured whole.",
			.null_rule = "empty without options",
			.source = "RFC 9293; IANA tcpOptions (209)", .merge = MERGE_OWN),
	FIELD(struct out_side, mss, "mss", "bytes", "Maximum segment size option in opts.",
			.flags = NULLABLE, .null_rule = "left out without that option",
			.source = "RFC 9293 section 3.7.1", .merge = MERGE_OWN),
	FIELD(struct out_side, window_scale, "window_scale", "bits",
			"Window scale option in opts, as sent (values above 14 mean 14): windows "
			"of later segments count 2 to this power, when both directions have the "
			"option.",
			.flags = NULLABLE, .null_rule = "left out without that option",
			.source = "RFC 7323; IANA tcpWindowScale (238)", .merge = MERGE_OWN),
	FIELD(struct out_side, sack_permitted, "sack_permitted", "",
			"Whether opts has SACK permitted.", .source = "RFC 2018",
			.merge = MERGE_OWN),
	FIELD(struct out_side, ts_value, "ts_value", "", "TSval of the timestamps option in opts.",
			.flags = NULLABLE, .null_rule = "left out without that option",
			.source = "RFC 7323", .merge = MERGE_OWN),
	FIELD(struct out_side, ts_echo, "ts_echo", "", "TSecr of the timestamps option in opts.",
			.flags = NULLABLE, .null_rule = "left out without that option",
			.source = "RFC 7323", .merge = MERGE_OWN),
	{ 0 },
};

static const struct field handshake_fields[] = {
	FIELD(struct out_handshake, syn_ack, "syn_ack_ms", "ms",
			"From the initiator's SYN to the first SYN-ACK: the way from the sensor to "
			"the responder and back, and its time to answer.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out when rtt_ms is, or no SYN-ACK was seen by "
				     "then"),
	FIELD(struct out_handshake, ack, "ack_ms", "ms",
			"rtt_ms minus syn_ack_ms: the way from the sensor to the initiator and "
			"back, and its time to answer.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out when rtt_ms is, or no SYN-ACK was seen by "
				     "then"),
	{ 0 },
};

static const struct field tcp_fields[] = {
	FIELD(struct out_tcp, first_seq, "first_seq", "",
			"Sequence number of the first segment from sa to da.", .flags = NULLABLE,
			.null_rule = NO_SEGMENT, .source = "IANA tcpSequenceNumber (184)",
			.merge = MERGE_FIRST),
	FIELD(struct out_tcp, first_seq_in, "first_seq_in", "",
			"Sequence number of the first segment from da to sa.",
			.flags = NULLABLE | FIELD_REVERSE, .null_rule = NO_SEGMENT,
			.source = "IANA tcpSequenceNumber (184)", .merge = MERGE_FIRST),
	FIELD_SUB(struct out_tcp, out, "out", side_fields,
			"TCP headers of the segments from sa to da."),
	FIELD_SUB(struct out_tcp, in, "in", side_fields, "As tcp.out, from da to sa.",
			.flags = FIELD_REVERSE),
	FIELD_SUB(struct out_tcp, handshake, "handshake", handshake_fields,
			"Times of the three-way handshake.", .flags = FIELD_REVERSE,
			.merge = MERGE_BEGIN),
	{ 0 },
};

static const struct field fields[] = {
	FIELD_SUB(struct out, tcp, "tcp", tcp_fields,
			"What the TCP headers say; segments with a header that contradicts itself "
			"are not read.",
			.null_rule = "left out of flows of other protocols"),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct options, tcp, "tcp",
			"give flags, windows, options and handshake times of TCP",
			.flags = OPTION_FEATURE, .on = "1"),
	{ 0 },
};

const struct feature feature_tcp = {
	.name = "tcp",
	.help = "flags, windows, options and handshake of TCP",
	.wants = WANT_TCP,
	.size = sizeof(struct tcp),
	.pointers = 2,
	.out_size = sizeof(struct out),
	.update = update,
	.finish = finish,
	.merge = merge,
	.fields = fields,
	.options = options,
	.options_size = sizeof(struct options),
};
