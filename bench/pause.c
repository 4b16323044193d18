/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pause.c - the longest pause on the packet path, with many flows alive:
 *
 *	pause FLOWS ROUNDS OUTPUT NAME=VALUE...
 *
 * An engine is fed as a sensor feeds it, in small batches, and each call is timed, by the clock on
 * the wall and by the thread's own, which stands still while other programs run.  All is done
 * ROUNDS times, and of each call the least time counts: what interrupts and the machine below did
 * meanwhile is not in it, for they do not hit the same call each time.
 *
 *	grow     FLOWS flows begin, each with one packet
 *	steady   each gets another packet, in another order, all within a second of packet time
 *	wait     packets of few other flows, until the deadlines that the first packets made have
 *	         come (no flow is over then: all are put elsewhere)
 *	expire   such packets go on; within a second of theirs the time of all FLOWS is over; until
 *	         all have left
 *
 * 'OUTPUT' is a file for the records (JSON), or '-' for none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/engine.h"

#define SECOND ((int64_t)1000000000)
#define START  (1700000000 * SECOND)

enum {
	BATCH = 32,
	FRAME = 14 + 20 + 8 + 4,
	ETHERNET = 1,
	OTHERS = 1000,
	GROW_NS = 1000, /* of packet time, from one packet to the next */
	OTHER_NS = 1000,
	WAIT_NS = 10000,
	IDLE_S = 120, /* idle_timeout=, as it is by default */
	BOUNDS = 8,
};

/* Microseconds; the last has no bound. */
static const double bounds[BOUNDS] = { 10, 30, 100, 200, 400, 700, 1000, 1e300 };

struct clocks {
	double wall, thread; /* microseconds */
};

struct phase {
	const char *name;
	struct clocks *call; /* the least of all rounds */
	size_t calls, room;
	size_t at; /* in this round */
};

enum phase_number { GROW, STEADY, WAIT, EXPIRE, PHASES };

static struct phase phases[PHASES] = {
	[GROW] = { .name = "grow" },
	[STEADY] = { .name = "steady" },
	[WAIT] = { .name = "wait" },
	[EXPIRE] = { .name = "expire" },
};

struct bench {
	struct engine *engine;
	struct phase *phase;
	uint8_t bytes[BATCH][FRAME];
	struct frame frames[BATCH];
	size_t count;
	int64_t now_ns;
};

static double microseconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct clocks now(void)
{
	return (struct clocks){ microseconds(CLOCK_MONOTONIC),
		microseconds(CLOCK_THREAD_CPUTIME_ID) };
}

static double resident(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f != NULL)
		fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* --- packets ------------------------------------------------------------------------------------
 */

static double least(double a, double b)
{
	return a < b ? a : b;
}

static void note(struct phase *p, struct clocks took)
{
	if (p->at == p->room) {
		p->room = 2 * p->room + 1024;
		p->call = realloc(p->call, p->room * sizeof *p->call);
		if (p->call == NULL)
			exit(1);
	}

	struct clocks *c = &p->call[p->at++];

	if (p->at > p->calls) {
		p->calls = p->at;
		*c = took;
	}
	*c = (struct clocks){ least(c->wall, took.wall), least(c->thread, took.thread) };
}

static void feed(struct bench *b)
{
	struct err e;
	const struct clocks before = now();
	const bool good = engine_feed(b->engine, b->frames, b->count, &e);
	const struct clocks after = now();

	if (!good) {
		fprintf(stderr, "pause: %s\n", e.text);
		exit(1);
	}
	note(b->phase, (struct clocks){ after.wall - before.wall, after.thread - before.thread });
	b->count = 0;
}

/* Ethernet, IPv4, UDP from 'client'.10 to 192.0.2.1:53, "ping". */
static void packet(struct bench *b, uint8_t net, uint32_t client)
{
	static const uint8_t head[FRAME] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0,
		32, 0, 1, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1, 0x0f, 0xa0, 0, 53, 0, 12, 0,
		0, 'p', 'i', 'n', 'g' };
	uint8_t *bytes = b->bytes[b->count];

	memcpy(bytes, head, FRAME);
	bytes[26] = net;
	bytes[27] = (uint8_t)(client >> 16);
	bytes[28] = (uint8_t)(client >> 8);
	bytes[29] = (uint8_t)client;
	b->frames[b->count++] = (struct frame){ .bytes = bytes,
		.caplen = FRAME,
		.wirelen = FRAME,
		.ns = b->now_ns,
		.linktype = ETHERNET };
	if (b->count == BATCH)
		feed(b);
}

static void grow(struct bench *b, uint32_t flows)
{
	for (uint32_t i = 0; i < flows; i++, b->now_ns += GROW_NS)
		packet(b, 10, i);
}

static void steady(struct bench *b, uint32_t flows)
{
	const int64_t begin = b->now_ns;

	for (uint32_t i = 0; i < flows; i++) {
		b->now_ns = begin + (int64_t)((double)i / flows * (double)SECOND);
		packet(b, 10, (uint32_t)(i * (uint64_t)1000003 % flows));
	}
}

static void others(struct bench *b, int64_t until, int64_t step)
{
	for (uint32_t i = 0; b->now_ns < until; b->now_ns += step)
		packet(b, 11, i++ % OTHERS);
}

static void expire(struct bench *b)
{
	while (engine_stats(b->engine)->alive > OTHERS)
		others(b, b->now_ns + SECOND / 100, OTHER_NS);
}

/* --- the report ---------------------------------------------------------------------------------
 */

