/* SPDX-License-Identifier: BSD-3-Clause */
/* test_pick.c - wanted values are visited wherever they lie, and lists are copied before changes.
 */
#include "record/pick.h"
#include "unit/plan_kit.h"

struct visited {
	char text[2000];
	char room[4000];
	size_t used, room_size;
	bool change;
};

static bool texts(const struct field *f)
{
	enum field_type type = f->type == FIELD_LIST ? f->item : f->type;

	return type == FIELD_TEXT || type == FIELD_ADDRESS;
}

static bool everything(const struct field *f)
{
	(void)f;
	return true;
}

static bool nothing(const struct field *f)
{
	(void)f;
	return false;
}

static void note(void *ctx, const struct field *f, enum field_type type, const char *path, void *at)
{
	struct visited *v = ctx;
	struct field_text *t = at;
	size_t n = strlen(v->text);

	assert_true(f->type == type || f->item == type);
	snprintf(v->text + n, sizeof v->text - n, "%s%s", n > 0 ? " " : "", path);
	if (type == FIELD_TEXT && v->change)
		*t = (struct field_text){ "changed", 7 };
}

static void *copy(void *ctx, size_t size)
{
	struct visited *v = ctx;
	void *to = v->room + v->used;

	if (v->used + size > v->room_size)
		return NULL;
	v->used += (size + 15) / 16 * 16;
	return to;
}

static const struct field_text two_texts[] = { { "x", 1 }, { "y", 1 } };
static const struct item two_items[] = { { 1, ">", { "n", 1 }, { NULL, 0 } },
	{ 2, "<", { NULL, 0 }, { "\1\2", 2 } } };

static struct all record(void)
{
	struct all a = { .text = { "t", 1 },
		.address = { .version = 4 },
		.items = { two_items, 2 },
		.texts = { two_texts, 2 } };

	return a;
}

static void wanted_ones_in_order(void **unused)
{
	struct all a = record();
	struct visited v = { .change = false };
	struct pick_walk walk = { .visit = note, .ctx = &v };
	struct pick *p = pick_new(optional_fields, texts, NULL);

	(void)unused;
	assert_non_null(p);
	assert_false(pick_is_empty(p));
	pick_visit(p, &walk, &a);
	assert_string_equal(v.text, "text address items.name items.name texts texts");
	pick_free(p);
	pick_free(NULL);
}

static void nothing_wanted(void **unused)
{
	struct pick *p = pick_new(optional_fields, nothing, NULL);

	(void)unused;
	assert_non_null(p);
	assert_true(pick_is_empty(p));
	pick_free(p);
}

static void structs_in_place_have_their_paths(void **unused)
{
	struct all a = record();
	struct visited v = { .change = false };
	struct pick_walk walk = { .visit = note, .ctx = &v };
	struct pick *p = pick_new(plain_fields, everything, NULL);

	(void)unused;
	pick_visit(p, &walk, &a);
	assert_non_null(strstr(v.text, " ip.out.ttl ip.out.id ip.in.ttl ip.in.id maybe.a "));
	assert_non_null(strstr(v.text, " items.b items.dir items.name items.b items.dir items.name "
				       "items.inner items.inner texts texts"));
	pick_free(p);
}

/* What others share must stay as it is. */
static void lists_are_copied_before_a_change(void **unused)
{
	struct all a = record();
	struct visited v = { .change = true, .room_size = sizeof v.room };
	struct pick_walk walk = { .visit = note, .copy = copy, .ctx = &v };
	struct pick *p = pick_new(optional_fields, texts, NULL);
	const struct item *items;
	const struct field_text *list;

	(void)unused;
	pick_visit(p, &walk, &a);
	assert_int_equal(two_texts[0].size, 1);
	assert_int_equal(two_items[0].name.size, 1);
	items = a.items.items;
	list = a.texts.items;
	assert_ptr_not_equal(items, two_items);
	assert_int_equal(items[0].name.size, 7);
	assert_int_equal(items[1].size, 2);
	assert_ptr_equal(items[1].inner.items, two_items[1].inner.items);
	assert_int_equal(list[1].size, 7);
	assert_int_equal(a.text.size, 7);
	pick_free(p);
}

static void without_memory_lists_are_emptied(void **unused)
{
	struct all a = record();
	struct visited v = { .change = true };
	struct pick_walk walk = { .visit = note, .copy = copy, .ctx = &v };
	struct pick *p = pick_new(optional_fields, texts, NULL);

	(void)unused;
	pick_visit(p, &walk, &a);
	assert_int_equal(a.items.count, 0);
	assert_int_equal(a.texts.count, 0);
	assert_string_equal(v.text, "text address");
	pick_free(p);
}

/* Every value made null is left out of the record. */
static void nulls_are_left_out(void **unused)
{
	struct all a = record();
	const void *data = &a;
	const struct field *table = optional_fields;
	struct plan *plan = plan_new(&table, 1, true, NULL);
	struct buf b = buf_new(10000);

	(void)unused;
	for (const struct field *f = optional_fields; f->key != NULL; f++)
		if (f->type != FIELD_STRUCT && f->type != FIELD_LIST)
			pick_null(f->type, (char *)&a + f->offset);
	a.items = a.texts = (struct field_list){ 0 };
	a.ip.out.id = a.ip.in.id = -1;
	a.maybe.n = UINT32_MAX;
	plan_json(plan, &data, &b);
	buf_byte(&b, '\0');
	assert_string_equal(b.p, "{\"yes\":false,\"time\":0.000000,\"ip\":{\"out\":{\"ttl\":0},"
				 "\"in\":{\"ttl\":0}}}");
	buf_free(&b);
	plan_free(plan);
}

static const struct field loop_fields[2];
static const struct field loop_fields[2] = {
	FIELD_LIST_OF(struct all, items, "l", struct all, loop_fields, "Itself."),
	{ 0 },
};

static void tables_without_end_are_refused(void **unused)
{
	struct err e;

	(void)unused;
	assert_null(pick_new(loop_fields, everything, &e));
	assert_non_null(strstr(e.text, "deep"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wanted_ones_in_order),
		cmocka_unit_test(nothing_wanted),
		cmocka_unit_test(structs_in_place_have_their_paths),
		cmocka_unit_test(lists_are_copied_before_a_change),
		cmocka_unit_test(without_memory_lists_are_emptied),
		cmocka_unit_test(nulls_are_left_out),
		cmocka_unit_test(tables_without_end_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
