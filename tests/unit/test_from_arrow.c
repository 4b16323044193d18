/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_from_arrow.c - columns back into structs: all types, other widths, nulls; then arrays that
 * contradict themselves, in buffers that are not a byte too long.
 */
#include "record/columns.h"
#include "record/from_arrow.h"
#include "unit/plan_kit.h"

enum { ROWS = 5 };

/* --- arrays with exact buffers ------------------------------------------------------------------
 */

static void release_copy(struct ArrowArray *a)
{
	for (int64_t i = 0; i < a->n_buffers; i++)
		free((void *)(uintptr_t)a->buffers[i]);
	for (int64_t i = 0; i < a->n_children; i++) {
		a->children[i]->release(a->children[i]);
		free(a->children[i]);
	}
	if (a->dictionary != NULL) {
		a->dictionary->release(a->dictionary);
		free(a->dictionary);
	}
	free(a->children);
	free(a->buffers);
	a->release = NULL;
}

static size_t width_of(const char *format)
{
	switch (format[0]) {
	case 'c':
	case 'C':
		return 1;
	case 's':
	case 'S':
		return 2;
	case 'i':
	case 'I':
		return 4;
	case 'w':
		return 16;
	default:
		return 8;
	}
}

static bool has_offsets(const char *format)
{
	return strcmp(format, "u") == 0 || strcmp(format, "z") == 0 || strcmp(format, "+l") == 0;
}

static size_t size_of(const struct ArrowSchema *s, const struct ArrowArray *a, int64_t buffer)
{
	const size_t n = (size_t)a->length;
	int32_t end;

	if (buffer == 0 || strcmp(s->format, "b") == 0)
		return (n + 7) / 8;
	if (buffer == 2)
		return memcpy(&end, (const char *)a->buffers[1] + 4 * n, 4), (size_t)end;
	return has_offsets(s->format) ? 4 * (n + 1) : n * width_of(s->format);
}

static struct ArrowArray *copy(const struct ArrowSchema *s, const struct ArrowArray *a)
{
	struct ArrowArray *to = calloc(1, sizeof *to);

	*to = *a;
	to->release = release_copy;
	to->buffers = calloc((size_t)a->n_buffers + 1, sizeof(void *));
	to->children = calloc((size_t)a->n_children + 1, sizeof(void *));
	for (int64_t i = 0; i < a->n_buffers; i++) {
		const size_t size = size_of(s, a, i);
		void *bytes = a->buffers[i] == NULL ? NULL : malloc(size);

		if (bytes != NULL && size > 0)
			memcpy(bytes, a->buffers[i], size);
		to->buffers[i] = bytes;
	}
	for (int64_t i = 0; i < a->n_children; i++)
		to->children[i] = copy(s->children[i], a->children[i]);
	if (a->dictionary != NULL)
		to->dictionary = copy(s->dictionary, a->dictionary);
	return to;
}

/* --- records ------------------------------------------------------------------------------------
 */

static const struct field_text texts[] = { { "one", 3 }, { "", 0 }, { "tw\303\266", 4 } };
static const uint64_t counts[] = { 0, 7, UINT64_MAX - 1 };
static const uint8_t inner[] = { 1, 2, 3 };
static const struct item items[] = {
	{ 1, ">", { "n", 1 }, { inner, 3 } },
	{ 65535, "<", { NULL, 0 }, { NULL, 0 } },
};

static struct all filled(unsigned i)
{
	static const uint8_t bytes[] = { 0xde, 0xad, 0xbe };

	return (struct all){ .yes = i % 2 == 0,
		.u8 = (uint8_t)(200 + i),
		.u16 = 60000,
		.u32 = 4000000000U,
		.u64 = UINT64_MAX - 1 - i,
		.i32 = -2 - (int32_t)i,
		.i64 = INT64_MIN,
		.f64 = 0.1 * i,
		.word = i % 2 == 0 ? "even" : "odd",
		.text = texts[i % 3],
		.hex = { bytes, i % 4 },
		.address = { i % 2 == 0 ? 4 : 6, { 0x20, 1, (uint8_t)i, 9 } },
		.time = { 1500000000123456000 + (int64_t)i * 1000, false },
		.ms = { 1234567891 + (int64_t)i },
		.s = { 999999999 },
		.ip = { { 64, 5 }, { 63, -1 } },
		.maybe = { "m", 3 },
		.items = { items, i % 3 },
		.counts = { counts, 3 },
		.texts = { texts, i % 4 } };
}

