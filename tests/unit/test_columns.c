/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_columns.c - records into columns: what an array says of a record is what JSON says of it;
 * nulls, lists in lists, words, batches, records taken back.
 */
#include "arrow_kit.h"
#include "plan_kit.h"
#include "record/cells.h"

enum { TABLES = 2 };

static const struct columns_table tables[TABLES] = {
	{ optional_fields, "all", NULL },
	{ small_fields, "small", "small,tiny" },
};

/* Any of these may be missing from a record. */
static const struct columns_table switched[TABLES] = {
	{ optional_fields, "all", "all" },
	{ small_fields, "small", "small,tiny" },
};

static struct columns *columns_of(struct columns_conf conf)
{
	struct err e = { "" };
	struct columns *c;

	if (conf.tables == NULL) {
		conf.tables = tables;
		conf.count = TABLES;
	}
	conf.both = true;
	c = columns_new(&conf, &e);
	if (c == NULL)
		fail_msg("%s", e.text);
	return c;
}

static struct batch *batch_of(const struct columns *c)
{
	struct err e = { "" };
	struct batch *b = batch_new(c, &e);

	assert_non_null(b);
	return b;
}

/* Schema and array of all that is in a batch, checked. */
struct out {
	struct ArrowSchema schema;
	struct ArrowArray array;
};

static struct out export(const struct columns *c, struct batch *b)
{
	struct out o;
	struct err e = { "" };

	assert_true(columns_schema(c, NULL, 0, &o.schema, &e));
	assert_true(batch_export(b, &o.array, &e));
	kit_check(&o.schema, &o.array);
	return o;
}

static void drop(struct out *o)
{
	o->schema.release(&o->schema);
	o->array.release(&o->array);
	assert_null(o->schema.release);
	assert_null(o->array.release);
}

/* --- records ------------------------------------------------------------------------------------
 */

static const uint8_t inner[] = { 1, 0, 255 };
static const struct item items[] = {
	{ 1448, ">", { "a\xff\xc3\xa4", 4 }, { inner, 3 } },
	{ 0, "<", { NULL, 0 }, { NULL, 0 } },
	{ 65535, ">", { "", 0 }, { inner, 1 } },
};
static const uint64_t counts[] = { 0, 1, UINT64_C(1) << 52, 7 };
static const struct field_text texts[] = { { "one", 3 }, { NULL, 0 }, { "\x01\"", 2 } };

/* Nothing is null. */
static struct all full(void)
{
	return (struct all){
		.yes = true,
		.u8 = 250,
		.u16 = 65000,
		.u32 = 4000000000,
		.u64 = UINT64_C(9007199254740993),
		.i32 = -7,
		.i64 = INT64_C(-9007199254740993),
		.f64 = 0.125,
		.word = "word",
		.text = { "caf\xc3\xa9 \xe9\n", 8 },
		.hex = { (const uint8_t *)"\x00\xab\xff", 3 },
		.address = { 4, { 10, 0, 0, 1 } },
		.time = { INT64_C(1700000000123456789), true },
		.ms = { 1500250 },
		.s = { 2000000001 },
		.ip = { { 64, 1 }, { 63, 0 } },
		.maybe = { "x", 3 },
		.items = { items, 3 },
		.counts = { counts, 4 },
		.texts = { texts, 3 },
	};
}

/* All that can be null is. */
static struct all empty(void)
{
	return (struct all){
		.u8 = UINT8_MAX,
		.u16 = UINT16_MAX,
		.u32 = UINT32_MAX,
		.u64 = UINT64_MAX,
		.i32 = -1,
		.i64 = -1,
		.f64 = NAN,
		.ms = { -1 },
		.s = { -1 },
		.time = { 0, true },
		.ip = { { 0, -1 }, { 0, -1 } },
		.maybe = { NULL, UINT32_MAX },
	};
}

static struct all six(void)
{
	struct all a = full();

