/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * service.c - from a program of root to a service that may do little, and its daily round.
 *
 * What it answers is in service_answers.c.
 */
#include "cmd/service.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd/settings.h"
#include "os/clock.h"
#include "os/listen.h"
#include "os/privileges.h"
#include "os/sandbox.h"
#include "os/signals.h"

/* --- which user -------------------------------------------------------------------------- */

static bool may_write_all(
		const struct service *s, const struct privileges_user *user, struct err *e)
{
	const struct places *p = &s->places;

	message_give(s->messages, user->uid, user->gid);
	if (p->output[0] != '\0' && !privileges_may_write(user, p->output, e))
		return false;
	return p->log[0] == '\0' || privileges_may_write(user, p->log, e);
}

/* joy, whom nobody has named: without him, or where he cannot write, the rights stay. */
static void choose_joy(struct service *s)
{
	struct privileges_user joy;
	enum joy_level level = JOY_LOG_INFO;
	struct err why;
	bool good = privileges_find("joy", &joy, &why);

	if (good) {
		level = JOY_LOG_WARNING;
		good = may_write_all(s, &joy, &why);
	}
	if (good)
		s->user = joy;
	else
		message(s->messages, level, "%s; until then root's rights are kept", why.text);
}

static bool choose_named(struct service *s, const char *name, struct err *e)
{
	if (!privileges_find(name, &s->user, e))
		return false;
	if (privileges_root())
		return may_write_all(s, &s->user, e);
	return s->user.uid == geteuid() || err_set(e, "only root can become user %s", name);
}

/* What comes of it is set as option username, so that the library's children become the same. */
static bool choose_user(struct service *s, struct err *e)
{
	char *name = settings_text(s->joy, "username");
	bool named = name != NULL && strcmp(name, "auto") != 0, good = true;

	if (s->live && named)
		good = choose_named(s, name, e);
	else if (s->live && name != NULL && privileges_root())
		choose_joy(s);
	joy_text_free(name);
	if (good)
		joy_set(s->joy, "username", s->user.name[0] != '\0' ? s->user.name : "none");
	return good;
}

bool service_start(struct service *s, struct joy *j, struct messages *m, bool live, struct err *e)
{
	s->joy = j;
	s->messages = m;
	s->live = live;
	notify_open(&s->notify);
	return places_find(&s->places, j, e) && choose_user(s, e);
}

/* --- listening --------------------------------------------------------------------------- */

static bool open_server(struct server **to, int fd, server_take *take, void *ctx, struct err *e)
{
	*to = server_new(fd, take, ctx);
	return *to != NULL || err_set(e, "no memory for a server");
}

static bool open_metrics(struct service *s, struct err *e)
{
	char *address = settings_text(s->joy, "metrics");
	int fd;
	bool good = address == NULL ||
		    (listen_address(address, &fd, e) &&
				    open_server(&s->metrics, fd, service_take_http, s, e));

	joy_text_free(address);
	return good;
}

static bool open_servers(struct service *s, struct err *e)
{
	const struct places *p = &s->places;
	int fd;

	if (p->pidfile[0] != '\0' && !daemon_pidfile(p->pidfile, &s->pidfile, e))
		return false;
	if (p->control[0] != '\0' &&
			(!listen_path(p->control, &fd, e) ||
					!open_server(&s->control, fd, service_take_control, s, e)))
		return false;
	return open_metrics(s, e);
}

/* --- giving rights up -------------------------------------------------------------------- */

/* What root made and the user is to remove, or to be asked through. */
static void give(const struct service *s)
{
	const struct privileges_user *u = &s->user;

	if (s->pidfile != -1 && fchown(s->pidfile, u->uid, u->gid) != 0)
		errno = 0; /* it will be emptied, not removed */
	if (s->control != NULL && lchown(s->places.control, u->uid, u->gid) != 0)
		errno = 0; /* then only root can ask */
}