/* How many calls took less than each of the bounds, and no less than the one before. */
static void print_histogram(const struct phase *p, bool wall)
{
	unsigned long counts[BOUNDS] = { 0 };

	for (size_t i = 0; i < p->calls; i++) {
		unsigned k = 0;

		while ((wall ? p->call[i].wall : p->call[i].thread) >= bounds[k])
			k++;
		counts[k]++;
	}
	printf("  %-6s", wall ? "wall" : "thread");
	for (unsigned k = 0; k < BOUNDS; k++)
		printf(" %9lu", counts[k]);
	printf("\n");
}

/* The longest call by the thread's clock, and by the other. */
static struct clocks print(const struct phase *p)
{
	struct clocks longest = { 0 }, sum = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < p->calls; i++) {
		sum.thread += p->call[i].thread;
		if (p->call[i].wall > longest.wall)
			longest.wall = p->call[i].wall;
		if (p->call[i].thread > longest.thread) {
			longest.thread = p->call[i].thread;
			at = i;
		}
	}
	printf("%-7s %9zu packets of %4.0f ns; longest call %.0f us (packet %zu), on the wall "
	       "%.0f\n",
			p->name, p->calls * BATCH, sum.thread * 1e3 / BATCH / (double)p->calls,
			longest.thread, at * BATCH, longest.wall);
	print_histogram(p, false);
	print_histogram(p, true);
	return longest;
}

static void report(void)
{
	struct clocks longest = { 0 };

	printf("calls of %d packets that took less than ... us\n        ", BATCH);
	for (unsigned k = 0; k + 1 < BOUNDS; k++)
		printf(" %9.0f", bounds[k]);
	printf("    longer\n");
	for (unsigned i = 0; i < PHASES; i++) {
		const struct clocks one = print(&phases[i]);

		longest.thread = one.thread > longest.thread ? one.thread : longest.thread;
		longest.wall = one.wall > longest.wall ? one.wall : longest.wall;
	}
	printf("longest pause: %.3f ms by the thread's clock, %.3f ms on the wall\n",
			longest.thread / 1e3, longest.wall / 1e3);
}

static void begin_phase(struct bench *b, enum phase_number number)
{
	b->phase = &phases[number];
	b->phase->at = 0;
}

static void run(struct bench *b, uint32_t flows, size_t budget, bool tell)
{
	const double before = resident();

	b->now_ns = START;
	begin_phase(b, GROW);
	grow(b, flows);
	begin_phase(b, STEADY);
	steady(b, flows);
	if (tell)
		printf("%u flows, %.0f bytes of each resident; the table has %.0f MiB of a budget "
		       "of "
		       "%.0f; %u left for want of it\n",
				(unsigned)engine_stats(b->engine)->alive,
				(resident() - before) / flows,
				(double)engine_stats(b->engine)->memory / (1 << 20),
				(double)budget / (1 << 20),
				(unsigned)engine_stats(b->engine)->evicted);
	begin_phase(b, WAIT);
	others(b, b->now_ns + (IDLE_S - 1) * SECOND, WAIT_NS);
	begin_phase(b, EXPIRE);
	expire(b);
}

static bool begin(struct registry *r, const char *output, struct plan **plan, struct sink **sink,
		struct err *e)
{
	const struct sink_target target = { .path = output };
	const struct buf none = buf_new(16);

	if (strcmp(output, "-") == 0)
		return true;
	*plan = plan_new(r->tables, r->on_count, true, e);
	*sink = *plan == NULL ? NULL : sink_open(&target, *plan, e);
	return *sink != NULL && sink_begin(*sink, &none, e);
}

static bool measure(
		struct registry *r, uint32_t flows, const char *output, bool tell, struct err *e)
{
	struct bench *b = calloc(1, sizeof *b);
	struct plan *plan = NULL;
	struct sink *sink = NULL;
	bool good = b != NULL && begin(r, output, &plan, &sink, e) &&
		    (b->engine = engine_new(&r->core, r, sink, e)) != NULL;

	if (good)
		run(b, flows, r->core.memory.bytes, tell);
	if (good && sink != NULL)
		good = sink_end(sink, NULL, e) && sink_close(sink, true, e);
	if (b != NULL)
		engine_free(b->engine);
	sink_free(sink);
	plan_free(plan);
	free(b);
	return good;
}

int main(int argc, char **argv)
{
	struct err e = { "" };
	struct registry *r = registry_new(&e);
	const unsigned long flows = argc > 3 ? strtoul(argv[1], NULL, 10) : 0;
	const unsigned long rounds = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;
	bool good;

	if (flows == 0 || flows > 1 << 24 || rounds == 0 || r == NULL) {
		fprintf(stderr, "usage: pause FLOWS ROUNDS OUTPUT|- NAME=VALUE...\n");
		return 2;
	}
	/* that there is one makes it a live run; nobody opens it */
	good = conf_set(&r->sets, "interface", "nowhere", &e);
	for (int i = 4; i < argc && good; i++) {
		char *value = strchr(argv[i], '=');

		if (value != NULL)
			*value++ = '\0';
		good = conf_set(&r->sets, argv[i], value, &e);
	}
	good = good && registry_settle(r, &e);
	for (unsigned long i = 0; i < rounds && good; i++)
		good = measure(r, (uint32_t)flows, argv[3], i == 0, &e);
	if (good)
		report();
	else
		fprintf(stderr, "pause: %s\n", e.text);
	registry_free(r);
	return good ? 0 : 1;
}
