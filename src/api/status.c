/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * status.c - a run looked at while it goes on: counters as JSON, as OpenMetrics 1.0, and the flows
 * that are alive.
 *
 * A sensor's workers stand still while they are looked into; packets wait in the rings.
 */
#include "api/handle.h"
#include "base/json.h"

enum { FLOWS = 10000 }; /* listed at once */

/* --- JSON
 * ------------------------------------------------------------------------------------------ */

static void number(struct buf *out, const char *key, uint64_t v)
{
	json_key(out, key);
	json_u64(out, v);
}

static void output_member(const struct joy *j, struct buf *out)
{
	struct sink_counts c = { 0 };

	if (j->sink != NULL)
		sink_counts(j->sink, &c);
	json_key(out, "output");
	buf_byte(out, '{');
	number(out, "records", c.records);
	number(out, "bytes", c.bytes);
	number(out, "files", c.files);
	number(out, "lost", c.lost);
	number(out, "waiting_bytes", c.waiting_bytes);
	json_key(out, "lag_seconds");
	json_s(out, c.waiting_ns);
	buf_printf(out, ",\"paused\":%s}", c.paused ? "true" : "false");
}

static void stats(struct joy *j, struct buf *out)
{
	const struct engine_stats s = run_stats(j);

	configuration_summary(j, out);
	if (out->size < 2)
		return;
	out->size--; /* opens the object again */
	number(out, "memory", s.memory);
	number(out, "memory_peak", s.memory_peak);
	number(out, "alive", s.alive);
	output_member(j, out);
	buf_text(out, "}\n");
}

static void flows(struct joy *j, struct buf *out)
{
	size_t count, left = FLOWS, over = 0;
	struct engine *const *engines = run_engines(j, &count);

	run_hold(j);
	for (size_t i = 0; i < count; i++) {
		const uint64_t alive = engine_stats(engines[i])->alive;

		over += engine_flows(engines[i], left, out);
		left -= alive < left ? (size_t)alive : left;
	}
	run_release(j);
	if (over > 0)
		buf_printf(out, "{\"left_out\":%zu}\n", over);
}

/* --- OpenMetrics
 * ------------------------------------------------------------------------------------ */

struct metric {
	const char *name, *type, *unit, *help;
};

/* Heads of a family; the samples follow. */
static void family(struct buf *out, const struct metric *m)
{
	buf_printf(out, "# TYPE joy_%s %s\n", m->name, m->type);
	if (m->unit != NULL)
		buf_printf(out, "# UNIT joy_%s %s\n", m->name, m->unit);
	buf_printf(out, "# HELP joy_%s %s\n", m->name, m->help);
}

static void counter(
		struct buf *out, const char *name, const char *unit, const char *help, uint64_t v)
{
	family(out, &(struct metric){ name, "counter", unit, help });
	buf_printf(out, "joy_%s_total %llu\n", name, (unsigned long long)v);
}

static void gauge(struct buf *out, const char *name, const char *unit, const char *help, uint64_t v)
{
	family(out, &(struct metric){ name, "gauge", unit, help });
	buf_printf(out, "joy_%s %llu\n", name, (unsigned long long)v);
}

/* What stands between quotes of a label's value. */
static void label_text(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '"')
			buf_byte(out, '\\');
		buf_byte(out, (unsigned char)*text < 0x20 ? '?' : *text);
	}
}

static void of_packets(const struct engine_stats *s, struct buf *out)
{
	counter(out, "packets", NULL, "Packets taken.", s->packets);
	counter(out, "bytes", "bytes", "Their lengths on the wire.", s->bytes);
	counter(out, "ip_packets", NULL, "Packets counted in a flow.", s->ip_packets);
	counter(out, "not_ip", NULL, "Packets that are not IP.", s->not_ip);
	counter(out, "malformed", NULL, "Packets that contradict themselves.", s->malformed);
	counter(out, "cut_short", NULL, "Packets captured without their headers.", s->cut_short);
	counter(out, "refused", NULL, "Packets for which there was no memory.", s->refused);
	counter(out, "drops", NULL, "Packets that the kernel dropped.", s->drops);
}

