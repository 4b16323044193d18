/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anon.c - takes listed addresses, names and users out of a record (host/anon.h).
 *
 * Last in list.def, so that it sees what all others say.  What it looks at follows from the field
 * tables: every address, every text from the wire, and what has a flag for it; nothing is named
 * here. Bytes that may hold addresses are left out, but for those that are known to be a packet.
 */
#include "host/anon.h"

#include <stdlib.h>

#include "feature/community.h"
#include "feature/picks.h"

struct options {
	char *anon, *anon_key, *useranon, *check;
	bool names;
	struct loaded files; /* struct anon */
	struct picks picks;
};

struct work {
	struct anon_worker *anon;
	struct picks_map map;
	struct buf text;
};

/* A record on its way. */
struct scrub {
	const struct feature_env *env;
	const struct anon *anon;
	struct work *work;
	const struct flow_view *view;
	bool sa, da; /* is replaced */
	bool users, names;
};

static void *copy(void *ctx, size_t size)
{
	const struct scrub *s = ctx;

	return arena_alloc(s->env->scratch, s->env->pool, size);
}

/* --- values ------------------------------------------------------------------------------ */

static void scrub_address(struct scrub *s, struct field_address *a)
{
	if (a->version != 0 &&
			anon_address(s->anon, s->work->anon, a->version, a->bytes) == ANON_FAILED)
		pick_null(FIELD_ADDRESS, a);
}

/* What becomes of a text, with a zero behind; the text itself when it stays. */
static struct field_text scrubbed(struct scrub *s, const struct field *f, struct field_text t)
{
	struct buf *b = &s->work->text;
	bool name = f->flags & (FIELD_IS_NAME | FIELD_NAMES_OWNER);
	enum anon_text what = name ? ANON_NAME : ANON_TEXT;
	enum anon_outcome outcome;
	char *to;

	buf_clear(b);
	outcome = anon_text(s->anon, s->work->anon, what, t.p, t.size, b);
	if (outcome == ANON_SAME)
		return t;
	to = outcome == ANON_CHANGED ? copy(s, b->size + 1) : NULL;
	if (to == NULL)
		return (struct field_text){ "", 0 };
	memcpy(to, b->p, b->size);
	to[b->size] = '\0';
	return (struct field_text){ to, b->size };
}

static void scrub_text(struct scrub *s, const struct field *f, struct field_text *t)
{
	if (t->p != NULL)
		*t = scrubbed(s, f, *t);
}

static void scrub_word(struct scrub *s, const struct field *f, const char **word)
{
	if (*word != NULL)
		*word = scrubbed(s, f, (struct field_text){ *word, strlen(*word) }).p;
}

static void scrub_packet(struct scrub *s, struct field_hex *h)
{
	uint8_t *to = h->p == NULL ? NULL : copy(s, h->size);

	if (to == NULL) {
		pick_null(FIELD_HEX, h);
		return;
	}
	memcpy(to, h->p, h->size);
	if (anon_packet(s->anon, s->work->anon, to, h->size) == ANON_FAILED)
		pick_null(FIELD_HEX, h);
	else
		h->p = to;
}

/* The Community ID is a hash of few enough addresses that all of them could be tried. */
static void scrub_community_id(struct scrub *s, struct field_text *t)
{
	const struct flow_key *k = &s->view->flow->key;
	uint8_t address[2][16];
	char *to = NULL;
	bool good = true;

	if (t->p == NULL || !(s->sa || s->da))
		return;
	memcpy(address, k->address, sizeof address);
	for (unsigned i = 0; i < 2; i++)
		good &= anon_address(s->anon, s->work->anon, k->ip_version, address[i]) !=
			ANON_FAILED;
	to = good ? copy(s, COMMUNITY_ID_SIZE) : NULL;
	if (to != NULL)
		community_of(s->view, (const uint8_t(*)[16])address,
				(uint16_t)s->env->conf->community_id_seed, to);
	*t = (struct field_text){ to, to == NULL ? 0 : COMMUNITY_ID_SIZE };
}

static bool is_about_replaced(const struct scrub *s, const struct field *f)
{
	return ((f->flags & FIELD_ABOUT_SA) && s->sa) || ((f->flags & FIELD_ABOUT_DA) && s->da);
}

/* Bytes that may hold an address; those of which anybody could find the name in public logs. */
static bool leaves_out(const struct scrub *s, const struct field *f)
{
	return (f->flags & FIELD_IS_ADDRESS) || s->names;
}

static void visit(
		void *ctx, const struct field *f, enum field_type type, const char *path, void *at)
{
	struct scrub *s = ctx;

	(void)path;
	if (is_about_replaced(s, f))
		pick_null(type, at);
	else if (f->flags & FIELD_COMMUNITY_ID)
		scrub_community_id(s, at);
	else if (type == FIELD_ADDRESS)
		scrub_address(s, at);
	else if (type == FIELD_TEXT)
		scrub_text(s, f, at);
	else if (type == FIELD_WORD)
		scrub_word(s, f, at);
	else if (type == FIELD_HEX && (f->flags & FIELD_IS_PACKET))
		scrub_packet(s, at);
	else if (type == FIELD_HEX ? leaves_out(s, f) : s->users)
		pick_null(type, at); /* bytes; a number that names a person */
}

