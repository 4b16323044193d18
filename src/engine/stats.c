/* SPDX-License-Identifier: BSD-3-Clause */
/* stats.c - the counters of a run, and the summary object made of them. */
#include "base/json.h"
#include "engine/engine_internal.h"
#include "net/frag.h"

enum { TOP_TYPES = 16 };

const struct engine_stats *engine_stats(const struct engine *en)
{
	struct engine_stats *s = (struct engine_stats *)(uintptr_t)&en->stats;
	const struct table_stats *t = table_stats(en->table);
	const struct frag_counts *f = frag_counts(en->frag);

	s->flows = t->flows;
	s->evicted = t->evicted;
	s->refused = t->refused;
	s->backwards = t->backwards;
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
	return s;
}

void engine_note_filtered(struct engine *en, uint64_t packets)
{
	en->stats.filtered = packets;
}

size_t engine_ethertypes(const struct engine *en, struct engine_ethertype *out, size_t max)
{
	size_t n = 0;

	for (unsigned type = 0; en->ethertypes != NULL && type < 65536; type++) {
		uint64_t packets = en->ethertypes[type];
		size_t at = n;

		if (packets == 0)
			continue;
		while (at > 0 && out[at - 1].packets < packets)
			at--;
		if (at == max)
			continue;
		if (n < max)
			n++;
		for (size_t i = n - 1; i > at; i--)
			out[i] = out[i - 1];
		out[at] = (struct engine_ethertype){ (uint16_t)type, packets };
	}
	return n;
}

size_t engine_unknown_links(const struct engine *en, uint16_t *out, size_t max)
{
	size_t n = en->unknown_links < max ? en->unknown_links : max;

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

static void not_ip_list(const struct engine *en, struct buf *out)
{
	struct engine_ethertype type[TOP_TYPES];
	size_t n = engine_ethertypes(en, type, TOP_TYPES);

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

void engine_summary(const struct engine *en, struct buf *out)
{
	const struct engine_stats *s = engine_stats(en);

	buf_byte(out, '{');
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
	not_ip_list(en, out);
	buf_byte(out, '}');
}
