/* SPDX-License-Identifier: BSD-3-Clause */
/* test_wheel.c - the timer wheel against a plain list: same objects out, none early, none late,
 * none lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wheel.h"
#include "random_kit.h"

enum { OBJECTS = 2000 };

struct object {
	uint64_t pad;
	struct wheel_item timer;
	bool in;
};

/* A deadline near, far, or very far from now. */
static int64_t some_deadline(int64_t now)
{
	static const unsigned bits[] = { 20, 27, 33, 38, 45, 52, 58 };
	uint64_t span = (uint64_t)1 << bits[next_random() % 7];

	return now + (int64_t)(next_random() % span);
}

struct world {
	struct slab slab;
	struct wheel wheel;
	uint32_t number[OBJECTS];
	int64_t now;
};

static struct object *object(struct world *w, size_t i)
{
	return slab_at(&w->slab, w->number[i]);
}

static struct world *world_new(int64_t now)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	assert_true(slab_init(&w->slab, 64, OBJECTS));
	w->now = now;
	assert_true(wheel_init(&w->wheel, &w->slab, offsetof(struct object, timer), now));
	for (size_t i = 0; i < OBJECTS; i++) {
		w->number[i] = slab_take(&w->slab);
		assert_int_not_equal(w->number[i], SLAB_NONE);
		memset(object(w, i), 0, sizeof(struct object));
	}
	return w;
}

static void world_free(struct world *w)
{
	struct wheel_out out;

	for (uint32_t slot = 0; wheel_empty(&w->wheel, &slot, &out);)
		;
	for (size_t i = 0; i < OBJECTS; i++)
		slab_give(&w->slab, w->number[i]);
	slab_destroy(&w->slab);
	wheel_destroy(&w->wheel);
	free(w);
}

static void change(struct world *w)
{
	size_t i = next_random() % OBJECTS;
	struct object *o = object(w, i);

	if (!o->in) {
		o->timer.deadline_ns = some_deadline(w->now);
		o->in = true;
		wheel_add(&w->wheel, w->number[i]);
	} else if (next_random() % 3 == 0) { /* later: lazily */
		o->timer.deadline_ns += (int64_t)(next_random() % 100000000000);
	} else if (next_random() % 3 == 0) { /* earlier */
		if (o->timer.deadline_ns > w->now)
			o->timer.deadline_ns = w->now;
		wheel_move(&w->wheel, w->number[i]);
	} else if (next_random() % 3 == 0) {
		wheel_remove(&w->wheel, w->number[i]);
		o->in = false;
	}
}

/*
 * Turns to w->now, with 'changes' between two steps: whatever comes out is due, slot by slot in
 * rising order; whatever is due is out.
 */
static void turn(struct world *w, unsigned changes)
{
	int64_t slot_before = INT64_MIN, slot = INT64_MIN;
	enum wheel_turned turned;
	struct wheel_out out;

	while ((turned = wheel_turn(&w->wheel, w->now, &out)) != WHEEL_RESTS) {
		for (uint32_t i = 0; i < out.count; i++) {
			struct object *o = slab_at(&w->slab, out.number[i]);

			assert_true(o->in);
			assert_true(o->timer.deadline_ns <= w->now);
			slot = o->timer.deadline_ns >> WHEEL_TICK_SHIFT;
			assert_true(slot > slot_before);
			o->in = false;
		}
		if (turned == WHEEL_FIRED)
			slot_before = slot;
		for (unsigned i = 0; i < changes; i++)
			change(w);
	}
	for (size_t i = 0; i < OBJECTS; i++)
		if (object(w, i)->in)
			assert_true(object(w, i)->timer.deadline_ns >> WHEEL_TICK_SHIFT >= w->now >>
					WHEEL_TICK_SHIFT);
}

static void play(struct world *w, unsigned rounds, unsigned changes)
{
	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned k = 0; k < 50; k++)
			change(w);
		w->now += (some_deadline(w->now) - w->now) / 2;
		turn(w, changes);
	}
}

static void fires_what_is_due(void **unused)
{
	(void)unused;
	struct world *w = world_new(1700000000000000000);

	play(w, 400, 0);
	world_free(w);
}

static void changes_between_steps(void **unused)
{
	(void)unused;
	struct world *w = world_new(1700000000000000000);

	play(w, 400, 1);
	world_free(w);
}

