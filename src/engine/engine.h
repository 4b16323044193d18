/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine.h - frames in, records out: decode, flow table, features, and the walk to the sink.
 *
 * An engine is one run.  It takes frames from a source or from the caller and hands each finished
 * flow, in the order of (leaving time, number of first packet), to its sink.
 */
#pragma once

#include "conf/conf.h"
#include "feature/registry.h"
#include "net/frame.h"
#include "record/plan.h"
#include "sink/sink.h"
#include "source/source.h"

struct engine;

struct engine_decode_stats {
	uint64_t count[OUTCOMES]; /* by outcome, for one stage */
};

struct engine_stats {
	uint64_t frames;      /* taken from the source (those that bpf left) */
	uint64_t packets;     /* frames, with A-MSDU subframes counted singly */
	uint64_t bytes;       /* wire lengths of all frames */
	uint64_t ip_packets;  /* counted in a flow */
	uint64_t icmp_errors; /* counted at the flow they quote */
	uint64_t not_ip, cut_short, malformed, unknown; /* packets outside any flow */
	uint64_t truncated; /* frames with fewer bytes than were on the wire */
	uint64_t filtered;  /* taken out by bpf */
	uint64_t drops;     /* lost by the sensor; 0 for files */
	uint64_t flows;     /* conversations */
	uint64_t records;
	uint64_t evicted;   /* flows that left for lack of resources */
	uint64_t refused;   /* IP packets for which there was no memory at all */
	uint64_t backwards; /* packets with a time before that of their flow's packet before */
	uint64_t fragments, datagrams, incomplete_datagrams, fragment_overlaps;
	uint64_t time_jumps;       /* packet time fell back by more than the idle timeout */
	int64_t first_ns, last_ns; /* packet times; INT64_MAX, INT64_MIN before the first packet */
	uint64_t memory, memory_peak; /* bytes of the flow table and all it owns */
	uint64_t alive;               /* flows in the table */
	struct engine_decode_stats stage[STAGES];
};

/* 'sink' may be NULL (count only).  Both stay the caller's. */
struct engine *engine_new(const struct conf *conf, const struct registry *registry,
		struct sink *sink, struct err *e);
void engine_free(struct engine *en);

/* Takes frames; their bytes are not needed afterwards. False: a sink failed. */
bool engine_feed(struct engine *en, const struct frame *frames, size_t count, struct err *e);

/*
 * Of a live run, before the first packet and then between packets: what the host's clock and the
 * time since boot say now.  Timeouts go by the latter.
 */
void engine_present(struct engine *en, int64_t real_ns, int64_t boot_ns);

/* Of a live run: no packet was there to take, so flows whose time has come leave without one, a few
 * dozen at a time.  False: a sink failed. */
bool engine_idle(struct engine *en, struct err *e);

/* Whether there are more of them; a few dozen of these leave. */
bool engine_is_behind(const struct engine *en);
bool engine_catch_up(struct engine *en, struct err *e);

/* Hands on records that are buffered. */
bool engine_flush_records(struct engine *en, struct err *e);

/* The sensor lost packets: flows that are alive get that mark. */
void engine_lost(struct engine *en);

/*
 * Appends a line for each flow that is alive, at most 'max' of them: a JSON object of what every
 * record begins with.  Returns how many flows were left out.
 */
size_t engine_flows(struct engine *en, size_t max, struct buf *out);

/* Before the first packet: packets get the numbers first, first + step, ...; otherwise 1, 2, ... */
void engine_number(struct engine *en, uint64_t first, uint64_t step);

/* All flows leave (forced end); the caller then ends the sink. */
bool engine_finish(struct engine *en, struct err *e);

/*
 * Before the first packet, or behind engine_finish(): the packets that follow are of that file, and
 * its flows, their numbers and the clock begin as in a new engine; only the counters go on.  'file'
 * must live as long as it is read.
 */
void engine_begin(struct engine *en, const char *file);

/* Tells how many packets a filter took out before the engine, for the summary. */
void engine_note_filtered(struct engine *en, uint64_t packets);

const struct engine_stats *engine_stats(const struct engine *en);

/* Not-IP packets by type: fills at most 'max' entries, most frequent first; returns how many. */
struct engine_ethertype {
	uint16_t type; /* ethertype; below 0x600: LLC DSAP */
	uint64_t packets;
};
size_t engine_ethertypes(const struct engine *en, struct engine_ethertype *out, size_t max);

/* Link types met that decode does not know (each once), for the log. */
size_t engine_unknown_links(const struct engine *en, uint16_t *out, size_t max);

/* Adds the counters of another worker of the same run. */
void engine_stats_add(struct engine_stats *to, const struct engine_stats *from);

/* The object behind "summary" as JSON text, of all workers of a run. 'drops': lost by the sensor.
 */
void engine_summary(struct engine *const *engines, size_t count, uint64_t drops, struct buf *out);