static struct all empty(void)
{
	return (struct all){ .u8 = UINT8_MAX,
		.u16 = UINT16_MAX,
		.u32 = UINT32_MAX,
		.u64 = UINT64_MAX,
		.i32 = -1,
		.i64 = -1,
		.f64 = (double)NAN,
		.ms = { -1 },
		.s = { -1 },
		.ip = { { 1, -1 }, { 2, -1 } },
		.maybe = { NULL, UINT32_MAX } };
}

struct made {
	struct ArrowSchema schema;
	struct ArrowArray *array;
};

static struct made make(const struct field *table, const struct all *records, size_t count)
{
	const struct columns_table tables[] = { { table, "all", NULL } };
	const struct columns_conf conf = { .tables = tables, .count = 1, .both = true };
	struct columns *c = columns_new(&conf, NULL);
	struct batch *b = batch_new(c, NULL);
	struct ArrowArray array;
	struct made m;

	assert_true(columns_schema(c, NULL, 0, &m.schema, NULL));
	for (size_t i = 0; i < count; i++) {
		const void *data[] = { &records[i] };

		assert_true(batch_append(b, data));
	}
	assert_true(batch_export(b, &array, NULL));
	m.array = copy(&m.schema, &array);
	array.release(&array);
	batch_free(b);
	columns_free(c);
	return m;
}

static struct made make_filled(void)
{
	struct all records[ROWS];

	for (unsigned i = 0; i < ROWS; i++)
		records[i] = filled(i);
	return make(optional_fields, records, ROWS);
}

static void unmake(struct made *m)
{
	if (m->array->release != NULL)
		m->array->release(m->array);
	free(m->array);
	m->schema.release(&m->schema);
}

/* --- reading ------------------------------------------------------------------------------------
 */

struct reader {
	struct from_arrow *from;
	struct pool *pool;
	struct arena arena;
	struct all out;
	const void *data[1];
	struct err why;
};

static void open_reader(struct reader *r, const struct ArrowSchema *s, const struct field *table)
{
	*r = (struct reader){ .pool = pool_new() };
	r->from = from_arrow_new(s, &table, 1, &r->why);
}

static void close_reader(struct reader *r)
{
	arena_free(&r->arena, r->pool);
	from_arrow_free(r->from);
	pool_free(r->pool);
}

static bool read_row(struct reader *r, int64_t row)
{
	void *structs[] = { &r->out };

	memset(&r->out, 0, sizeof r->out);
	return from_arrow_row(r->from, row, structs, r->data, &r->arena, r->pool, &r->why);
}

static void same_json(const struct field *table, const void *a, const void *b)
{
	struct plan *p = plan_new(&table, 1, true, NULL);
	struct buf x = buf_new(1 << 20), y = buf_new(1 << 20);

	plan_json(p, &a, &x);
	plan_json(p, &b, &y);
	buf_byte(&x, '\0');
	buf_byte(&y, '\0');
	assert_string_equal(x.p, y.p);
	buf_free(&x);
	buf_free(&y);
	plan_free(p);
}

static void every_type_comes_back(void **unused)
{
	struct made m = make_filled();
	struct reader r;

	(void)unused;
	open_reader(&r, &m.schema, optional_fields);
	assert_non_null(r.from);
	assert_true(from_arrow_batch(r.from, m.array, NULL));
	for (unsigned i = 0; i < ROWS; i++) {
		struct all want = filled(i);

		assert_true(read_row(&r, i));
		want.time.nanoseconds = true; /* ms is finer than a microsecond */
		same_json(optional_fields, r.data[0], &want);
	}
	assert_false(read_row(&r, ROWS));
	assert_false(read_row(&r, -1));
	assert_true(from_arrow_batch(r.from, NULL, NULL));
	assert_false(read_row(&r, 0));
	close_reader(&r);
	unmake(&m);
}

