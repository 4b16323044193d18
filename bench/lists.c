/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lists.c - what a million subnets, addresses and names cost: to load, and to ask.
 *
 *	lists [COUNT]
 *
 * Tables are asked random questions, first such as are found, then such as mostly are not; beside
 * them a binary search in a plain sorted array answers the same ones in the same run, and a read of
 * memory that waits for the one before says what the machine is like at the moment.  The best of
 * many rounds counts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/anon.h"
#include "host/nameset.h"
#include "host/prefix.h"
#include "host/watch.h"

enum { QUESTIONS = 1 << 18, ROUNDS = 15, NAME = 64 };

static uint64_t random64(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *must(void *p)
{
	if (p == NULL) {
		fprintf(stderr, "lists: no memory\n");
		exit(1);
	}
	return p;
}

static void check(bool good, const struct err *e)
{
	if (good)
		return;
	fprintf(stderr, "lists: %s\n", e->text);
	exit(1);
}

/* Seconds of the fastest round; what the function returns goes where the compiler cannot see. */
static double fastest(uint64_t (*round)(void *), void *ctx)
{
	static volatile uint64_t sink;
	double best = 1e9;

	for (unsigned r = 0; r < ROUNDS; r++) {
		double start = now();

		sink += round(ctx);
		if (now() - start < best)
			best = now() - start;
	}
	return best;
}

static double ns_each(uint64_t (*round)(void *), void *ctx)
{
	return fastest(round, ctx) / QUESTIONS * 1e9;
}

/* Questions from 'first' to before 'end': those of the first half are found. */
struct part {
	size_t first, end;
};

static const struct part there = { 0, QUESTIONS / 2 }, elsewhere = { QUESTIONS / 2, QUESTIONS };

/* Of the questions of one half. */
static double ns_half(uint64_t (*round)(void *), void *ctx)
{
	return 2 * ns_each(round, ctx);
}

/* --- memory ------------------------------------------------------------------------------ */

enum { CHAIN = (64 << 20) / sizeof(uint32_t) };

static uint64_t walk_chain(void *ctx)
{
	const uint32_t *next = ctx;
	uint32_t at = 0;

	for (unsigned i = 0; i < QUESTIONS; i++)
		at = next[at];
	return at;
}

/* One read of 64 MiB in random order, each where the one before said. */
static void memory(void)
{
	uint32_t *next = must(calloc(CHAIN, sizeof *next));

	for (uint32_t i = 0; i < CHAIN; i++)
		next[i] = i;
	for (uint32_t i = CHAIN - 1; i > 0; i--) { /* Sattolo's: one cycle */
		uint32_t k = (uint32_t)(random64() % i), swap = next[i];

		next[i] = next[k];
		next[k] = swap;
	}
	printf("a read of memory that waits for the one before: %.1f ns\n",
			ns_each(walk_chain, next));
	free(next);
}

/* --- subnets ----------------------------------------------------------------------------- */

struct subnets {
	uint8_t version;
	size_t count;
	struct prefix_table *table;
	uint8_t (*sorted)[16], (*questions)[16];
	struct part part;
};

static struct prefix random_prefix(uint8_t version, bool addresses, uint32_t value)
{
	static const uint8_t global[] = { 0x20, 0x24, 0x26, 0x28, 0x2a };
	static const uint8_t lengths4[] = { 24, 24, 24, 22, 20, 16, 32, 28 };
	static const uint8_t lengths6[] = { 48, 48, 32, 64, 40, 56, 128, 44 };
	struct prefix p = { .version = version, .value = value };
	uint64_t high = random64(), low = random64();

	memcpy(p.bytes, &high, 8);
	memcpy(p.bytes + 8, &low, 8);
	if (version == 6) { /* where addresses are given out */
		p.bytes[0] = global[p.bytes[0] % sizeof global];
		p.bytes[1] &= 0x0f;
		p.bytes[2] &= 0x3f;
	} else {
		memset(p.bytes + 4, 0, 12);
	}
	if (addresses)
		p.length = version == 4 ? 32 : 128;
	else
		p.length = version == 4 ? lengths4[random64() % 8] : lengths6[random64() % 8];
	return p;
}

static uint64_t ask_table(void *ctx)
{
	const struct subnets *s = ctx;
	uint64_t found = 0;

	for (size_t i = s->part.first; i < s->part.end; i++)
		found += prefix_find(s->table, s->version, s->questions[i]) != PREFIX_NONE;
	return found;
}

/* The last address of the array that is not above the one asked for. */
static uint64_t ask_array(void *ctx)
{
	const struct subnets *s = ctx;
	uint64_t sum = 0;

	for (size_t i = 0; i < QUESTIONS; i++) {
		size_t at = 0;

		for (size_t n = s->count; n > 1; n -= n / 2)
			if (memcmp(s->sorted[at + n / 2], s->questions[i], 16) <= 0)
				at += n / 2;
		sum += at;
	}
	return sum;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static double build(struct subnets *s, bool addresses)
{
	struct err e;
	double start = now();

	s->table = must(prefix_new());
	for (size_t i = 0; i < s->count; i++) {
		struct prefix p = random_prefix(s->version, addresses, (uint32_t)i);

		check(prefix_add(s->table, &p, &e), &e);
	}
	check(prefix_build(s->table, &e), &e);
	start = now() - start;
	s->count = prefix_count(s->table);
	s->sorted = must(calloc(s->count, 16));
	s->questions = must(calloc(QUESTIONS, 16));
	for (size_t i = 0; i < s->count; i++)
		memcpy(s->sorted[i], prefix_at(s->table, (uint32_t)i).bytes, 16);
	qsort(s->sorted, s->count, 16, compare);
	for (size_t i = 0; i < QUESTIONS; i++)
		memcpy(s->questions[i],
				i < QUESTIONS / 2 ? s->sorted[random64() % s->count]
						  : random_prefix(s->version, addresses, 0).bytes,
				16);
	return start;
}

static void subnets(uint8_t version, bool addresses, size_t count)
{
	struct subnets s = { .version = version, .count = count };
	double seconds = build(&s, addresses), found, other, array;

	s.part = there;
	found = ns_half(ask_table, &s);
	s.part = elsewhere;
	other = ns_half(ask_table, &s);
	array = ns_each(ask_array, &s);
	printf("IPv%u %-9s %8zu: built in %.2f s, %3.0f MiB; %5.1f ns what is found, %5.1f ns "
	       "others; binary search %6.1f ns, ratio %.2f\n",
			version, addresses ? "addresses" : "subnets", s.count, seconds,
			(double)prefix_memory(s.table) / (1 << 20), found, other, array,
			(found + other) / 2 / array);
	prefix_free(s.table);
	free(s.sorted);
	free(s.questions);
}

/* --- names ------------------------------------------------------------------------------- */

struct names {
	size_t count;
	struct nameset *set;
	char (*sorted)[NAME], (*questions)[NAME], (*domains)[NAME];
	struct part part;
};

static void random_name(char *to, const char *below)
{
	uint64_t r = random64();

	snprintf(to, NAME, "%shost%" PRIx64 ".%s", below, r & 0xffffffffffff,
			r >> 60 < 8    ? "com"
			: r >> 60 < 12 ? "net"
				       : "example");
}

static uint64_t ask_set(void *ctx)
{
	const struct names *n = ctx;
	uint64_t found = 0;
	uint32_t entries[8];

	for (size_t i = n->part.first; i < n->part.end; i++)
		found += nameset_match(n->set, n->questions[i], strlen(n->questions[i]), entries,
					 8) > 0;
	return found;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static uint64_t search_names(void *ctx)
{
	const struct names *n = ctx;
	uint64_t found = 0;

	for (size_t i = 0; i < QUESTIONS; i++)
		found += bsearch(n->domains[i], n->sorted, n->count, NAME, compare_names) != NULL;
	return found;
}

static double fill(struct names *n)
{
	struct err e;
	double start;

	n->sorted = must(calloc(n->count, NAME));
	n->questions = must(calloc(QUESTIONS, NAME));
	n->domains = must(calloc(QUESTIONS, NAME));
	n->set = must(nameset_new());
	for (size_t i = 0; i < n->count; i++)
		random_name(n->sorted[i], "");
	start = now();
	for (size_t i = 0; i < n->count; i++)
		check(nameset_add(n->set, n->sorted[i], strlen(n->sorted[i]), 0, &e), &e);
	check(nameset_build(n->set, &e), &e);
	start = now() - start;
	qsort(n->sorted, n->count, NAME, compare_names);
	for (size_t i = 0; i < QUESTIONS; i++) {
		if (i < QUESTIONS / 2)
			memcpy(n->domains[i], n->sorted[random64() % n->count], NAME);
		else
			random_name(n->domains[i], "");
		snprintf(n->questions[i], NAME, "%s%.50s", i % 4 > 1 ? "a.b." : "www.",
				n->domains[i]);
	}
	return start;
}

static void names(size_t count)
{
	struct names n = { .count = count };
	double seconds = fill(&n), found, other, array;

	n.part = there;
	found = ns_half(ask_set, &n);
	n.part = elsewhere;
	other = ns_half(ask_set, &n);
	array = ns_each(search_names, &n);
	printf("names          %8zu: built in %.2f s, %3.0f MiB; %5.1f ns what is found, %5.1f ns "
	       "others; binary search %6.1f ns, ratio %.2f\n",
			count, seconds, (double)nameset_memory(n.set) / (1 << 20), found, other,
			array, (found + other) / 2 / array);
	nameset_free(n.set);
	free(n.sorted);
	free(n.questions);
	free(n.domains);
}

/* --- a watchlist, from its file ---------------------------------------------------------- */

static char (*asked)[NAME];

static uint64_t ask_watch(void *ctx)
{
	struct watch_hit hits[4];
	size_t more = 0, found = 0;

	for (size_t i = 0; i < QUESTIONS; i++)
		found += watch_name(ctx, asked[i], strlen(asked[i]), hits, 4, &more) > 0;
	return found;
}

static void write_entry(FILE *f, size_t i, char *name)
{
	char text[PREFIX_ROOM];
	struct prefix p = random_prefix(i % 10 == 0 ? 6 : 4, i % 20 != 1, 0);

	if (i % 2) {
		random_name(name, "");
		fprintf(f, "%s\n", name);
	} else {
		fprintf(f, "%.*s\n", (int)prefix_text(&p, text), text);
	}
}

static void watchlist(size_t count)
{
	char path[] = "/tmp/bench_lists.XXXXXX", name[NAME];
	int fd = mkstemp(path);
	FILE *f = must(fd < 0 ? NULL : fdopen(fd, "w"));
	struct err e;
	double start;

	asked = must(calloc(QUESTIONS, NAME));
	for (size_t i = 0; i < count; i++) {
		write_entry(f, i, name);
		if (i % 4 == 1)
			snprintf(asked[i % QUESTIONS], NAME, "WWW.%.50s", name);
		else if (asked[i % QUESTIONS][0] == '\0')
			random_name(asked[i % QUESTIONS], "www.");
	}
	fclose(f);
	start = now();
	struct watch *w = watch_load(path, &e);
	start = now() - start;
	unlink(path);
	check(w != NULL, &e);
	printf("watchlist      %8zu lines (half names, half IPv4, IPv6, subnets): loaded in %.2f "
	       "s; %6.1f ns to bring a name into its form and look it up\n",
			count, start, ns_each(ask_watch, w));
	watch_free(w);
	free(asked);
}

/* --- anonymisation ----------------------------------------------------------------------- */

struct anonymous {
	const struct anon *anon;
	struct anon_worker *worker;
	uint8_t version;
	uint32_t different; /* addresses that come again and again */
	struct buf text;
};

static uint64_t replace(void *ctx)
{
	struct anonymous *a = ctx;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < QUESTIONS; i++) {
		uint8_t address[16] = { 10 };
		uint32_t host = i % a->different * 2654435761u;

		memcpy(address + (a->version == 4 ? 1 : 8), &host, a->version == 4 ? 3 : 4);
		anon_address(a->anon, a->worker, a->version, address);
		sum += address[0];
	}
	return sum;
}

static uint64_t hash_names(void *ctx)
{
	static const char name[] = "www.example.com";
	struct anonymous *a = ctx;

	for (uint32_t i = 0; i < QUESTIONS; i++) {
		buf_clear(&a->text);
		anon_text(a->anon, a->worker, ANON_NAME, name, sizeof name - 1, &a->text);
	}
	return a->text.size;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = must(fopen(path, "w"));

	fputs(text, f);
	fclose(f);
	chmod(path, 0600);
}

static void anonymisation(void)
{
	char folder[] = "/tmp/bench_lists.XXXXXX", list[64], key[64];
	struct anon_conf conf = { .subnets = list, .key_file = key, .names = true };
	struct anonymous a = { .text = buf_new(4096), .worker = must(anon_worker_new()) };
	struct err e;

	must(mkdtemp(folder));
	snprintf(list, sizeof list, "%s/list", folder);
	snprintf(key, sizeof key, "%s/key", folder);
	write_file(list, "10.0.0.0/8\na00::/8\n");
	write_file(key, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
	a.anon = anon_load(&conf, NULL, &e);
	unlink(list);
	unlink(key);
	rmdir(folder);
	check(a.anon != NULL, &e);
	for (a.version = 4; a.version <= 6; a.version += 2) {
		a.different = QUESTIONS;
		printf("Crypto-PAn of IPv%u: %.0f ns", a.version, ns_each(replace, &a));
		a.different = 1000;
		printf(", remembered %.0f ns\n", ns_each(replace, &a));
	}
	printf("a name of three labels by keyed hash: %.0f ns\n", ns_each(hash_names, &a));
	anon_worker_free(a.worker);
	anon_free((struct anon *)(uintptr_t)a.anon);
	buf_free(&a.text);
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;

	memory();
	for (unsigned addresses = 2; addresses-- > 0;) {
		subnets(4, addresses, count);
		subnets(6, addresses, count);
	}
	names(count);
	watchlist(count);
	anonymisation();
	return 0;
}
