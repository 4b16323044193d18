/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quic.c - what QUIC says beside the TLS handshake in it: versions, ids, packets, parameters.
 *
 * The hellos themselves are reported by tls.c; those of Google's own handshake here.
 */
#include <inttypes.h>
#include <stdio.h>

#include "feature/quic_out.h"
#include "proto/tls_names.h"

enum { NUMBER = 24 }; /* room for a version or tag as text */

struct options {
	bool quic;
};

struct report {
	const struct feature_env *env;
	const struct hs *hs;
	const struct hs_quic *quic;
	struct out_quic *out;
};

static void *scratch(const struct report *r, size_t count, size_t size)
{
	return count == 0 ? NULL : arena_alloc(r->env->scratch, r->env->pool, count * size);
}

static struct field_text text(struct rd r)
{
	return (struct field_text){ (const char *)r.p, r.left };
}

static struct field_hex hex(struct rd r)
{
	return (struct field_hex){ r.p, r.left };
}

static const char *version_word(const struct report *r, uint32_t version)
{
	const char *name = quic_version_name(version);
	char *word = name == NULL ? scratch(r, 1, NUMBER) : NULL;

	if (word != NULL)
		snprintf(word, NUMBER, "0x%08" PRIx32, version);
	return name != NULL ? name : word;
}

/* --- headers -----------------------------------------------------------------------------------
 */

static struct field_hex cid(const struct hs_cid *c)
{
	return (struct field_hex){ c->there ? c->bytes : NULL, c->size };
}

static void report_versions(const struct report *r, unsigned client)
{
	const struct hs_quic *q = r->quic;
	const char **items = scratch(r, q->version_count, sizeof *items);

	r->out->version = version_word(r, q->version);
	if (q->way[!client].version != 0)
		r->out->s_version = version_word(r, q->way[!client].version);
	for (size_t i = 0; items != NULL && i < q->version_count; i++)
		items[i] = version_word(r, q->versions[i]);
	r->out->version_negotiation =
			(struct field_list){ items, items == NULL ? 0 : q->version_count };
}

static void report_packets(const struct report *r)
{
	const struct hs_quic *q = r->quic;
	const uint8_t *from = q->packets.p;
	struct out_quic_packet *items = scratch(r, q->packet_count, sizeof *items);

	if (items == NULL)
		return;
	for (uint32_t i = 0; i < q->packet_count; i++) {
		items[i].b = (uint32_t)trail_get(&from);

		uint64_t type = trail_get(&from);

		items[i].dir = type & 1 ? "<" : ">";
		items[i].type = quic_packet_name((enum quic_packet_type)(type >> 1));
		items[i].ipt.ns = (int64_t)trail_get(&from);
	}
	r->out->packets = (struct field_list){ items, q->packet_count };
}

static void report_close(const struct report *r)
{
	const struct hs_quic *q = r->quic;
	struct out_quic_close *o = &r->out->close;

	o->error = -1;
	if (!q->closed)
		return;
	o->dir = q->close_dir == 0 ? ">" : "<";
	o->error = (int64_t)q->close_error;
	if (!q->close_application)
		o->name = quic_error_name(q->close_error);
	if (q->reason_size > 0)
		o->reason = (struct field_text){ (const char *)q->reason, q->reason_size };
}

static void report_headers(const struct report *r)
{
	const struct hs_quic *q = r->quic;
	unsigned client = hs_client(r->hs);
	struct out_quic *o = r->out;

	report_versions(r, client);
	o->dcid = cid(&q->dcid);
	o->c_scid = cid(&q->way[client].scid);
	o->s_scid = cid(&q->way[!client].scid);
	o->token_length = q->token_size;
	o->retry.token_length = q->retry_token_size;
	if (q->retry_token_size >= 0)
		o->retry.authentic = q->retry_authentic ? "yes" : "no";
	o->retry.c_token_length = q->second_token_size;
	o->zero_rtt = q->zero_rtt;
	o->undecrypted = q->undecrypted + q->early_count; /* whose keys never came */
	o->c_spin_changes = q->way[client].spin_changes;
	o->s_spin_changes = q->way[!client].spin_changes;
	o->c_cid_changes = q->way[client].cid_changes;
	o->s_cid_changes = q->way[!client].cid_changes;
}

/* --- transport parameters ----------------------------------------------------------------------
 */