static void nulls_come_back(void **unused)
{
	struct all nothing = empty();
	struct made m = make(optional_fields, &nothing, 1);
	struct reader r;

	(void)unused;
	open_reader(&r, &m.schema, optional_fields);
	assert_true(from_arrow_batch(r.from, m.array, NULL));
	assert_true(read_row(&r, 0));
	same_json(optional_fields, r.data[0], &nothing);
	close_reader(&r);
	unmake(&m);
}

static void null_where_there_must_be_a_value(void **unused)
{
	struct all nothing = empty();
	struct made m = make(optional_fields, &nothing, 1);
	struct reader r;

	(void)unused;
	open_reader(&r, &m.schema, plain_fields); /* the same fields, but none may be left out */
	assert_true(from_arrow_batch(r.from, m.array, NULL));
	assert_false(read_row(&r, 0));
	assert_non_null(strstr(r.why.text, "column u8: null"));
	close_reader(&r);
	unmake(&m);
}

static void a_table_of_what_is_there(void **unused)
{
	struct made m = make_filled();
	struct reader r;
	const struct field *f;

	(void)unused;
	m.schema.n_children = 3; /* yes, u8, u16 */
	m.schema.children[1]->name = "stranger";
	open_reader(&r, &m.schema, optional_fields);
	f = from_arrow_fields(r.from, 0);
	assert_string_equal(f[0].key, "yes");
	assert_string_equal(f[1].key, "u16");
	assert_null(f[2].key);
	assert_true(from_arrow_has(r.from, "u16"));
	assert_false(from_arrow_has(r.from, "u8"));
	assert_string_equal(from_arrow_unknown(r.from, 0), "stranger");
	assert_null(from_arrow_unknown(r.from, 1));
	close_reader(&r);
	m.schema.n_children = m.array->n_children;
	unmake(&m);
}

static void times_without_finer_digits_stay_short(void **unused)
{
	struct all a = filled(0);
	struct reader r;

	(void)unused;
	a.ms.ns = 5000;
	a.s.ns = 1000;

	struct made m = make(optional_fields, &a, 1);

	open_reader(&r, &m.schema, optional_fields);
	assert_true(from_arrow_batch(r.from, m.array, NULL));
	assert_true(read_row(&r, 0));
	assert_false(r.out.time.nanoseconds);
	same_json(optional_fields, r.data[0], &a);
	close_reader(&r);
	unmake(&m);
}

/* --- other widths -------------------------------------------------------------------------------
 */

/* One column of one row, by hand. */
static void one(const char *name, const char *format, const void *values, size_t size,
		struct ArrowSchema *schema, struct ArrowArray *array)
{
	*schema = (struct ArrowSchema){ .format = "+s",
		.name = "",
		.n_children = 1,
		.release = (void (*)(struct ArrowSchema *))1 };
	schema->children = calloc(1, sizeof(void *));
	schema->children[0] = calloc(1, sizeof *schema);
	*schema->children[0] = (struct ArrowSchema){
		.format = format, .name = name, .release = schema->release
	};
	*array = (struct ArrowArray){
		.length = 1, .n_buffers = 1, .n_children = 1, .release = release_copy
	};
	array->buffers = calloc(1, sizeof(void *));
	array->children = calloc(1, sizeof(void *));
	array->children[0] = calloc(1, sizeof *array);
	*array->children[0] =
			(struct ArrowArray){ .length = 1, .n_buffers = 2, .release = release_copy };
	array->children[0]->buffers = calloc(2, sizeof(void *));
	array->children[0]->buffers[1] = memcpy(malloc(size), values, size);
}

/* Reads 'values' of one row as a field of the table; false: the row cannot be read. */
static bool read_one(const char *name, const char *format, const void *values, size_t size,
		struct all *out)
{
	struct ArrowSchema schema;
	struct ArrowArray array;
	struct reader r;
	bool good;

	one(name, format, values, size, &schema, &array);
	open_reader(&r, &schema, optional_fields);
	assert_non_null(r.from);
	assert_true(from_arrow_batch(r.from, &array, NULL));
	good = read_row(&r, 0);
	*out = r.out;
	close_reader(&r);
	array.release(&array);
	free(schema.children[0]);
	free(schema.children);
	return good;
}

