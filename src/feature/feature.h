/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * feature.h - an intraflow data element: what it wants to see, what it keeps, what it says.
 *
 * A feature is a struct of functions and tables, named in list.def and nowhere else.  Its state
 * is a fixed number of bytes in every flow, zeroed with the flow; what grows is
 * allocated from the flow's arena and vanishes with it.  Nothing has a destructor, but for what
 * is shared by the flows of a worker (leave()).
 *
 * With bidir=0 each direction of a flow has states of its own and every packet is shown as
 * pkt->dir == 0, so no feature asks which it is.
 */
#pragma once

#include "base/pool.h"
#include "conf/conf.h"
#include "flow/flow.h"
#include "net/packet.h"
#include "record/field.h"

enum {                        /* wants: when update() is called; or'ed */
	WANT_PACKET = 1 << 0, /* every packet of the flow, fragments too */
	WANT_DATA = 1 << 1,   /* packets with L4 payload on the wire (payload_len > 0) */
	WANT_TCP = 1 << 2,    /* TCP segments with a sound header */
	WANT_ICMP = 1 << 3,   /* ICMP and ICMPv6 packets of an ICMP flow */
	WANT_STREAM = 1
		      << 4, /* stream(): in-order bytes of TCP; of other protocols each datagram */
};

/* What a worker lends to its features. */
struct feature_env {
	const struct conf *conf; /* settled */
	const void *options;     /* the feature's own options struct */
	struct pool *pool;       /* for vec_push() and arena_alloc() on flow->arena */
	struct arena *scratch;   /* finish(): memory until the record is written */
	void *worker;            /* what worker_new() made, here or in the feature read */
	void *read_worker;       /* what that of the feature read has made */
	const void *read;        /* finish(): the state of the feature that 'reads' names */
	const char *file; /* independent=1: the capture that is read, as it was named; else NULL */
};

/* A whole record: the structs of all enabled features, in their order. */
struct feature_record {
	const struct field *const *tables;
	const void **data; /* NULL: absent from this record; else the record's own, to be changed */
	size_t count;
};

/* What is said of a part of a flow in its record. */
struct feature_part {
	int64_t start_ns, end_ns;
	uint64_t packets;
	int64_t seq[2]; /* TCP: first sequence number of either direction; -1: not known */
};

/* Two parts of a flow that become one: 'before' is all that came before 'next'. */
struct feature_join {
	struct arena *arena; /* for what the merged record gets */
	struct pool *pool;
	const void *options; /* the feature's own options struct */
	uint32_t list_max;   /* num_pkts */
	uint8_t proto;
	bool both; /* records are of both directions */
	struct feature_part before, next;
	bool capped; /* to be set: a list ends though the flow had more */
	bool closed; /* to be set: the feature's list ends here, whatever parts follow; kept */
};

/* Time without a packet between the two. */
static inline int64_t feature_gap(const struct feature_join *j)
{
	return j->next.start_ns - j->before.end_ns;
}

/* What the files of a feature's options hold. */
struct loaded {
	void *now;  /* in use */
	void *next; /* read again, not yet in use; NULL most of the time */
};

struct journal_packet;

enum verdict {
	MORE, /* call again */
	DONE, /* seen enough of this flow */
};

struct feature {
	const char *name;
	const char *help;
	uint32_t wants;
	size_t size;     /* of the state; a multiple of its alignment, at most 8 */
	size_t pointers; /* the state begins with so many, to be fetched before they are needed */
	size_t out_size; /* of the struct that 'fields' describes and finish() fills */

	/* The state is zero when a flow starts.  pkt->dir, tcp_class and times are set; the flow's
	 * counters include the packet. */
	enum verdict (*update)(void *state, const struct feature_env *env, struct flow *flow,
			const struct pkt *pkt);

	/* The next bytes of one direction, in order and each once; 'offset' counts from its first
	 * byte. */
	enum verdict (*stream)(void *state, const struct feature_env *env, struct flow *flow,
			const struct pkt *pkt, unsigned dir, struct rd bytes, uint64_t offset);
	/* With stream: how many bytes of each direction it wants at most. */
	uint64_t (*stream_bytes)(const struct feature_env *env);