static void report_parameters(const struct report *r, struct rd list)
{
	enum { SMALLEST = 2 };
	struct out_parameter *items = scratch(r, list.left / SMALLEST, sizeof *items);
	uint64_t id;
	struct rd value;
	size_t n = 0;

	while (items != NULL && quic_parameter_next(&list, &id, &value)) {
		struct rd number = value;

		items[n] = (struct out_parameter){ id, quic_parameter_name(id), -1, hex(value) };
		if (quic_parameter_is_number(id)) {
			int64_t v = (int64_t)quic_varint(&number);

			items[n].number = rd_ok(&number) ? v : -1;
		}
		n++;
	}
	r->out->c_parameters = (struct field_list){ items, n };
}

static void report_hello(const struct report *r)
{
	const struct hs_hello *h = hs_told(r->hs, r->env->read_worker)->client_hello;

	if (h->there)
		report_parameters(r, h->info.quic_parameters);
}

/* --- Google's handshake ------------------------------------------------------------------------
 */

/* The next message of a direction's handshake stream. */
static bool next_message(struct rd *stream, struct gquic_message *m)
{
	if (!rd_more(stream) || !gquic_message_parse(*stream, m))
		return false;
	rd_bytes(stream, m->size > 0 ? m->size : stream->left);
	return true;
}

static struct field_list tags(const struct report *r, const struct gquic_message *m)
{
	struct gquic_walk w = { .index = m->index, .values = m->values };
	struct out_tag *items = scratch(r, LIMIT_GQUIC_TAGS, sizeof *items);
	struct rd value;
	uint32_t tag;
	size_t n = 0;

	while (items != NULL && n < LIMIT_GQUIC_TAGS && gquic_tag_next(&w, &tag, &value)) {
		gquic_tag_text(tag, items[n].tag_text);
		items[n].tag = items[n].tag_text;
		items[n].length = (uint32_t)value.left;
		n++;
	}
	return (struct field_list){ items, n };
}

static struct field_list messages(const struct report *r, unsigned dir)
{
	enum { MOST = 16 };
	struct rd stream = quic_stream_from(&r->quic->way[dir].stream, 0);
	struct out_message *items = rd_more(&stream) ? scratch(r, MOST, sizeof *items) : NULL;
	struct gquic_message m;
	size_t n = 0;

	while (items != NULL && n < MOST && next_message(&stream, &m)) {
		gquic_tag_text(m.tag, items[n].tag_text);
		items[n].message = items[n].tag_text;
		items[n].tags = tags(r, &m);
		n++;
	}
	return (struct field_list){ items, n };
}

static void report_google(const struct report *r)
{
	unsigned client = hs_client(r->hs);
	struct rd stream = quic_stream_from(&r->quic->way[client].stream, 0);
	struct out_google *o = &r->out->google;
	struct gquic_message m;
	struct gquic_info i;

	if (!hs_quic_is_google(r->quic->version))
		return;
	o->c_messages = messages(r, client);
	o->s_messages = messages(r, !client);
	if (!next_message(&stream, &m))
		return;
	gquic_decode(&m, &i);
	o->sni = text(i.sni);
	o->user_agent = text(i.user_agent);
	o->version = text(i.version);
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct handshake *s = env->read;
	struct report r = { .env = env, .out = &((struct quic_record *)out)->quic };

	(void)state;
	(void)view;
	if (s->phase != HS_FOUND || s->at.hs->carrier != HS_QUIC || s->at.hs->quic == NULL)
		return false;
	r.hs = s->at.hs;
	r.quic = r.hs->quic;
	report_headers(&r);
	report_hello(&r);
	report_google(&r);
	report_close(&r);
	report_packets(&r);
	return true;
}

/* Later parts have no long headers, so of them nothing is known. */
static bool merge(struct feature_join *join, const void *before, const void *next, void *out)
{
	struct out_quic *o = &((struct quic_record *)out)->quic;

	const struct quic_record *n = next;

	if (before != NULL && n != NULL && n->quic.undecrypted > 0)
		o->undecrypted = UINT32_MAX;
	o->c_spin_changes = o->s_spin_changes = UINT32_MAX;
	o->c_cid_changes = o->s_cid_changes = UINT32_MAX;
	join->capped |= o->packets.count < join->list_max;
	return true;
}

static const struct option options[] = {
	OPTION(struct options, quic, "quic", "give versions, ids and packets of QUIC",
			.flags = OPTION_FEATURE, .on = "1",
			.more = "The TLS handshake in it is given by tls=1."),
	{ 0 },
};

const struct feature feature_quic = {
	.name = "quic",
	.help = "headers and transport parameters of QUIC",
	.reads = &feature_handshake,
	.out_size = sizeof(struct quic_record),
	.finish = finish,
	.merge = merge,
	.fields = quic_table,
	.options = options,
	.options_size = sizeof(struct options),
};