static void integers_of_any_width_that_fit(void **unused)
{
	const int64_t large = 255, larger = 256, minus = -1;
	const uint8_t small = 200;
	const int8_t negative = -3;
	struct all out;

	(void)unused;
	assert_true(read_one("u8", "l", &large, 8, &out));
	assert_int_equal(out.u8, 255);
	assert_false(read_one("u8", "l", &larger, 8, &out));
	assert_false(read_one("u8", "l", &minus, 8, &out));
	assert_true(read_one("u64", "C", &small, 1, &out));
	assert_int_equal(out.u64, 200);
	assert_true(read_one("i32", "c", &negative, 1, &out));
	assert_int_equal(out.i32, -3);
	assert_true(read_one("f64", "c", &negative, 1, &out));
	assert_true(out.f64 == -3);
	assert_false(read_one("ms", "c", &negative, 1, &out));
}

static void floats_and_durations(void **unused)
{
	const float half = 0.5F;
	const double ms = 0.000001, none = (double)NAN, huge = 1e300;
	struct all out;

	(void)unused;
	assert_true(read_one("f64", "f", &half, 4, &out));
	assert_true(out.f64 == 0.5);
	assert_true(read_one("ms", "g", &ms, 8, &out));
	assert_int_equal(out.ms.ns, 1);
	assert_false(read_one("ms", "g", &none, 8, &out));
	assert_false(read_one("s", "g", &huge, 8, &out));
}

static void times_of_any_unit(void **unused)
{
	const int64_t v = -7, most = INT64_MAX;
	struct all out;

	(void)unused;
	assert_true(read_one("time", "tss:UTC", &v, 8, &out));
	assert_int_equal(out.time.ns, -7000000000);
	assert_true(read_one("time", "tsm:Europe/Berlin", &v, 8, &out));
	assert_int_equal(out.time.ns, -7000000);
	assert_true(read_one("time", "tsu:", &v, 8, &out));
	assert_int_equal(out.time.ns, -7000);
	assert_true(read_one("time", "tsn:UTC", &v, 8, &out));
	assert_int_equal(out.time.ns, -7);
	assert_true(out.time.nanoseconds);
	assert_false(read_one("time", "tss:UTC", &most, 8, &out));
}

static void addresses_as_bytes(void **unused)
{
	const uint8_t v4[16] = { [10] = 0xff, 0xff, 10, 1, 2, 3 }, v6[16] = { 0x20, 1, [15] = 1 };
	struct all out;

	(void)unused;
	assert_true(read_one("address", "w:16", v4, 16, &out));
	assert_int_equal(out.address.version, 4);
	assert_memory_equal(out.address.bytes, v4 + 12, 4);
	assert_true(read_one("address", "w:16", v6, 16, &out));
	assert_int_equal(out.address.version, 6);
	assert_memory_equal(out.address.bytes, v6, 16);
}

/* A view of 'size' bytes at 'offset' of buffer 'buffer', of which there is one with 20 bytes. */
static bool read_view(int32_t size, int32_t buffer, int32_t offset, struct all *out)
{
	static const char twenty[] = "abcdefghijklmnopqrst";
	const int32_t view[4] = { size, 0, buffer, offset };
	struct ArrowSchema schema;
	struct ArrowArray array, *c;
	struct reader r;
	bool good;

	one("text", "vu", view, sizeof view, &schema, &array);
	c = array.children[0];
	c->n_buffers = 4;
	c->buffers = realloc(c->buffers, 4 * sizeof(void *));
	c->buffers[2] = memcpy(malloc(20), twenty, 20);
	c->buffers[3] = memcpy(malloc(8), &(int64_t){ 20 }, 8);
	open_reader(&r, &schema, optional_fields);
	assert_true(from_arrow_batch(r.from, &array, NULL));
	good = read_row(&r, 0);
	if (good)
		assert_memory_equal(r.out.text.p, size <= 12 ? "\0" : twenty + offset,
				size <= 12 ? 1 : (size_t)size);
	*out = r.out;
	close_reader(&r);
	array.release(&array);
	free(schema.children[0]);
	free(schema.children);
	return good;
}

