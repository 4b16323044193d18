/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats_out.c - from measures to the numbers of a record, and what each of them means.
 *
 * Divisions and roots happen here and only here; everything before is integers.
 */
#include "feature/stats_out.h"

#define NS_PER_MS 1e6
#define NS_PER_S  1e9L

struct stats_sizes stats_sizes_of(const struct moments *m)
{
	if (m->n == 0)
		return (struct stats_sizes){ 0, UINT64_MAX, (double)NAN, (double)NAN, UINT64_MAX };
	return (struct stats_sizes){ m->n, m->min, moments_mean(m, 1), moments_std(m, 1), m->max };
}

struct stats_times stats_times_of(const struct moments *m)
{
	if (m->n == 0)
		return (struct stats_times){ 0, { -1 }, (double)NAN, (double)NAN, { -1 } };
	return (struct stats_times){ m->n, { (int64_t)m->min }, moments_mean(m, NS_PER_MS),
		moments_std(m, NS_PER_MS), { (int64_t)m->max } };
}

static struct stats_size_group size_group(const struct moments *m)
{
	struct moments all = moments_both(&m[0], &m[1]);

	return (struct stats_size_group){ stats_sizes_of(&m[0]), stats_sizes_of(&m[1]),
		stats_sizes_of(&all) };
}

/* Payload lengths of all packets: those without payload add to the number, and are the least. */
static struct moments with_empty(const struct moments *payload, uint64_t packets)
{
	struct moments m = *payload;

	if (packets > m.n)
		m.min = 0;
	m.n = packets;
	return m;
}

double stats_rate(uint64_t count, uint64_t ns)
{
	if (ns == 0)
		return (double)NAN;
	return (double)((long double)count * NS_PER_S / (long double)ns);
}

struct stats_bursts stats_bursts_of(const struct measure_bursts *b)
{
	if (b->n == 0)
		return (struct stats_bursts){ 0, UINT64_MAX, UINT64_MAX, (double)NAN, { -1 },
			(double)NAN };
	return (struct stats_bursts){
		.n = b->n,
		.pkts = b->packets,
		.bytes = b->bytes,
		.mean = (double)((long double)b->bytes / (long double)b->n),
		.duration.ns = (int64_t)b->ns,
		.bytes_per_s = stats_rate(b->bytes, b->ns),
	};
}

static void fill_first_dirs(struct stats_out *out, const struct measure *t)
{
	uint64_t count = t->payload[0].n + t->payload[1].n;

	if (count > MEASURE_FIRST)
		count = MEASURE_FIRST;
	for (unsigned i = 0; i < MEASURE_FIRST; i++)
		out->first_dirs[i] = t->first & 1u << i ? '<' : '>';
	out->stats.first_dirs = (struct field_text){ out->first_dirs, count };
}

static void fill_rates(struct stats_values *v, const struct measure *t)
{
	uint64_t ns = t->ipt_all.sum, out = t->ip[0].n, in = t->ip[1].n;

	v->duration.ns = (int64_t)ns;
	v->bytes_per_s = stats_rate(t->payload[0].sum + t->payload[1].sum, ns);
	v->ip_bytes_per_s = stats_rate(t->ip[0].sum + t->ip[1].sum, ns);
	v->pkts_per_s = stats_rate(out + in, ns);
	v->pkts_per_s_out = stats_rate(out, ns);
	v->pkts_per_s_in = stats_rate(in, ns);
	v->down_up_ratio = out > 0 ? (double)in / (double)out : (double)NAN;
}

static void fill_counts(struct stats_values *v, const struct measure *t)
{
	v->small_out = t->small[0];
	v->small_in = t->small[1];
	v->large_out = t->large[0];
	v->large_in = t->large[1];
	v->header_min_out = t->header_min[0] > 0 ? t->header_min[0] : UINT8_MAX;
	v->header_min_in = t->header_min[1] > 0 ? t->header_min[1] : UINT8_MAX;
	v->subflows = 1 + t->pauses;
}

void stats_fill(struct stats_out *out, const struct measure *t)
{
	struct stats_values *v = &out->stats;
	struct moments segment[2] = { with_empty(&t->payload[0], t->ip[0].n),
		with_empty(&t->payload[1], t->ip[1].n) };
	struct moments active = measure_active(t);

	v->payload = size_group(t->payload);
	v->segment = size_group(segment);
	v->ip = size_group(t->ip);
	v->ipt = (struct stats_time_group){ stats_times_of(&t->ipt[0]), stats_times_of(&t->ipt[1]),
		stats_times_of(&t->ipt_all) };
	fill_rates(v, t);
	fill_counts(v, t);
	fill_first_dirs(out, t);
	v->active = stats_times_of(&active);
	v->idle = stats_times_of(&t->idle);
	v->burst = (struct stats_burst_group){ stats_bursts_of(&t->burst[0]),
		stats_bursts_of(&t->burst[1]) };
}

/* --- fields
 * --------------------------------------------------------------------------------------- */