	/* NULL for one that only collects.  Fills 'out' (zeroed before); false: nothing to say, the
	 * feature's keys are left out. 'view': see struct flow_view. */
	bool (*finish)(const void *state, const struct feature_env *env,
			const struct flow_view *view, void *out);

	/* In place of finish(), and behind all of those, in the order of list.def: sees the whole
	 * record, and may change what is in it: the structs themselves, and what it has copied to
	 * scratch memory (texts and lists are shared with others).  NULL: has no part in that. */
	bool (*record)(const struct feature_env *env, const struct flow_view *view,
			const struct feature_record *record, void *out);

	/*
	 * The parts of a split flow become one record: behind the rules of the table, for what
	 * these cannot say (MERGE_OWN).  'before', 'next': what the parts say, NULL where that is
	 * nothing; 'out' is 'before' with the rules applied, or 'next' where there is no 'before'.
	 * False: the feature's keys are left out.  NULL: the rules are all.
	 */
	bool (*merge)(struct feature_join *join, const void *before, const void *next, void *out);

	const struct field *fields;
	const struct option *options; /* its own table; the struct has 'options_size' bytes */
	const char *switched_by; /* an option of the core, where it has none of its own for that */
	size_t options_size;

	/*
	 * Called once by the registry for a feature that is on, when all options are final: reads
	 * files, builds tables into the options struct (which is const from then on).  release()
	 * frees what it made.
	 */
	bool (*prepare)(void *options, const struct conf *conf, struct err *e);
	void (*release)(void *options);
	/*
	 * Behind prepare(), and again for a reload while workers run: reads the files of its
	 * options. *to is what unload() frees, or NULL when it has no files.  False: one cannot be
	 * read.  The registry keeps it in the struct loaded of the options, at 'loaded', and puts
	 * what was read again in the place of what was in use between packets.
	 */
	bool (*load)(const void *options, void **to, struct err *e);
	void (*unload)(void *loaded); /* NULL is fine */
	size_t loaded;
	/* A line of the output that is no record: may be rewritten.  False: must not be written. */
	bool (*line)(const void *options, struct buf *line);
	/* In a live run: called by one thread about twenty times a second, and once before flows
	 * leave at its end; takes in what others report.  say() gets lines for the operator. */
	void (*poll)(void *options, void (*say)(void *ctx, const char *text), void *ctx);
	/* finish() or record() look at the key of the flow and at the record alone: they work on
	 * records that are written already, of which no more of the flow is known. */
	bool rewrites;
	bool always; /* on without a switch; else on when an OPTION_FEATURE option is not 0 or none
		      */
	/* Decides in place of 'always' and the switch; NULL: these decide. 'options': the feature's
	 * own struct or NULL. */
	bool (*enabled)(const struct conf *conf, const void *options);
	/* True: this run needs neither its state nor its events: 'size' and 'wants' count as 0.
	 * NULL: never. */
	bool (*stateless)(const struct conf *conf);

	/* finish() reports from the state of this feature too, which stands before it in list.def.
	 * A feature without fields collects for others: it is on when one that reads it is on. */
	const struct feature *reads;
	/* update() looks at no more of a packet than struct journal_packet has, of the flow at
	 * start_ns and the arena, and adds no marks but of caps and memory: it may be called when
	 * the flow outgrows its journal. */
	bool later;
	/* With 'later': what finish() says behind update() of all these packets; of a flow that did
	 * not outgrow its journal, in place of both. */
	bool (*at_once)(const struct journal_packet *packets, size_t count,
			const struct feature_env *env, const struct flow_view *view, void *out);
	/* Memory of a worker, for all its flows: made before the first packet, NULL without memory;
	 * freed behind the last record. */
	void *(*worker_new)(void);
	void (*worker_free)(void *worker);
	size_t (*worker_memory)(const void *worker); /* bytes at the moment, for statistics */
	/*
	 * The flow will leave soon, and finish() read what its state points to: that is fetched
	 * into the cache, whose first lines are on their way already when it begins with
	 * 'pointers'; in a second call, 'near', what these point to.  NULL: there is nothing more.
	 */
	void (*fetch)(const void *state, bool near);
	/* Once, when the flow's records are written: gives back what the state holds of the
	 * worker's memory. */
	void (*leave)(void *state, const struct feature_env *env);
};

/* Every feature of list.def, in its order. */
extern const struct feature *const feature_list[];
extern const size_t feature_count;