static void views_of_strings(void **unused)
{
	struct all out;

	(void)unused;
	assert_true(read_view(12, 99, -5, &out)); /* in the view itself */
	assert_int_equal(out.text.size, 12);
	assert_true(read_view(13, 0, 7, &out));
	assert_int_equal(out.text.size, 13);
	assert_false(read_view(13, 0, 8, &out));
	assert_false(read_view(13, 0, -1, &out));
	assert_false(read_view(13, 1, 0, &out));
	assert_false(read_view(13, -1, 0, &out));
	assert_false(read_view(-1, 0, 0, &out));
	assert_false(read_view(INT32_MAX, 0, INT32_MAX, &out));
}

/* --- schemas that are none ----------------------------------------------------------------------
 */

static void refused(const struct ArrowSchema *s, const char *word)
{
	struct reader r;

	open_reader(&r, s, optional_fields);
	assert_null(r.from);
	assert_non_null(strstr(r.why.text, word));
	close_reader(&r);
}

static void wrong_types(void **unused)
{
	static const char *const wrong[][2] = { { "u8", "g" }, { "yes", "C" }, { "word", "l" },
		{ "hex", "+s" }, { "address", "w:15" }, { "time", "l" }, { "time", "ts" },
		{ "time", "tsx:" }, { "ip", "u" }, { "items", "+s" }, { "text", "" },
		{ "text", "w:99999999999999999999" }, { "counts", "u" }, { "u16", "+nonsense" } };
	struct ArrowSchema schema;
	struct ArrowArray array;

	(void)unused;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		one(wrong[i][0], wrong[i][1], "", 1, &schema, &array);
		refused(&schema, wrong[i][0]);
		array.release(&array);
		free(schema.children[0]);
		free(schema.children);
	}
}

static void schemas_that_contradict_themselves(void **unused)
{
	struct made m = make_filled();
	struct ArrowSchema *list = m.schema.children[m.schema.n_children - 1], s = m.schema;

	(void)unused;
	s.format = "l";
	refused(&s, "none of records");
	s.format = NULL;
	refused(&s, "none of records");
	s.format = "+s";
	s.n_children = -1;
	refused(&s, "none of records");
	s.n_children = 1 << 30;
	refused(&s, "none of records");
	s = m.schema;
	s.children = NULL;
	refused(&s, "none of records");
	s = m.schema;
	list->n_children = 0;
	refused(&s, "column texts");
	list->n_children = 1;
	m.schema.children[1]->name = "yes";
	refused(&s, "two columns yes");
	unmake(&m);
}

/* --- arrays that contradict themselves ----------------------------------------------------------
 */

/* Does something to an array, if it can be done to one of that kind. */
typedef bool mutation(const struct ArrowSchema *s, struct ArrowArray *a);

/* Words, which have no name, may be fewer: places are looked at one by one. */
static bool shorter(const struct ArrowSchema *s, struct ArrowArray *a)
{
	a->length--;
	return s->name != NULL && s->name[0] != '\0';
}

static bool negative_length(const struct ArrowSchema *s, struct ArrowArray *a)
{
	(void)s;
	a->length = -1;
	return true;
}

static bool endless(const struct ArrowSchema *s, struct ArrowArray *a)
{
	(void)s;
	a->length = INT64_MAX;
	return true;
}

static bool negative_offset(const struct ArrowSchema *s, struct ArrowArray *a)
{
	(void)s;
	a->offset = -1;
	return true;
}

static bool far_offset(const struct ArrowSchema *s, struct ArrowArray *a)
{
	(void)s;
	a->offset = INT64_MAX;
	return true;
}

static bool no_buffers(const struct ArrowSchema *s, struct ArrowArray *a)
{
	(void)s;
	for (int64_t i = 0; i < a->n_buffers; i++)
		free((void *)(uintptr_t)a->buffers[i]);
	a->n_buffers = 0;
	return true;
}

static bool no_validity(const struct ArrowSchema *s, struct ArrowArray *a)
{
	(void)s;
	free((void *)(uintptr_t)a->buffers[0]);
	a->buffers[0] = NULL;
	a->null_count = 1;
	return true;
}

