/* SPDX-License-Identifier: BSD-3-Clause */
/* print_options.c - doc/options.md: every option as a row of a table, one table a group. */
#include "conf/print.h"
#include "conf/value.h"

/* A bar would end the cell. */
static void cell(struct buf *out, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '|')
			buf_byte(out, '\\');
		buf_byte(out, text[i]);
	}
}

static void cell_text(struct buf *out, const char *text)
{
	cell(out, text, strlen(text));
}

static void print_row(const struct option *o, struct buf *out)
{
	struct buf words = buf_new(4096);

	buf_printf(out, "| `%s=`", o->name);
	value_pattern(o, &words);
	cell(out, words.p, words.size);
	buf_printf(out, " | %s | ",
			o->initial != NULL       ? o->initial
			: o->type == OPTION_TEXT ? "none"
						 : "0");
	buf_clear(&words);
	value_allowed(o, &words);
	cell(out, words.p, words.size);
	buf_text(out, " | ");
	buf_clear(&words);
	print_sentence(o->help, &words);
	cell(out, words.p, words.size);
	if (o->more != NULL) {
		buf_text(out, " ");
		cell_text(out, o->more);
	}
	if (o->flags & OPTION_REPEAT)
		buf_text(out, " May be given several times; none takes all away.");
	buf_text(out, " |\n");
	buf_free(&words);
}

void print_options(const struct option_sets *sets, struct buf *out)
{
	struct print_item items[LIMIT_OPTIONS];
	size_t count = print_list(sets, items);

	buf_text(out, "# Options\n"
		      "\n"
		      "Written by `pcap2flow print=options`; do not edit.\n"
		      "\n"
		      "The same names and values serve as `name=value` on the command line, as "
		      "`name = value` in a\n"
		      "configuration file (`-x FILE`) and in `joy_set()`. The command line wins "
		      "over files.\n");
	for (size_t i = 0; i < count; i++) {
		if (items[i].first)
			buf_printf(out,
					"\n"
					"## %s\n"
					"\n"
					"| option | default | takes | meaning |\n"
					"|---|---|---|---|\n",
					items[i].group);
		print_row(items[i].option, out);
	}
}
