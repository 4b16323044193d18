/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base_flow.c - from what every record begins with back to a flow, and from the parts of a split
 * flow to one record.
 */
#include "feature/base_out.h"

#include <string.h>

/* Beside an address of IPv6 what reads as one of IPv4 is a mapped one: ::ffff:a.b.c.d. */
static void mend_address(struct field_address *a, const struct field_address *other)
{
	uint8_t v4[4];

	if (a->version != 4 || other->version != 6)
		return;
	memcpy(v4, a->bytes, sizeof v4);
	*a = (struct field_address){ .version = 6, .bytes = { [10] = 0xff, 0xff } };
	memcpy(a->bytes + 12, v4, sizeof v4);
}

static bool is_icmp(const struct base_out *b)
{
	return b->pr == PROTO_ICMP || b->pr == PROTO_ICMPV6;
}

static void set_key(const struct base_out *b, struct flow_key *k)
{
	memcpy(k->address[0], b->sa.bytes, sizeof k->address[0]);
	memcpy(k->address[1], b->da.bytes, sizeof k->address[1]);
	k->ip_version = b->sa.version;
	k->proto = b->pr;
	k->port[0] = b->sp >= 0 ? (uint16_t)b->sp : 0;
	k->port[1] = b->dp >= 0 ? (uint16_t)b->dp : 0;
	if (b->pr == PROTO_ESP && b->spi >= 0) {
		k->port[0] = (uint16_t)(b->spi >> 16);
		k->port[1] = (uint16_t)b->spi;
	}
	if (!is_icmp(b))
		return;
	k->port[0] = b->icmp_id >= 0 ? (uint16_t)b->icmp_id : 0;
	k->icmp = FLOW_ICMP_UNKNOWN;
	if (b->icmp_type >= 0 && b->icmp_code >= 0)
		k->icmp = (uint16_t)((b->icmp_type & 0xff) << 8 | (b->icmp_code & 0xff));
}

bool base_flow(struct base_out *b, struct flow *flow)
{
	*flow = (struct flow){ .part = b->part, .start_ns = b->time_start.ns };
	mend_address(&b->sa, &b->da);
	mend_address(&b->da, &b->sa);
	if (b->sa.version == 0 || b->sa.version != b->da.version)
		return false;
	set_key(b, &flow->key);
	if (b->sp < 0 || b->dp < 0)
		flow->marks |= FLOW_NO_PORTS;
	return true;
}

bool base_knows_community_id(const struct base_out *b, uint16_t seed, struct flow *flow)
{
	const struct flow_view view = { flow, 0, true };
	char text[COMMUNITY_ID_SIZE];

	if (b->community_id.p == NULL)
		return true;
	for (unsigned answers = 0; answers < 2; answers++) {
		flow->marks = answers ? flow->marks | FLOW_ANSWERS : flow->marks;
		community_of(&view, NULL, seed, text);
		if (b->community_id.size == sizeof text &&
				memcmp(b->community_id.p, text, sizeof text) == 0)
			return true;
	}
	return false;
}

/* --- parts ----------------------------------------------------------------------------------- */

static bool has_mark(const struct base_out *b, const char *word)
{
	const char *const *words = b->marks.items;

	for (size_t i = 0; i < b->marks.count; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

static bool is_set(const struct feature_join *join, const struct base_out *before,
		const struct base_out *next, const struct base_mark *m)
{
	return m->mark == 0 || (m->mark == FLOW_CAPPED && join->capped) ||
	       has_mark(before, m->word) || has_mark(next, m->word);
}

bool base_merge(struct feature_join *join, const void *before, const void *next, void *out)
{
	const char **words = arena_alloc(join->arena, join->pool, sizeof(char *) * BASE_MARKS);
	struct base_out *o = out;
	size_t count = 0;

	if (before == NULL || next == NULL || words == NULL)
		return false;
	for (size_t i = 0; i < BASE_MARKS; i++)
		if (is_set(join, before, next, &base_marks[i]))
			words[count++] = base_marks[i].word;
	o->marks = (struct field_list){ words, count };
	o->time_start.nanoseconds |= o->time_end.nanoseconds;
	o->time_end.nanoseconds = o->time_start.nanoseconds;
	return true;
}