static bool no_values(const struct ArrowSchema *s, struct ArrowArray *a)
{
	(void)s;
	if (a->n_buffers < 2 || a->length == 0)
		return false;
	free((void *)(uintptr_t)a->buffers[1]);
	a->buffers[1] = NULL;
	return true;
}

static bool no_bytes(const struct ArrowSchema *s, struct ArrowArray *a)
{
	if (a->n_buffers < 3 || size_of(s, a, 2) == 0)
		return false;
	free((void *)(uintptr_t)a->buffers[2]);
	a->buffers[2] = NULL;
	return true;
}

static int32_t *offsets(const struct ArrowSchema *s, struct ArrowArray *a)
{
	return has_offsets(s->format) && a->length > 1 ? (int32_t *)(uintptr_t)a->buffers[1] : NULL;
}

static bool offset_below_zero(const struct ArrowSchema *s, struct ArrowArray *a)
{
	if (offsets(s, a) != NULL)
		offsets(s, a)[0] = -1;
	return offsets(s, a) != NULL;
}

static bool offset_that_goes_back(const struct ArrowSchema *s, struct ArrowArray *a)
{
	if (offsets(s, a) != NULL)
		offsets(s, a)[1] = INT32_MAX;
	return offsets(s, a) != NULL;
}

static bool list_beyond_its_items(const struct ArrowSchema *s, struct ArrowArray *a)
{
	if (strcmp(s->format, "+l") != 0 || a->length == 0)
		return false;
	((int32_t *)(uintptr_t)a->buffers[1])[a->length] = INT32_MAX;
	return true;
}

static void drop_child(struct ArrowArray *a)
{
	struct ArrowArray *last = a->children[a->n_children - 1];

	last->release(last);
}

static bool a_child_less(const struct ArrowSchema *s, struct ArrowArray *a)
{
	(void)s;
	if (a->n_children == 0)
		return false;
	drop_child(a);
	free(a->children[--a->n_children]);
	return true;
}

static bool a_child_that_is_released(const struct ArrowSchema *s, struct ArrowArray *a)
{
	static struct ArrowArray released;

	(void)s;
	if (a->n_children == 0)
		return false;
	drop_child(a);
	free(a->children[a->n_children - 1]);
	a->children[a->n_children - 1] =
			memcpy(malloc(sizeof released), &released, sizeof released);
	return true;
}

static bool no_dictionary(const struct ArrowSchema *s, struct ArrowArray *a)
{
	(void)s;
	if (a->dictionary == NULL)
		return false;
	a->dictionary->release(a->dictionary);
	free(a->dictionary);
	a->dictionary = NULL;
	return true;
}

/* Of these the batch is refused; 'shorter' where something lies around it. */
static mutation *const mutations[] = { negative_length, endless, negative_offset, far_offset,
	no_buffers, no_validity, no_values, no_bytes, offset_below_zero, offset_that_goes_back,
	list_beyond_its_items, a_child_less, a_child_that_is_released, no_dictionary };

/* The array number 'at' of the tree, in preorder; and its schema. */
static struct ArrowArray *node(const struct ArrowSchema *s, struct ArrowArray *a, int *at,
		const struct ArrowSchema **of)
{
	*of = s;
	if ((*at)-- == 0)
		return a;
	if (s->dictionary != NULL)
		return node(s->dictionary, a->dictionary, at, of);
	for (int64_t i = 0; i < s->n_children; i++) {
		struct ArrowArray *found = node(s->children[i], a->children[i], at, of);

		if (found != NULL)
			return found;
	}
	return NULL;
}

/* release_copy() meets a child that somebody has released. */
static void free_released(struct ArrowArray *a)
{
	for (int64_t i = 0; i < a->n_children; i++) {
		if (a->children[i]->release == NULL)
			a->children[i]->release = release_copy;
		else
			free_released(a->children[i]);
	}
}

