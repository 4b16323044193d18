/* SPDX-License-Identifier: BSD-3-Clause */
/* registry.c - lays out options and states of the features in list.def. */
#include "feature/registry.h"

#include <stdlib.h>
#include <string.h>

#include "host/anon_check.h"

#define FEATURE(name) extern const struct feature feature_##name;
#include "feature/list.def"
#undef FEATURE

const struct feature *const feature_list[] = {
#define FEATURE(name) &feature_##name,
#include "feature/list.def"
#undef FEATURE
};

const size_t feature_count = sizeof feature_list / sizeof feature_list[0];

_Static_assert(sizeof feature_list / sizeof feature_list[0] <= REGISTRY_MAX, "too many features");

struct registry *registry_new(struct err *e)
{
	struct registry *r = calloc(1, sizeof *r);

	if (r == NULL) {
		err_set(e, "no memory for the options");
		return NULL;
	}
	r->sets_[r->sets.count++] = (struct option_set){ conf_options, &r->core };
	for (size_t i = 0; i < feature_count; i++) {
		const struct feature *f = feature_list[i];

		if (f->options == NULL)
			continue;
		r->options[i] = calloc(1, f->options_size);
		if (r->options[i] == NULL) {
			err_set(e, "no memory for the options");
			registry_free(r);
			return NULL;
		}
		r->sets_[r->sets.count++] = (struct option_set){ f->options, r->options[i] };
	}
	r->sets.set = r->sets_;
	if (!conf_defaults(&r->sets, e)) {
		registry_free(r);
		return NULL;
	}
	return r;
}

/* What the files of a feature hold; NULL for one that is off or has none. */
static struct loaded *loaded_of(const struct registry *r, size_t i)
{
	const struct feature *f = feature_list[i];

	if (!r->is_ready[i] || f->load == NULL)
		return NULL;
	return (struct loaded *)(void *)((char *)r->options[i] + f->loaded);
}

static void release(struct registry *r, size_t i)
{
	struct loaded *l = loaded_of(r, i);

	if (l != NULL) {
		feature_list[i]->unload(l->now);
		feature_list[i]->unload(l->next);
	}
	if (r->is_ready[i] && feature_list[i]->release != NULL)
		feature_list[i]->release(r->options[i]);
}

void registry_free(struct registry *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->prepared; i++)
		release(r, i);
	if (r->sets.set != NULL)
		conf_free(&r->sets);
	for (size_t i = 0; i < feature_count; i++)
		free(r->options[i]);
	free(r);
}

/* Is an option that switches a data element set to anything but off? */
static bool switched_on(const struct option *o, const void *base)
{
	const char *member = (const char *)base + o->offset;

	switch (o->type) {
	case OPTION_BOOL:
		return *(const bool *)member;
	case OPTION_U32:
		return *(const uint32_t *)(const void *)member != 0;
	case OPTION_U64:
		return *(const uint64_t *)(const void *)member != 0;
	case OPTION_TEXT:
		return *(char *const *)(const void *)member != NULL;
	default:
		return false;
	}
}

static bool enabled(const struct feature *f, const struct conf *core, const void *options)
{
	if (f->enabled != NULL)
		return f->enabled(core, options);
	if (f->fields == NULL)
		return false;
	if (f->always)
		return true;
	for (const struct option *o = f->options; o != NULL && o->name != NULL; o++)
		if ((o->flags & OPTION_FEATURE) && switched_on(o, options))
			return true;
	return false;
}

/* Whoever collects for others is on when one of them is. */
static void find_enabled(struct registry *r)
{
	for (size_t i = 0; i < feature_count; i++)
		r->is_on[i] = enabled(feature_list[i], &r->core, r->options[i]);
	for (size_t i = 0; i < feature_count; i++)
		for (size_t k = 0; k < feature_count; k++)
			if (r->is_on[k] && feature_list[k]->reads == feature_list[i])
				r->is_on[i] = true;
}

/* Where the feature that 'f' reads stands; one that reads nothing stands for itself. */
static size_t place_read(const struct registry *r, const struct feature *f, size_t own)
{
	for (size_t i = 0; i < own; i++)
		if (r->on[i] == f->reads)
			return i;
	return own;
}

