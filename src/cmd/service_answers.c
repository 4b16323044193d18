/* SPDX-License-Identifier: BSD-3-Clause */
/* service_answers.c - what control socket and HTTP are told. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "cmd/control.h"
#include "cmd/service.h"
#include "os/http.h"
#include "os/signals.h"

enum { HEALTH = 64 };

/* --- health ------------------------------------------------------------------------------ */

/* NULL: all is well; else a word for what is not. */
static const char *trouble(const struct service *s)
{
	char *text = joy_text(s->joy, JOY_TEXT_STATS, NULL);
	bool paused = text != NULL && strstr(text, "\"paused\":true") != NULL;

	joy_text_free(text);
	return signals_stop() ? "stopping" : paused ? "paused" : NULL;
}

/* {"status":"ok"}; paused: records cannot be written, as on a full disk. */
static void write_health(const char *word, char text[static HEALTH])
{
	snprintf(text, HEALTH, "{\"status\":\"%s\"}\n", word == NULL ? "ok" : word);
}

/* --- control socket ---------------------------------------------------------------------- */

static void answer_text(struct service *s, enum joy_text what, struct buf *answer)
{
	char *text = joy_text(s->joy, what, NULL);

	control_write(answer, text == NULL ? joy_error(s->joy) : NULL, text);
	joy_text_free(text);
}

static void answer_done(struct service *s, bool good, struct buf *answer)
{
	control_write(answer, good ? NULL : joy_error(s->joy), NULL);
}

static void answer_health(struct service *s, struct buf *answer)
{
	const char *word = trouble(s);
	char text[HEALTH];

	write_health(word, text);
	control_write(answer, word, text);
}

bool service_take_control(void *ctx, const char *bytes, size_t size, struct buf *answer)
{
	struct service *s = ctx;
	enum control_word word;

	if (!control_read(bytes, size, &word))
		return false;
	switch (word) {
	case CONTROL_STATS:
		answer_text(s, JOY_TEXT_STATS, answer);
		break;
	case CONTROL_FLOWS:
		answer_text(s, JOY_TEXT_FLOWS, answer);
		break;
	case CONTROL_RELOAD:
		answer_done(s, service_reload(s), answer);
		break;
	case CONTROL_ROTATE:
		answer_done(s, joy_rotate(s->joy) == JOY_OK, answer);
		break;
	case CONTROL_HEALTH:
		answer_health(s, answer);
		break;
	case CONTROL_UNKNOWN:
		control_write(answer, "unknown question: stats, flows, reload, rotate or health",
				NULL);
		break;
	}
	return true;
}

/* --- HTTP -------------------------------------------------------------------------------- */

static void http_health(struct service *s, const struct http_request *r, struct buf *answer)
{
	const char *word = trouble(s);
	char text[HEALTH];

	write_health(word, text);
	http_write(answer, r, word == NULL ? 200 : 503, "application/json", text);
}

static void http_metrics(struct service *s, const struct http_request *r, struct buf *answer)
{
	char *text = joy_text(s->joy, JOY_TEXT_METRICS, NULL);

	http_write(answer, r, text == NULL ? 503 : 200,
			"application/openmetrics-text; version=1.0.0; charset=utf-8", text);
	joy_text_free(text);
}

bool service_take_http(void *ctx, const char *bytes, size_t size, struct buf *answer)
{
	struct service *s = ctx;
	struct http_request r;

	if (!http_read(bytes, size, &r) && size < LIMIT_QUESTION_BYTES)
		return false;
	if (r.status != 200)
		http_write(answer, &r, r.status, NULL, NULL);
	else if (strcmp(r.path, "/metrics") == 0)
		http_metrics(s, &r, answer);
	else if (strcmp(r.path, "/health") == 0)
		http_health(s, &r, answer);
	else
		http_write(answer, &r, 404, NULL, NULL);
	return true;
}
