/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base.c - what every record begins with: who, how much, when, why it ended.
 *
 * All of it stands in the flow already; only records of one direction (bidir=0) need a state, for
 * the time of their own first packet, and community_id for the first ICMP type.
 */
#include <string.h>

#include "feature/base_out.h"
#include "feature/trail.h"
#include "net/decode.h"

/* Of the first packet. */
struct base {
	int64_t start_ns;
};

static bool stateless(const struct conf *conf)
{
	return conf->bidir;
}

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct base *s = state;

	(void)env;
	(void)flow;
	s->start_ns = pkt->now_ns;
	return DONE;
}

/* --- who
 * ------------------------------------------------------------------------------------------ */

/* 'bytes' are 16, of IPv4 with zeros behind the first four: all are copied at once. */
static void set_address(struct field_address *a, uint8_t version, const uint8_t *bytes)
{
	a->version = version;
	memcpy(a->bytes, bytes, sizeof a->bytes);
}

static void fill_key(struct base_out *o, const struct flow *f, unsigned from)
{
	const struct flow_key *k = &f->key;
	bool ports = flow_has_ports(f);

	set_address(&o->sa, k->ip_version, k->address[from]);
	set_address(&o->da, k->ip_version, k->address[!from]);
	o->pr = k->proto;
	o->sp = ports ? k->port[from] : -1;
	o->dp = ports ? k->port[!from] : -1;
	o->icmp_type = flow_is_icmp(k) ? k->icmp >> 8 : -1;
	o->icmp_code = flow_is_icmp(k) ? k->icmp & 0xff : -1;
	bool spi = k->proto == PROTO_ESP &&
		   !((f->marks & FLOW_NO_PORTS) && k->port[0] == 0 && k->port[1] == 0);

	o->spi = spi ? (int64_t)k->port[0] << 16 | k->port[1] : -1;
}

/* Message types with an identifier: echo, timestamp, information and mask queries, extended echo.
 */
static bool has_icmp_id(const struct flow_key *k)
{
	unsigned type = k->icmp >> 8;

	if (k->proto == PROTO_ICMP)
		return type == 8 || type == 13 || type == 15 || type == 17 || type == 42;
	return k->proto == PROTO_ICMPV6 && (type == 128 || type == 160);
}

static void fill_community_id(
		struct base_out *o, const struct feature_env *env, const struct flow_view *view)
{
	community_of(view, NULL, (uint16_t)env->conf->community_id_seed, o->community);
	o->community_id = (struct field_text){ o->community, COMMUNITY_ID_SIZE };
}

/* --- outer layers
 * --------------------------------------------------------------------------------- */

static bool has_id(unsigned type)
{
	switch (type) {
	case LAYER_IPIP:
	case LAYER_6IN4:
	case LAYER_4IN6:
	case LAYER_6IN6:
	case LAYER_TEREDO:
	case LAYER_MPLS_UDP:
	case LAYER_ETHERIP:
		return false;
	default:
		return true;
	}
}

static struct base_layer layer(const struct flow_layer *l)
{
	struct base_layer to = { .type = decode_layer_name(l->type), .id = -1 };

	if (has_id(l->type))
		to.id = l->id;
	if (l->ip_version != 0) {
		set_address(&to.sa, l->ip_version, l->address[0]);
		set_address(&to.da, l->ip_version, l->address[1]);
	}
	return to;
}

static void fill_layers(
		struct base_out *o, const struct feature_env *env, const struct flow_outer *outer)
{
	size_t size = outer->count * (sizeof(struct base_layer) + sizeof(uint16_t));
	struct base_layer *encap = arena_alloc(env->scratch, env->pool, size);
	size_t encaps = 0, vlans = 0;

	if (encap == NULL)
		return;

	uint16_t *vlan = (uint16_t *)(encap + outer->count);

	for (unsigned i = 0; i < outer->count; i++) {
		if (outer->layer[i].type == LAYER_VLAN)
			vlan[vlans++] = (uint16_t)outer->layer[i].id;
		else
			encap[encaps++] = layer(&outer->layer[i]);
	}
	o->vlan = (struct field_list){ vlan, vlans };
	o->encap = (struct field_list){ encap, encaps };
}

/* --- how much, when, how good
 * --------------------------------------------------------------------- */