static void add(struct registry *r, const struct feature *f, const void *options)
{
	static const struct field nothing[] = { { 0 } };
	bool stateless = f->stateless != NULL && f->stateless(&r->core);
	size_t i = r->on_count++;

	r->on[i] = f;
	r->on_options[i] = options;
	r->on_wants[i] = stateless ? 0 : f->wants;
	r->on_size[i] = stateless ? 0 : (f->size + 7) / 8 * 8;
	r->on_reads[i] = place_read(r, f, i);
	r->tables[i] = f->fields == NULL ? nothing : f->fields;
}

static bool make_ready(struct registry *r, size_t i, struct err *e)
{
	const struct feature *f = feature_list[i];
	struct loaded *l = loaded_of(r, i);

	if (f->prepare != NULL && !f->prepare(r->options[i], &r->core, e))
		return false;
	if (l == NULL || f->load(r->options[i], &l->now, e))
		return true;
	if (f->release != NULL)
		f->release(r->options[i]);
	return false;
}

/* Those that are on, of which 'is_ready' says whether they are to be made ready. */
static bool settle(struct registry *r, struct err *e)
{
	for (size_t i = 0; i < feature_count; i++) {
		const struct feature *f = feature_list[i];

		r->prepared = i;
		if (r->is_ready[i] && !make_ready(r, i, e)) {
			r->is_ready[i] = false;
			return false;
		}
		if (r->is_on[i])
			add(r, f, r->options[i]);
	}
	r->prepared = feature_count;
	return true;
}

bool registry_preview(struct registry *r, struct err *e)
{
	if (!conf_settle(&r->sets, &r->core, e))
		return false;
	find_enabled(r);
	return true;
}

bool registry_settle(struct registry *r, struct err *e)
{
	if (!registry_preview(r, e))
		return false;
	memcpy(r->is_ready, r->is_on, sizeof r->is_ready);
	return settle(r, e);
}

bool registry_settle_records(struct registry *r, const bool *has, struct err *e)
{
	if (!conf_settle(&r->sets, &r->core, e))
		return false;
	for (size_t i = 0; i < feature_count; i++) {
		const struct feature *f = feature_list[i];

		r->is_ready[i] = f->rewrites && enabled(f, &r->core, r->options[i]);
		r->is_on[i] = has[i] || r->is_ready[i];
	}
	return settle(r, e);
}

bool registry_is_ready(const struct registry *r, const struct feature *f)
{
	for (size_t i = 0; i < feature_count; i++)
		if (feature_list[i] == f)
			return r->is_ready[i];
	return false;
}

/* What was read again takes the place of what was in use, or is freed. */
static void swap(struct registry *r, bool take)
{
	for (size_t i = 0; i < feature_count; i++) {
		const struct feature *f = feature_list[i];
		struct loaded *l = loaded_of(r, i);

		if (l == NULL)
			continue;
		f->unload(take ? l->now : l->next);
		if (take)
			l->now = l->next;
		l->next = NULL;
	}
}

bool registry_reload(struct registry *r, struct err *e)
{
	for (size_t i = 0; i < feature_count; i++) {
		struct loaded *l = loaded_of(r, i);

		if (l == NULL || feature_list[i]->load(r->options[i], &l->next, e))
			continue;
		swap(r, false);
		return false;
	}
	return true;
}

void registry_swap(struct registry *r)
{
	swap(r, true);
}

bool registry_check(const struct registry *r, const char *records, struct buf *report,
		uint64_t *found, struct err *e)
{
	const struct option_set *in = NULL;
	const struct option *o = conf_find(&r->sets, "anon", &in);
	const char *subnets = o == NULL ? NULL : *(char *const *)((char *)in->base + o->offset);

	if (subnets == NULL)
		return err_set(e, "anon_check needs the list of subnets: anon=FILE");
	return anon_check(subnets, records, report, found, e);
}

bool registry_line(const struct registry *r, struct buf *line, struct err *e)
{
	for (size_t i = 0; i < feature_count; i++) {
		const struct feature *f = feature_list[i];

		if (r->is_ready[i] && f->line != NULL && !f->line(r->options[i], line))
			return err_set(e, "no memory for what %s does to a line", f->name);
	}
	return true;
}

void registry_poll(struct registry *r, void (*say)(void *ctx, const char *text), void *ctx)
{
	for (size_t i = 0; i < feature_count; i++)
		if (r->is_ready[i] && feature_list[i]->poll != NULL)
			feature_list[i]->poll(r->options[i], say, ctx);
}
