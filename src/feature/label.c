/* SPDX-License-Identifier: BSD-3-Clause */
/* label.c - names that lists of subnets give to the two addresses of a flow (host/label.h). */
#include "host/label.h"

#include "feature/feature.h"

struct options {
	char *label;
	struct loaded files; /* struct labels */
};

struct out {
	struct field_list sa, da;
};

static bool fill(const struct labels *l, const struct flow_key *k, unsigned end,
		struct field_list *out)
{
	out->items = labels_find(l, k->ip_version, k->address[end], &out->count);
	return out->count > 0;
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct options *options = env->options;
	const struct flow_key *k = &view->flow->key;
	unsigned from = flow_endpoint(view->flow, view->out);
	struct out *o = out;
	bool any;

	(void)state;
	any = fill(options->files.now, k, from, &o->sa);
	return fill(options->files.now, k, !from, &o->da) || any;
}

static bool enabled(const struct conf *conf, const void *options)
{
	(void)conf;
	return ((const struct options *)options)->label != NULL;
}

static bool load(const void *options, void **to, struct err *e)
{
	const struct options *o = options;

	*to = labels_load(o->label, e);
	return *to != NULL;
}

static void unload(void *loaded)
{
	labels_free(loaded);
}

static const struct field fields[] = {
	FIELD_SCALARS(struct out, sa, "sa_labels", const char *, "",
			"Labels of the subnets that hold sa, in the order in which label= first "
			"names them.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when there are none",
			.source = "Joy"),
	FIELD_SCALARS(struct out, da, "da_labels", const char *, "", "As sa_labels, of da.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when there are none",
			.source = "Joy"),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct options, label, "label", "name the subnets that addresses lie in",
			.group = "Lists", .value = "NAME:FILE",
			.flags = OPTION_REPEAT | OPTION_RELOADABLE | OPTION_FILE,
			.more = "The file has a subnet or address a line, IPv4 or IPv6, such as "
				"10.0.0.0/8, 10.0.0.0/255.0.0.0 or 2001:db8::1; # begins a "
				"comment.  A label may have several files, an address several "
				"labels."),
	{ 0 },
};

const struct feature feature_label = {
	.name = "label",
	.help = "labels of subnets",
	.out_size = sizeof(struct out),
	.finish = finish,
	.fields = fields,
	.rewrites = true,
	.options = options,
	.options_size = sizeof(struct options),
	.enabled = enabled,
	.load = load,
	.unload = unload,
	.loaded = offsetof(struct options, files),
};
