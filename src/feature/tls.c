/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls.c - what the handshake of TLS, DTLS or QUIC says, out of what handshake.c has collected.
 *
 * Everything is decoded here, once, at the flow's end; the parts are filled by the files that
 * tls_out.h names.
 */
#include <stdio.h>

#include "feature/tls_out.h"
#include "proto/tls_names.h"

struct out {
	struct out_tls tls;
};

struct options {
	bool tls;
};

const char *tls_word(const struct tls_report *r, const char *name, unsigned value)
{
	enum { DIGITS = 8 + sizeof "0x" };
	char *text;

	if (name != NULL)
		return name;
	text = arena_alloc(r->env->scratch, r->env->pool, DIGITS);
	if (text != NULL)
		snprintf(text, DIGITS, "0x%04x", value);
	return text;
}

void *tls_scratch(const struct tls_report *r, size_t count, size_t size)
{
	return count == 0 ? NULL : arena_alloc(r->env->scratch, r->env->pool, count * size);
}

/* --- records and alerts ------------------------------------------------------------------------
 */

static const char *dir_word(unsigned dir)
{
	return dir == 0 ? ">" : "<";
}

/* Numbers of all listed messages, record by record, and how many each record has. */
struct heads {
	uint8_t *types;
	uint32_t *sizes, *count, *first;
};

static bool gather_heads(const struct tls_report *r, struct heads *h)
{
	const struct hs *hs = r->hs;
	const uint8_t *from = hs->heads.p;
	uint32_t next = 0;

	h->types = tls_scratch(r, hs->head_count + 1, 1);
	h->sizes = tls_scratch(r, hs->head_count + 1, sizeof *h->sizes);
	h->count = arena_zalloc(r->env->scratch, r->env->pool,
			2 * (hs->record_count + 1) * sizeof *h->count);
	if (h->types == NULL || h->sizes == NULL || h->count == NULL)
		return false;
	h->first = h->count + hs->record_count + 1;
	for (uint32_t i = 0; i < hs->head_count; i++) {
		h->count[trail_get(&from)]++;
		trail_get(&from);
		trail_get(&from);
	}
	for (uint32_t i = 0; i < hs->record_count; next += h->count[i++])
		h->first[i] = next;
	from = hs->heads.p;
	for (uint32_t i = 0; i < hs->head_count; i++) {
		uint32_t at = h->first[trail_get(&from)]++;

		h->types[at] = (uint8_t)trail_get(&from);
		h->sizes[at] = (uint32_t)trail_get(&from);
	}
	return true;
}

static void report_records(struct tls_report *r)
{
	const struct hs *hs = r->hs;
	const uint8_t *from = hs->records.p;
	struct out_record *items = tls_scratch(r, hs->record_count, sizeof *items);
	struct heads h;

	if (items == NULL || !gather_heads(r, &h))
		return;
	for (uint32_t i = 0; i < hs->record_count; i++) {
		uint32_t size = (uint32_t)trail_get(&from);
		uint64_t type = trail_get(&from);
		uint32_t first = h.first[i] - h.count[i];

		items[i] = (struct out_record){ .b = size,
			.dir = dir_word(type & 1),
			.ipt.ns = (int64_t)trail_get(&from),
			.tp = (uint8_t)(type >> 1),
			.hs_types = { h.types + first, h.count[i] },
			.hs_lens = { h.sizes + first, h.count[i] } };
	}
	r->out->srlt = (struct field_list){ items, hs->record_count };
}

static void report_alerts(struct tls_report *r)
{
	const struct hs *hs = r->hs;
	struct out_tls_alert *items = tls_scratch(r, hs->alert_count, sizeof *items);
	size_t n = 0;

	for (const struct hs_alert *a = hs->first_alert; items != NULL && a != NULL; a = a->next) {
		items[n] = (struct out_tls_alert){ .dir = dir_word(a->dir), .code = -1 };
		if (a->clear) {
			items[n].level = a->level == 1 ? "warning" : "fatal";
			items[n].description = tls_alert_name(a->description);
			items[n].code = a->description;
		}
		n++;
	}
	r->out->alerts = (struct field_list){ items, n };
}

/* --- the connection as a whole -----------------------------------------------------------------
 */

static const char *handshake_word(const struct tls_report *r)
{
	const struct hs *hs = r->hs;
	const struct hs_told *t = r->told;
	const struct hs_side *server = &hs->side[!t->client];

	if (!t->server_hello->there)
		return NULL;
	if (tls_version_is_13(t->version))
		return t->server_hello->info.has_psk ? "resumed" : "full";
	if (server->certificates > 0 || t->server_key != NULL || hs->hello_done)
		return "full";
	return server->changed ? "resumed" : NULL;
}

static bool under_way(const struct hs_side *s)
{
	return s->first_type == TLS_CHANGE_CIPHER_SPEC || s->first_type == TLS_APPLICATION_DATA ||
	       s->first_type == TLS_HEARTBEAT;
}

static bool is_cut(const struct hs_hello *h)
{
	return h->there && !h->whole;
}

