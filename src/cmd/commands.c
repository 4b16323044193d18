/* SPDX-License-Identifier: BSD-3-Clause */
/* commands.c - one table: option, its value, the text of the library that answers it. */
#include "cmd/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "cmd/control.h"
#include "cmd/settings.h"
#include "os/interfaces.h"

enum { INTERFACES = -1, CONTROL = -2 };

static const struct command {
	const char *option, *value; /* value NULL: any; it is the argument */
	int text;                   /* enum joy_text, or one of these */
} commands[] = {
	{ "help", "1", JOY_TEXT_HELP },
	{ "version", "1", JOY_TEXT_VERSION },
	{ "show_config", "1", JOY_TEXT_CONFIG },
	{ "show_interfaces", "1", INTERFACES },
	{ "ctl", NULL, CONTROL },
	{ "explain", NULL, JOY_TEXT_EXPLAIN },
	{ "anon_check", NULL, JOY_TEXT_CHECK },
	{ "print", "man", JOY_TEXT_MAN },
	{ "print", "bash", JOY_TEXT_BASH },
	{ "print", "zsh", JOY_TEXT_ZSH },
	{ "print", "fields", JOY_TEXT_FIELDS },
	{ "print", "schema", JOY_TEXT_SCHEMA },
	{ "print", "options", JOY_TEXT_OPTIONS },
};

static int put(const char *text, size_t size, struct err *e)
{
	if (fwrite(text, 1, size, stdout) == size && fflush(stdout) == 0)
		return JOY_OK;
	err_set(e, "cannot write to standard output: %s", strerror(errno));
	return JOY_FAILED;
}

static int print(struct joy *j, int what, const char *argument, struct err *e)
{
	char *text = joy_text(j, (enum joy_text)what, argument);

	if (text == NULL) {
		err_set(e, "%s", joy_error(j));
		return JOY_USAGE;
	}
	int status = put(text, strlen(text), e);
	joy_text_free(text);
	if (status == JOY_OK && what == JOY_TEXT_CHECK && *joy_error(j) != '\0') {
		err_set(e, "%s", joy_error(j));
		status = JOY_FAILED;
	}
	return status;
}

static int print_interfaces(struct err *e)
{
	struct buf b = buf_new(LIMIT_TEXT_BYTES);
	int status = interfaces_list(&b, e) ? put(b.p, b.size, e) : JOY_FAILED;

	buf_free(&b);
	return status;
}

static int ask(struct joy *j, const char *word, struct err *e)
{
	char *path = settings_text(j, "control");
	bool good = control_ask(path == NULL ? CONTROL_PATH : path, word, e);

	joy_text_free(path);
	return good ? JOY_OK : JOY_FAILED;
}

/* Does the option's present value ask for the command? */
static bool is_asked(const struct command *c, const char *value)
{
	return c->value != NULL ? strcmp(value, c->value) == 0 : strcmp(value, "none") != 0;
}

static int run(struct joy *j, const struct command *c, struct err *e)
{
	char *value = joy_get(j, c->option);
	int status;

	if (value == NULL || !is_asked(c, value))
		status = COMMANDS_NONE;
	else if (c->text == INTERFACES)
		status = print_interfaces(e);
	else if (c->text == CONTROL)
		status = ask(j, value, e);
	else
		status = print(j, c->text, value, e);
	joy_text_free(value);
	return status;
}

int commands_run(struct joy *j, struct err *e)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		int status = run(j, &commands[i], e);

		if (status != COMMANDS_NONE)
			return status;
	}
	return COMMANDS_NONE;
}