#define NONE    "left out when n is 0"
#define FEW     "left out when n is below 2"
#define INSTANT "left out when the duration is 0"
#define IN      FIELD_REVERSE

static const struct field size_fields[] = {
	FIELD(struct stats_sizes, n, "n", "packets", "How many packets were measured."),
	FIELD(struct stats_sizes, min, "min", "bytes", "Least length.",
			.flags = FIELD_NULLABLE | FIELD_OPTIONAL, .null_rule = NONE),
	FIELD(struct stats_sizes, mean, "mean", "bytes", "Arithmetic mean: sum of the lengths / n.",
			.flags = FIELD_OPTIONAL, .null_rule = NONE),
	FIELD(struct stats_sizes, std, "std", "bytes",
			"Sample standard deviation: square root of the sum of (length - mean)^2 / "
			"(n - 1), from exact integer sums.",
			.flags = FIELD_OPTIONAL, .null_rule = FEW),
	FIELD(struct stats_sizes, max, "max", "bytes", "Greatest length.",
			.flags = FIELD_NULLABLE | FIELD_OPTIONAL, .null_rule = NONE),
	{ 0 },
};

static const struct field time_fields[] = {
	FIELD(struct stats_times, n, "n", "", "How many times were measured."),
	FIELD(struct stats_times, min, "min", "ms", "Least time, exact to the nanosecond.",
			.flags = FIELD_OPTIONAL, .null_rule = NONE),
	FIELD(struct stats_times, mean, "mean", "ms", "Arithmetic mean: sum of the times / n.",
			.flags = FIELD_OPTIONAL, .null_rule = NONE),
	FIELD(struct stats_times, std, "std", "ms",
			"Sample standard deviation: square root of the sum of (time - mean)^2 / (n "
			"- 1), from exact integer sums of ns.",
			.flags = FIELD_OPTIONAL, .null_rule = FEW),
	FIELD(struct stats_times, max, "max", "ms", "Greatest time, exact to the nanosecond.",
			.flags = FIELD_OPTIONAL, .null_rule = NONE),
	{ 0 },
};

static const struct field size_group_fields[] = {
	FIELD_SUB(struct stats_size_group, out, "out", size_fields, "Packets from sa to da."),
	FIELD_SUB(struct stats_size_group, in, "in", size_fields, "Packets from da to sa.",
			.flags = IN),
	FIELD_SUB(struct stats_size_group, all, "all", size_fields, "All packets of the record."),
	{ 0 },
};

static const struct field time_group_fields[] = {
	FIELD_SUB(struct stats_time_group, out, "out", time_fields,
			"Between each packet from sa to da and the one before it in that "
			"direction."),
	FIELD_SUB(struct stats_time_group, in, "in", time_fields,
			"Between each packet from da to sa and the one before it in that "
			"direction.",
			.flags = IN),
	FIELD_SUB(struct stats_time_group, all, "all", time_fields,
			"Between each packet of the record and the one before it, of either "
			"direction."),
	{ 0 },
};

static const struct field burst_fields[] = {
	FIELD(struct stats_bursts, n, "n", "", "Number of bursts.",
			.flags = FIELD_NULLABLE | FIELD_OPTIONAL,
			.null_rule = "left out, in a merged record, when a burst may have gone on "
				     "from part to part"),
	FIELD(struct stats_bursts, pkts, "pkts", "packets", "Data packets in all bursts together.",
			.flags = FIELD_NULLABLE | FIELD_OPTIONAL, .null_rule = NONE),
	FIELD(struct stats_bursts, bytes, "bytes", "bytes", "Payload bytes in all bursts together.",
			.flags = FIELD_NULLABLE | FIELD_OPTIONAL, .null_rule = NONE),
	FIELD(struct stats_bursts, mean, "mean", "bytes", "Mean size of a burst: bytes / n.",
			.flags = FIELD_OPTIONAL, .null_rule = NONE),
	FIELD(struct stats_bursts, duration, "duration_ms", "ms",
			"Sum over all bursts of the time from its first packet to its last.",
			.flags = FIELD_OPTIONAL, .null_rule = NONE),
	FIELD(struct stats_bursts, bytes_per_s, "bytes_per_s", "bytes/s",
			"bytes / duration, both of all bursts together.", .flags = FIELD_OPTIONAL,
			.null_rule = "left out when the bursts' duration is 0"),
	{ 0 },
};

static const struct field burst_group_fields[] = {
	FIELD_SUB(struct stats_burst_group, out, "out", burst_fields, "Bursts from sa to da."),
	FIELD_SUB(struct stats_burst_group, in, "in", burst_fields, "Bursts from da to sa.",
			.flags = IN),
	{ 0 },
};

