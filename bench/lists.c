/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lists.c - what a million subnets, addresses and names cost: to load, and to ask.
 *
 *	lists [COUNT [FOLDER]]
 *
 * Each table is asked for random addresses, of which about half are in it, beside a binary search
 *in a plain sorted array that is given the same questions in the same run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/nameset.h"
#include "host/prefix.h"

enum { QUESTIONS = 1 << 18, ROUNDS = 25 };

static uint64_t random_state = 88172645463325252u;

static uint64_t random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	return random_state ^= random_state << 17;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *why)
{
	fprintf(stderr, "lists: %s\n", why);
	exit(1);
}

/* --- subnets ----------------------------------------------------------------------------- */

/* What kinds of lists there are. */
static struct prefix random_prefix(uint8_t version, unsigned kind, uint32_t value)
{
	static const uint8_t global[] = { 0x20, 0x24, 0x26, 0x28, 0x2a };
	static const uint8_t lengths4[] = { 24, 24, 24, 22, 20, 16, 32, 28 };
	static const uint8_t lengths6[] = { 48, 48, 32, 64, 40, 56, 128, 44 };
	struct prefix p = { .version = version, .value = value };
	uint64_t high = random64(), low = random64();

	memcpy(p.bytes, &high, 8);
	memcpy(p.bytes + 8, &low, 8);
	if (version == 6) {
		p.bytes[0] = global[p.bytes[0] % sizeof global];
		p.bytes[1] &= 0x0f;
		p.bytes[2] &= 0x3f;
	}
	if (kind == 0)
		p.length = version == 4 ? 32 : 128;
	else
		p.length = version == 4 ? lengths4[random64() % 8] : lengths6[random64() % 8];
	return p;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* The last address of a sorted array that is not above the one asked for. */
static size_t halving(const uint8_t (*sorted)[16], size_t count, const uint8_t *address)
{
	size_t at = 0;

	for (size_t n = count; n > 1;) {
		size_t half = n / 2;

		if (memcmp(sorted[at + half], address, 16) <= 0)
			at += half;
		n -= half;
	}
	return at;
}

static void subnets(uint8_t version, unsigned kind, size_t count)
{
	struct prefix_table *t = prefix_new();
	uint8_t(*questions)[16] = calloc(QUESTIONS, 16), (*sorted)[16] = calloc(count, 16);
	double start = now(), build, best = 1e9, plain = 1e9;
	uint64_t found = 0, sum = 0;
	struct err e;

	if (t == NULL || questions == NULL || sorted == NULL)
		die("no memory");
	for (size_t i = 0; i < count; i++) {
		struct prefix p = random_prefix(version, kind, (uint32_t)i);

		if (!prefix_add(t, &p, &e))
			die(e.text);
	}
	if (!prefix_build(t, &e))
		die(e.text);
	build = now() - start;
	for (size_t i = 0; i < count; i++)
		memcpy(sorted[i], prefix_at(t, (uint32_t)i).bytes, 16);
	qsort(sorted, count, 16, compare);
	for (size_t i = 0; i < QUESTIONS; i++) {
		struct prefix p = random_prefix(version, kind, 0);

		memcpy(questions[i], i % 2 ? sorted[random64() % count] : p.bytes, 16);
		if (version == 4)
			memset(questions[i] + 4, 0, 12);
	}
	for (unsigned r = 0; r < ROUNDS; r++) {
		start = now();
		found = 0;
		for (size_t i = 0; i < QUESTIONS; i++)
			found += prefix_find(t, version, questions[i]) != PREFIX_NONE;
		if (now() - start < best)
			best = now() - start;
		start = now();
		for (size_t i = 0; i < QUESTIONS; i++)
			sum += halving(sorted, count, questions[i]);
		if (now() - start < plain)
			plain = now() - start;
	}
	printf("IPv%u %-9s %9zu entries: built in %.2f s, %4.0f MiB, %5.1f ns a look-up (%2.0f%% "
	       "found), halving %6.1f ns, ratio %.2f%s\n",
			version, kind == 0 ? "addresses" : "subnets", count, build,
			(double)prefix_memory(t) / (1 << 20), best / QUESTIONS * 1e9,
			100.0 * (double)found / QUESTIONS, plain / QUESTIONS * 1e9, best / plain,
			sum == 0 ? " " : "");
	prefix_free(t);
	free(questions);
	free(sorted);
}

/* --- names ------------------------------------------------------------------------------- */

static size_t random_name(char to[64], bool below)
{
	uint64_t r = random64();

	return (size_t)snprintf(to, 64, "%shost%" PRIx64 ".%s", below ? "www.a." : "",
			r & 0xffffffffffff,
			r >> 60 < 8    ? "com"
			: r >> 60 < 12 ? "net"
				       : "example");
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names(size_t count)
{
	struct nameset *s = nameset_new();
	char **sorted = calloc(count, sizeof *sorted), *questions = calloc(QUESTIONS, 64);
	double start, build, best = 1e9, plain = 1e9;
	uint64_t found = 0, sum = 0;
	struct err e;
	char name[64];

	if (s == NULL || sorted == NULL || questions == NULL)
		die("no memory");
	for (size_t i = 0; i < count; i++) {
		random_name(name, false);
		sorted[i] = strdup(name);
	}
	start = now();
	for (size_t i = 0; i < count; i++)
		if (!nameset_add(s, sorted[i], strlen(sorted[i]), 0, &e))
			die(e.text);
	if (!nameset_build(s, &e))
		die(e.text);
	build = now() - start;
	qsort(sorted, count, sizeof *sorted, compare_names);
	for (size_t i = 0; i < QUESTIONS; i++) {
		if (i % 2)
			snprintf(questions + 64 * i, 64, "www.%.50s", sorted[random64() % count]);
		else
			random_name(questions + 64 * i, i % 4 == 0);
	}
	for (unsigned r = 0; r < ROUNDS; r++) {
		start = now();
		found = 0;
		for (size_t i = 0; i < QUESTIONS; i++) {
			const char *q = questions + 64 * i;
			uint32_t entries[8];

			found += nameset_match(s, q, strlen(q), entries, 8) > 0;
		}
		if (now() - start < best)
			best = now() - start;
		start = now();
		for (size_t i = 0; i < QUESTIONS; i++) {
			const char *q = questions + 64 * i;

			sum += bsearch(&q, sorted, count, sizeof *sorted, compare_names) != NULL;
		}
		if (now() - start < plain)
			plain = now() - start;
	}
	printf("names          %9zu entries: built in %.2f s, %4.0f MiB, %5.1f ns a look-up "
	       "(%2.0f%% "
	       "found), halving %6.1f ns, ratio %.2f%s\n",
			count, build, (double)nameset_memory(s) / (1 << 20), best / QUESTIONS * 1e9,
			100.0 * (double)found / QUESTIONS, plain / QUESTIONS * 1e9, best / plain,
			sum == 0 ? " " : "");
	for (size_t i = 0; i < count; i++)
		free(sorted[i]);
	free(sorted);
	free(questions);
	nameset_free(s);
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;

	for (unsigned kind = 0; kind < 2; kind++) {
		subnets(4, kind, count);
		subnets(6, kind, count);
	}
	names(count);
	return 0;
}
