/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arguments.c - sorts the words of the command line.
 *
 *	name=value          an option, when no slash comes before the =
 *	--name[=value]      the same; --x=FILE is -x FILE; -h and -v are --help and --version
 *	-x FILE             a configuration file
 *	--                  all behind it are files
 *	-                   standard input
 *	anything else       a file
 */
#include "cmd/arguments.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct walk {
	struct arguments *to;
	struct joy *joy;
	char **word, **end;
	bool files_only;
	struct err *e;
};

static bool is_option(const char *word)
{
	const char *equals = strchr(word, '='), *slash = strchr(word, '/');

	return equals != NULL && equals != word && (slash == NULL || equals < slash);
}

static bool add_file(struct walk *w, const char *word)
{
	if (*word == '\0')
		return err_set(w->e, "a file without a name");
	w->to->files[w->to->count++] = word;
	return true;
}

static bool load(struct walk *w, const char *path)
{
	if (path == NULL || *path == '\0')
		return err_set(w->e, "-x needs a configuration file: -x FILE");
	return joy_load(w->joy, path) == JOY_OK || err_set(w->e, "%s", joy_error(w->joy));
}

static bool set(struct walk *w, const char *name, const char *value)
{
	w->to->interface |= strcmp(name, "interface") == 0;
	if (joy_set(w->joy, name, value) == JOY_OK)
		return true;
	return err_set(w->e, "%s", joy_error(w->joy));
}

/* "name=value" with an = in it. */
static bool set_word(struct walk *w, const char *word)
{
	const char *equals = strchr(word, '=');
	char *name = strndup(word, (size_t)(equals - word));
	bool good = name != NULL ? set(w, name, equals + 1) : err_set(w->e, "no memory");

	free(name);
	if (!good && access(word, F_OK) == 0) {
		struct err why = *w->e;

		err_set(w->e, "%s (the file of that name is ./%s)", why.text, word);
	}
	return good;
}

static bool take_long(struct walk *w, const char *word)
{
	if (*word == '\0')
		return w->files_only = true;
	if (strncmp(word, "x=", 2) == 0)
		return load(w, word + 2);
	if (strcmp(word, "x") == 0)
		return load(w, *++w->word);
	return strchr(word, '=') != NULL ? set_word(w, word) : set(w, word, "1");
}

static bool take_short(struct walk *w, const char *word)
{
	if (word[1] == 'x')
		return load(w, word[2] != '\0' ? word + 2 : *++w->word);
	if (strcmp(word, "-h") == 0)
		return set(w, "help", "1");
	if (strcmp(word, "-v") == 0 || strcmp(word, "-V") == 0)
		return set(w, "version", "1");
	return err_set(w->e, "unknown option '%.64s': options have the form name=value", word);
}

static bool take(struct walk *w)
{
	const char *word = *w->word;

	if (w->files_only || strcmp(word, "-") == 0)
		return add_file(w, word);
	if (strncmp(word, "--", 2) == 0)
		return take_long(w, word + 2);
	if (word[0] == '-')
		return take_short(w, word);
	return is_option(word) ? set_word(w, word) : add_file(w, word);
}

bool arguments_parse(struct arguments *a, struct joy *j, int argc, char **argv, struct err *e)
{
	struct walk w = { .to = a, .joy = j, .word = argv + 1, .end = argv + argc, .e = e };

	*a = (struct arguments){ .files = calloc((size_t)argc + 1, sizeof(*a->files)) };
	if (a->files == NULL)
		return err_set(e, "no memory");
	for (; w.word < w.end; w.word++)
		if (!take(&w))
			return false;
	return true;
}

void arguments_free(struct arguments *a)
{
	free(a->files);
	*a = (struct arguments){ 0 };
}
