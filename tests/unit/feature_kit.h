/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * feature_kit.h - shows made-up packets to one feature and reads its fields by path ("ppi.0.seq").
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feature/feature.h"

enum { KIT_OPTIONS = 64, KIT_MS = 1000000 };

struct kit {
	const struct feature *feature;
	struct conf conf;
	struct feature_env env;
	struct flow flow;
	struct pkt pkt; /* the last one shown; what is set here before is kept */
	struct arena scratch;
	uint64_t options[KIT_OPTIONS / 8];
	void *state, *out;
	struct flow_view view;
	bool done, there;
};

/* A TCP flow over IPv4, 10.0.0.1:40000 to 10.0.0.2:80, starting at 'start_ns'. */
static inline void kit_start(struct kit *k, const struct feature *feature, int64_t start_ns)
{
	*k = (struct kit){ .feature = feature };
	k->conf = (struct conf){ .bidir = true, .num_pkts = 50, .type = 1 };
	k->env = (struct feature_env){
		.conf = &k->conf, .options = k->options, .pool = pool_new(), .scratch = &k->scratch
	};
	k->flow.key = (struct flow_key){ .address = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 } },
		.port = { 40000, 80 },
		.proto = PROTO_TCP,
		.ip_version = 4 };
	k->flow.start_ns = start_ns;
	k->flow.rtt_ns = -1;
	k->flow.part = 1;
	k->flow.part_number = 1;
	k->pkt.proto = PROTO_TCP;
	k->state = calloc(1, feature->size + 1);
	k->out = calloc(1, feature->out_size);
	k->view = (struct flow_view){ &k->flow, 0, true };
}

static inline void kit_free(struct kit *k)
{
	arena_free(&k->flow.arena, k->env.pool);
	arena_free(&k->scratch, k->env.pool);
	pool_free(k->env.pool);
	free(k->state);
	free(k->out);
}

/* Counts k->pkt as the table does. */
static inline void kit_count(struct kit *k, unsigned dir, uint32_t payload_len, int64_t ns)
{
	struct flow_side *side = &k->flow.side[dir], *peer = &k->flow.side[!dir];
	int64_t now = ns;

	if (side->packets > 0 && side->last_ns > now)
		now = side->last_ns;
	if (peer->packets > 0 && peer->last_ns > now)
		now = peer->last_ns;
	if (k->pkt.ip_len < payload_len + 40 || k->pkt.payload_len != payload_len)
		k->pkt.ip_len = payload_len + 40;
	k->pkt.payload_len = payload_len;
	k->pkt.ns = ns;
	k->pkt.now_ns = now;
	k->pkt.dir = (uint8_t)dir;
	side->packets++;
	side->payload_bytes += payload_len;
	side->ip_bytes += k->pkt.ip_len;
	side->last_ns = now;
}

/* One packet as the engine would show it; ignored after DONE or when the feature does not want it.
 */
static inline void kit_packet(struct kit *k, unsigned dir, uint32_t payload_len, int64_t ns)
{
	kit_count(k, dir, payload_len, ns);
	if (k->done || (k->feature->wants == WANT_DATA && payload_len == 0))
		return;
	if (k->feature->update(k->state, &k->env, &k->flow, &k->pkt) == DONE)
		k->done = true;
}

static inline bool kit_finish(struct kit *k)
{
	memset(k->out, 0, k->feature->out_size);
	k->there = k->feature->finish(k->state, &k->env, &k->view, k->out);
	return k->there;
}

struct kit_value {
	const struct field *field;
	const void *at;
};

/* The field at a dotted path; numbers are places in a list. */
static inline struct kit_value kit_find(
		const struct field *fields, const void *data, const char *path)
{
	size_t n = strcspn(path, ".");

	for (const struct field *f = fields; f->key != NULL; f++) {
		const char *at = (const char *)data + f->offset;

		if (strlen(f->key) != n || memcmp(f->key, path, n) != 0)
			continue;
		if (path[n] == '\0')
			return (struct kit_value){ f, at };
		path += n + 1;
		if (f->type == FIELD_LIST) {
			const struct field_list *list = (const void *)at;
			char *end;
			unsigned long i = strtoul(path, &end, 10);

			assert_true(i < list->count);
			path = end + (*end == '.');
			at = (const char *)list->items + i * f->item_size;
			if (f->sub == NULL)
				return (struct kit_value){ f, at };
		}
		return kit_find(f->sub, at, path);
	}
	fail_msg("no field at %s", path);
	return (struct kit_value){ NULL, NULL };
}

static inline struct kit_value kit_at(const struct kit *k, const char *path)
{
	assert_true(k->there);
	return kit_find(k->feature->fields, k->out, path);
}

/* Any whole number; durations and moments in ns. */
static inline int64_t kit_int(const struct kit *k, const char *path)
{
	struct kit_value v = kit_at(k, path);
	enum field_type type = v.field->type == FIELD_LIST ? v.field->item : v.field->type;

	switch (type) {
	case FIELD_U8:
		return *(const uint8_t *)v.at;
	case FIELD_U16:
		return *(const uint16_t *)v.at;
	case FIELD_U32:
		return *(const uint32_t *)v.at;
	case FIELD_I32:
		return *(const int32_t *)v.at;
	case FIELD_U64:
	case FIELD_I64:
	case FIELD_MS:
	case FIELD_S:
	case FIELD_TIME:
		return *(const int64_t *)v.at;
	default:
		fail_msg("%s is no whole number", path);
		return 0;
	}
}

static inline double kit_double(const struct kit *k, const char *path)
{
	struct kit_value v = kit_at(k, path);

	assert_int_equal(v.field->type, FIELD_F64);
	return *(const double *)v.at;
}

static inline size_t kit_count_of(const struct kit *k, const char *path)
{
	struct kit_value v = kit_at(k, path);

	assert_int_equal(v.field->type, FIELD_LIST);
	return ((const struct field_list *)v.at)->count;
}

/* Words as they are, texts and bytes as they lie. */
static inline bool kit_is(const struct kit *k, const char *path, const char *text)
{
	struct kit_value v = kit_at(k, path);
	enum field_type type = v.field->type == FIELD_LIST ? v.field->item : v.field->type;

	if (type == FIELD_WORD) {
		const char *word = *(const char *const *)v.at;

		return word != NULL && strcmp(word, text) == 0;
	}
	assert_true(type == FIELD_TEXT || type == FIELD_HEX);

	const struct field_text *t = v.at;

	return t->p != NULL && t->size == strlen(text) && memcmp(t->p, text, t->size) == 0;
}

/* A text or bytes that are not there. */
static inline bool kit_absent(const struct kit *k, const char *path)
{
	return *(const void *const *)kit_at(k, path).at == NULL;
}