static void of_flows(const struct engine_stats *s, struct buf *out)
{
	counter(out, "flows", NULL, "Flows begun.", s->flows);
	counter(out, "evicted", NULL, "Flows that left for lack of memory.", s->evicted);
	counter(out, "records", NULL, "Records made.", s->records);
	gauge(out, "flows_alive", NULL, "Flows in the table.", s->alive);
	gauge(out, "memory_bytes", "bytes", "Memory of flows.", s->memory);
	gauge(out, "memory_peak_bytes", "bytes", "The most it ever was.", s->memory_peak);
}

static void of_output(const struct joy *j, struct buf *out)
{
	static const struct metric lag = { "output_lag_seconds", "gauge", "seconds",
		"Age of the oldest record that waits to be written." };
	struct sink_counts c = { 0 };

	if (j->sink != NULL)
		sink_counts(j->sink, &c);
	counter(out, "output_bytes", "bytes", "Bytes of records, before compression.", c.bytes);
	counter(out, "output_files", NULL, "Files finished.", c.files);
	counter(out, "records_lost", NULL, "Records that could not be written.", c.lost);
	gauge(out, "output_waiting_bytes", "bytes", "Records that wait to be written.",
			c.waiting_bytes);
	gauge(out, "output_paused", NULL, "1 while nothing can be written.", c.paused);
	family(out, &lag);
	buf_printf(out, "joy_%s ", lag.name);
	json_s(out, c.waiting_ns);
	buf_byte(out, '\n');
}

static void of_interfaces(const struct joy *j, struct buf *out)
{
	static const struct metric metrics[] = {
		{ "interface_packets", "counter", NULL, "Packets that the kernel saw." },
		{ "interface_ring_drops", "counter", NULL,
				"Packets dropped, the ring being full." },
		{ "interface_ring_freezes", "counter", NULL, "How often the ring was full." },
		{ "interface_drops", "counter", NULL,
				"Packets that the interface itself dropped." },
	};

	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		family(out, &metrics[m]);
		for (size_t i = 0; i < live_interfaces(j->live); i++) {
			const struct live_counts c = sensor_counts(j->sensor, i);
			const uint64_t values[] = { c.packets, c.drops, c.freezes,
				c.interface_drops };

			buf_printf(out, "joy_%s_total{interface=\"", metrics[m].name);
			label_text(out, live_interface(j->live, i)->name);
			buf_printf(out, "\"} %llu\n", (unsigned long long)values[m]);
		}
	}
}

static void of_rings(const struct joy *j, struct buf *out)
{
	static const struct metric fill = { "ring_fill_ratio", "gauge", "ratio",
		"Share of a ring that waits to be read." };
	size_t rings;

	sensor_engines(j->sensor, &rings);
	family(out, &fill);
	for (unsigned i = 0; i < rings; i++) {
		const unsigned percent = live_fill(j->live, i);

		buf_printf(out, "joy_%s{worker=\"%u\"} %u.%02u\n", fill.name, i, percent / 100,
				percent % 100);
	}
}

static void metrics(struct joy *j, struct buf *out)
{
	const struct engine_stats s = run_stats(j);

	of_packets(&s, out);
	of_flows(&s, out);
	of_output(j, out);
	if (j->sensor != NULL) {
		of_interfaces(j, out);
		of_rings(j, out);
	}
	buf_text(out, "# EOF\n");
}

bool status_write(struct joy *j, enum joy_text what, struct buf *out)
{
	if (j->engine == NULL && j->team == NULL && j->apart == NULL && j->sensor == NULL)
		return err_set(&j->error, "nothing runs");
	if (what == JOY_TEXT_STATS)
		stats(j, out);
	else if (what == JOY_TEXT_METRICS)
		metrics(j, out);
	else
		flows(j, out);
	return true;
}