/* However many there are in a slot of any level, a step deals out a block. */
static void steps_are_bounded(void **unused)
{
	(void)unused;
	static const int64_t after[] = { 20000000, 5000000000, 2000000000000, 400000000000000 };

	for (size_t level = 0; level < WHEEL_LEVELS; level++) {
		struct world *w = world_new(0);
		uint32_t out_of_it = 0;
		struct wheel_out out;

		for (size_t i = 0; i < OBJECTS; i++) {
			object(w, i)->timer.deadline_ns = after[level];
			wheel_add(&w->wheel, w->number[i]);
		}
		assert_int_equal(w->wheel.in_level[level], OBJECTS);
		while (w->wheel.count > 0) {
			const uint32_t before = w->wheel.blocks.used;

			wheel_turn(&w->wheel, after[level] + 100000000, &out);
			out_of_it += out.count;
			assert_true(w->wheel.blocks.used + 1 >= before);
		}
		assert_int_equal(out_of_it, OBJECTS);
		world_free(w);
	}
}

/* All levels turn over together at multiples of 2^56 ns: 1970, 2027, ... */
static void nothing_is_late_at_a_turn_over(void **unused)
{
	(void)unused;
	struct world *w = world_new(((int64_t)25 << 56) - 60000000000);

	for (size_t i = 0; i < OBJECTS; i++) {
		object(w, i)->timer.deadline_ns = w->now + (int64_t)i * 60000000;
		object(w, i)->in = true;
		wheel_add(&w->wheel, w->number[i]);
	}
	for (unsigned r = 0; r < 140; r++) {
		w->now += 1000000000;
		turn(w, 0);
	}
	assert_int_equal(w->wheel.count, 0);
	world_free(w);
}

static void works_before_1970(void **unused)
{
	(void)unused;
	struct world *w = world_new(-5000000000);

	play(w, 200, 0);
	world_free(w);
}

static void soonest_empties_the_wheel_in_order(void **unused)
{
	(void)unused;
	struct world *w = world_new(1700000000000000000);
	int64_t last = 0;
	uint32_t tries = UINT32_MAX;

	for (size_t i = 0; i < OBJECTS; i++) {
		/* as flows are added: those that end later, later; give or take 2 s */
		object(w, i)->timer.deadline_ns = w->now + (int64_t)i * 60000000 +
						  (int64_t)(next_random() % 2000000000);
		wheel_add(&w->wheel, w->number[i]);
	}
	for (size_t i = 0; i < OBJECTS; i++) {
		uint32_t n = wheel_soonest(&w->wheel, &tries);

		assert_int_not_equal(n, SLAB_NONE);
		/* in order up to that and the width of a slot of the second level, 4.3 s */
		int64_t d = ((struct object *)slab_at(&w->slab, n))->timer.deadline_ns;
		assert_true(d >= last - ((int64_t)1 << 32) - 2000000000);
		last = d > last ? d : last;
	}
	assert_int_equal(wheel_soonest(&w->wheel, &tries), SLAB_NONE);
	world_free(w);
}

/* Objects whose deadline has moved are put behind, but not without end. */
static void soonest_looks_at_so_many(void **unused)
{
	(void)unused;
	struct world *w = world_new(1700000000000000000);
	uint32_t tries = 100, number;

	for (size_t i = 0; i < OBJECTS; i++) {
		object(w, i)->timer.deadline_ns = w->now + 100000000;
		wheel_add(&w->wheel, w->number[i]);
		object(w, i)->timer.deadline_ns += 1000000000;
	}
	object(w, 50)->timer.deadline_ns -= 1000000000;
	assert_int_equal(wheel_soonest(&w->wheel, &tries), w->number[50]);
	assert_int_equal(tries, 50);
	number = wheel_soonest(&w->wheel, &tries);
	assert_int_equal(number, w->number[101]);
	assert_int_equal(tries, 0);
	assert_int_equal(w->wheel.count, OBJECTS - 2);
	world_free(w);
}

static void empties(void **unused)
{
	(void)unused;
	struct world *w = world_new(1700000000000000000);
	uint32_t count = 0, in = 0;
	struct wheel_out out;

	for (size_t i = 0; i < OBJECTS; i++) {
		object(w, i)->timer.deadline_ns = some_deadline(w->now);
		object(w, i)->in = i % 3 != 0;
		wheel_add(&w->wheel, w->number[i]);
		if (i % 3 == 0)
			wheel_remove(&w->wheel, w->number[i]);
		else
			in++;
	}
	for (uint32_t slot = 0; wheel_empty(&w->wheel, &slot, &out);)
		for (uint32_t i = 0; i < out.count; i++, count++)
			assert_true(((struct object *)slab_at(&w->slab, out.number[i]))->in);
	assert_int_equal(count, in);
	assert_int_equal(w->wheel.count, 0);
	assert_int_equal(w->wheel.blocks.used, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_between_steps),
		cmocka_unit_test(empties),
		cmocka_unit_test(fires_what_is_due),
		cmocka_unit_test(nothing_is_late_at_a_turn_over),
		cmocka_unit_test(works_before_1970),
		cmocka_unit_test(soonest_empties_the_wheel_in_order),
		cmocka_unit_test(soonest_looks_at_so_many),
		cmocka_unit_test(steps_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
