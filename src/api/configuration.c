/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * configuration.c - the first and the last line of the output.
 *
 * Both are the same for the same input, options and machine: no clock, no process id, no
 * place where output goes.
 */
#include <string.h>
#include <sys/utsname.h>

#include "api/records.h"
#include "base/json.h"
#include "conf/print.h"

static void host_members(struct buf *out)
{
	struct utsname names;
	bool known = uname(&names) == 0;

	json_key(out, "host");
	json_text(out, known ? names.nodename : NULL);
	json_key(out, "system");
	json_text(out, known ? names.sysname : NULL);
}

void configuration_write(const struct joy *j, const struct frame *first, struct buf *out)
{
	buf_byte(out, '{');
	json_key(out, "version");
	json_text(out, JOY_VERSION);
	print_members(&(j->told != NULL ? j->told : j->registry)->sets, out);
	host_members(out);
	json_key(out, "capture_files");
	if (j->paths.size > 0)
		buf_bytes(out, j->paths.p, j->paths.size);
	else
		buf_text(out, "[]");
	json_key(out, "link_type");
	if (first != NULL)
		json_u64(out, first->linktype);
	else
		json_null(out);
	json_key(out, "start_time");
	if (first != NULL && !first->untimed)
		json_time(out, first->ns, first->nanoseconds);
	else
		json_null(out);
	buf_byte(out, '}');
}

static void number(struct buf *out, const char *key, uint64_t v)
{
	json_key(out, key);
	json_u64(out, v);
}

static void input_member(const struct joy *j, struct source_progress p, struct buf *out)
{
	json_key(out, "input");
	buf_byte(out, '{');
	number(out, "files", p.files_total);
	number(out, "damaged", j->damaged);
	number(out, "failed", j->failed);
	number(out, "bytes", p.bytes_read);
	buf_byte(out, '}');
}

static void interfaces_member(const struct joy *j, struct buf *out)
{
	struct sink_counts c;

	json_key(out, "interfaces");
	sensor_interfaces(j->sensor, out);
	sink_counts(j->sink, &c);
	number(out, "records_lost", c.lost);
}

/* Of records that were rewritten. */
static void rewrite_summary(const struct joy *j, struct buf *out)
{
	const struct rewrite_stats *s = rewrite_stats(j->rewrite);

	buf_byte(out, '{');
	number(out, "records_read", s->read);
	number(out, "records", s->records);
	number(out, "left_out", s->left_out);
	number(out, "damaged_batches", s->damaged);
	if (j->registry->core.merge) {
		number(out, "parts", s->merge.parts);
		number(out, "merged", s->merge.merged);
		number(out, "alone", s->merge.alone);
		number(out, "early", s->merge.early);
	}
	buf_byte(out, '}');
}

/* Of a run over files of records. */
static void summary_of_records(const struct joy *j, struct buf *out)
{
	struct joy_stats stats;

	handle_stats(j, &stats);
	buf_byte(out, '{');
	number(out, "records", stats.records);
	input_member(j, records_progress(j->records), out);
	json_key(out, "runs");
	records_summaries(j->records, out);
	buf_text(out, "}}");
}

void configuration_summary(const struct joy *j, struct buf *out)
{
	size_t count;
	struct engine *const *engines = run_engines(j, &count);

	buf_byte(out, '{');
	json_key(out, "summary");
	if (j->rewrite != NULL) {
		rewrite_summary(j, out);
		buf_byte(out, '}');
		return;
	}
	if (j->records != NULL) {
		summary_of_records(j, out);
		return;
	}
	run_hold(j);
	engine_summary(engines, count, j->sensor != NULL ? sensor_drops(j->sensor) : 0, out);
	run_release(j);
	if (out->size > 0 && (j->source != NULL || j->sensor != NULL)) {
		out->size--; /* opens the engine's object again */
		if (j->source != NULL)
			input_member(j, source_progress(j->source), out);
		else
			interfaces_member(j, out);
		buf_byte(out, '}');
	}
	buf_byte(out, '}');
}
