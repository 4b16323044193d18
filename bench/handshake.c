/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handshake.c - what a handshake costs, part by part: handshake HANDSHAKES CAPTURE NAME=VALUE...
 *
 * A run of libjoy whose inner functions are wrapped by the linker (--wrap): each
 * wrapper moves a clock to its part and back, so that a part's time is without the parts inside it.
 * The cost of reading the clock is measured and taken off; the parts are scaled so that their sum
 * is the CPU time of the run.  'HANDSHAKES' is what they are divided by.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "engine/calls.h"
#include "feature/handshake_state.h"
#include "joy.h"
#include "sink/sink.h"
#include "source/source.h"

enum part {
	REST,
	READ,
	RECORDS,
	KEYS,
	OPEN,
	STORE,
	X509,
	HELLOS,
	REPORTS,
	PRINTS,
	OTHERS,
	TEXT,
	WRITING,
	PARTS,
};

static const char *const names[PARTS] = {
	[REST] = "flows: decoding, table, TCP in order",
	[READ] = "reading the capture",
	[RECORDS] = "records and messages as they come",
	[KEYS] = "QUIC: keys of a connection",
	[OPEN] = "QUIC: an Initial deciphered",
	[STORE] = "certificates looked up in the store",
	[X509] = "certificates parsed, new ones",
	[HELLOS] = "hellos parsed",
	[REPORTS] = "fields of tls and quic",
	[PRINTS] = "fingerprints",
	[OTHERS] = "fields of the flow",
	[TEXT] = "output: JSON",
	[WRITING] = "output: written",
};

static struct {
	uint64_t ns, slices, calls;
} parts[PARTS];

static enum part now_in = REST;
static uint64_t since_ns;

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static enum part move_to(enum part to)
{
	enum part from = now_in;
	uint64_t ns = clock_ns();

	parts[from].ns += ns - since_ns;
	parts[from].slices++;
	since_ns = ns;
	now_in = to;
	return from;
}

static enum part enter(enum part p)
{
	parts[p].calls++;
	return move_to(p);
}

/* Declares the real function and its wrapper; the body gives 'result' of 'call'. */
#define WRAP(where, type, name, parameters, arguments)                                             \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		enum part back = enter(where);                                                     \
		type result = __real_##name arguments;                                             \
		move_to(back);                                                                     \
		return result;                                                                     \
	}
#define WRAP_VOID(where, name, parameters, arguments)                                              \
	void __real_##name parameters;                                                             \
	void __wrap_##name parameters;                                                             \
	void __wrap_##name parameters                                                              \
	{                                                                                          \
		enum part back = enter(where);                                                     \
		__real_##name arguments;                                                           \
		move_to(back);                                                                     \
	}

WRAP(READ, size_t, source_read,
		(struct source * s, struct frame *frames, size_t max, bool *ok, struct err *e),
		(s, frames, max, ok, e))
WRAP_VOID(RECORDS, hs_tls_bytes, (const struct hs_in *in, struct rd bytes), (in, bytes))
WRAP_VOID(RECORDS, hs_dtls_datagram, (const struct hs_in *in, struct rd bytes), (in, bytes))
WRAP_VOID(RECORDS, hs_quic_datagram, (const struct hs_in *in, struct rd bytes), (in, bytes))
WRAP(KEYS, bool, quic_keys_derive, (struct quic_keys * k, uint32_t version, struct rd dcid),
		(k, version, dcid))
WRAP(OPEN, enum quic_outcome, quic_decrypt_initial,
		(struct quic_env * env, struct quic_keys *k, bool server,
				const struct quic_packet *p, uint8_t *scratch, size_t room,
				struct rd *frames),
		(env, k, server, p, scratch, room, frames))
WRAP(STORE, struct cert *, certs_hold, (struct certs * s, struct rd der), (s, der))
WRAP(X509, bool, x509_parse,
		(struct rd der, struct arena *arena, struct pool *pool, struct x509_info *out),
		(der, arena, pool, out))
WRAP(HELLOS, const struct hs_told *, hs_told, (const struct hs *hs, struct hs_worker *w), (hs, w))
WRAP(WRITING, bool, pen_record, (struct pen * p, const void *const *data, struct err *e),
		(p, data, e))
WRAP_VOID(TEXT, plan_json, (const struct plan *p, const void *const *data, struct buf *out),
		(p, data, out))

static enum part part_of(const char *feature)
{
	if (strcmp(feature, "fingerprint") == 0)
		return PRINTS;
	return strcmp(feature, "tls") == 0 || strcmp(feature, "quic") == 0 ? REPORTS : OTHERS;
}

WRAP(part_of(c->call[i].feature->name), bool, calls_finish,
		(const struct calls *c, size_t i, const struct flow_view *view, void *out),
		(c, i, view, out))

/* Nanoseconds of reading the clock once. */
static double cost_of_clock(void)
{
	enum { TIMES = 1000000 };
	uint64_t begin = clock_ns();

	for (unsigned i = 0; i < TIMES; i++)
		clock_ns();
	return (double)(clock_ns() - begin) / TIMES;
}

static double cpu_ns(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
}

static void print(double cpu, double wall, double handshakes)
{
	double clock = cost_of_clock(), scale = cpu / wall, sum = 0;

	printf("%-38s %10s %10s %10s\n", "part", "us/hs", "calls/hs", "us/call");
	for (unsigned i = 0; i < PARTS; i++) {
		double ns = ((double)parts[i].ns - (double)parts[i].slices * clock) * scale;

		ns = ns < 0 ? 0 : ns;
		sum += ns;
		printf("%-38s %10.2f", names[i], ns / 1e3 / handshakes);
		if (parts[i].calls > 0)
			printf(" %10.2f %10.2f", (double)parts[i].calls / handshakes,
					ns / 1e3 / (double)parts[i].calls);
		printf("\n");
	}
	printf("%-38s %10.2f\n", "sum", sum / 1e3 / handshakes);
}

int main(int argc, char **argv)
{
	struct joy *j = joy_new();
	const char *paths[] = { argc > 2 ? argv[2] : "" };

	if (argc < 3 || j == NULL) {
		fprintf(stderr, "usage: handshake HANDSHAKES CAPTURE NAME=VALUE...\n");
		return 2;
	}
	for (int i = 3; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (value == NULL)
			return 2;
		*value = '\0';
		if (joy_set(j, argv[i], value + 1) != JOY_OK) {
			fprintf(stderr, "handshake: %s\n", joy_error(j));
			return 2;
		}
	}

	double cpu = cpu_ns();
	uint64_t begin = since_ns = clock_ns();
	int status = joy_run(j, paths, 1);

	move_to(REST);
	print(cpu_ns() - cpu, (double)(clock_ns() - begin), strtod(argv[1], NULL));
	if (status != JOY_OK)
		fprintf(stderr, "handshake: %s\n", joy_error(j));
	joy_free(j);
	return status;
}
