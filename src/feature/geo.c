/* SPDX-License-Identifier: BSD-3-Clause */
/* geo.c - country, autonomous system and organisation of the two addresses (host/geo.h). */
#include "host/geo.h"

#include "feature/feature.h"

struct options {
	char *geoip;
	struct loaded files; /* struct geo */
};

struct out_geo {
	struct field_text country;
	int64_t asn;
	struct field_text organisation;
};

struct out {
	struct out_geo sa, da;
};

static bool fill(const struct geo *g, const struct flow_key *k, unsigned end, struct out_geo *out)
{
	struct geo_place p;
	bool found = geo_find(g, k->ip_version, k->address[end], &p);

	out->country = (struct field_text){ p.country, p.country_size };
	out->asn = p.asn;
	out->organisation = (struct field_text){ p.organisation, p.organisation_size };
	return found;
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
	return ((const struct options *)options)->geoip != NULL;
}

static bool load(const void *options, void **to, struct err *e)
{
	const struct options *o = options;

	*to = geo_load(o->geoip, e);
	return *to != NULL;
}

static void unload(void *loaded)
{
	geo_free(loaded);
}

#define UNKNOWN "left out when no file knows it"

#define GEO_FIELDS(about)                                                                          \
	{                                                                                          \
		FIELD(struct out_geo, country, "country", "",                                      \
				"Country of the address (ISO 3166-1 alpha-2), else that in which " \
				"it is registered.",                                               \
				.flags = FIELD_OPTIONAL | (about), .null_rule = UNKNOWN),          \
				FIELD(struct out_geo, asn, "asn", "",                              \
						"Number of the autonomous system.",                \
						.flags = FIELD_OPTIONAL | FIELD_NULLABLE |         \
							 (about),                                  \
						.null_rule = UNKNOWN, .source = "RFC 6793"),       \
				FIELD(struct out_geo, organisation, "organisation", "",            \
						"Who has the autonomous system.",                  \
						.flags = FIELD_OPTIONAL | (about),                 \
						.null_rule = UNKNOWN),                             \
				{ 0 },                                                             \
	}

static const struct field sa_fields[] = GEO_FIELDS(FIELD_ABOUT_SA);
static const struct field da_fields[] = GEO_FIELDS(FIELD_ABOUT_DA);

static const struct field fields[] = {
	FIELD_SUB(struct out, sa, "sa_geo", sa_fields, "What the files of geoip= say of sa.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when they say nothing"),
	FIELD_SUB(struct out, da, "da_geo", da_fields, "What the files of geoip= say of da.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when they say nothing"),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct options, geoip, "geoip", "look addresses up in a MaxMind DB file",
			.value = "FILE", .group = "Lists",
			.flags = OPTION_REPEAT | OPTION_RELOADABLE | OPTION_FILE,
			.more = "Country or City for the country, ASN for autonomous system and "
				"organisation.  Of several files the first that knows an item "
				"counts."),
	{ 0 },
};

const struct feature feature_geo = {
	.name = "geo",
	.help = "country, autonomous system and organisation of addresses",
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
