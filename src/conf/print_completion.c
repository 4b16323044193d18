/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * print_completion.c - completion scripts for bash and zsh.
 *
 * Both complete names of options (with their =), the words that an option takes, files where an
 * option takes one, and files elsewhere.
 */
#include "conf/print.h"

struct list {
	struct print_item items[LIMIT_OPTIONS];
	size_t count;
};

static void word_list(const struct option *o, struct buf *out)
{
	if (o->type == OPTION_BOOL) {
		buf_text(out, "0 1");
		return;
	}
	for (size_t i = 0; o->choices[i] != NULL; i++)
		buf_printf(out, "%s%s", i > 0 ? " " : "", o->choices[i]);
}

static bool has_words(const struct option *o)
{
	return o->type == OPTION_BOOL || o->choices != NULL;
}

/* What features= takes; the last name of a list is completed. */
static void feature_words(const struct list *l, struct buf *out)
{
	buf_text(out, "all");
	for (size_t i = 0; i < l->count; i++)
		if (l->items[i].option->flags & OPTION_FEATURE)
			buf_printf(out, " %s", l->items[i].option->name);
}

/* "a|b|c" of the options with that flag. */
static void names_with(const struct list *l, uint32_t flag, struct buf *out)
{
	const char *between = "";

	for (size_t i = 0; i < l->count; i++) {
		const struct option *o = l->items[i].option;

		if (o->flags & flag) {
			buf_printf(out, "%s%s", between, o->name);
			between = "|";
		}
	}
}

static void bash_values(const struct list *l, struct buf *out)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct option *o = l->items[i].option;

		if (!has_words(o))
			continue;
		buf_printf(out, "\t%s) words='", o->name);
		word_list(o, out);
		buf_text(out, "' ;;\n");
	}
	buf_text(out, "\tfeatures) words='");
	feature_words(l, out);
	buf_text(out, "' front=${cur%\"${cur##*,}\"} cur=${cur##*,} ;;\n\t");
	names_with(l, OPTION_FILE, out);
	buf_text(out, ") files=1 ;;\n");
}

void print_bash(const struct option_sets *sets, struct buf *out)
{
	struct list l;

	l.count = print_list(sets, l.items);
	buf_text(out, "# bash completion of pcap2flow; written by `pcap2flow print=bash`\n"
		      "_pcap2flow()\n"
		      "{\n"
		      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} name= words= files= front=\n"
		      "\tif [[ $cur == = ]]; then # the = is a word of its own\n"
		      "\t\tname=${COMP_WORDS[COMP_CWORD - 1]} cur=\n"
		      "\telif [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then\n"
		      "\t\tname=${COMP_WORDS[COMP_CWORD - 2]}\n"
		      "\telif [[ $cur == *=* ]]; then\n"
		      "\t\tname=${cur%%=*} cur=${cur#*=}\n"
		      "\telif [[ ${COMP_WORDS[COMP_CWORD - 1]} == -x ]]; then\n"
		      "\t\tname=-x\n"
		      "\tfi\n"
		      "\tcase $name in\n"
		      "\t'') files=1 words='");
	for (size_t i = 0; i < l.count; i++)
		buf_printf(out, "%s= ", l.items[i].option->name);
	buf_text(out, "--help --version'\n"
		      "\t\tcompopt -o nospace ;;\n"
		      "\t-x) files=1 ;;\n");
	bash_values(&l, out);
	buf_text(out, "\tesac\n"
		      "\tmapfile -t COMPREPLY < <(compgen -P \"$front\" -W \"$words\" -- "
		      "\"$cur\"\n"
		      "\t\t[[ -z $files ]] || compgen -f -- \"$cur\")\n"
		      "\t[[ -z $files ]] || compopt -o filenames\n"
		      "}\n"
		      "complete -F _pcap2flow pcap2flow\n");
}

/* A quote inside single quotes, and the colon that ends a name in a list of descriptions. */
static void zsh_quoted(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			buf_text(out, "'\\'");
		buf_byte(out, *text);
	}
}

static void zsh_values(const struct list *l, struct buf *out)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct option *o = l->items[i].option;

		if (!has_words(o))
			continue;
		buf_printf(out, "\t\t%s) compadd -- ", o->name);
		word_list(o, out);
		buf_text(out, " ;;\n");
	}
	buf_text(out, "\t\tfeatures) compset -P '*,'; compadd -S '' -- ");
	feature_words(l, out);
	buf_text(out, " ;;\n\t\t");
	names_with(l, OPTION_FILE, out);
	buf_text(out, ") _files ;;\n");
}

void print_zsh(const struct option_sets *sets, struct buf *out)
{
	struct list l;

	l.count = print_list(sets, l.items);
	buf_text(out, "#compdef pcap2flow\n"
		      "# zsh completion of pcap2flow; written by `pcap2flow print=zsh`\n"
		      "_pcap2flow() {\n"
		      "\tlocal name\n"
		      "\tlocal -a options\n"
		      "\toptions=(\n");
	for (size_t i = 0; i < l.count; i++) {
		buf_printf(out, "\t\t'%s:", l.items[i].option->name);
		zsh_quoted(out, l.items[i].option->help);
		buf_text(out, "'\n");
	}
	buf_text(out, "\t)\n"
		      "\tif [[ $words[CURRENT-1] == -x ]]; then\n"
		      "\t\t_files\n"
		      "\telif compset -P 1 '*='; then\n"
		      "\t\tname=${${IPREFIX##* }%=}\n"
		      "\t\tcase $name in\n");
	zsh_values(&l, out);
	buf_text(out, "\t\tesac\n"
		      "\telse\n"
		      "\t\t_describe option options -S =\n"
		      "\t\t_files\n"
		      "\tfi\n"
		      "}\n"
		      "_pcap2flow \"$@\"\n");
}
