/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap2flow.c - the program: command line, one run of the library, messages, exit status.
 *
 * It sees the library through joy.h only.  The exit status is that of the run (enum joy_status);
 * a run that a signal ended in order is a run that went well.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/message.h"
#include "cmd/progress.h"
#include "cmd/service.h"
#include "cmd/settings.h"
#include "conf/print.h"
#include "joy.h"
#include "os/mapping.h"
#include "os/signals.h"
#include "os/terminal.h"

struct program {
	struct joy *joy;
	struct arguments arguments;
	struct messages messages;
	struct progress progress;
	struct service service;
	bool live; /* captures, instead of reading files */
};

static void on_log(void *ctx, enum joy_level level, const char *text)
{
	struct program *p = ctx;

	message(&p->messages, level, "%s", text);
}

static bool open_log(struct program *p)
{
	char *path = settings_text(p->joy, "logfile");
	bool good = path == NULL || message_open(&p->messages, path);

	if (!good)
		message(&p->messages, JOY_LOG_ERROR, "cannot write %s: %s", path, strerror(errno));
	joy_text_free(path);
	return good;
}

static int on_progress(void *ctx)
{
	struct program *p = ctx;

	service_tick(&p->service);
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

/* Why a run has failed: the library knows, unless the program itself refused to go on. */
static const char *reason(const struct program *p)
{
	return p->service.failure.text[0] != '\0' ? p->service.failure.text : joy_error(p->joy);
}

/* Turns packets into records. */
static int run(struct program *p)
{
	joy_on_progress(p->joy, on_progress, p);
	progress_start(&p->progress, p->joy, settings_number(p->joy, "progress") != 0);
	p->messages.progress = &p->progress;
	if (p->live)
		joy_on_ready(p->joy, service_ready, &p->service);
	else if (service_ready(&p->service) != 0)
		return JOY_FAILED;

	int status = joy_run(p->joy, p->arguments.files, p->arguments.count);

	progress_erase(&p->progress);
	if (status == JOY_DAMAGED && signals_stop())
		status = JOY_OK; /* the signal cut standard input off */
	return status;
}

/* A run from its log file to the word on how it went. */
static int run_and_tell(struct program *p)
{
	struct err e = { "" };
	int status = JOY_FAILED;

	if (!open_log(p))
		return JOY_FAILED;
	if (service_start(&p->service, p->joy, &p->messages, p->live, &e))
		status = run(p);
	else
		p->service.failure = e;
	service_stop(&p->service);
	if (status == JOY_FAILED || status == JOY_USAGE)
		message(&p->messages, JOY_LOG_ERROR, "%s", reason(p));
	else
		say_counts(p);
	return status;
}

/* Goes to the background where that is asked for; the parent leaves with the status. */
static int run_where(struct program *p)
{
	struct err e = { "" };

	if (settings_number(p->joy, "daemon") == 0)
		return run_and_tell(p);
	int status = daemon_fork(&p->service.daemon, &e);

	if (status == DAEMON_CHILD)
		return run_and_tell(p);
	if (e.text[0] != '\0')
		message(&p->messages, JOY_LOG_ERROR, "%s", e.text);
	return status;
}

/* Files win over the interface of a configuration file: they are from the command line. */
static bool has_interface(struct program *p)
{
	char *interface = settings_text(p->joy, "interface");
	bool has = interface != NULL;

	joy_text_free(interface);
	if (!has || p->arguments.count == 0 || p->arguments.interface)
		return has;
	joy_set(p->joy, "interface", "none");
	return false;
}

/* An interface, or files, or else standard input; false: nothing of these. */
static bool find_input(struct program *p)
{
	p->live = has_interface(p);
	if (p->live || p->arguments.count > 0)
		return true;
	if (!terminal_has_data(STDIN_FILENO))
		return false;
	p->arguments.files[p->arguments.count++] = "-";
	return true;
}

/* The background has no standard output to write to, and nobody who would type. */
static bool can_be_daemon(struct program *p)
{
	char *output = settings_text(p->joy, "output");
	bool good = settings_number(p->joy, "daemon") == 0 ||
		    (output != NULL && strcmp(output, "-") != 0);

	if (!good)
		message(&p->messages, JOY_LOG_ERROR,
				"daemon=1 has no standard output: give it output=FILE");
	joy_text_free(output);
	return good;
}

/* Everything between the options and the exit status. */
static int main_part(struct program *p)
{
	struct err e = { "" };
	int status = commands_run(p->joy, &e);

	p->messages.verbosity = settings_number(p->joy, "verbosity");
	if (status != COMMANDS_NONE) {
		if (status != JOY_OK)
			message(&p->messages, JOY_LOG_ERROR, "%s", e.text);
		return status;
	}
	if (!find_input(p))
		return wrong_usage();
	if (!can_be_daemon(p))
		return JOY_USAGE;
	joy_on_log(p->joy, on_log, p);
	return run_where(p);
}

int main(int argc, char **argv)
{
	struct program p = { .joy = joy_new(),
		.service = { .daemon = { -1, -1 }, .notify = { .fd = -1 }, .pidfile = -1 } };
	struct err e = { "" };
	int status;

	message_start(&p.messages);
	signals_catch();
	mapping_guard();
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