enum { /* marks that records have no word for */
	UNSPOKEN = FLOW_NANOSECONDS | FLOW_REVERSED | FLOW_CLOSED | FLOW_GONE | FLOW_ANSWERS
};

static void fill_marks(struct base_out *o, const struct feature_env *env, const struct flow *f)
{
	const char **words = arena_alloc(env->scratch, env->pool, sizeof(char *) * BASE_MARKS);
	size_t count = 0;

	for (size_t i = 0; i < BASE_MARKS && words != NULL; i++)
		if (f->marks & base_marks[i].mark)
			words[count++] = base_marks[i].word;
	o->marks = (struct field_list){ words, count };
}

static void fill_trouble(struct base_out *o, const struct flow *f, unsigned out)
{
	uint64_t none = f->key.proto == PROTO_TCP ? 0 : UINT64_MAX;
	struct flow_trouble a = flow_trouble(f, out), b = flow_trouble(f, !out);

	o->retrans_out = a.retrans | none;
	o->retrans_in = b.retrans | none;
	o->ooo_out = a.late | none;
	o->ooo_in = b.late | none;
	o->dup_out = a.duplicate | none;
	o->dup_in = b.duplicate | none;
	o->keep_alive_out = a.keep_alive | none;
	o->keep_alive_in = b.keep_alive | none;
	o->overlap_out = a.overlap | none;
	o->overlap_in = b.overlap | none;
	o->gaps_out = a.gaps | none;
	o->gaps_in = b.gaps | none;
}

static void fill_counters(struct base_out *o, const struct flow *f, unsigned out)
{
	const struct flow_side *a = &f->side[out], *b = &f->side[!out];
	uint32_t errors_out = flow_icmp_errors(f, out), errors_in = flow_icmp_errors(f, !out);

	o->bytes_out = a->payload_bytes;
	o->bytes_in = b->payload_bytes;
	o->num_pkts_out = a->packets;
	o->num_pkts_in = b->packets;
	o->ip_bytes_out = a->ip_bytes;
	o->ip_bytes_in = b->ip_bytes;
	o->icmp_errors_out = errors_out > 0 ? errors_out : UINT64_MAX;
	o->icmp_errors_in = errors_in > 0 ? errors_in : UINT64_MAX;
}

static void fill_times(struct base_out *o, const struct base *s, const struct flow_view *view)
{
	const struct flow *f = view->flow;
	const struct flow_side *a = &f->side[view->out], *b = &f->side[!view->out];
	int64_t start = view->both ? f->start_ns : s->start_ns, end = start;

	if (a->packets > 0 && a->last_ns > end)
		end = a->last_ns;
	if (view->both && b->packets > 0 && b->last_ns > end)
		end = b->last_ns;
	o->time_start = (struct field_time){ start, (f->marks & FLOW_NANOSECONDS) != 0 };
	o->time_end = (struct field_time){ end, o->time_start.nanoseconds };
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct flow *f = view->flow;
	unsigned from = flow_endpoint(f, view->out);
	struct base_out *o = out;

	fill_key(o, f, from);
	fill_counters(o, f, view->out);
	fill_times(o, state, view);
	fill_trouble(o, f, view->out);
	o->icmp_id = has_icmp_id(&f->key) ? f->key.port[0] : -1;
	o->flow_id = flow_id(f);
	o->part = f->part;
	o->end_reason = f->end;
	o->expire_type = f->end == FLOW_END_ACTIVE ? "a" : f->end == FLOW_END_IDLE ? "i" : NULL;
	o->rtt.ns = f->key.proto == PROTO_TCP && f->rtt_ns >= 0 ? f->rtt_ns : -1;
	if (flow_outer(f) != NULL)
		fill_layers(o, env, flow_outer(f));
	if (f->marks & ~(uint32_t)UNSPOKEN)
		fill_marks(o, env, f);
	if (env->conf->community_id)
		fill_community_id(o, env, view);
	return true;
}

const struct feature feature_base = {
	.name = "base",
	.help = "who, how much, when",
	.wants = WANT_PACKET,
	.size = sizeof(struct base),
	.out_size = sizeof(struct base_out),
	.update = update,
	.finish = finish,
	.fields = base_fields,
	.merge = base_merge,
	.always = true,
	.stateless = stateless,
};
