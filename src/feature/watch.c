/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * watch.c - what of a record stands in lists of addresses and names (host/watch.h).
 *
 * Looked up are the addresses of the record, and the fields that are marked as names, whichever
 * feature reports them; so a feature that learns of names has to mark them and nothing else.
 */
#include "host/watch.h"

#include <stdlib.h>

#include "feature/picks.h"

extern const struct feature feature_watch;

struct options {
	char *watch;
	struct loaded files; /* struct watch */
	struct picks picks;
};

struct out_hit {
	const char *what;
	struct field_text entry;
	const char *list;
};

struct out {
	struct field_list watch;
	uint64_t more;
};

/* --- a record ---------------------------------------------------------------------------- */

struct looking {
	const struct feature_env *env;
	const struct watch *watch;
	struct out *out;
	struct out_hit *hits; /* LIMIT_WATCH_HITS, from scratch memory when there is the first */
};

static struct field_text entry_text(const struct looking *l, const struct watch_hit *h)
{
	char *to;

	if (h->entry != NULL)
		return (struct field_text){ h->entry, h->entry_size };
	to = arena_alloc(l->env->scratch, l->env->pool, PREFIX_ROOM);
	if (to == NULL)
		return (struct field_text){ "", 0 };
	return (struct field_text){ to, prefix_text(&h->subnet, to) };
}

/* Many names of one domain are one hit. */
static bool is_there(const struct looking *l, const char *what, const struct watch_hit *h)
{
	for (size_t i = 0; i < l->out->watch.count; i++)
		if (l->hits[i].what == what && l->hits[i].list == h->list &&
				l->hits[i].entry.p == h->entry)
			return true;
	return false;
}

static void add(struct looking *l, const char *what, const struct watch_hit *h)
{
	if (l->hits == NULL)
		l->hits = arena_alloc(
				l->env->scratch, l->env->pool, LIMIT_WATCH_HITS * sizeof *l->hits);
	if (l->hits == NULL || (h->entry != NULL && is_there(l, what, h)))
		return;
	if (l->out->watch.count == LIMIT_WATCH_HITS) {
		l->out->more++;
		return;
	}
	l->hits[l->out->watch.count++] = (struct out_hit){ what, entry_text(l, h), h->list };
	l->out->watch.items = l->hits;
}

static void visit(
		void *ctx, const struct field *f, enum field_type type, const char *path, void *at)
{
	struct looking *l = ctx;
	struct watch_hit hits[LIMIT_WATCH_HITS];
	const struct field_address *address = at;
	const struct field_text *text = at;
	size_t count = 0, more = 0;

	(void)f;
	if (type == FIELD_ADDRESS && address->version != 0)
		count = watch_address(l->watch, address->version, address->bytes, hits,
				LIMIT_WATCH_HITS, &more);
	else if (type == FIELD_TEXT && text->p != NULL)
		count = watch_name(l->watch, text->p, text->size, hits, LIMIT_WATCH_HITS, &more);
	for (size_t i = 0; i < count; i++)
		add(l, path, &hits[i]);
	l->out->more += more;
}

static bool record(const struct feature_env *env, const struct flow_view *view,
		const struct feature_record *record, void *out)
{
	const struct options *o = env->options;
	struct looking l = { .env = env, .watch = o->files.now, .out = out };
	const struct pick_walk walk = { .visit = visit, .ctx = &l };

	(void)view;
	picks_visit(&o->picks, env->worker, record, &walk);
	if (l.out->more == 0)
		l.out->more = UINT64_MAX;
	return l.out->watch.count > 0;
}

/* --- lists ------------------------------------------------------------------------------- */

static bool enabled(const struct conf *conf, const void *options)
{
	(void)conf;
	return ((const struct options *)options)->watch != NULL;
}

static bool wants(const struct field *f)
{
	enum field_type type = f->type == FIELD_LIST ? f->item : f->type;

	return type == FIELD_ADDRESS || (type == FIELD_TEXT && (f->flags & FIELD_IS_NAME));
}

static bool prepare(void *options, const struct conf *conf, struct err *e)
{
	(void)conf;
	return picks_new(&((struct options *)options)->picks, wants, feature_watch.fields, e);
}

static bool load(const void *options, void **to, struct err *e)
{
	const struct options *o = options;

	*to = watch_load(o->watch, e);
	return *to != NULL;
}

static void unload(void *loaded)
{
	watch_free(loaded);
}

static void release(void *options)
{
	picks_free(&((struct options *)options)->picks);
}

static void *worker_new(void)
{
	return calloc(1, sizeof(struct picks_map));
}

/* --- words ------------------------------------------------------------------------------- */

static const struct field hit_fields[] = {
	FIELD(struct out_hit, what, "what", "",
			"What of the record it is: the field, as explain= knows it (sa, da, "
			"tls.sni, ...)."),
	FIELD(struct out_hit, entry, "entry", "",
			"The entry of the list: an address, a subnet that holds it, a name, or a "
			"domain that it lies in; of several of one list the longest.",
			.flags = FIELD_IS_NAME | FIELD_IS_ADDRESS),
	FIELD(struct out_hit, list, "list", "", "Name of the list's file, without folders."),
	{ 0 },
};

static const struct field fields[] = {
	FIELD_LIST_OF(struct out, watch, "watch", struct out_hit, hit_fields,
			"What stands in the lists of watch=: addresses, and names that the "
			"record has.  The first 16.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when nothing does",
			.merge = MERGE_UNION),
	FIELD(struct out, more, "watch_more", "", "Hits that are not listed in watch.",
			.flags = FIELD_OPTIONAL | FIELD_NULLABLE,
			.null_rule = "left out when all are listed", .merge = MERGE_SUM),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct options, watch, "watch",
			"mark flows that have to do with listed addresses "
			"and names",
			.group = "Lists", .value = "FILE",
			.flags = OPTION_REPEAT | OPTION_RELOADABLE | OPTION_FILE,
			.more = "The file has an address, subnet or name a line, or is a hosts "
				"file, or CSV with a column named domain, ip, indicator or the "
				"like (otherwise the first counts); # begins a comment.  A name "
				"holds for all names below it too."),
	{ 0 },
};

const struct feature feature_watch = {
	.name = "watch",
	.help = "addresses and names that stand in lists",
	.out_size = sizeof(struct out),
	.record = record,
	.fields = fields,
	.rewrites = true,
	.options = options,
	.options_size = sizeof(struct options),
	.enabled = enabled,
	.prepare = prepare,
	.release = release,
	.load = load,
	.unload = unload,
	.loaded = offsetof(struct options, files),
	.worker_new = worker_new,
	.worker_free = free,
};
