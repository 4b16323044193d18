/* SPDX-License-Identifier: BSD-3-Clause */
/* stats.c - the counters of a run, and the summary object made of them. */
#include <stdlib.h>

#include "base/json.h"
#include "engine/engine_internal.h"
#include "net/frag.h"

enum { TOP_TYPES = 16 };

/* What all engines of a team count alike, the first one says. */
static void forget_shared(struct engine_stats *s)
{
	const struct engine_stats own = *s;

	*s = (struct engine_stats){
		.ip_packets = own.ip_packets,
		.icmp_errors = own.icmp_errors,
		.flows = own.flows,
		.records = own.records,
		.evicted = own.evicted,
		.refused = own.refused,
		.backwards = own.backwards,
		.first_ns = own.first_ns,
		.last_ns = own.last_ns,
		.memory = own.memory,
		.memory_peak = own.memory_peak,
		.alive = own.alive,
	};
}

const struct engine_stats *engine_stats(const struct engine *en)
{
	struct engine_stats *s = (struct engine_stats *)(uintptr_t)&en->stats;
	const struct table_stats *t = table_stats(en->table);
	const struct frag_counts *f = frag_counts(en->frag);

	s->flows = t->flows;
	s->evicted = t->evicted;
	s->refused = t->refused;
	s->backwards = t->backwards;
	s->alive = t->alive;
	s->memory = t->memory + frag_memory(en->frag) + calls_worker_memory(&en->calls);
	if (s->memory > s->memory_peak)
		s->memory_peak = s->memory;
	if (t->memory_peak > s->memory_peak)
		s->memory_peak = t->memory_peak;
	s->records = en->emit.records;
	s->fragments = f->fragments;
	s->datagrams = f->complete;
	s->incomplete_datagrams = f->incomplete;
	s->fragment_overlaps = f->overlaps;
	s->time_jumps = en->clock.jumps;
	if (en->share.index > 0)
		forget_shared(s);
	return s;
}

void engine_note_filtered(struct engine *en, uint64_t packets)
{
	en->stats.filtered = packets;
}

/* The most frequent types; 'packets' NULL: none. */
static size_t top_types(const uint64_t *packets, struct engine_ethertype *out, size_t max)
{
	size_t n = 0;

	for (unsigned type = 0; packets != NULL && type < 65536; type++) {
		size_t at = n;

		if (packets[type] == 0)
			continue;
		while (at > 0 && out[at - 1].packets < packets[type])
			at--;
		if (at == max)
			continue;
		if (n < max)
			n++;
		for (size_t i = n - 1; i > at; i--)
			out[i] = out[i - 1];
		out[at] = (struct engine_ethertype){ (uint16_t)type, packets[type] };
	}
	return n;
}

size_t engine_ethertypes(const struct engine *en, struct engine_ethertype *out, size_t max)
{
	return top_types(en->ethertypes, out, max);
}

size_t engine_unknown_links(const struct engine *en, uint16_t *out, size_t max)
{
	size_t n = en->unknown_links < max ? en->unknown_links : max;

	if (en->share.index > 0)
		return 0; /* the first one says them */

	for (size_t i = 0; i < n; i++)
		out[i] = en->unknown_link[i];
	return n;
}

static void number(struct buf *out, const char *key, uint64_t v)
{
	json_key(out, key);
	json_u64(out, v);
}

/* {"link":{"cut_short":0,"malformed":0,"unknown":0}, ...} */
static void decode_object(const struct engine_stats *s, struct buf *out)
{
	static const char *const name[STAGES] = { "link", "network", "tunnel", "transport" };

	json_key(out, "decode");
	buf_byte(out, '{');
	for (unsigned i = 0; i < STAGES; i++) {
		json_key(out, name[i]);
		buf_byte(out, '{');
		number(out, "cut_short", s->stage[i].count[OUTCOME_CUT_SHORT]);
		number(out, "malformed", s->stage[i].count[OUTCOME_MALFORMED]);
		number(out, "unknown", s->stage[i].count[OUTCOME_UNKNOWN]);
		buf_byte(out, '}');
	}
	buf_byte(out, '}');
}

/* '*sum' is made when there is something to add; without memory it stays NULL. */
static void add_types(uint64_t **sum, const uint64_t *packets)
{
	if (*sum == NULL)
		*sum = calloc(65536, sizeof **sum);
	for (size_t type = 0; *sum != NULL && type < 65536; type++)
		(*sum)[type] += packets[type];
}

/* The counts of all workers, most frequent first. */
static void not_ip_list(struct engine *const *engines, size_t count, struct buf *out)
{
	struct engine_ethertype type[TOP_TYPES];
	uint64_t *sum = NULL;

	for (size_t i = 0; i < count; i++)
		if (engines[i]->share.index == 0 && engines[i]->ethertypes != NULL)
			add_types(&sum, engines[i]->ethertypes);

	const size_t n = top_types(sum, type, TOP_TYPES);

	free(sum);
	json_key(out, "not_ip_types");
	buf_byte(out, '[');
	for (size_t i = 0; i < n; i++) {
		json_comma(out);
		buf_byte(out, '{');
		number(out, "ethertype", type[i].type);
		number(out, "packets", type[i].packets);
		buf_byte(out, '}');
	}
	buf_byte(out, ']');
}

/* Every member is a count but the two times. */
void engine_stats_add(struct engine_stats *to, const struct engine_stats *from)
{
	const int64_t first = to->first_ns < from->first_ns ? to->first_ns : from->first_ns;
	const int64_t last = to->last_ns > from->last_ns ? to->last_ns : from->last_ns;
	uint64_t *sum = (uint64_t *)(void *)to;
	const uint64_t *more = (const uint64_t *)(const void *)from;

	for (size_t i = 0; i < sizeof *to / sizeof *sum; i++)
		sum[i] += more[i];
	to->first_ns = first;
	to->last_ns = last;
}

static void members(const struct engine_stats *s, struct buf *out)
{
	number(out, "packets", s->packets);
	number(out, "bytes", s->bytes);
	number(out, "drops", s->drops);
	number(out, "truncated", s->truncated);
	number(out, "cut_short", s->cut_short);
	number(out, "malformed", s->malformed);
	number(out, "unknown", s->unknown);
	number(out, "not_ip", s->not_ip);
	number(out, "ip_packets", s->ip_packets);
	number(out, "icmp_errors", s->icmp_errors);
	number(out, "filtered", s->filtered);
	number(out, "refused", s->refused);
	number(out, "flows", s->flows);
	number(out, "records", s->records);
	number(out, "evicted", s->evicted);
	number(out, "fragments", s->fragments);
	number(out, "datagrams", s->datagrams);
	number(out, "incomplete_datagrams", s->incomplete_datagrams);
	number(out, "fragment_overlaps", s->fragment_overlaps);
	number(out, "time_backwards", s->backwards);
	number(out, "time_jumps", s->time_jumps);
	json_key(out, "seconds");
	json_s(out, s->packets == 0 ? 0 : s->last_ns - s->first_ns);
	decode_object(s, out);
}

void engine_summary(struct engine *const *engines, size_t count, uint64_t drops, struct buf *out)
{
	struct engine_stats all = *engine_stats(engines[0]);

	for (size_t i = 1; i < count; i++)
		engine_stats_add(&all, engine_stats(engines[i]));
	all.drops = drops;
	buf_byte(out, '{');
	members(&all, out);
	not_ip_list(engines, count, out);
	buf_byte(out, '}');
}

_Static_assert(sizeof(struct engine_stats) % 8 == 0, "engine_stats_add() takes it for counts");
