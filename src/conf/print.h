/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * print.h - what the option tables say about themselves, one file per form.
 *
 * All forms go by groups: in the order in which the tables first name them, with
 * the options of features in "Data elements".
 */
#pragma once

#include "base/buf.h"
#include "conf/conf.h"

void print_help(const struct option_sets *sets, struct buf *out); /* --help */
void print_usage(struct buf *out); /* two lines for who gave nothing */
void print_man(const struct option_sets *sets, struct buf *out);  /* pcap2flow.1 in mdoc(7) */
void print_bash(const struct option_sets *sets, struct buf *out); /* completion */
void print_zsh(const struct option_sets *sets, struct buf *out);
void print_options(const struct option_sets *sets, struct buf *out); /* doc/options.md */
void print_table(const struct option_sets *sets, struct buf *out);   /* as a JSON list */
void print_config(const struct option_sets *sets, struct buf *out);  /* as a configuration file */

/*
 * Members of a JSON object, each with a comma before it: what says how records were made.  Left out
 * are commands, secrets and places (where output goes), so that the same run gives the same bytes.
 */
void print_members(const struct option_sets *sets, struct buf *out);

/* One option of the list that all forms walk. */
struct print_item {
	const struct option *option;
	const void *base;
	const char *group;
	bool first; /* of its group */
};

/* Fills the list in the order of groups and returns how many there are. */
size_t print_list(const struct option_sets *sets, struct print_item items[static LIMIT_OPTIONS]);

/* An option's line of help as a sentence of prose. */
void print_sentence(const char *words, struct buf *out);