/* False: there is no array with that number. */
static bool mutate(mutation *how, int number, unsigned *refusals)
{
	struct made m = make_filled();
	const struct ArrowSchema *s;
	int at = number;
	struct ArrowArray *a = node(&m.schema, m.array, &at, &s);
	struct reader r;

	if (a != NULL && how(s, a)) {
		open_reader(&r, &m.schema, optional_fields);
		assert_false(from_arrow_batch(r.from, m.array, &r.why));
		assert_true(r.why.text[0] != '\0');
		assert_false(read_row(&r, 0));
		close_reader(&r);
		++*refusals;
	}
	free_released(m.array);
	unmake(&m);
	return a != NULL;
}

static void arrays_that_contradict_themselves(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof mutations / sizeof mutations[0]; i++) {
		unsigned refusals = 0;

		for (int number = 0; mutate(mutations[i], number, &refusals); number++)
			;
		assert_true(refusals > 0);
	}
}

static void children_that_are_too_short(void **unused)
{
	unsigned refusals = 0;

	(void)unused;
	for (int number = 1; mutate(shorter, number, &refusals); number++)
		;
	assert_true(refusals > 20);
}

static void places_beyond_the_dictionary(void **unused)
{
	static const int32_t wrong[] = { -1, 2, INT32_MIN, INT32_MAX };
	struct made m = make_filled();
	struct ArrowArray *words = NULL;
	struct reader r;

	(void)unused;
	for (int64_t i = 0; i < m.schema.n_children; i++)
		if (strcmp(m.schema.children[i]->name, "word") == 0)
			words = m.array->children[i];
	open_reader(&r, &m.schema, optional_fields);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		((int32_t *)(uintptr_t)words->buffers[1])[1] = wrong[i];
		assert_true(from_arrow_batch(r.from, m.array, NULL));
		assert_true(read_row(&r, 0));
		assert_false(read_row(&r, 1));
		assert_non_null(strstr(r.why.text, "column word: a place beyond"));
		assert_true(read_row(&r, 2));
	}
	close_reader(&r);
	unmake(&m);
}

static void words_with_a_zero_are_none(void **unused)
{
	struct made m = make_filled();
	struct reader r;

	(void)unused;
	for (int64_t i = 0; i < m.schema.n_children; i++)
		if (strcmp(m.schema.children[i]->name, "word") == 0)
			((char *)(uintptr_t)m.array->children[i]->dictionary->buffers[2])[1] = '\0';
	open_reader(&r, &m.schema, optional_fields);
	assert_true(from_arrow_batch(r.from, m.array, NULL));
	assert_false(read_row(&r, 0));
	close_reader(&r);
	unmake(&m);
}

/* Rows before the offset of an array are not its own. */
static void slices(void **unused)
{
	struct made m = make_filled();
	struct reader r;

	(void)unused;
	open_reader(&r, &m.schema, optional_fields);
	m.array->offset = 2;
	m.array->length = ROWS - 2;
	assert_true(from_arrow_batch(r.from, m.array, NULL));
	for (unsigned i = 2; i < ROWS; i++) {
		struct all want = filled(i);

		want.time.nanoseconds = true;
		assert_true(read_row(&r, i - 2));
		same_json(optional_fields, r.data[0], &want);
	}
	assert_false(read_row(&r, ROWS - 2));
	m.array->offset = 3;
	assert_false(from_arrow_batch(r.from, m.array, NULL));
	close_reader(&r);
	unmake(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_comes_back),
		cmocka_unit_test(nulls_come_back),
		cmocka_unit_test(null_where_there_must_be_a_value),
		cmocka_unit_test(a_table_of_what_is_there),
		cmocka_unit_test(times_without_finer_digits_stay_short),
		cmocka_unit_test(integers_of_any_width_that_fit),
		cmocka_unit_test(floats_and_durations),
		cmocka_unit_test(times_of_any_unit),
		cmocka_unit_test(addresses_as_bytes),
		cmocka_unit_test(views_of_strings),
		cmocka_unit_test(wrong_types),
		cmocka_unit_test(schemas_that_contradict_themselves),
		cmocka_unit_test(arrays_that_contradict_themselves),
		cmocka_unit_test(children_that_are_too_short),
		cmocka_unit_test(places_beyond_the_dictionary),
		cmocka_unit_test(words_with_a_zero_are_none),
		cmocka_unit_test(slices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
