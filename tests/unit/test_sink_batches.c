/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_sink_batches.c - records that leave a sink as columns: whole batches, the rest at the end, a
 * receiver that has no room, and one that wants no more.
 */
#include "arrow_kit.h"
#include "sink/sink.h"

enum { ROWS = 10, MOST = 64 };

struct data {
	uint64_t n;
};
static const struct field fields[] = {
	FIELD(struct data, n, "n", "", "A number."),
	{ 0 },
};

/* What came, and what the receiver answers. */
struct receiver {
	struct sink *sink;
	struct pen *pen;
	struct columns *columns;
	struct plan *plan;
	enum sink_take answer;
	bool waited;
	size_t batches;
	int64_t rows[MOST];
	uint64_t next; /* records come in their order; behind a loss with holes */
	bool holes;
};

static enum sink_take take(void *ctx, struct ArrowArray *batch, bool wait)
{
	struct receiver *r = ctx;

	r->waited = wait;
	if (r->answer != SINK_TAKEN)
		return r->answer;
	assert_true(r->batches < MOST);
	r->rows[r->batches++] = batch->length;
	for (int64_t i = 0; i < batch->length; i++) {
		const uint64_t n = kit_number(batch->children[0], i, 8);

		assert_true(r->holes ? n >= r->next : n == r->next);
		r->next = n + 1;
	}
	batch->release(batch);
	return SINK_TAKEN;
}

static void open_sink(struct receiver *r, bool live, int64_t tick_ns)
{
	static const struct columns_table table = { fields, "data", NULL };
	const struct columns_conf conf = { .tables = &table, .count = 1, .batch_rows = ROWS };
	const struct field *const tables[] = { fields };
	struct err e = { "" };

	*r = (struct receiver){ .columns = columns_new(&conf, &e),
		.plan = plan_new(tables, 1, true, &e) };
	assert_non_null(r->columns);
	r->sink = sink_open(&(struct sink_target){ .batch = take,
					    .columns = r->columns,
					    .ctx = r,
					    .live = live,
					    .tick_ns = tick_ns },
			r->plan, &e);
	if (r->sink == NULL)
		fail_msg("%s", e.text);
	r->pen = pen_new(r->sink, &e);
	assert_non_null(r->pen);
	assert_true(sink_begin(r->sink, NULL, &e));
}

static void close_sink(struct receiver *r)
{
	pen_free(r->pen);
	sink_free(r->sink);
	columns_free(r->columns);
	plan_free(r->plan);
}

static bool record(struct receiver *r, uint64_t n, struct err *e)
{
	const struct data d = { n };
	const void *const data[] = { &d };

	return pen_record(r->pen, data, e);
}

static void records(struct receiver *r, uint64_t from, uint64_t to)
{
	struct err e = { "" };

	for (uint64_t n = from; n < to; n++) {
		if (!record(r, n, &e))
			fail_msg("%s", e.text);
	}
}

static struct sink_counts counts(struct receiver *r)
{
	struct sink_counts c;

	sink_counts(r->sink, &c);
	return c;
}

static void end(struct receiver *r)
{
	struct err e = { "" };
	const struct buf none = buf_new(0);

	if (!sink_end(r->sink, &none, &e) || !sink_close(r->sink, true, &e))
		fail_msg("%s", e.text);
}

static void whole_batches_and_the_rest(void **state)
{
	struct receiver r;
	struct err e;
	struct buf line = buf_new(100);

	(void)state;
	open_sink(&r, false, 0);
	buf_text(&line, "{\"drops\":1}");
	records(&r, 0, 35);
	assert_int_equal(r.batches, 3);
	assert_true(r.waited);
	assert_true(sink_note(r.sink, &line, &e)); /* is no record */
	assert_false(sink_rotate(r.sink));
	assert_int_equal(sink_records(r.sink), 35);
	end(&r);
	assert_int_equal(r.batches, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(r.rows[i], i < 3 ? ROWS : 5);
	assert_int_equal(counts(&r).records, 35);
	assert_int_equal(counts(&r).lost, 0);
	close_sink(&r);
	buf_free(&line);
}

static void nothing_comes_of_nothing(void **state)
{
	struct receiver r;

	(void)state;
	open_sink(&r, false, 0);
	end(&r);
	assert_int_equal(r.batches, 0);
	close_sink(&r);
}

static void who_wants_no_more_ends_the_run(void **state)
{
	struct receiver r;
	struct err e = { "" };

	(void)state;
	open_sink(&r, false, 0);
	records(&r, 0, 9);
	r.answer = SINK_ENDED;
	assert_false(record(&r, 9, &e));
	assert_string_equal(e.text, "the receiver of columns asked to stop");
	assert_false(record(&r, 10, &e));
	assert_false(sink_close(r.sink, true, &e));
	close_sink(&r);
}

/* One batch waits, another is filled; what comes then is lost and counted. */
static void a_live_pen_never_waits(void **state)
{
	struct receiver r;

	(void)state;
	open_sink(&r, true, 0);
	r.answer = SINK_FULL;
	records(&r, 0, 2 * ROWS + 7);
	assert_false(r.waited);
	assert_int_equal(r.batches, 0);
	assert_int_equal(counts(&r).lost, 7);
	r.answer = SINK_TAKEN;
	r.holes = true;
	records(&r, 100, 105);
	assert_int_equal(r.batches, 2);
	assert_int_equal(counts(&r).records, 2 * ROWS);
	sink_stopping(r.sink);
	end(&r);
	assert_true(r.waited);
	assert_int_equal(r.batches, 3);
	assert_int_equal(r.rows[2], 5);
	assert_int_equal(counts(&r).records, 2 * ROWS + 5);
	close_sink(&r);
}

static void a_live_batch_goes_when_it_is_old(void **state)
{
	struct receiver r;
	struct err e;

	(void)state;
	open_sink(&r, true, INT64_MAX);
	records(&r, 0, 3);
	assert_true(pen_flush(r.pen, &e));
	assert_int_equal(r.batches, 0);
	end(&r);
	assert_int_equal(r.batches, 1);
	close_sink(&r);

	open_sink(&r, true, 1); /* ns */
	assert_true(pen_flush(r.pen, &e));
	assert_int_equal(r.batches, 0); /* there is none */
	records(&r, 0, 3);
	assert_true(pen_flush(r.pen, &e));
	assert_int_equal(r.batches, 1);
	end(&r);
	assert_int_equal(r.batches, 1);
	close_sink(&r);
}

/* What a pen holds when it goes without an orderly end is freed. */
static void an_end_without_order_frees_all(void **state)
{
	struct receiver r;

	(void)state;
	open_sink(&r, true, 0);
	r.answer = SINK_FULL;
	records(&r, 0, ROWS + 3);
	close_sink(&r);
	assert_int_equal(r.batches, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_batches_and_the_rest),
		cmocka_unit_test(nothing_comes_of_nothing),
		cmocka_unit_test(who_wants_no_more_ends_the_run),
		cmocka_unit_test(a_live_pen_never_waits),
		cmocka_unit_test(a_live_batch_goes_when_it_is_old),
		cmocka_unit_test(an_end_without_order_frees_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
