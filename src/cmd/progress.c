/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * progress.c - the progress bar: how much is read, packets a second, flows, time left.
 *
 * Time left is reckoned from the bytes read so far.  The size of a pipe is not known: then there is
 * neither bar nor time left.
 */
#include "cmd/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/terminal.h"

#define SECOND_NS INT64_C(1000000000)

enum { EVERY_NS = 200 * 1000 * 1000, LINE = 512, BAR_LEAST = 10, BAR_MOST = 40 };

/* Standard output on the same terminal would be torn apart by the line. */
void progress_start(struct progress *p, const struct joy *joy, bool wanted)
{
	*p = (struct progress){ .joy = joy, .start_ns = clock_steady_ns() };
	p->on = wanted && terminal_is(STDERR_FILENO) && !terminal_is(STDOUT_FILENO);
	p->next_ns = p->start_ns + SECOND_NS;
}

/* "999", "1.2 k", "31.5 M": a number of at most four digits. */
static void short_number(double v, char *out, size_t room)
{
	static const char *const letters[] = { "", " k", " M", " G", " T", " P" };
	size_t i = 0;

	for (; v >= 1000 && i < 5; i++)
		v /= 1000;
	snprintf(out, room, i == 0 ? "%.0f%s" : "%.1f%s", v, letters[i]);
}

static void clock_text(double seconds, char *out, size_t room)
{
	uint64_t s = seconds < 0 ? 0 : seconds > 1e9 ? 1000000000 : (uint64_t)seconds;

	if (s >= 3600)
		snprintf(out, room, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600, s / 60 % 60,
				s % 60);
	else
		snprintf(out, room, "%" PRIu64 ":%02" PRIu64, s / 60, s % 60);
}

/* "[#####-----]  45%  " as wide as 'width' allows; nothing in a narrow terminal. */
static void bar(double part, size_t width, char *out, size_t room)
{
	size_t cells = width > BAR_MOST ? BAR_MOST : width;
	size_t done = (size_t)(part * (double)cells);

	out[0] = '\0';
	if (width < BAR_LEAST || cells + 4 > room)
		return;
	out[0] = '[';
	memset(out + 1, '#', done);
	memset(out + 1 + done, '-', cells - done);
	memcpy(out + 1 + cells, "] ", 3);
}

void progress_line(
		const struct joy_stats *s, double seconds, unsigned columns, char *out, size_t room)
{
	char read[16], total[16], rate[16], left[32], words[LINE / 2], cells[BAR_MOST + 8];
	double packets = seconds > 0 ? (double)s->packets / seconds : 0;
	bool known = s->input_total > 0 && s->input_read > 0;
	double part = known ? (double)s->input_read / (double)s->input_total : 0;

	if (part > 1)
		part = 1;
	short_number((double)s->input_read, read, sizeof(read));
	short_number((double)s->input_total, total, sizeof(total));
	short_number(packets, rate, sizeof(rate));
	clock_text(known ? seconds / part - seconds : seconds, left, sizeof(left));
	if (known)
		snprintf(words, sizeof(words),
				"%3.0f%%  %sB of %sB  %s packets/s  %" PRIu64 " flows  %s left",
				part * 100, read, total, rate, s->flows, left);
	else
		snprintf(words, sizeof(words), "%sB  %s packets/s  %" PRIu64 " flows  %s", read,
				rate, s->flows, left);

	size_t used = strlen(words) + 4;
	bar(part, known && columns > used ? columns - used : 0, cells, sizeof(cells));
	snprintf(out, room, "%s%s", cells, words);
	if (columns > 0 && columns <= strlen(out)) /* the last column would wrap */
		out[columns - 1] = '\0';
}

void progress_tick(struct progress *p)
{
	int64_t now;
	struct joy_stats s;
	char line[LINE];

	if (!p->on || (now = clock_steady_ns()) < p->next_ns)
		return;
	p->next_ns = now + EVERY_NS;
	p->shown = true;
	joy_stats(p->joy, &s, sizeof(s));
	progress_line(&s, (double)(now - p->start_ns) / 1e9, terminal_columns(STDERR_FILENO), line,
			sizeof(line));
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
}

void progress_erase(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	fflush(stderr);
	p->shown = false;
}
