/* SPDX-License-Identifier: BSD-3-Clause */
/* service_answers.c - what control socket and HTTP are told. */
#include <string.h>

#include "base/limits.h"
#include "cmd/control.h"
#include "cmd/service.h"
#include "os/http.h"
#include "os/signals.h"

/* --- health ------------------------------------------------------------------------------ */

static bool is_healthy(const struct service *s)
{
	(void)s;
	return !signals_stop();
}

static const char *health(const struct service *s)
{
	return is_healthy(s) ? "{\"status\":\"ok\"}\n" : "{\"status\":\"stopping\"}\n";
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
		control_write(answer, is_healthy(s) ? NULL : "stopping", health(s));
		break;
	case CONTROL_UNKNOWN:
		control_write(answer, "unknown question: stats, flows, reload, rotate or health",
				NULL);
		break;
	}
	return true;
}

/* --- HTTP -------------------------------------------------------------------------------- */

static void answer_metrics(struct service *s, const struct http_request *r, struct buf *answer)
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
		answer_metrics(s, &r, answer);
	else if (strcmp(r.path, "/health") == 0)
		http_write(answer, &r, is_healthy(s) ? 200 : 503, "application/json", health(s));
	else
		http_write(answer, &r, 404, NULL, NULL);
	return true;
}
