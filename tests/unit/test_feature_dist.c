/* SPDX-License-Identifier: BSD-3-Clause */
/* test_feature_dist.c - distribution, moments, bins and entropy against sums in long double. */
#include <math.h>
#include <stdio.h>

#include "unit/feature_kit.h"

#include "feature/compact_map.h"

extern const struct feature feature_dist;

struct run {
	struct kit kit;
	struct option_set set;
	struct option_sets sets;
	uint64_t plain[256], n;
};

static struct run *run_new(const char *first, const char *second, const char *third)
{
	const char *lines[] = { first, second, third };
	struct run *r = calloc(1, sizeof *r);
	struct err e = { "" };

	kit_start(&r->kit, &feature_dist, 0);
	r->set = (struct option_set){ feature_dist.options, calloc(1, feature_dist.options_size) };
	r->sets = (struct option_sets){ &r->set, 1 };
	r->kit.env.options = r->set.base;
	assert_true(conf_defaults(&r->sets, &e));
	for (size_t i = 0; i < 3; i++)
		assert_true(lines[i] == NULL || conf_set_line(&r->sets, lines[i], &e));
	assert_true(feature_dist.prepare(r->set.base, &r->kit.conf, &e));
	return r;
}

static void run_free(struct run *r)
{
	feature_dist.release(r->set.base);
	conf_free(&r->sets);
	free(r->set.base);
	kit_free(&r->kit);
	free(r);
}

static void show(struct run *r, const uint8_t *bytes, size_t size)
{
	r->kit.pkt.payload = (struct rd){ bytes, size };
	kit_packet(&r->kit, 0, (uint32_t)size, 1);
	for (size_t i = 0; i < size; i++)
		r->plain[bytes[i]]++;
	r->n += size;
}

static long double entropy_of(const struct run *r)
{
	long double sum = 0, n = (long double)r->n;

	for (size_t v = 0; v < 256; v++)
		if (r->plain[v] > 0)
			sum += (long double)r->plain[v] *
			       (log1pl((n - (long double)r->plain[v]) / (long double)r->plain[v]) /
					       logl(2));
	return sum / n;
}

static void near(double is, long double should)
{
	assert_true(isfinite(is));
	assert_true(fabsl((long double)is - should) <= 1e-12L * fabsl(should));
}

static void check_moments(const struct run *r)
{
	long double n = (long double)r->n, mean = 0, spread = 0;

	for (size_t v = 0; v < 256; v++)
		mean += (long double)v * (long double)r->plain[v] / n;
	for (size_t v = 0; v < 256; v++)
		spread += ((long double)v - mean) * ((long double)v - mean) *
			  (long double)r->plain[v];
	near(kit_double(&r->kit, "byte_dist_mean"), mean);
	if (r->n > 1)
		near(kit_double(&r->kit, "byte_dist_std"), sqrtl(spread / (n - 1)));
	else
		assert_true(isnan(kit_double(&r->kit, "byte_dist_std")));
}

static void check(struct run *r)
{
	char path[] = "byte_dist.000";

	assert_true(kit_finish(&r->kit));
	assert_int_equal(kit_count_of(&r->kit, "byte_dist"), 256);
	for (int v = 0; v < 256; v++) {
		snprintf(path, sizeof path, "byte_dist.%d", v);
		assert_int_equal(kit_int(&r->kit, path), r->plain[v]);
	}
	check_moments(r);
	near(kit_double(&r->kit, "entropy"), entropy_of(r));
	near(kit_double(&r->kit, "total_entropy"), entropy_of(r) * (long double)r->n);
}

static void without_payload_there_is_nothing(void **unused)
{
	struct run *r = run_new("dist=1", "entropy=1", NULL);

	(void)unused;
	show(r, NULL, 0);
	assert_false(kit_finish(&r->kit));
	run_free(r);
}

static void one_byte_has_no_std(void **unused)
{
	struct run *r = run_new("dist=1", "entropy=1", NULL);

	(void)unused;
	show(r, (const uint8_t *)"x", 1);
	check(r);
	run_free(r);
}

static void one_value_has_no_entropy(void **unused)
{
	static const uint8_t zeros[70000];
	struct run *r = run_new("dist=1", "entropy=1", NULL);

	(void)unused;
	show(r, zeros, sizeof zeros);
	check(r);
	assert_true(kit_double(&r->kit, "entropy") == 0);
	run_free(r);
}

static void all_values_alike_have_eight_bits(void **unused)
{
	uint8_t bytes[512];
	struct run *r = run_new("dist=1", "entropy=1", NULL);

	(void)unused;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	show(r, bytes, sizeof bytes);
	check(r);
	assert_true(kit_double(&r->kit, "entropy") == 8);
	run_free(r);
}

/* From one odd byte among many, where a difference of logarithms would lose its digits, to noise.
 */
static void entropy_is_exact_at_any_skew(void **unused)
{
	enum { N = 300000 };
	uint8_t *bytes = malloc(N);

	(void)unused;
	for (unsigned odd = 1; odd < 3 * N; odd = odd * 3 + 1) {
		struct run *r = run_new("dist=1", "entropy=1", NULL);
		uint64_t x = odd;

		memset(bytes, 7, N);
		for (unsigned i = 0; i < odd && i < N; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			bytes[i] = (uint8_t)(x >> 33);
		}
		show(r, bytes, N);
		check(r);
		run_free(r);
	}
	free(bytes);
}

