/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handshake_kit.h - gives bytes to the collector of handshakes and reads what a feature reports of
 * them, by path (feature_kit.h).
 */
#pragma once

#include "feature/handshake_state.h"
#include "unit/feature_kit.h"

struct shake {
	struct kit kit; /* of the feature that reports */
	struct handshake state;
	struct feature_env env; /* of the collector */
	uint64_t offset[2];
	enum verdict verdict;
};

/* A TCP flow seen from its SYN on; 'proto' makes it another one. */
static inline void shake_start(struct shake *s, const struct feature *reports, uint8_t proto)
{
	*s = (struct shake){ .state = { .tries = 0 } };
	kit_start(&s->kit, reports, 0);
	s->kit.pkt.proto = proto;
	s->kit.flow.tcp[0].seen = s->kit.flow.tcp[1].seen = TCP_SEEN_SYN;
	s->kit.env.read = &s->state;
	s->env = s->kit.env;
	s->env.worker = feature_handshake.worker_new();
	assert_non_null(s->env.worker);
	s->kit.env.worker = reports->worker_new == NULL ? s->env.worker : reports->worker_new();
	s->kit.env.read_worker = s->env.worker;
	assert_non_null(s->kit.env.worker);
}

static inline void shake_free(struct shake *s)
{
	if (s->kit.env.worker != s->env.worker)
		s->kit.feature->worker_free(s->kit.env.worker);
	feature_handshake.leave(&s->state, &s->env);
	feature_handshake.worker_free(s->env.worker);
	kit_free(&s->kit);
}

static inline void shake_give(struct shake *s, unsigned dir, const void *bytes, size_t size)
{
	s->kit.pkt.dir = (uint8_t)dir;
	s->verdict = feature_handshake.stream(&s->state, &s->env, &s->kit.flow, &s->kit.pkt, dir,
			(struct rd){ bytes, size }, s->offset[dir]);
	s->offset[dir] += size;
}

/* A literal, without the zero at its end. */
#define SHAKE(s, dir, literal) shake_give(s, dir, literal, sizeof(literal) - 1)

/* Is a word in a list of words? */
static inline bool shake_has(const struct shake *s, const char *path, const char *word)
{
	const struct field_list *list = kit_at(&s->kit, path).at;
	const char *const *words = list->items;

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}
