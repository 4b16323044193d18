/* SPDX-License-Identifier: BSD-3-Clause */
/* says.c - a short list of lines under a lock. */
#include "sink/says.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { LINES = sizeof((struct says *)NULL)->line / sizeof((struct says *)NULL)->line[0] };

void says_init(struct says *s)
{
	s->count = 0;
	s->more = 0;
	pthread_mutex_init(&s->lock, NULL);
}

void says_add(struct says *s, enum sink_level level, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&s->lock);
	if (s->count < LINES) {
		va_start(args, format);
		vsnprintf(s->line[s->count].text, sizeof s->line[0].text, format, args);
		va_end(args);
		s->line[s->count++].level = level;
	} else {
		s->more++;
	}
	pthread_mutex_unlock(&s->lock);
}

/* Takes the first line out; false: there is none. */
static bool take(struct says *s, enum sink_level *level, char text[static 512])
{
	bool any;

	pthread_mutex_lock(&s->lock);
	any = s->count > 0;
	if (any) {
		*level = s->line[0].level;
		memcpy(text, s->line[0].text, sizeof s->line[0].text);
		s->count--;
		memmove(&s->line[0], &s->line[1], s->count * sizeof s->line[0]);
	} else if (s->more > 0) {
		any = true;
		*level = SINK_WARNING;
		snprintf(text, 512, "%" PRIu64 " more messages of the output", s->more);
		s->more = 0;
	}
	pthread_mutex_unlock(&s->lock);
	return any;
}

void says_tell(struct says *s, const struct sink_target *target)
{
	enum sink_level level;
	char text[512];

	while (take(s, &level, text)) {
		if (target->log != NULL)
			target->log(target->ctx, level, text);
	}
}

void says_destroy(struct says *s)
{
	pthread_mutex_destroy(&s->lock);
}
