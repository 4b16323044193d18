/* SPDX-License-Identifier: BSD-3-Clause */
/* message.c - "pcap2flow: warning: ..." lines. */
#include "cmd/message.h"

#include <stdarg.h>

void message(struct messages *m, enum joy_level level, const char *format, ...)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	va_list args;

	if ((unsigned)level > m->verbosity || (unsigned)level >= sizeof(names) / sizeof(names[0]))
		return;
	if (m->progress != NULL && m->to == stderr)
		progress_erase(m->progress);
	fprintf(m->to, "pcap2flow: %s: ", names[level]);
	va_start(args, format);
	vfprintf(m->to, format, args);
	va_end(args);
	fputc('\n', m->to);
	fflush(m->to);
}

void message_close(struct messages *m)
{
	if (m->to != stderr)
		fclose(m->to);
	m->to = stderr;
}

bool message_open(struct messages *m, const char *path)
{
	FILE *f = fopen(path, "ae");

	if (f == NULL)
		return false;
	message_close(m);
	m->to = f;
	return true;
}