static bool wants(const struct field *f)
{
	const unsigned about = FIELD_ABOUT_SA | FIELD_ABOUT_DA;
	const unsigned marked = FIELD_IS_ADDRESS | FIELD_IS_NAME | FIELD_NAMES_OWNER;
	enum field_type type = f->type == FIELD_LIST ? f->item : f->type;

	switch (type) {
	case FIELD_ADDRESS:
	case FIELD_TEXT:
		return true;
	case FIELD_WORD:
		return f->flags & (marked | about | FIELD_PERSONAL);
	case FIELD_HEX:
		return f->flags & (FIELD_IS_ADDRESS | FIELD_IS_PACKET | FIELD_NAMES_OWNER | about);
	default:
		return f->flags & (about | FIELD_PERSONAL);
	}
}

static bool record(const struct feature_env *env, const struct flow_view *view,
		const struct feature_record *record, void *out)
{
	const struct options *o = env->options;
	const struct flow_key *k = &view->flow->key;
	unsigned from = flow_endpoint(view->flow, view->out);
	struct scrub s = { .env = env, .anon = o->files.now, .work = env->worker, .view = view };
	const struct pick_walk walk = { .visit = visit, .copy = copy, .ctx = &s };

	(void)out;
	s.users = o->useranon != NULL;
	s.names = o->names;
	s.sa = anon_listed(s.anon, k->ip_version, k->address[from]);
	s.da = anon_listed(s.anon, k->ip_version, k->address[!from]);
	picks_visit(&o->picks, &s.work->map, record, &walk);
	return false;
}

/* --- lines that are no record ------------------------------------------------------------ */

static bool line(const void *options, struct buf *text)
{
	const struct options *o = options;
	struct anon_worker *w = anon_worker_new();
	struct buf other = buf_new(text->cap);
	enum anon_outcome outcome = w == NULL ? ANON_FAILED
					      : anon_text(o->files.now, w, ANON_TEXT, text->p,
								text->size, &other);

	if (outcome == ANON_CHANGED) {
		buf_clear(text);
		buf_bytes(text, other.p, other.size);
	}
	buf_free(&other);
	anon_worker_free(w);
	return outcome != ANON_FAILED && buf_ok(text);
}

/* --- lists and key ----------------------------------------------------------------------- */

static bool enabled(const struct conf *conf, const void *options)
{
	const struct options *o = options;

	(void)conf;
	return o->anon != NULL || o->useranon != NULL || o->names;
}

static bool prepare(void *options, const struct conf *conf, struct err *e)
{
	(void)conf;
	return picks_new(&((struct options *)options)->picks, wants, NULL, e);
}

static bool load(const void *options, void **to, struct err *e)
{
	const struct options *o = options;
	const struct anon_conf conf = {
		.subnets = o->anon, .users = o->useranon, .key_file = o->anon_key, .names = o->names
	};

	*to = anon_load(&conf, o->files.now, e);
	return *to != NULL;
}

static void unload(void *loaded)
{
	anon_free(loaded);
}

static void release(void *options)
{
	picks_free(&((struct options *)options)->picks);
}

static void worker_free(void *worker)
{
	struct work *w = worker;

	if (w == NULL)
		return;
	anon_worker_free(w->anon);
	buf_free(&w->text);
	free(w);
}

static void *worker_new(void)
{
	struct work *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->anon = anon_worker_new();
	w->text = buf_new(LIMIT_RECORD_BYTES);
	if (w->anon == NULL) {
		worker_free(w);
		return NULL;
	}
	return w;
}

static const struct option options[] = {
	OPTION(struct options, anon, "anon", "replace addresses in the listed subnets",
			.group = "Anonymisation", .value = "FILE",
			.flags = OPTION_RELOADABLE | OPTION_FILE,
			.more = "By Crypto-PAn, wherever they stand in a record; see "
				"doc/anonymisation.md.  The file has a subnet or address a line, "
				"IPv4 or IPv6; # begins a comment."),
	OPTION(struct options, anon_key, "anon_key", "key of anonymisation", .value = "FILE",
			.flags = OPTION_SECRET | OPTION_FILE,
			.more = "Made when it is not there, for its owner only; one that others "
				"may read is refused.  Otherwise the list's name with .key "
				"behind it."),
	OPTION(struct options, names, "anon_names", "replace host names by keyed hashes",
			.initial = "0",
			.more = "Server names and what certificates name, label by label."),
	OPTION(struct options, useranon, "useranon", "replace listed user names by keyed hashes",
			.value = "FILE", .flags = OPTION_RELOADABLE | OPTION_FILE,
			.more = "A name a line; they are found as whole words in texts, in any "
				"case."),
	OPTION(struct options, check, "anon_check",
			"tell which fields of written records hold listed addresses",
			.value = "FILE", .flags = OPTION_COMMAND | OPTION_FILE,
			.more = "The records of FILE (- is standard input; may be gzipped) are "
				"looked through for addresses in the subnets of anon.  The exit "
				"status is 1 when there are any."),
	{ 0 },
};

const struct feature feature_anon = {
	.name = "anon",
	.help = "anonymisation",
	.record = record,
	.line = line,
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
	.worker_free = worker_free,
};
