/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * source.c - a run: opens one file after the other, unwraps it, finds its format, and passes on its
 * frames; tells what went wrong with each.
 *
 * A named file that is no capture has failed; one that was merely found in a folder is passed
 * over with a warning.
 */
#include "source/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "source/decoder.h"
#include "source/filter.h"
#include "source/format.h"
#include "source/kind.h"
#include "source/memory.h"
#include "source/paths.h"
#include "source/tell.h"

enum { LOOK = 4 }; /* the longest magic number of a format */

struct source {
	struct source_conf conf;
	struct paths paths; /* of a sibling: empty */
	const struct paths_entry *list;
	size_t next, end; /* of the list: to be read */
	bool is_sibling;
	struct rd memory; /* instead of paths */
	size_t memory_step;
	struct filter *filter;
	const struct input_rooms *rooms; /* NULL: inputs have their own */
	struct interfaces interfaces;
	struct source_progress progress;
	uint64_t bytes_before; /* of the files that are done */
	bool told_interfaces;

	/* the file being read */
	const struct paths_entry *entry;
	const struct format *format; /* NULL between files */
	void *state;
	struct format_file file;
};

static bool stopped(const struct source *s)
{
	return s->conf.stopped != NULL && s->conf.stopped(s->conf.ctx);
}

/* --- telling ------------------------------------------------------------------------------- */

static void tell(struct source *s, enum source_trouble what, int64_t at, const char *format, ...)
		__attribute__((format(printf, 4, 5)));

/* Of the present file; at -1: of no place in it. */
static void tell(struct source *s, enum source_trouble what, int64_t at, const char *format, ...)
{
	char line[TELL_LINE];
	va_list args;

	if (s->conf.trouble == NULL || stopped(s)) /* an end that we made is no trouble */
		return;
	va_start(args, format);
	tell_line(line, format, args);
	va_end(args);
	s->conf.trouble(s->conf.ctx,
			&(struct source_report){ what, tell_name(s->entry), at, line });
}

static const char *unpacked(const struct input *in)
{
	return in->below != NULL ? ", counted in the unpacked data" : "";
}

/* Why the bytes or the packets in them ended too early. */
static void tell_damage(struct source *s, const struct format_file *f)
{
	const struct input *fault = input_fault(f->in);
	const int64_t at = (int64_t)input_offset(f->in);
	unsigned long long packets = f->packets;

	if (fault != NULL && fault->minor)
		tell(s, SOURCE_WARNING, at, "%s: %s", f->path, fault->fault.text);
	if (fault != NULL && !fault->minor)
		tell(s, SOURCE_DAMAGED, at,
				"%s: %s at offset %llu; the %llu packets before were read", f->path,
				fault->fault.text, (unsigned long long)input_used(f->in), packets);
	else if (f->damage.text[0] != '\0')
		tell(s, SOURCE_DAMAGED, f->damage_at, "%s %s%s; the %llu packets before were read",
				f->path, f->damage.text, unpacked(f->in), packets);
}

/* All there is to say about a file that was read. */
static void tell_ending(struct source *s)
{
	const struct format_file *f = &s->file;

	if (f->skipped_count > 0)
		tell(s, SOURCE_DAMAGED, f->skipped_at, "%s: %s; %llu such were left out", f->path,
				f->skipped.text, (unsigned long long)f->skipped_count);
	tell_damage(s, f);
	if (f->far_times > 0)
		tell(s, SOURCE_WARNING, -1,
				"%s: %llu packets have a time before 1824 or after 2116", f->path,
				(unsigned long long)f->far_times);
	if (s->interfaces.over > 0 && !s->told_interfaces) {
		s->told_interfaces = true;
		tell(s, SOURCE_WARNING, -1,
				"%s: more than %d interfaces; the others share a number", f->path,
				LIMIT_INTERFACES);
	}
}

/* --- one file ------------------------------------------------------------------------------ */

static struct input *open_bytes(struct source *s, struct err *why)
{
	struct input_stop stop = { s->conf.stopped, s->conf.ctx };
	struct input *in;

	if (s->memory.p == NULL)
		return input_open(s->entry->path, s->entry->in_folder, &stop, why);
	in = input_memory(s->memory.p, s->memory.left, s->memory_step);
	if (in == NULL)
		err_set(why, "no memory");
	return in;
}

