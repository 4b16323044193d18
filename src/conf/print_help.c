/* SPDX-License-Identifier: BSD-3-Clause */
/* print_help.c - the list of --help: one option a line, with its default in brackets. */
#include "conf/print.h"
#include "conf/value.h"

enum { COLUMN = 30 }; /* where the words begin */

void print_usage(struct buf *out)
{
	buf_text(out, "usage: pcap2flow [name=value ...] [-x FILE] file ...\n"
		      "       pcap2flow --help lists all options\n");
}

static void print_line(const struct option *o, struct buf *out)
{
	size_t start = out->size;

	buf_text(out, "  ");
	buf_text(out, o->name);
	buf_byte(out, '=');
	value_pattern(o, out);
	if (out->size - start > COLUMN - 2) {
		buf_byte(out, '\n');
		start = out->size;
	}
	while (buf_ok(out) && out->size - start < COLUMN)
		buf_byte(out, ' ');
	buf_text(out, o->help);
	if (o->initial != NULL)
		buf_printf(out, " [%s]", o->initial);
	buf_byte(out, '\n');
}

void print_help(const struct option_sets *sets, struct buf *out)
{
	struct print_item items[LIMIT_OPTIONS];
	size_t count = print_list(sets, items);

	buf_text(out, "usage: pcap2flow [name=value ...] [-x FILE] file ...\n"
		      "\n"
		      "Turns captured packets into flow records, one JSON object a line.  A file "
		      "is a capture,\n"
		      "a folder of captures, or - for standard input.  Options and files may "
		      "stand in any order;\n"
		      "what the command line says wins over files.\n"
		      "\n"
		      "  -x FILE, --x=FILE           read options from a configuration file\n"
		      "  -h, --help                  help=1\n"
		      "  -v, --version               version=1\n"
		      "  --                          what follows are files\n");
	for (size_t i = 0; i < count; i++) {
		if (items[i].first)
			buf_printf(out, "\n%s\n", items[i].group);
		print_line(items[i].option, out);
	}
	buf_text(out, "\n"
		      "Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but some input was "
		      "damaged.\n");
}