/* Root who is to stay root with all his rights has said so twice: username=none sandbox=0. */
static bool drop(const struct service *s, bool sandbox, struct err *e)
{
	if (s->user.name[0] == '\0')
		return !sandbox || privileges_drop(NULL, e);
	if (privileges_root())
		give(s);
	return privileges_drop(&s->user, e);
}

static bool enter(struct service *s, struct err *e)
{
	const struct sandbox box = {
		.write = s->places.write,
		.tidy = s->places.tidy,
		.log = s->messages->fd,
		.prefix = message_prefix(s->messages),
	};
	struct sandbox_state state;
	struct err why;

	if (!sandbox_enter(&box, &state, &why))
		return err_set(e, "%s (sandbox=0 goes without it)", why.text);
	if (state.missing[0] != '\0')
		message(s->messages, JOY_LOG_WARNING, "%s", state.missing);
	message(s->messages, JOY_LOG_INFO, "sandbox: system calls %s, writing %s%s%s%s",
			state.calls ? "filtered" : "not filtered",
			!state.files           ? "not bound to folders"
			: box.write[0] == NULL ? "nowhere"
					       : "only below ",
			state.files && box.write[0] != NULL ? box.write[0] : "",
			state.files && box.write[1] != NULL ? " and " : "",
			state.files && box.write[1] != NULL ? box.write[1] : "");
	return true;
}

static bool give_up_rights(struct service *s, struct err *e)
{
	bool sandbox = settings_number(s->joy, "sandbox") != 0;

	if (!drop(s, sandbox, e) || (sandbox && !enter(s, e)))
		return false;
	if (s->user.name[0] != '\0')
		message(s->messages, JOY_LOG_INFO, "runs as user %s", s->user.name);
	return true;
}

int service_ready(void *ctx)
{
	struct service *s = ctx;

	if (!open_servers(s, &s->failure) || (s->live && !give_up_rights(s, &s->failure)))
		return 1;
	daemon_ready(&s->daemon);
	notify_ready(&s->notify, s->live ? "Capturing" : "Reading");
	return 0;
}

/* --- the daily round --------------------------------------------------------------------- */

static bool open_log_anew(struct service *s)
{
	const char *path = s->places.log;

	if (path[0] == '\0' || message_open(s->messages, path))
		return true;
	message(s->messages, JOY_LOG_ERROR, "cannot write %s: %s", path, strerror(errno));
	return false;
}

bool service_reload(struct service *s)
{
	notify_reloading(&s->notify);
	open_log_anew(s);
	bool good = joy_reload(s->joy) == JOY_OK;

	if (good)
		message(s->messages, JOY_LOG_INFO, "lists were read again");
	else
		message(s->messages, JOY_LOG_WARNING, "%s; what was read before stays",
				joy_error(s->joy));
	notify_ready(&s->notify, s->live ? "Capturing" : "Reading");
	return good;
}

static void report(struct service *s)
{
	char *text = joy_text(s->joy, JOY_TEXT_STATS, NULL);

	message_text(s->messages, text == NULL ? joy_error(s->joy) : text);
	joy_text_free(text);
}

void service_tick(struct service *s)
{
	int64_t now = clock_steady_ns();

	if (signals_reload())
		service_reload(s);
	if (signals_report())
		report(s);
	if (s->control != NULL)
		server_poll(s->control, now);
	if (s->metrics != NULL)
		server_poll(s->metrics, now);
	if (signals_stop() && !s->stopping) {
		s->stopping = true;
		notify_stopping(&s->notify);
	}
	notify_alive(&s->notify, now);
}

void service_stop(struct service *s)
{
	if (s->control != NULL && unlink(s->places.control) != 0)
		errno = 0; /* the next start replaces it */
	server_free(s->control);
	server_free(s->metrics);
	daemon_pidfile_remove(s->places.pidfile, s->pidfile);
	notify_close(&s->notify);
}