/* "is no capture: it is gzip of text" and the like; false when that could not be found out. */
static bool describe(struct input *in, struct err *why)
{
	char kind[KIND_TEXT];
	const struct input *fault = input_fault(in);

	kind_describe(in, kind);
	if (fault != NULL && input_at_hand(in) == 0)
		return err_set(why, "cannot be read: %s", fault->fault.text);
	err_set(why, "is no capture: it is %s", kind);
	return true;
}

static void describe_short(const struct format *format, struct input *in, struct err *why)
{
	const struct input *fault = input_fault(in);

	if (fault != NULL)
		err_set(why, "cannot be read: %s", fault->fault.text);
	else
		err_set(why, "is too short for a %s capture (%zu bytes)", format->name,
				input_at_hand(in));
}

/* Opens a file of a known format; false with the reason. */
static bool open_format(
		struct source *s, const struct format *format, struct input *in, struct err *why)
{
	if (input_need(in, format->min_size) < format->min_size) {
		describe_short(format, in, why);
		return false;
	}
	s->file = (struct format_file){
		.in = in,
		.path = tell_name(s->entry),
		.interfaces = &s->interfaces,
		.last_ns = s->file.last_ns,
		.damage_at = -1,
		.skipped_at = -1,
	};
	s->state = format->open(&s->file);
	if (s->state == NULL)
		return err_set(why, "%s", s->file.damage.text);
	s->format = format;
	return true;
}

static void file_done(struct source *s)
{
	s->progress.files_done++;
	s->progress.comments += s->file.comments;
	s->file.comments = 0;
}

static void close_file(struct source *s)
{
	tell_ending(s);
	s->bytes_before += s->entry->size > 0 ? s->entry->size : input_used(s->file.in);
	s->format->close(s->state);
	s->format = NULL;
	input_close(s->file.in);
	s->file.in = NULL;
	file_done(s);
}

static bool use_rooms(const struct source *s, struct input *in, struct err *why)
{
	return s->rooms == NULL || input_use_rooms(in, s->rooms) ||
	       err_set(why, "cannot be read: no memory");
}

/* Unwraps a file and opens it; false when it gives nothing, which has been told. */
static bool open_input(struct source *s, struct input *in)
{
	const char *name = tell_name(s->entry);
	const struct format *format = NULL;
	struct err why = { "" };

	if (decoder_unwrap(&in, &why)) {
		format = format_find(rd_first(input_rd(in), LOOK));
		if (format != NULL && use_rooms(s, in, &why) && open_format(s, format, in, &why))
			return true;
		if (format == NULL && describe(in, &why) && s->entry->in_folder) {
			tell(s, SOURCE_WARNING, -1, "%s %s; passed over", name, why.text);
			input_close(in);
			return false;
		}
	}
	/* A capture that breaks off in its own header is a damaged one; anything else is none. */
	tell(s, format != NULL ? SOURCE_DAMAGED : SOURCE_FAILED, -1, "%s %s", name, why.text);
	input_close(in);
	return false;
}

static bool open_file(struct source *s, const struct paths_entry *entry)
{
	struct err why = { "" };
	struct input *in = NULL;

	s->entry = entry;
	s->progress.file = tell_name(entry);
	if (entry->trouble != NULL)
		err_set(&why, "%s", entry->trouble);
	else
		in = open_bytes(s, &why);
	if (in != NULL && open_input(s, in))
		return true;
	if (in == NULL)
		tell(s, SOURCE_FAILED, -1, "%s %s", tell_name(entry), why.text);
	s->bytes_before += entry->size;
	file_done(s);
	return false;
}

/* --- the run ------------------------------------------------------------------------------- */

static struct source *source_alloc(const struct source_conf *conf, struct err *e)
{
	struct source *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		err_set(e, "no memory for a source");
		return NULL;
	}
	s->conf = *conf;
	if (conf->bpf != NULL && (s->filter = filter_new(conf->bpf, e)) == NULL) {
		free(s);
		return NULL;
	}
	s->conf.bpf = NULL; /* the caller's text may go */
	return s;
}

static struct source *with_paths(
		struct source *s, const char *const *paths, size_t count, struct err *e)
{
	if (s == NULL || !paths_expand(&s->paths, paths, count, e)) {
		source_free(s);
		return NULL;
	}
	s->list = s->paths.list;
	s->end = s->paths.count;
	s->progress.files_total = s->paths.count;
	s->progress.bytes_total = s->paths.endless ? 0 : s->paths.bytes;
	return s;
}