static void report_marks(struct tls_report *r)
{
	const struct hs *hs = r->hs;
	const struct hs_side *a = &hs->side[0], *b = &hs->side[1];
	const struct hs_told *t = r->told;
	const struct {
		bool on;
		const char *word;
	} marks[] = {
		{ t->client_hello->info.has_early_data, "early_data" },
		{ hs->renegotiation, "renegotiation" },
		{ !t->client_hello->there && !t->server_hello->there &&
						(under_way(a) || under_way(b)),
				"midstream" },
		{ is_cut(t->client_hello) || is_cut(t->server_hello), "cut" },
		{ hs->capped, "capped" },
		{ a->refused > 0 || b->refused > 0, "malformed" },
		{ hs->heartbeat_overlong, "heartbeat_overlong" },
	};
	const size_t count = sizeof marks / sizeof marks[0];
	const char **items = tls_scratch(r, count, sizeof *items);
	size_t n = 0;

	for (size_t i = 0; items != NULL && i < count; i++)
		if (marks[i].on)
			items[n++] = marks[i].word;
	r->out->marks = (struct field_list){ items, n };
}

static int32_t record_version(const struct hs_side *s)
{
	return s->first_version == 0 ? -1 : s->first_version;
}

static void report_connection(struct tls_report *r)
{
	static const char *const protocols[] = { "tls", "dtls", "quic" };
	const struct hs *hs = r->hs;
	const struct hs_told *t = r->told;
	struct out_tls *o = r->out;

	o->protocol = protocols[hs->carrier];
	o->starttls = hs->starttls == STARTTLS_NONE ? NULL : starttls_name(hs->starttls);
	o->version_code = t->server_hello->there || t->retry->there ? t->version : -1;
	if (o->version_code >= 0)
		o->version = tls_word(r, tls_version_name(t->version), t->version);
	o->handshake = handshake_word(r);
	o->c_record_version = record_version(&hs->side[t->client]);
	o->s_record_version = record_version(&hs->side[!t->client]);
	o->hello_requests = hs->hello_requests > 0 ? (int32_t)hs->hello_requests : -1;
	o->heartbeats = (int32_t)(hs->side[0].heartbeats + hs->side[1].heartbeats);
	if (o->heartbeats == 0)
		o->heartbeats = -1;
	report_marks(r);
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct handshake *s = env->read;
	struct tls_report r = { .env = env, .out = &((struct out *)out)->tls };

	(void)state;
	(void)view;
	if (s->phase != HS_FOUND)
		return false;
	r.hs = s->at.hs;
	if (r.hs->record_count == 0 && r.hs->first == NULL && r.hs->alert_count == 0)
		return false;
	r.told = hs_told(r.hs, env->read_worker);
	report_connection(&r);
	tls_report_hellos(&r);
	tls_report_keys(&r);
	tls_report_certificates(&r);
	report_alerts(&r);
	report_records(&r);
	return true;
}

/* --- parts of a split flow ------------------------------------------------------------------- */

/* Behind a part that saw the beginning no part is midstream. */
static void drop_midstream(const struct field_list *before, struct field_list *marks)
{
	const char **words = (const char **)(uintptr_t)marks->items;
	const char *const *had = before->items;
	size_t count = 0;

	for (size_t i = 0; i < before->count; i++)
		if (strcmp(had[i], "midstream") == 0)
			return;
	for (size_t i = 0; i < marks->count; i++)
		if (strcmp(words[i], "midstream") != 0)
			words[count++] = words[i];
	marks->count = count;
}

static void add_alerts(
		struct feature_join *join, const struct field_list *next, struct field_list *alerts)
{
	const size_t had = alerts->count;
	const size_t more = next->count < LIMIT_ALERTS - had ? next->count : LIMIT_ALERTS - had;
	struct out_tls_alert *items;

	if (had >= LIMIT_ALERTS || more == 0)
		return;
	items = arena_alloc(join->arena, join->pool, (had + more) * sizeof *items);
	if (items == NULL)
		return;
	if (had > 0)
		memcpy(items, alerts->items, had * sizeof *items);
	memcpy(items + had, next->items, more * sizeof *items);
	*alerts = (struct field_list){ items, had + more };
}

static bool merge(struct feature_join *join, const void *before, const void *next, void *out)
{
	struct out_tls *o = &((struct out *)out)->tls;

	if (before == NULL)
		return true;
	join->capped |= o->srlt.count > 0 && o->srlt.count < join->list_max;
	if (next == NULL)
		return true;
	drop_midstream(&((const struct out *)before)->tls.marks, &o->marks);
	add_alerts(join, &((const struct out *)next)->tls.alerts, &o->alerts);
	return true;
}

static const struct field fields[] = {
	FIELD_SUB(struct out, tls, "tls", tls_fields,
			"The handshake of TLS, DTLS or QUIC, as far as it is not encrypted.  "
			"Found by content on any port; behind a protocol that asks for it too.  "
			"c_ is what the client sent, who says ClientHello, and s_ what the server "
			"sent, whoever began the flow.  The first MiB of each direction is looked "
			"at, or as much as num_pkts records of the greatest size have.",
			.null_rule = "left out of flows without a handshake or record",
			.merge = MERGE_FIRST),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct options, tls, "tls", "give the handshake of TLS, DTLS and QUIC",
			.flags = OPTION_FEATURE, .on = "1",
			.more = "Versions, server name, ciphersuites, extensions, certificates "
				"and the sequence of records; of encrypted records no more than "
				"their lengths and times."),
	{ 0 },
};

const struct feature feature_tls = {
	.name = "tls",
	.help = "handshake of TLS, DTLS and QUIC",
	.reads = &feature_handshake,
	.out_size = sizeof(struct out),
	.finish = finish,
	.merge = merge,
	.fields = fields,
	.options = options,
	.options_size = sizeof(struct options),
};
