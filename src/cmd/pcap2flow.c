/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap2flow.c - the program: command line, one run of the library, messages, exit status.
 *
 * It sees the library through joy.h only.  The exit status is that of the run (enum joy_status);
 * a run that a signal ended in order is a run that went well.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/message.h"
#include "cmd/progress.h"
#include "conf/print.h"
#include "joy.h"
#include "os/signals.h"
#include "os/terminal.h"

struct program {
	struct joy *joy;
	struct arguments arguments;
	struct messages messages;
	struct progress progress;
};

static void on_log(void *ctx, enum joy_level level, const char *text)
{
	struct program *p = ctx;

	message(&p->messages, level, "%s", text);
}

/* The value of an option that is a small number. */
static unsigned number(struct program *p, const char *name)
{
	char *text = joy_get(p->joy, name);
	unsigned v = text == NULL ? 0 : (unsigned)strtoul(text, NULL, 10);

	joy_text_free(text);
	return v;
}

static bool open_log(struct program *p)
{
	char *path = joy_get(p->joy, "logfile");
	bool good = path == NULL || strcmp(path, "none") == 0 || message_open(&p->messages, path);

	if (!good)
		message(&p->messages, JOY_LOG_ERROR, "cannot write %s: %s", path, strerror(errno));
	joy_text_free(path);
	return good;
}

/* SIGHUP: a log file that was moved away begins anew, and lists are read again. */
static void reload(struct program *p)
{
	open_log(p);
	if (joy_reload(p->joy) == JOY_OK)
		message(&p->messages, JOY_LOG_INFO, "lists were read again");
	else
		message(&p->messages, JOY_LOG_WARNING, "%s; what was read before stays",
				joy_error(p->joy));
}

static int on_progress(void *ctx)
{
	struct program *p = ctx;

	if (signals_reload())
		reload(p);
	progress_tick(&p->progress);
	return signals_stop();
}

static int wrong_usage(void)
{
	struct buf text = buf_new(LIMIT_TEXT_BYTES);

	print_usage(&text);
	fwrite(text.p, 1, text.size, stderr);
	buf_free(&text);
	return JOY_USAGE;
}

static void say_counts(struct program *p)
{
	struct joy_stats s;

	joy_stats(p->joy, &s, sizeof(s));
	message(&p->messages, JOY_LOG_INFO,
			"%" PRIu64 " packets (%" PRIu64 " of flows, %" PRIu64 " not IP, %" PRIu64
			" cut short, %" PRIu64 " malformed, %" PRIu64 " unknown), %" PRIu64
			" flows, %" PRIu64 " records",
			s.packets, s.ip_packets, s.not_ip, s.cut_short, s.malformed, s.unknown,
			s.flows, s.records);
}

/* Turns packets into records and says how it went. */
static int run(struct program *p)
{
	joy_on_log(p->joy, on_log, p);
	joy_on_progress(p->joy, on_progress, p);
	progress_start(&p->progress, p->joy, number(p, "progress") != 0);
	p->messages.progress = &p->progress;

	int status = joy_run(p->joy, p->arguments.files, p->arguments.count);

	progress_erase(&p->progress);
	if (status == JOY_DAMAGED && signals_stop())
		status = JOY_OK; /* the signal cut standard input off */
	if (status == JOY_FAILED || status == JOY_USAGE)
		message(&p->messages, JOY_LOG_ERROR, "%s", joy_error(p->joy));
	else
		say_counts(p);
	return status;
}

/* Everything between the options and the exit status. */
static int main_part(struct program *p)
{
	struct err e = { "" };
	int status = commands_run(p->joy, &e);

	p->messages.verbosity = number(p, "verbosity");
	if (status != COMMANDS_NONE) {
		if (status != JOY_OK)
			message(&p->messages, JOY_LOG_ERROR, "%s", e.text);
		return status;
	}
	if (p->arguments.count == 0) {
		if (!terminal_has_data(STDIN_FILENO))
			return wrong_usage();
		p->arguments.files[p->arguments.count++] = "-";
	}
	if (!open_log(p))
		return JOY_FAILED;
	return run(p);
}

int main(int argc, char **argv)
{
	struct program p = { .joy = joy_new(), .messages = { .to = stderr } };
	struct err e = { "" };
	int status;

	signals_catch();
	if (p.joy == NULL) {
		message(&p.messages, JOY_LOG_ERROR, "no memory");
		return JOY_FAILED;
	}
	if (arguments_parse(&p.arguments, p.joy, argc, argv, &e)) {
		status = main_part(&p);
	} else {
		message(&p.messages, JOY_LOG_ERROR, "%s; pcap2flow --help lists all options",
				e.text);
		status = JOY_USAGE;
	}
	message_close(&p.messages);
	arguments_free(&p.arguments);
	joy_free(p.joy);
	return status;
}
