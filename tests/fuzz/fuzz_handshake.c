/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_handshake.c - bytes of both directions through the collector, and all its reports as JSON.
 *
 * The first byte says TCP or UDP; then come pieces: { direction and size, 2 bytes; bytes }.  Over
 * TCP the same bytes are given once more, cut otherwise, and the reports have to be the same.
 */
#include <stdlib.h>
#include <string.h>

#include "feature/handshake_state.h"
#include "json_valid.h"
#include "record/plan.h"

enum { REPORTS = 3, OUT = 8192, JSON = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct feature feature_tls, feature_quic, feature_fingerprint;

static const struct feature *const reports[REPORTS] = { &feature_tls, &feature_quic,
	&feature_fingerprint };

/* Made once. */
static struct {
	struct conf conf;
	struct pool *pool;
	void *worker;           /* of the collector, and of reports that have none of their own */
	void *workers[REPORTS]; /* of each report */
	struct plan *plan;
} all;

struct options { /* as large as any of the features' options, and all off */
	char bytes[64];
};

struct run {
	struct flow flow;
	struct handshake state;
	struct arena scratch;
	uint64_t offset[2];
	bool done;
};

static void prepare(void)
{
	const struct field *tables[REPORTS];
	struct err e;

	if (all.pool != NULL)
		return;
	all.worker = feature_handshake.worker_new();
	for (unsigned i = 0; i < REPORTS; i++) {
		tables[i] = reports[i]->fields;
		all.workers[i] = reports[i]->worker_new == NULL ? all.worker
								: reports[i]->worker_new();
		if (all.workers[i] == NULL)
			abort();
	}
	all.conf = (struct conf){ .bidir = true, .num_pkts = 30 };
	all.pool = pool_new();
	all.plan = plan_new(tables, REPORTS, true, &e);
	if (all.pool == NULL || all.plan == NULL)
		abort();
}

static struct feature_env env_of(struct run *r)
{
	static const struct options none;

	return (struct feature_env){ .conf = &all.conf,
		.options = &none,
		.pool = all.pool,
		.scratch = &r->scratch,
		.worker = all.worker,
		.read_worker = all.worker,
		.read = &r->state };
}

static void begin(struct run *r)
{
	*r = (struct run){ .flow.part = 1 };
	r->flow.tcp[0].seen = r->flow.tcp[1].seen = TCP_SEEN_SYN;
}

/* A copy of exact size, so that any overread is seen. */
static void give(struct run *r, unsigned dir, uint8_t proto, struct rd bytes)
{
	struct feature_env env = env_of(r);
	struct pkt pkt = { .proto = proto, .dir = (uint8_t)dir };
	uint8_t *copy = malloc(bytes.left > 0 ? bytes.left : 1);

	if (copy == NULL)
		abort();
	if (bytes.left > 0)
		memcpy(copy, bytes.p, bytes.left);
	if (!r->done)
		r->done = feature_handshake.stream(&r->state, &env, &r->flow, &pkt, dir,
					  (struct rd){ copy, bytes.left }, r->offset[dir]) == DONE;
	r->offset[dir] += bytes.left;
	free(copy);
}

static void report(struct run *r, struct buf *json)
{
	static _Alignas(16) char outs[REPORTS][OUT];
	const uint64_t no_state = 0;
	struct feature_env env = env_of(r);
	struct flow_view view = { &r->flow, 0, true };
	const void *data[REPORTS];

	for (unsigned i = 0; i < REPORTS; i++) {
		if (reports[i]->out_size > OUT)
			abort();
		memset(outs[i], 0, sizeof outs[i]);
		env.worker = all.workers[i];
		data[i] = reports[i]->finish(&no_state, &env, &view, outs[i]) ? outs[i] : NULL;
	}
	plan_json(all.plan, data, json);
	if (!buf_ok(json) || !json_is_valid(json->p, json->size))
		abort();
	env.worker = all.worker;
	feature_handshake.leave(&r->state, &env);
	arena_free(&r->scratch, all.pool);
	arena_free(&r->flow.arena, all.pool);
}

/* 'cut': pieces of TCP are no larger; 0: as they come. */
static void play(struct rd input, uint8_t proto, size_t cut, struct buf *json)
{
	struct run r;

	begin(&r);
	while (rd_more(&input)) {
		uint16_t head = rd_u16(&input);
		struct rd bytes = rd_first(input, head & 0x7fff);

		rd_bytes(&input, bytes.left);
		while (bytes.left > 0) {
			struct rd piece = cut == 0 ? bytes : rd_first(bytes, cut);

			rd_bytes(&bytes, piece.left);
			give(&r, head >> 15, proto, piece);
		}
	}
	report(&r, json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd input = { data, size };
	struct buf whole = buf_new(JSON), cut = buf_new(JSON);
	uint8_t mode = rd_u8(&input);
	uint8_t proto = mode & 1 ? PROTO_UDP : PROTO_TCP;

	prepare();
	play(input, proto, 0, &whole);
	if (proto == PROTO_TCP) {
		play(input, proto, 1 + mode / 2 % 16, &cut);
		if (whole.size != cut.size || memcmp(whole.p, cut.p, cut.size) != 0)
			abort();
	}
	buf_free(&whole);
	buf_free(&cut);
	return 0;
}
