/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * text.c - the texts that the library writes about itself, all from the option and field tables.
 *
 * Fields are those of every feature, switched on or not.
 */
#include <stdlib.h>

#include "api/stream.h"
#include "conf/print.h"

struct fields {
	const struct field *table[REGISTRY_MAX];
	const char *name[REGISTRY_MAX];
	size_t count;
};

static struct fields all_fields(void)
{
	struct fields f = { .count = 0 };

	for (size_t i = 0; i < feature_count && f.count < REGISTRY_MAX; i++) {
		if (feature_list[i]->fields == NULL)
			continue;
		f.table[f.count] = feature_list[i]->fields;
		f.name[f.count++] = feature_list[i]->name;
	}
	return f;
}

static bool explain(struct joy *j, const char *name, struct buf *out)
{
	struct fields f = all_fields();
	char nearest[256];

	if (name == NULL)
		return err_set(&j->error, "explain needs the name of a field");
	if (plan_explain(f.table, f.count, name, out))
		return true;
	if (!explain_nearest(f.table, f.count, name, nearest))
		return err_set(&j->error, "there are no fields");
	return err_set(&j->error, "no field has the name '%.64s': the nearest is '%s'", name,
			nearest);
}

static bool config(struct joy *j, struct buf *out)
{
	const struct option_sets *sets = &j->registry->sets;

	if (j->phase == PHASE_SETUP && !conf_settle(sets, &j->registry->core, &j->error))
		return false;
	print_config(sets, out);
	return true;
}

static bool write_fields(enum joy_text what, struct buf *out)
{
	struct fields f = all_fields();

	if (what == JOY_TEXT_FIELDS)
		plan_markdown(f.table, f.name, f.count, out);
	else
		plan_schema(f.table, f.name, f.count, out);
	return true;
}

static bool write_options(const struct option_sets *sets, enum joy_text what, struct buf *out)
{
	switch (what) {
	case JOY_TEXT_HELP:
		print_help(sets, out);
		return true;
	case JOY_TEXT_MAN:
		print_man(sets, out);
		return true;
	case JOY_TEXT_BASH:
		print_bash(sets, out);
		return true;
	case JOY_TEXT_ZSH:
		print_zsh(sets, out);
		return true;
	case JOY_TEXT_OPTIONS:
		print_options(sets, out);
		return true;
	case JOY_TEXT_OPTION_TABLE:
		print_table(sets, out);
		return true;
	default:
		return false;
	}
}

/* The text is there in both cases; joy_error() tells them apart. */
static bool check_records(struct joy *j, const char *records, struct buf *out)
{
	uint64_t found = 0;

	j->error.text[0] = '\0';
	if (!registry_check(j->registry, records == NULL ? "-" : records, out, &found, &j->error))
		return false;
	if (found > 0)
		err_set(&j->error, "records hold listed addresses");
	return true;
}

static bool summary(struct joy *j, struct buf *out)
{
	const bool ran = j->engine != NULL || j->team != NULL || j->apart != NULL ||
			 j->sensor != NULL || j->records != NULL || j->rewrite != NULL;

	if (j->phase != PHASE_OVER || !ran)
		return err_set(&j->error, "there is a summary when a run is over");
	configuration_summary(j, out);
	buf_byte(out, '\n');
	return true;
}

static bool write_text(struct joy *j, enum joy_text what, const char *argument, struct buf *out)
{
	switch (what) {
	case JOY_TEXT_CONFIG:
		return config(j, out);
	case JOY_TEXT_EXPLAIN:
		return explain(j, argument, out);
	case JOY_TEXT_VERSION:
		version_write(out);
		return true;
	case JOY_TEXT_FIELDS:
	case JOY_TEXT_SCHEMA:
		return write_fields(what, out);
	case JOY_TEXT_SUMMARY:
		return summary(j, out);
	case JOY_TEXT_CHECK:
		return check_records(j, argument, out);
	case JOY_TEXT_STATS:
	case JOY_TEXT_METRICS:
	case JOY_TEXT_FLOWS:
		return status_write(j, what, out);
	default:
		return write_options(&j->registry->sets, what, out) ||
		       err_set(&j->error, "there is no text %d", (int)what);
	}
}

char *joy_text(struct joy *j, enum joy_text what, const char *argument)
{
	struct buf b = buf_new(LIMIT_TEXT_BYTES);

	if (drain_is_elsewhere(j)) /* all of it is that thread's */
		return NULL;

	bool good = write_text(j, what, argument, &b);

	buf_byte(&b, '\0');
	if (good && !buf_ok(&b))
		good = err_set(&j->error, "no memory for the text");
	if (!good)
		buf_free(&b);
	return b.p;
}

void joy_text_free(char *text)
{
	free(text);
}
