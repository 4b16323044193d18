/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fingerprint.c - names for how client and server say hello, and the labels that a file knows for
 * them.
 *
 * Hellos come from handshake.c; of TCP the first SYN is kept here, since npf_tcp is made of it.
 */
#include <stdlib.h>

#include "feature/fingerprint_db.h"
#include "feature/fingerprint_out.h"
#include "feature/handshake_quic.h"
#include "proto/fingerprint.h"

struct syn { /* a SYN without ACK */
	uint16_t window;
	uint8_t ip_version, ttl, size;
	bool id_zero;
	uint8_t options[];
};

struct fingerprint {
	struct syn *syn;
};

struct options {
	bool fingerprint;
	char *file;
	struct loaded files; /* struct fingerprint_db */
};

/* Memory of a worker. */
struct worker {
	struct fingerprint_work *work;
	struct buf text; /* fingerprints are written here */
};

/* What finish() passes on. */
struct print {
	const struct feature_env *env;
	struct worker *worker;
	struct out_fingerprints *out;
};

/* --- while packets come ------------------------------------------------------------------------
 */

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct fingerprint *s = state;
	struct syn *syn;

	if ((pkt->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return s->syn != NULL || flow->side[pkt->dir].packets > 1 ? DONE : MORE;
	syn = arena_alloc(&flow->arena, env->pool, sizeof *syn + pkt->tcp_options.left);
	if (syn == NULL) {
		flow->marks |= FLOW_NO_MEMORY;
		return DONE;
	}
	*syn = (struct syn){ .window = pkt->window,
		.ip_version = pkt->ip_version,
		.ttl = pkt->ttl,
		.size = (uint8_t)pkt->tcp_options.left,
		.id_zero = pkt->ip_version == 4 ? pkt->ip_id == 0 : pkt->flow_label == 0 };
	if (pkt->tcp_options.left > 0)
		memcpy(syn->options, pkt->tcp_options.p, pkt->tcp_options.left);
	s->syn = syn;
	return DONE;
}

/* --- at flow end -------------------------------------------------------------------------------
 */

static const char *keep(const struct print *p, const char *text, size_t size)
{
	char *copy = size == 0 ? NULL : arena_alloc(p->env->scratch, p->env->pool, size + 1);

	if (copy == NULL)
		return NULL;
	memcpy(copy, text, size);
	copy[size] = '\0';
	return copy;
}

/* What has been written to the worker's buffer. */
static const char *keep_text(const struct print *p)
{
	const struct buf *b = &p->worker->text;

	return buf_ok(b) ? keep(p, b->p, b->size) : NULL;
}

static struct buf *fresh(const struct print *p)
{
	buf_clear(&p->worker->text);
	return &p->worker->text;
}

static const char *tls_text(const struct print *p, bool dtls, enum npf_format f)
{
	npf_tls(p->worker->work, dtls, f, fresh(p));
	return keep_text(p);
}

static const char *quic_text(const struct print *p, uint32_t version, enum npf_format f)
{
	npf_quic(p->worker->work, version, f, fresh(p));
	return keep_text(p);
}

static void print_npf(const struct print *p, const struct hs *hs)
{
	struct out_fingerprints *o = p->out;

	if (hs->carrier == HS_QUIC) {
		uint32_t version = hs->quic->way[hs_client(hs)].version;

		o->npf_quic = quic_text(p, version, NPF_PLAIN);
		o->npf_quic_1 = quic_text(p, version, NPF_SELECTED);
	} else if (hs->carrier == HS_DTLS) {
		o->npf_dtls = tls_text(p, true, NPF_PLAIN);
		o->npf_dtls_1 = tls_text(p, true, NPF_SORTED);
		o->npf_dtls_2 = tls_text(p, true, NPF_SELECTED);
	} else {
		o->npf_tls = tls_text(p, false, NPF_PLAIN);
		o->npf_tls_1 = tls_text(p, false, NPF_SORTED);
		o->npf_tls_2 = tls_text(p, false, NPF_SELECTED);
	}
}

static void print_client(const struct print *p, const struct hs *hs, const struct hs_hello *h)
{
	static const enum ja4_transport transports[] = { JA4_TLS, JA4_DTLS, JA4_QUIC };
	struct fingerprint_work *work = p->worker->work;
	char hash[JA4_SIZE];

	fingerprint_read(work, &h->hello);
	ja3(work, fresh(p), hash);
	p->out->ja3 = keep(p, hash, strlen(hash));
	ja4(work, &h->info, transports[hs->carrier], fresh(p), hash);
	p->out->ja4 = keep(p, hash, strlen(hash));
	p->out->ja4_r = keep_text(p);
	print_npf(p, hs);
}

static void print_server(const struct print *p, const struct hs *hs, const struct hs_hello *h)
{
	struct fingerprint_work *work = p->worker->work;
	bool dtls = hs->carrier == HS_DTLS;
	char hash[JA3_SIZE];

	fingerprint_read(work, &h->hello);
	ja3(work, fresh(p), hash);
	p->out->ja3s = keep(p, hash, strlen(hash));
	npf_server(work, dtls, fresh(p));
	if (dtls)
		p->out->npf_dtls_server = keep_text(p);
	else
		p->out->npf_tls_server = keep_text(p);
}

/* Hellos are named when nothing of them is missing; of a part there would be another name. */
static void print_hellos(const struct print *p, const struct hs *hs)
{
	const struct hs_told *t = hs_told(hs, p->env->read_worker);

	if (t->client_hello->ended)
		print_client(p, hs, t->client_hello);
	if (t->server_hello->ended)
		print_server(p, hs, t->server_hello);
}

static void print_syn(const struct print *p, const struct syn *s)
{
	npf_tcp(&(struct npf_syn){ s->ip_version, s->id_zero, s->ttl, s->window,
				{ s->options, s->size } },
			fresh(p));
	p->out->npf_tcp = keep_text(p);
}

/* The labels of all fingerprints that are there, in the order of the fields. */
static void print_labels(const struct print *p, const struct fingerprint_db *db)
{
	struct out_label *items = NULL;
	size_t total = 0, n = 0;

	for (unsigned pass = 0; pass < 2; pass++) {
		if (pass == 1)
			items = arena_alloc(p->env->scratch, p->env->pool, total * sizeof *items);
		for (const struct field *f = fingerprint_fields;
				f->key != NULL && (pass == 0 || items != NULL); f++) {
			const char *value = NULL;
			size_t count = 0;

			if (f->type != FIELD_WORD)
				continue;
			memcpy(&value, (const char *)p->out + f->offset, sizeof value);
			if (value == NULL)
				continue;

			const struct field_text *found = fingerprint_db_find(db, f->key,
					(struct rd){ (const uint8_t *)value, strlen(value) },
					&count);

			total += pass == 0 ? count : 0;
			for (size_t i = 0; pass == 1 && i < count; i++)
				items[n++] = (struct out_label){ f->key, found[i] };
		}
	}
	p->out->labels = (struct field_list){ items, n };
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct fingerprint *s = state;
	const struct handshake *shake = env->read;
	const struct options *options = env->options;
	struct out_fingerprints *o = &((struct fingerprint_record *)out)->fingerprints;
	struct print p = { env, env->worker, o };

	(void)view;
	if (shake->phase == HS_FOUND)
		print_hellos(&p, shake->at.hs);
	if (s->syn != NULL)
		print_syn(&p, s->syn);
	if (options->files.now != NULL)
		print_labels(&p, options->files.now);
	return o->ja3 != NULL || o->ja3s != NULL || o->npf_tcp != NULL;
}

/* --- memory of a worker -------------------------------------------------------------------------
 */

static void worker_free(void *worker)
{
	struct worker *w = worker;

	if (w == NULL)
		return;
	fingerprint_work_free(w->work);
	buf_free(&w->text);
	free(w);
}

static void *worker_new(void)
{
	struct worker *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->text = fingerprint_buf();
	w->work = fingerprint_work_new();
	if (w->work == NULL) {
		worker_free(w);
		return NULL;
	}
	return w;
}

static size_t worker_memory(const void *worker)
{
	const struct worker *w = worker;

	return sizeof *w + w->text.room + fingerprint_work_memory(w->work);
}

/* --- options -------------------------------------------------------------------------------- */

static bool load(const void *options, void **to, struct err *e)
{
	const struct options *o = options;

	*to = o->file == NULL ? NULL : fingerprint_db_load(o->file, e);
	return o->file == NULL || *to != NULL;
}

static void unload(void *loaded)
{
	fingerprint_db_free(loaded);
}

static bool enabled(const struct conf *conf, const void *options)
{
	const struct options *o = options;

	(void)conf;
	return o->fingerprint;
}

static const struct option options[] = {
	OPTION(struct options, fingerprint, "fingerprint",
			"give fingerprints of TLS, DTLS, QUIC and TCP", .flags = OPTION_FEATURE,
			.on = "1",
			.more = "JA3, JA3S, JA4 and Cisco's Network Protocol Fingerprints."),
	OPTION(struct options, file, "fingerprint_db", "labels for fingerprints, from a file",
			.flags = OPTION_FILE | OPTION_RELOADABLE, .value = "FILE",
			.more = "A JSON object a line with kind, value and labels, as in "
				"doc/fingerprints.md."),
	{ 0 },
};

/* Of QUIC only the flow's first packets tell with which version it began. */
static bool merge(struct feature_join *join, const void *before, const void *next, void *out)
{
	struct out_fingerprints *o = &((struct fingerprint_record *)out)->fingerprints;
	const struct fingerprint_record *first = before;

	(void)join;
	(void)next;
	o->npf_quic = first != NULL ? first->fingerprints.npf_quic : NULL;
	o->npf_quic_1 = first != NULL ? first->fingerprints.npf_quic_1 : NULL;
	return true;
}

const struct feature feature_fingerprint = {
	.name = "fingerprint",
	.help = "fingerprints of hellos",
	.wants = WANT_TCP,
	.reads = &feature_handshake,
	.size = sizeof(struct fingerprint),
	.out_size = sizeof(struct fingerprint_record),
	.update = update,
	.finish = finish,
	.merge = merge,
	.fields = fingerprint_table,
	.options = options,
	.options_size = sizeof(struct options),
	.load = load,
	.unload = unload,
	.loaded = offsetof(struct options, files),
	.worker_new = worker_new,
	.worker_free = worker_free,
	.worker_memory = worker_memory,
	.enabled = enabled,
};