struct source *source_new(const char *const *paths, size_t count, const struct source_conf *conf,
		struct err *e)
{
	return with_paths(source_alloc(conf, e), paths, count, e);
}

struct source *source_new_memory(const void *bytes, size_t size, size_t step,
		const struct source_conf *conf, struct err *e)
{
	static const char *const name = "-";
	struct source *s = with_paths(source_alloc(conf, e), &name, 1, e);

	if (s != NULL) {
		s->memory = (struct rd){ bytes, size };
		s->memory_step = step;
	}
	return s;
}

void source_free(struct source *s)
{
	if (s == NULL)
		return;
	if (s->format != NULL) {
		s->format->close(s->state);
		input_close(s->file.in);
	}
	filter_free(s->filter);
	interfaces_destroy(&s->interfaces);
	paths_destroy(&s->paths);
	free(s);
}

/* Opens files until one gives frames; false at the end of the list. */
static bool next_file(struct source *s)
{
	while (s->next < s->end) {
		if (open_file(s, &s->list[s->next++]))
			return true;
	}
	return false;
}

static size_t filtered(struct source *s, struct frame *frames, size_t n)
{
	struct err why;
	size_t passed = filter_apply(s->filter, frames, n);

	s->progress.filtered += n - passed;
	while (filter_trouble(s->filter, &why))
		tell(s, SOURCE_DAMAGED, -1, "%s: %s", s->file.path, why.text);
	return passed;
}

/* A batch of the open file, before the filter; 0: the file is at its end. */
static size_t read_file(struct source *s, struct frame *frames, size_t max)
{
	size_t n = s->format->read(s->state, &s->file, frames, max);

	if (!input_steady(s->file.in))
		return 0;
	if (n > 0)
		s->file.last_ns = frames[n - 1].ns;
	s->file.packets += n;
	return n;
}

size_t source_read(struct source *s, struct frame *frames, size_t max, bool *ok, struct err *e)
{
	(void)e; /* whatever goes wrong with a file, the next can be read */
	*ok = true;
	while (max > 0 && !stopped(s) && (s->format != NULL || next_file(s))) {
		size_t n = read_file(s, frames, max);

		if (n == 0) {
			close_file(s);
			continue;
		}
		if (s->filter != NULL && (n = filtered(s, frames, n)) == 0)
			continue;
		s->progress.packets += n;
		return n;
	}
	return 0;
}

void source_use_rooms(struct source *s, const struct input_rooms *rooms)
{
	s->rooms = rooms;
}

struct source_progress source_progress(const struct source *s)
{
	struct source_progress p = s->progress;

	p.bytes_read = s->bytes_before;
	p.interfaces |= s->interfaces.count > 0;
	if (s->format != NULL) {
		p.bytes_read += input_used(s->file.in);
		p.comments += s->file.comments;
	}
	return p;
}

const struct source_interface *source_interface(const struct source *s, uint32_t index)
{
	return index < s->interfaces.count ? s->interfaces.list[index] : NULL;
}

/* --- each file by itself ------------------------------------------------------------------- */

const char *source_choose(struct source *s, size_t file)
{
	if (s->format != NULL) {
		s->format->close(s->state);
		input_close(s->file.in);
		s->format = NULL;
	}
	s->progress.interfaces |= s->interfaces.count > 0;
	interfaces_destroy(&s->interfaces);
	s->interfaces = (struct interfaces){ 0 };
	s->told_interfaces = false;
	s->file = (struct format_file){ 0 };
	filter_renew(s->filter);
	if (s->is_sibling) {
		s->progress = (struct source_progress){ 0 };
		s->bytes_before = 0;
	}
	s->next = file;
	s->end = file + 1;
	return s->list[file].path;
}

struct source *source_sibling(
		const struct source *all, const struct source_conf *conf, struct err *e)
{
	struct source *s = source_alloc(conf, e);

	if (s != NULL) {
		s->list = all->list;
		s->is_sibling = true;
	}
	return s;
}

void source_add(struct source *all, const struct source_progress *done)
{
	all->bytes_before += done->bytes_read;
	all->progress.files_done += done->files_done;
	all->progress.packets += done->packets;
	all->progress.filtered += done->filtered;
	all->progress.comments += done->comments;
	all->progress.interfaces |= done->interfaces;
}

bool source_waits(const struct source *s)
{
	return s->paths.endless;
}
