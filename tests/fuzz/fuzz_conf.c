/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_conf.c - any bytes as a configuration file, and each of its lines as a command.
 *
 * What was taken is settled, printed as a configuration file and loaded again: that must work,
 * and print the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "conf/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct switches {
	bool dist;
	uint32_t idp;
	uint64_t wide;
	char *cdist, *many;
};

static const struct option switch_options[] = {
	OPTION(struct switches, dist, "dist", "", .flags = OPTION_FEATURE),
	OPTION(struct switches, idp, "idp", "", .flags = OPTION_FEATURE, .on = "9", .maximum = 99),
	OPTION(struct switches, wide, "wide", ""),
	OPTION(struct switches, cdist, "cdist", "", .flags = OPTION_FEATURE),
	OPTION(struct switches, many, "many", "", .flags = OPTION_REPEAT),
	{ 0 },
};

struct run {
	struct conf core;
	struct switches switches;
	struct option_set set[2];
	struct option_sets sets;
};

static void begin(struct run *r)
{
	*r = (struct run){ 0 };
	r->set[0] = (struct option_set){ conf_options, &r->core };
	r->set[1] = (struct option_set){ switch_options, &r->switches };
	r->sets = (struct option_sets){ r->set, 2 };
	if (!conf_defaults(&r->sets, NULL))
		abort();
}

static bool holds_comment(const struct buf *b)
{
	return memmem(b->p, b->size, "# ", 2) != NULL &&
	       memmem(b->p, b->size, "has a value that no", 19) != NULL;
}

static void print_and_load_again(struct run *r)
{
	struct buf first = buf_new(LIMIT_TEXT_BYTES), second = buf_new(LIMIT_TEXT_BYTES);
	struct run again;
	struct err e;

	print_config(&r->sets, &first);
	begin(&again);
	if (!conf_load_text(&again.sets, "again", first.p, first.size, &e))
		abort();
	print_config(&again.sets, &second);
	if (!holds_comment(&first) &&
			(first.size != second.size || memcmp(first.p, second.p, first.size) != 0))
		abort();
	print_members(&again.sets, &second);
	conf_free(&again.sets);
	buf_free(&first);
	buf_free(&second);
}

/* Each line as if it stood on the command line. */
static void set_lines(struct run *r, const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct err e;

	if (text == NULL)
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *line = text, *end; line != NULL; line = end) {
		end = strchr(line, '\n');
		if (end != NULL)
			*end++ = '\0';
		conf_set_line(&r->sets, line, &e);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r;
	struct err e;

	begin(&r);
	conf_load_text(&r.sets, "fuzz", data, size, &e);
	set_lines(&r, data, size);
	conf_settle(&r.sets, &r.core, &e);
	print_and_load_again(&r);
	conf_free(&r.sets);
	return 0;
}