static const struct field value_fields[] = {
	FIELD(struct stats_values, duration, "duration_ms", "ms",
			"time_end less time_start, exact.", .source = "IANA 161"),
	FIELD_SUB(struct stats_values, payload, "payload", size_group_fields,
			"Payload lengths (as counted in bytes_out) of the packets that have "
			"payload, retransmissions too."),
	FIELD_SUB(struct stats_values, segment, "segment", size_group_fields,
			"Payload lengths of all packets; those without payload, and fragments "
			"other than the last to come of a datagram, count as 0.  This is what "
			"CICFlowMeter calls packet length."),
	FIELD_SUB(struct stats_values, ip, "ip", size_group_fields,
			"IP lengths (as counted in ip_bytes_out) of all packets, each fragment its "
			"own.",
			.source = "IANA 25, 26 for min and max"),
	FIELD_SUB(struct stats_values, ipt, "ipt", time_group_fields,
			"Inter-packet times of all packets, in flow time (see time_end); a first "
			"packet has none."),
	FIELD(struct stats_values, bytes_per_s, "bytes_per_s", "bytes/s",
			"Payload bytes of all packets of the record / duration.",
			.flags = FIELD_OPTIONAL, .null_rule = INSTANT),
	FIELD(struct stats_values, ip_bytes_per_s, "ip_bytes_per_s", "bytes/s",
			"IP lengths of all packets of the record / duration.",
			.flags = FIELD_OPTIONAL, .null_rule = INSTANT),
	FIELD(struct stats_values, pkts_per_s, "pkts_per_s", "packets/s",
			"Packets of the record / duration.", .flags = FIELD_OPTIONAL,
			.null_rule = INSTANT),
	FIELD(struct stats_values, pkts_per_s_out, "pkts_per_s_out", "packets/s",
			"num_pkts_out / duration of the record.", .flags = FIELD_OPTIONAL,
			.null_rule = INSTANT),
	FIELD(struct stats_values, pkts_per_s_in, "pkts_per_s_in", "packets/s",
			"num_pkts_in / duration of the record.", .flags = IN | FIELD_OPTIONAL,
			.null_rule = INSTANT),
	FIELD(struct stats_values, down_up_ratio, "down_up_ratio", "",
			"num_pkts_in / num_pkts_out.", .flags = IN | FIELD_OPTIONAL,
			.null_rule = "left out when num_pkts_out is 0"),
	FIELD(struct stats_values, small_out, "small_out", "packets",
			"Packets from sa to da with 1 to 59 bytes of payload.",
			.source = "CERT 500 (YAF smallPacketCount)"),
	FIELD(struct stats_values, small_in, "small_in", "packets", "As small_out, from da to sa.",
			.flags = IN, .source = "CERT 500 reverse"),
	FIELD(struct stats_values, large_out, "large_out", "packets",
			"Packets from sa to da with more than 225 bytes of payload.",
			.source = "CERT 510 (YAF largePacketCount)"),
	FIELD(struct stats_values, large_in, "large_in", "packets", "As large_out, from da to sa.",
			.flags = IN, .source = "CERT 510 reverse"),
	FIELD(struct stats_values, header_min_out, "header_min_out", "bytes",
			"Least length of the transport header of packets from sa to da: TCP data "
			"offset times 4, UDP and UDP-Lite 8; fragments (other than the last to "
			"come) and broken headers not looked at.",
			.flags = FIELD_NULLABLE | FIELD_OPTIONAL,
			.null_rule = "left out for other protocols and without such a packet"),
	FIELD(struct stats_values, header_min_in, "header_min_in", "bytes",
			"As header_min_out, from da to sa.",
			.flags = IN | FIELD_NULLABLE | FIELD_OPTIONAL,
			.null_rule = "left out for other protocols and without such a packet"),
	FIELD(struct stats_values, first_dirs, "first_dirs", "",
			"Directions of the first eight data packets, retransmissions too: \">\" "
			"from sa to da, \"<\" back; shorter when there are fewer.",
			.source = "CERT 507 (YAF firstEightNonEmptyPacketDirections), as text"),
	FIELD(struct stats_values, subflows, "subflows", "",
			"1 + number of gaps longer than 1 s between one packet of the record and "
			"the next."),
	FIELD_SUB(struct stats_values, active, "active", time_fields,
			"Durations of active periods.  A gap longer than stats_idle seconds "
			"(default 5) between one packet of the record and the next ends an active "
			"period; the next one begins with the packet behind the gap.  A period "
			"lasts from its first packet to its last; a single packet is a period of "
			"0.  n is idle.n + 1."),
	FIELD_SUB(struct stats_values, idle, "idle", time_fields,
			"Durations of the gaps between active periods."),
	FIELD_SUB(struct stats_values, burst, "burst", burst_group_fields,
			"Bursts.  A run is a longest sequence of data packets (packets with "
			"payload, retransmissions too) in one direction, not interrupted by a data "
			"packet of the other direction, each at most 1 s behind the one before it "
			"in the run; packets without payload do not matter.  A run of 3 packets or "
			"more is a burst."),
	{ 0 },
};

const struct field stats_fields[] = {
	FIELD_SUB(struct stats_out, stats, "stats", value_fields,
			"Statistics of sizes and times over all packets of the record.",
			.null_rule = "left out unless stats=1", .merge = MERGE_OWN),
	{ 0 },
};