static void gives_only_what_is_asked(void **unused)
{
	struct run *r = run_new("entropy=1", NULL, NULL);

	(void)unused;
	show(r, (const uint8_t *)"ab", 2);
	assert_true(kit_finish(&r->kit));
	assert_int_equal(kit_count_of(&r->kit, "byte_dist"), 0);
	assert_int_equal(kit_count_of(&r->kit, "compact_byte_dist"), 0);
	assert_true(isnan(kit_double(&r->kit, "byte_dist_mean")));
	assert_true(kit_double(&r->kit, "entropy") == 1);
	run_free(r);
}

static void check_bins(const char *line)
{
	struct run *r = run_new(line, NULL, NULL);

	show(r, (const uint8_t *)"GET /a1\r\n\0\xff", 11);
	assert_true(kit_finish(&r->kit));
	assert_int_equal(kit_count_of(&r->kit, "compact_byte_dist"), 16);
	assert_int_equal(kit_int(&r->kit, "compact_byte_dist.0"), 1);
	assert_int_equal(kit_int(&r->kit, "compact_byte_dist.2"), 3);
	assert_int_equal(kit_int(&r->kit, "compact_byte_dist.3"), 1);
	assert_int_equal(kit_int(&r->kit, "compact_byte_dist.4"), 3);
	assert_int_equal(kit_int(&r->kit, "compact_byte_dist.5"), 1);
	assert_int_equal(kit_int(&r->kit, "compact_byte_dist.7"), 1);
	assert_int_equal(kit_int(&r->kit, "compact_byte_dist.15"), 1);
	assert_true(isnan(kit_double(&r->kit, "entropy")));
	run_free(r);
}

static void built_in_bins(void **unused)
{
	(void)unused;
	check_bins("cdist=1");
}

static void each_value_is_in_its_bin(void **unused)
{
	struct run *r = run_new("cdist=1", NULL, NULL);
	char path[] = "compact_byte_dist.00";
	uint64_t bins[COMPACT_BINS] = { 0 };

	(void)unused;
	for (unsigned v = 0; v < 256; v++) {
		for (unsigned i = 0; i < v + 1; i++)
			show(r, &(uint8_t){ (uint8_t)v }, 1);
		bins[compact_map[v]] += v + 1;
	}
	assert_true(kit_finish(&r->kit));
	for (int b = 0; b < COMPACT_BINS; b++) {
		snprintf(path, sizeof path, "compact_byte_dist.%d", b);
		assert_int_equal(kit_int(&r->kit, path), bins[b]);
	}
	run_free(r);
}

static void bins_of_a_file(void **unused)
{
	(void)unused;
	check_bins("cdist=data/compact_bd_mapping.txt");
}

static void write_text(const char *path, const char *head, unsigned numbers, const char *tail)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(head, f);
	for (unsigned i = 0; i < numbers; i++)
		fprintf(f, "%u%s", i / 16, i % 16 == 15 ? "\n" : ", ");
	fputs(tail, f);
	fclose(f);
}

static void reads_bins_from_a_file(void **unused)
{
	static const struct {
		unsigned numbers;
		const char *tail, *complaint;
	} cases[] = {
		{ 256, "# the end", NULL },
		{ 255, "15", NULL },
		{ 255, "", "255 numbers" },
		{ 256, "1\n", ":18: more than 256" },
		{ 255, "16\n", ":17: a bin" },
		{ 255, "x\n", ":17: a bin" },
		{ 255, "-1\n", ":17: a bin" },
		{ 255, "99999999999999999999\n", ":17: a bin" },
	};
	char path[] = "/tmp/test_feature_dist_XXXXXX";
	int fd = mkstemp(path);
	uint8_t bin[256];

	(void)unused;
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { "" };

		write_text(path, "# bins, 1 2 3\n", cases[i].numbers, cases[i].tail);
		assert_int_equal(compact_map_load(path, bin, &e), cases[i].complaint == NULL);
		if (cases[i].complaint != NULL)
			assert_non_null(strstr(e.text, cases[i].complaint));
		else
			assert_int_equal(bin[255], 15);
	}
	remove(path);
	assert_false(compact_map_load("/nonexistent/bins", bin, NULL));
}

static void the_shipped_file_says_the_same(void **unused)
{
	struct err e = { "" };
	uint8_t bin[256];

	(void)unused;
	assert_true(compact_map_load("data/compact_bd_mapping.txt", bin, &e));
	assert_memory_equal(bin, compact_map, sizeof bin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_payload_there_is_nothing),
		cmocka_unit_test(one_byte_has_no_std),
		cmocka_unit_test(one_value_has_no_entropy),
		cmocka_unit_test(all_values_alike_have_eight_bits),
		cmocka_unit_test(entropy_is_exact_at_any_skew),
		cmocka_unit_test(gives_only_what_is_asked),
		cmocka_unit_test(built_in_bins),
		cmocka_unit_test(each_value_is_in_its_bin),
		cmocka_unit_test(bins_of_a_file),
		cmocka_unit_test(reads_bins_from_a_file),
		cmocka_unit_test(the_shipped_file_says_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