	a.address = (struct field_address){ 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
	a.word = NULL;
	a.maybe = (struct maybe){ NULL, 9 };
	a.items.count = 0;
	a.yes = false;
	a.ip.out.id = -1;
	return a;
}

/* \u0080 to \u00ff become the two bytes of UTF-8 that these characters have. */
static void unescape(char *text)
{
	char *to = text;

	while (*text != '\0') {
		unsigned c;

		if (sscanf(text, "\\u00%2x", &c) == 1 && c >= 0x80) {
			*to++ = (char)(0xc0 | c >> 6);
			*to++ = (char)(0x80 | (c & 0x3f));
			text += 6;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* What the plan says of a record. */
static char *json(const struct field *const *fields, size_t count, const void *const *data)
{
	struct err e = { "" };
	struct plan *p = plan_new(fields, count, true, &e);
	struct buf out = buf_new(1 << 24);

	assert_non_null(p);
	plan_json(p, data, &out);
	buf_byte(&out, '\0');
	plan_free(p);
	unescape(out.p);
	return out.p;
}

static void row_is_record(const struct out *o, int64_t row, const void *const *data)
{
	const struct field *const fields[] = { optional_fields, small_fields };
	char *expected = json(fields, TABLES, data), *got = kit_row(&o->schema, &o->array, row);

	assert_string_equal(got, expected);
	free(expected);
	free(got);
}

/* --- tests --------------------------------------------------------------------------------------
 */

static void says_what_json_says(void **state)
{
	struct columns *c =
			columns_of((struct columns_conf){ .tables = switched, .count = TABLES });
	struct batch *b = batch_of(c);
	struct all a = full(), n = empty(), s = six();
	const struct small few = { 5 };
	const void *const data[][TABLES] = { { &a, &few }, { &n, &few }, { &s, NULL },
		{ NULL, NULL }, { NULL, &few }, { &n, NULL }, { &a, NULL }, { &s, &few } };
	enum { ROWS = sizeof(data) / sizeof(data[0]) };
	struct out o;

	(void)state;
	for (size_t i = 0; i < 3 * ROWS; i++)
		assert_true(batch_append(b, data[i % ROWS]));
	assert_int_equal(batch_rows(b), 3 * ROWS);
	o = export(c, b);
	assert_int_equal(o.array.length, 3 * ROWS);
	for (size_t i = 0; i < 3 * ROWS; i++)
		row_is_record(&o, (int64_t)i, data[i % ROWS]);
	drop(&o);
	batch_free(b);
	columns_free(c);
}

/* With tables whose fields are never null there is no bitmap. */
static void what_is_never_null_has_no_bits(void **state)
{
	const struct columns_table plain = { plain_fields, "all", NULL };
	struct columns *c = columns_of((struct columns_conf){ .tables = &plain, .count = 1 });
	struct batch *b = batch_of(c);
	struct all a = full();
	const void *const data[] = { &a };
	struct out o;

	(void)state;
	a.texts.count = 1; /* an item that is null keeps its place */
	assert_true(batch_append(b, data));
	o = export(c, b);
	for (int64_t i = 0; i < o.schema.n_children; i++) {
		assert_null(o.array.children[i]->buffers[0]);
		assert_int_equal(o.array.children[i]->null_count, 0);
		assert_int_equal(o.schema.children[i]->flags & ARROW_FLAG_NULLABLE, 0);
	}
	drop(&o);
	batch_free(b);
	columns_free(c);
}

/* Columns of a table that not every record has may be null, whatever their fields say. */
static void absent_tables_are_null(void **state)
{
	struct columns *c = columns_of((struct columns_conf){ 0 });
	struct batch *b = batch_of(c);
	const struct small few = { 5 };
	struct all a = full();
	struct out o;
	const struct ArrowArray *n;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_true(batch_append(b, (const void *const[]){ &a, i < 3 ? &few : NULL }));
	o = export(c, b);
	n = kit_child(&o.schema, &o.array, "small_number");
	assert_true(kit_field(&o.schema, "small_number")->flags & ARROW_FLAG_NULLABLE);
	assert_true(kit_is_valid(n, 2));
	for (int64_t i = 3; i < 1000; i++)
		assert_false(kit_is_valid(n, i));
	drop(&o);
	batch_free(b);
	columns_free(c);
}

/* The texts of exact numbers, read by the C library, are the doubles. */
static void durations_are_the_nearest_doubles(void **state)
{
	static const int64_t ns[] = { 0, 1, 999, 1000001, 123456789, INT64_C(9007199254740991),
		INT64_C(9007199254740993), INT64_C(9007199254741002999), INT64_C(1) << 62,
		INT64_MAX, INT64_MAX - 1, INT64_C(4611686018427387905),
		INT64_C(1234567890123456789), INT64_C(9007199254740993000) };
	struct columns *c = columns_of((struct columns_conf){ 0 });
	struct batch *b = batch_of(c);
	struct all a = full();
	struct out o;

	(void)state;
	for (size_t i = 0; i < sizeof(ns) / sizeof(ns[0]); i++) {
		a.ms.ns = a.s.ns = ns[i];
		assert_true(batch_append(b, (const void *const[]){ &a, NULL }));
	}
	o = export(c, b);
	for (size_t i = 0; i < sizeof(ns) / sizeof(ns[0]); i++) {
		char text[2][JSON_ROOM_NUMBER] = { "", "" };

		*json_put_ms(text[0], ns[i]) = '\0';
		*json_put_s(text[1], ns[i]) = '\0';
		assert_true(kit_f64(kit_child(&o.schema, &o.array, "ms"), (int64_t)i) ==
				strtod(text[0], NULL));
		assert_true(kit_f64(kit_child(&o.schema, &o.array, "s"), (int64_t)i) ==
				strtod(text[1], NULL));
	}
	drop(&o);
	batch_free(b);
	columns_free(c);
}

/* A source without nanoseconds has none in columns either. */
static void times_are_those_of_json(void **state)
{
	static const struct {
		struct field_time in;
		int64_t out;
	} times[] = { { { 1999, false }, 1000 }, { { 1999, true }, 1999 }, { { -1, false }, -1000 },
		{ { -2000, false }, -2000 }, { { -1, true }, -1 } };
	struct columns *c = columns_of((struct columns_conf){ 0 });
	struct batch *b = batch_of(c);
	struct all a = full();
	struct out o;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		a.time = times[i].in;
		assert_true(batch_append(b, (const void *const[]){ &a, NULL }));
	}
	o = export(c, b);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_true((int64_t)kit_number(kit_child(&o.schema, &o.array, "time"), (int64_t)i,
					    8) == times[i].out);
	drop(&o);
	batch_free(b);
	columns_free(c);
}

/* --- words --------------------------------------------------------------------------------------
 */

/* The same place in memory holds another word each time: place says nothing. */
static void words_are_told_by_what_they_say(void **state)
{
	struct columns *c = columns_of((struct columns_conf){ 0 });
	struct batch *b = batch_of(c);
	struct all a = full();
	char word[80];
	struct out o[2];

	(void)state;
	a.word = word;
	for (unsigned batch = 0; batch < 2; batch++) {
		for (unsigned i = 0; i < 300; i++) {
			snprintf(word, sizeof word, "%s%u",
					i % 2 ? ""
					      : "a word of many letters, "
						"longer than is kept ",
					i % 100 + 50 * batch);
			assert_true(batch_append(b, (const void *const[]){ &a, NULL }));
		}
		o[batch] = export(c, b);
	}
	for (unsigned batch = 0; batch < 2; batch++) {
		const struct ArrowArray *words =
				kit_child(&o[batch].schema, &o[batch].array, "word");

		assert_int_equal(words->dictionary->length, 100 + 50 * batch);
		for (unsigned i = 0; i < 300; i++) {
			struct rd r = kit_bytes(
					words->dictionary, (int64_t)kit_number(words, i, 4));

			snprintf(word, sizeof word, "%s%u",
					i % 2 ? ""
					      : "a word of many letters, "
						"longer than is kept ",
					i % 100 + 50 * batch);
			assert_int_equal(r.left, strlen(word));
			assert_memory_equal(r.p, word, r.left);
		}
	}
	drop(&o[0]);
	drop(&o[1]);
	batch_free(b);
	columns_free(c);
}

/* Batches of two workers number words the same. */
static void workers_share_words(void **state)
{
	struct columns *c = columns_of((struct columns_conf){ 0 });
	struct batch *b[2] = { batch_of(c), batch_of(c) };
	struct all a = full();
	struct out o[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		a.word = i == 0 ? "first" : "second";
		assert_true(batch_append(b[i], (const void *const[]){ &a, NULL }));
		a.word = "third";
		assert_true(batch_append(b[i], (const void *const[]){ &a, NULL }));
	}
	for (unsigned i = 0; i < 2; i++)
		o[i] = export(c, b[i]);
	assert_int_equal(kit_number(kit_child(&o[0].schema, &o[0].array, "word"), 0, 4), 0);
	assert_int_equal(kit_number(kit_child(&o[0].schema, &o[0].array, "word"), 1, 4), 1);
	assert_int_equal(kit_number(kit_child(&o[1].schema, &o[1].array, "word"), 0, 4), 2);
	assert_int_equal(kit_number(kit_child(&o[1].schema, &o[1].array, "word"), 1, 4), 1);
	for (unsigned i = 0; i < 2; i++) {
		drop(&o[i]);
		batch_free(b[i]);
	}
	columns_free(c);
}

struct owner {
	const char *name, *of;
};
static const struct field owner_fields[] = {
	FIELD(struct owner, name, "name", "", "N.", .flags = FIELD_OPTIONAL | FIELD_IS_NAME),
	FIELD(struct owner, of, "of", "", "O.", .flags = FIELD_OPTIONAL | FIELD_NAMES_OWNER),
	{ 0 },
};

static void names_of_hosts_are_no_dictionary(void **state)
{
	const struct columns_table table = { owner_fields, "owner", NULL };
	struct columns *c = columns_of((struct columns_conf){ .tables = &table, .count = 1 });
	struct batch *b = batch_of(c);
	const struct owner some = { "host", NULL }, none = { NULL, "somebody" };
	struct out o;
	char *row;

	(void)state;
	assert_true(batch_append(b, (const void *const[]){ &some }));
	assert_true(batch_append(b, (const void *const[]){ &none }));
	o = export(c, b);
	assert_string_equal(o.schema.children[0]->format, "u");
	assert_null(o.schema.children[1]->dictionary);
	row = kit_row(&o.schema, &o.array, 0);
	assert_string_equal(row, "{\"name\":\"host\"}");
	free(row);
	row = kit_row(&o.schema, &o.array, 1);
	assert_string_equal(row, "{\"of\":\"somebody\"}");
	free(row);
	drop(&o);
	batch_free(b);
	columns_free(c);
}

/* --- schema and selection -----------------------------------------------------------------------
 */

static void the_schema_has_types_and_words(void **state)
{
	static const struct {
		const char *name, *format, *type;
	} expected[] = { { "yes", "b", "bool" }, { "u8", "C", "u8" }, { "u16", "S", "u16" },
		{ "u32", "I", "u32" }, { "u64", "L", "u64" }, { "i32", "i", "i32" },
		{ "i64", "l", "i64" }, { "f64", "g", "f64" }, { "word", "i", "word" },
		{ "text", "u", "text" }, { "hex", "z", "hex" }, { "address", "u", "address" },
		{ "time", "tsn:UTC", "time" }, { "ms", "g", "ms" }, { "s", "g", "s" },
		{ "ip", "+s", "struct" }, { "maybe", "+s", "struct" }, { "items", "+l", "list" },
		{ "counts", "+l", "list" }, { "texts", "+l", "list" },
		{ "small_number", "I", "u32" } };
	enum { COUNT = sizeof(expected) / sizeof(expected[0]) };
	struct columns *c = columns_of((struct columns_conf){ 0 });
	struct ArrowSchema s;
	struct err e;

	(void)state;
	assert_true(columns_schema(c, "{\"a\":1}", 7, &s, &e));
	assert_string_equal(s.format, "+s");
	kit_has_metadata(&s, "joy.configuration", "{\"a\":1}");
	kit_has_metadata(&s, "joy.version", JOY_VERSION);
	assert_int_equal(s.n_children, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		assert_string_equal(s.children[i]->name, expected[i].name);
		assert_string_equal(s.children[i]->format, expected[i].format);
		kit_has_metadata(s.children[i], "type", expected[i].type);
		kit_has_metadata(s.children[i], "feature", i + 1 < COUNT ? "all" : "small");
		kit_has_metadata(s.children[i], "options", i + 1 < COUNT ? NULL : "small,tiny");
	}
	kit_has_metadata(s.children[20], "definition", "Counts <something> | more.");
	kit_has_metadata(s.children[20], "unit", "packets");
	kit_has_metadata(s.children[20], "source", "RFC 5103");
	kit_has_metadata(s.children[20], "since", "1.1");
	kit_has_metadata(s.children[1], "null_rule", "none");
	kit_has_metadata(s.children[1], "source", NULL);
	kit_has_metadata(s.children[16]->children[0], "feature", NULL);
	assert_string_equal(s.children[8]->dictionary->format, "u");
	assert_true(s.children[1]->flags & ARROW_FLAG_NULLABLE);
	assert_false(s.children[0]->flags & ARROW_FLAG_NULLABLE);
	s.release(&s);
	columns_free(c);
}

/* A child that was moved out lives on without its parent. */
static void children_can_be_moved(void **state)
{
	struct columns *c = columns_of((struct columns_conf){ 0 });
	struct batch *b = batch_of(c);
	struct all a = full();
	struct ArrowSchema child_schema;
	struct ArrowArray child;
	struct out o;

	(void)state;
	assert_true(batch_append(b, (const void *const[]){ &a, NULL }));
	o = export(c, b);
	child_schema = *o.schema.children[17];
	o.schema.children[17]->release = NULL;
	child = *o.array.children[17];
	o.array.children[17]->release = NULL;
	drop(&o);
	batch_free(b);
	columns_free(c);
	assert_string_equal(child_schema.name, "items");
	kit_check(&child_schema, &child);
	child_schema.release(&child_schema);
	child.release(&child);
}

static char *names_of(const struct columns *c)
{
	struct buf out = buf_new(1 << 20);

	for (uint32_t i = 1; i < columns_count(c); i++) {
		buf_text(&out, i > 1 ? " " : "");
		buf_text(&out, columns_at(c, i)->key);
	}
	buf_byte(&out, '\0');
	return out.p;
}

static void selects_by_name(void **state)
{
	static const struct {
		const char *names[3];
		size_t count;
		const char *columns;
	} cases[] = {
		{ { "u8" }, 1, "u8" },
		{ { "ip", "small_number" }, 2, "ip out ttl id in ttl id small_number" },
		{ { "ip.in.ttl" }, 1, "ip in ttl" },
		{ { "items[].dir", "u8", "items.inner" }, 3, "u8 items item dir inner item" },
		{ { "counts" }, 1, "counts item" },
		{ { "" }, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct columns *c = columns_of((struct columns_conf){
				.names = cases[i].names, .name_count = cases[i].count });
		char *names = names_of(c);

		assert_string_equal(names, cases[i].columns);
		free(names);
		columns_free(c);
	}
}

static void refuses_names_that_nothing_has(void **state)
{
	static const char *const wrong[] = { "u9", "ip.out.tt", "ip.out.ttl.x", "u", "items.", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *const names[] = { "u8", wrong[i] };
		const struct columns_conf conf = { .tables = tables,
			.count = TABLES,
			.both = true,
			.names = names,
			.name_count = 2 };
		struct err e = { "" };

		assert_null(columns_new(&conf, &e));
		assert_non_null(strstr(e.text, "no column has the name"));
	}
}

static void selected_columns_have_their_values(void **state)
{
	static const char *const names[] = { "small_number", "maybe.n", "items.b", "address" };
	struct columns *c = columns_of((struct columns_conf){
			.names = names, .name_count = 4, .binary_addresses = true });
	struct batch *b = batch_of(c);
	struct all a = full(), s = six();
	const struct small few = { 5 };
	struct out o;
	char *row;

	(void)state;
	assert_true(batch_append(b, (const void *const[]){ &a, &few }));
	assert_true(batch_append(b, (const void *const[]){ &s, NULL }));
	o = export(c, b);
	row = kit_row(&o.schema, &o.array, 0);
	assert_string_equal(row, "{\"address\":\"00000000000000000000ffff0a000001\","
				 "\"maybe\":{\"n\":3},\"items\":[{\"b\":1448},{\"b\":0},"
				 "{\"b\":65535}],\"small_number\":5}");
	free(row);
	row = kit_row(&o.schema, &o.array, 1);
	assert_string_equal(row, "{\"address\":\"20010db8000000000000000000000001\","
				 "\"maybe\":{\"n\":9}}");
	free(row);
	assert_string_equal(kit_field(&o.schema, "address")->format, "w:16");
	drop(&o);
	batch_free(b);
	columns_free(c);
}

/* --- batches ------------------------------------------------------------------------------------
 */

static void is_full_by_rows_or_bytes(void **state)
{
	struct columns *c = columns_of((struct columns_conf){ .batch_rows = 3 });
	struct batch *b = batch_of(c);
	struct all a = full();
	struct out o;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_false(batch_full(b));
		assert_true(batch_append(b, (const void *const[]){ &a, NULL }));
	}
	assert_true(batch_full(b));
	o = export(c, b);
	assert_int_equal(batch_rows(b), 0);
	assert_int_equal(batch_bytes(b), 0);
	drop(&o);
	batch_free(b);
	columns_free(c);

	c = columns_of((struct columns_conf){ .batch_bytes = 10000 });
	b = batch_of(c);
	a.text = (struct field_text){ calloc(1, 4000), 4000 };
	for (unsigned i = 0; i < 2; i++)
		assert_true(batch_append(b, (const void *const[]){ &a, NULL }));
	assert_false(batch_full(b));
	assert_true(batch_append(b, (const void *const[]){ &a, NULL }));
	assert_true(batch_full(b));
	free((void *)(uintptr_t)a.text.p);
	batch_free(b);
	columns_free(c);
}

/* An empty batch is one, too. */
static void exports_nothing(void **state)
{
	struct columns *c = columns_of((struct columns_conf){ 0 });
	struct batch *b = batch_of(c);
	struct out o = export(c, b);

	(void)state;
	assert_int_equal(o.array.length, 0);
	drop(&o);
	batch_free(b);
	columns_free(c);
}

static void a_record_too_large_is_left_out(void **state)
{
	struct columns *c = columns_of((struct columns_conf){ 0 });
	struct batch *b = batch_of(c);
	struct all a = full(), large = full();
	const size_t size = LIMIT_RECORD_BYTES + 1;
	uint8_t *bytes = calloc(1, size);
	struct out o;

	(void)state;
	assert_non_null(bytes);
	for (unsigned i = 0; i < 10; i++) {
		assert_true(batch_append(b, (const void *const[]){ &a, NULL }));
		large.hex = (struct field_hex){ i % 2 == 0 ? bytes : large.hex.p, size };
		large.counts = (struct field_list){ bytes, i % 2 == 0 ? 10 : size / 8 };
		if (i % 2 == 1)
			large.hex.size = 5;
		assert_false(batch_append(b, (const void *const[]){ &large, NULL }));
	}
	assert_int_equal(batch_rows(b), 10);
	o = export(c, b);
	for (int64_t i = 0; i < 10; i++)
		row_is_record(&o, i, (const void *const[]){ &a, NULL });
	drop(&o);
	free(bytes);
	batch_free(b);
	columns_free(c);
}

/* --- rows put by hand ---------------------------------------------------------------------------
 */

static const struct column *child(const struct columns *c, const struct column *of, const char *key)
{
	const struct column *found = columns_child(c, of, key, strlen(key));

	assert_non_null(found);
	return found;
}

/* A list of two items, the first with a list of its own. */
static void put_items(struct batch *b, const struct columns *c, uint32_t row)
{
	const struct column *list = child(c, columns_at(c, 0), "items");
	const struct column *item = child(c, list, "item");
	const struct column *numbers = child(c, item, "inner"), *size = child(c, item, "b");

	for (unsigned i = 0; i < 2; i++) {
		const uint32_t at = batch_item(b, list);
		struct cells *cells = batch_cells(b, size, at);

		assert_non_null(cells);
		cells_number(size, cells, at, 1000 + i);
		batch_put_text(b, child(c, item, "dir"), at, i ? "<" : "\xff", 1);
		batch_struct(b, item, at);
		for (unsigned k = 0; i == 0 && k < 3; k++) {
			const uint32_t n = batch_item(b, numbers);
			const struct column *number = child(c, numbers, "item");

			cells_number(number, batch_cells(b, number, n), n, k);
		}
		if (i == 0)
			batch_list(b, numbers, at);
	}
	batch_list(b, list, row);
}

static void put_row(struct batch *b, const struct columns *c)
{
	const struct column *record = columns_at(c, 0), *ip = child(c, record, "ip");
	const uint32_t row = batch_rows(b);
	const struct column *ms = child(c, record, "ms"), *yes = child(c, record, "yes");

	cells_f64(batch_cells(b, ms, row), row, 1.5);
	cells_bool(batch_cells(b, yes, row), row, true);
	batch_put_text(b, child(c, record, "text"), row, "\xe9!", 2);
	batch_put_bytes(b, child(c, record, "hex"), row, "\x01\x02", 2);
	batch_put_address(b, child(c, record, "address"), row,
			&(struct field_address){ 4, { 127, 0, 0, 1 } });
	batch_struct(b, ip, row);
	put_items(b, c, row);
}

static void rows_can_be_put_and_taken_back(void **state)
{
	struct columns *c = columns_of((struct columns_conf){ .loose = true });
	struct batch *b = batch_of(c);
	struct out o;

	(void)state;
	assert_null(columns_child(c, columns_at(c, 0), "u88", 3));
	assert_null(columns_child(c, columns_at(c, 0), "u8", 1));
	for (unsigned i = 0; i < 200; i++) {
		put_row(b, c);
		if (i % 3 == 0)
			batch_undo(b);
		else
			assert_true(batch_end_row(b));
		if (i == 100)
			assert_true(batch_end_row(b)); /* a row of nulls */
	}
	o = export(c, b);
	assert_int_equal(o.array.length, 134);
	for (int64_t i = 0; i < 134; i++) {
		char *row = kit_row(&o.schema, &o.array, i);

		assert_string_equal(row,
				i == 67 ? "{}"
					: "{\"yes\":true,\"text\":\"\xc3\xa9!\",\"hex\":\"0102\","
					  "\"address\":\"127.0.0.1\",\"ms\":1.5,\"ip\":{},"
					  "\"items\":[{\"b\":1000,\"dir\":\"\xc3\xbf\","
					  "\"inner\":[0,1,2]},{\"b\":1001,\"dir\":\"<\"}]}");
		free(row);
	}
	drop(&o);
	batch_free(b);
	columns_free(c);
}

/* In loose columns an optional thing may be missing, and a required one too. */
static void loose_columns_take_structs(void **state)
{
	struct columns *c = columns_of((struct columns_conf){ .loose = true });
	struct batch *b = batch_of(c);
	struct all a = full(), n = empty(), s = six();
	const struct small few = { 5 };
	const void *const data[][TABLES] = { { &a, &few }, { &n, NULL }, { &s, &few },
		{ NULL, NULL } };
	struct out o;

	(void)state;
	a.u8 = 255; /* nullable in this table */
	for (size_t i = 0; i < 4; i++)
		assert_true(batch_append(b, data[i]));
	o = export(c, b);
	for (size_t i = 0; i < 4; i++)
		row_is_record(&o, (int64_t)i, data[i]);
	drop(&o);
	batch_free(b);
	columns_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_json_says),
		cmocka_unit_test(what_is_never_null_has_no_bits),
		cmocka_unit_test(absent_tables_are_null),
		cmocka_unit_test(durations_are_the_nearest_doubles),
		cmocka_unit_test(times_are_those_of_json),
		cmocka_unit_test(words_are_told_by_what_they_say),
		cmocka_unit_test(workers_share_words),
		cmocka_unit_test(names_of_hosts_are_no_dictionary),
		cmocka_unit_test(the_schema_has_types_and_words),
		cmocka_unit_test(children_can_be_moved),
		cmocka_unit_test(selects_by_name),
		cmocka_unit_test(refuses_names_that_nothing_has),
		cmocka_unit_test(selected_columns_have_their_values),
		cmocka_unit_test(is_full_by_rows_or_bytes),
		cmocka_unit_test(exports_nothing),
		cmocka_unit_test(a_record_too_large_is_left_out),
		cmocka_unit_test(rows_can_be_put_and_taken_back),
		cmocka_unit_test(loose_columns_take_structs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
