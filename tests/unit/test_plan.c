/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_plan.c - field tables into JSON and CSV: each type, each flag, each null; tables that are
 * wrong.
 */
#include "plan_kit.h"

/* --- records of it ------------------------------------------------------------------------------
 */

static struct field_text text(const char *t)
{
	return (struct field_text){ t, strlen(t) };
}

static struct all filled(void)
{
	static const uint8_t bytes[] = { 0x00, 0xab, 0xff }, inner[] = { 7, 8 };
	static const uint64_t counts[] = { 0, 9, 10, 999, 1000, 1023, 1024, 123456, UINT64_MAX };
	static struct field_text texts[3];
	static struct item items[3];

	texts[0] = text("a,b"), texts[1] = (struct field_text){ NULL, 0 },
	texts[2] = text("q\"\xff");
	items[0] = (struct item){ 1460, ">", text("first"), { inner, 2 } };
	items[1] = (struct item){ 0, "<", { NULL, 0 }, { NULL, 0 } };
	items[2] = (struct item){ 65535, NULL, text(""), { inner, 1 } };
	return (struct all){ .yes = true,
		.u8 = 255,
		.u16 = 65535,
		.u32 = UINT32_MAX,
		.u64 = UINT64_MAX,
		.i32 = -1,
		.i64 = -1,
		.f64 = 7.25,
		.word = "idle",
		.text = text("na\"me\n"),
		.hex = { bytes, 3 },
		.address = { 4, { 192, 0, 2, 1 } },
		.time = { 1700000000123456000, false },
		.ms = { 1500000 },
		.s = { 250000000 },
		.ip = { { 64, 5 }, { 128, -1 } },
		.maybe = { "x", 3 },
		.items = { items, 3 },
		.counts = { counts, sizeof counts / sizeof counts[0] },
		.texts = { texts, 3 } };
}

/* Everything that can be null is. */
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
		.ip = { { 64, -1 }, { 1, -1 } },
		.maybe = { NULL, UINT32_MAX } };
}

static struct plan *plan_of(const struct field *table, bool both)
{
	struct err e = { "" };
	struct plan *p = plan_new(&table, 1, both, &e);

	if (p == NULL)
		fail_msg("%s", e.text);
	return p;
}

static void check_json(const struct field *table, bool both, const void *data, const char *want)
{
	struct plan *p = plan_of(table, both);
	struct buf b = buf_new(1 << 20);

	plan_json(p, &data, &b);
	assert_true(buf_ok(&b));
	buf_byte(&b, '\0');
	assert_string_equal(b.p, want);
	assert_true(json_is_valid(b.p, b.size - 1));
	buf_free(&b);
	plan_free(p);
}

static void check_csv(const struct field *table, bool both, const void *data, const char *want)
{
	struct plan *p = plan_of(table, both);
	struct buf b = buf_new(1 << 20);

	plan_csv_header(p, &b);
	plan_csv(p, &data, &b);
	assert_true(buf_ok(&b));
	buf_byte(&b, '\0');
	assert_string_equal(b.p, want);
	buf_free(&b);
	plan_free(p);
}

/* --- JSON ---------------------------------------------------------------------------------------
 */

#define LISTS                                                                                      \
	"\"items\":[{\"b\":1460,\"dir\":\">\",\"name\":\"first\",\"inner\":[7,8]},"                \
	"{\"b\":0,\"dir\":\"<\"},{\"b\":65535,\"dir\":null,\"name\":\"\",\"inner\":[7]}],"         \
	"\"counts\":[0,9,10,999,1000,1023,1024,123456,18446744073709551615],"                      \
	"\"texts\":[\"a,b\",null,\"q\\\"\\u00ff\"]}"

static void writes_every_type(void **unused)
{
	struct all all = filled();

	(void)unused;
	check_json(plain_fields, true, &all,
			"{\"yes\":true,\"u8\":255,\"u16\":65535,\"u32\":4294967295,"
			"\"u64\":18446744073709551615,\"i32\":-1,\"i64\":-1,\"f64\":7.25,"
			"\"word\":\"idle\",\"text\":\"na\\\"me\\n\",\"hex\":\"00abff\","
			"\"address\":\"192.0.2.1\",\"time\":1700000000.123456,\"ms\":1.5,\"s\":0."
			"25,"
			"\"ip\":{\"out\":{\"ttl\":64,\"id\":5},\"in\":{\"ttl\":128}},"
			"\"maybe\":{\"a\":\"x\",\"n\":3}," LISTS);
}

static void writes_nulls(void **unused)
{
	struct all all = empty();

	(void)unused;
	check_json(nullable_fields, true, &all,
			"{\"yes\":false,\"u8\":null,\"u16\":null,\"u32\":null,\"u64\":null,"
			"\"i32\":null,\"i64\":null,\"f64\":null,\"word\":null,\"text\":null,"
			"\"hex\":null,\"address\":null,\"time\":0.000000,\"ms\":null,\"s\":null,"
			"\"ip\":{\"out\":{\"ttl\":64},\"in\":{\"ttl\":1}},\"maybe\":{},"
			"\"items\":[],\"counts\":[],\"texts\":[]}");
}

static void leaves_out_what_is_optional(void **unused)
{
	struct all all = empty();

	(void)unused;
	check_json(optional_fields, true, &all,
			"{\"yes\":false,\"time\":0.000000,"
			"\"ip\":{\"out\":{\"ttl\":64},\"in\":{\"ttl\":1}}}");
}

static void optional_fields_with_values_stay(void **unused)
{
	struct all all = filled();

	(void)unused;
	all.u8 = 0, all.u16 = 1, all.u32 = 2, all.u64 = 3, all.i32 = -2, all.i64 = 0;
	all.f64 = 0, all.address = (struct field_address){ 6, { [15] = 1 } };
	all.ms.ns = 0, all.s.ns = 0, all.time = (struct field_time){ -1, true };
	all.text = text(""), all.hex = (struct field_hex){ (const uint8_t *)"", 0 }, all.word = "";
	check_json(optional_fields, true, &all,
			"{\"yes\":true,\"u8\":0,\"u16\":1,\"u32\":2,\"u64\":3,\"i32\":-2,\"i64\":0,"
			"\"f64\":0,\"word\":\"\",\"text\":\"\",\"hex\":\"\",\"address\":\"::1\","
			"\"time\":-0.000000001,\"ms\":0,\"s\":0,"
			"\"ip\":{\"out\":{\"ttl\":64,\"id\":5},\"in\":{\"ttl\":128}},"
			"\"maybe\":{\"a\":\"x\",\"n\":3}," LISTS);
}

static void leaves_out_the_other_direction(void **unused)
{
	static const struct field only_reverse[] = {
		FIELD_SUB(struct all, ip.in, "in", side_fields, "In.", .flags = FIELD_REVERSE),
		FIELD(struct all, u8, "u8", "", "N."),
		{ 0 },
	};
	struct all all = filled();

	(void)unused;
	check_json(both_fields, false, &all.ip, "{\"out\":{\"ttl\":64,\"id\":5}}");
	check_csv(both_fields, false, &all.ip, "out.ttl,out.id\r\n64,5\r\n");
	check_json(only_reverse, false, &all, "{\"u8\":255}");
}

/* A struct of which nothing is left in one direction is left out whole. */
static void leaves_out_structs_without_members(void **unused)
{
	static const struct field gone[] = {
		FIELD(struct side, ttl, "ttl", "", "N.", .flags = FIELD_REVERSE),
		{ 0 },
	};
	static const struct field around[] = {
		FIELD_SUB(struct both, out, "out", gone, "Out."),
		{ 0 },
	};
	const struct both both = { { 1, 2 }, { 3, 4 } };

	(void)unused;
	check_json(around, false, &both, "{}");
	check_json(around, true, &both, "{\"out\":{\"ttl\":1}}");
}

static void several_tables(void **unused)
{
	const struct field *const tables[] = { small_fields, both_fields, maybe_fields };
	const struct small small = { 12 };
	const struct both both = { { 1, -1 }, { 2, 3 } };
	const struct maybe maybe = { "w", 0 };
	const void *const full[] = { &small, &both, &maybe };
	const void *const part[] = { NULL, NULL, &maybe };
	const void *const none[] = { NULL, NULL, NULL };
	static const char want[] = "{\"small_number\":12,\"out\":{\"ttl\":1},\"in\":{\"ttl\":2,"
				   "\"id\":3},\"a\":\"w\",\"n\":0}"
				   "{\"a\":\"w\",\"n\":0}{}"
				   "small_number,out.ttl,out.id,in.ttl,in.id,a,n\r\n12,1,,2,3,w,"
				   "0\r\n,,,,,w,0\r\n,,,,,,\r\n";
	struct err e = { "" };
	struct plan *p = plan_new(tables, 3, true, &e);
	struct buf b = buf_new(1 << 20);

	(void)unused;
	assert_non_null(p);
	assert_int_equal(plan_tables(p), 3);
	plan_json(p, full, &b);
	plan_json(p, part, &b);
	plan_json(p, none, &b);
	plan_csv_header(p, &b);
	plan_csv(p, full, &b);
	plan_csv(p, part, &b);
	plan_csv(p, none, &b);
	buf_byte(&b, '\0');
	assert_string_equal(b.p, want);
	buf_free(&b);
	plan_free(p);
}

/* Sizes around the pieces that texts, bytes and lists are written in, and small buffers that must
 * move. */
static void long_texts_and_lists(void **unused)
{
	static const size_t sizes[] = { 1, 39, 40, 41, 255, 256, 257, 1023, 1024, 1025, 5000 };
	struct plan *p = plan_of(plain_fields, true);

	(void)unused;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		const size_t size = sizes[i];
		char *bytes = malloc(size + 1);
		uint64_t *counts = malloc(size * sizeof *counts);
		struct field_text *texts = malloc(size * sizeof *texts);
		struct item *items = malloc(size * sizeof *items);
		struct all all = filled();
		const void *data = &all;
		struct buf b = buf_new(64 << 20);

		memset(bytes, 'w', size);
		bytes[size] = '\0';
		for (size_t k = 0; k < size; k++) {
			counts[k] = k * k * k;
			texts[k] = (struct field_text){ bytes, k % 7 };
			items[k] = (struct item){ (uint16_t)k, bytes, { bytes, k },
				{ bytes, k % 3 } };
		}
		all.word = bytes;
		all.text = (struct field_text){ bytes, size };
		all.hex = (struct field_hex){ (const uint8_t *)bytes, size };
		all.counts = (struct field_list){ counts, size };
		all.texts = (struct field_list){ texts, size };
		all.items = (struct field_list){ items, size < 300 ? size : 300 };
		plan_json(p, &data, &b);
		assert_true(buf_ok(&b));
		assert_true(json_is_valid(b.p, b.size));

		const size_t json = b.size;

		plan_csv(p, &data, &b);
		assert_true(buf_ok(&b));
		assert_true(b.size > json + json / 2);
		buf_free(&b);
		free(bytes);
		free(counts);
		free(texts);
		free(items);
	}
	plan_free(p);
}

/* Every cap from none to enough: a failed buffer keeps what it had, and nothing is written past it.
 */
static void full_buffers_keep_what_they_had(void **unused)
{
	struct plan *p = plan_of(plain_fields, true);
	struct all all = filled();
	const void *data = &all;
	char bytes[2000];
	bool done[2] = { false, false };

	(void)unused;
	memset(bytes, '"', sizeof bytes);
	all.text = (struct field_text){ bytes, sizeof bytes };
	for (size_t cap = 5; !(done[0] && done[1]) && cap < 200000; cap += 97) {
		for (int csv = 0; csv < 2; csv++) {
			struct buf b = buf_new(cap);

			buf_text(&b, "start");
			if (csv)
				plan_csv(p, &data, &b);
			else
				plan_json(p, &data, &b);
			assert_true(b.size <= cap);
			assert_memory_equal(b.p, "start", 5);
			assert_int_equal(buf_ok(&b), b.size > 5);
			if (buf_ok(&b) && !csv)
				assert_true(json_is_valid(b.p + 5, b.size - 5));
			done[csv] |= buf_ok(&b);
			buf_free(&b);
		}
	}
	assert_true(done[0] && done[1]);
	plan_free(p);
}

/* --- CSV ----------------------------------------------------------------------------------------
 */

#define HEADER                                                                                     \
	"yes,u8,u16,u32,u64,i32,i64,f64,word,text,hex,address,time,ms,s,ip.out.ttl,ip.out.id,"     \
	"ip.in.ttl,ip.in.id,maybe.a,maybe.n,items,counts,texts\r\n"

static void csv_of_every_type(void **unused)
{
	struct all all = filled();

	(void)unused;
	check_csv(plain_fields, true, &all,
			HEADER
			"true,255,65535,4294967295,18446744073709551615,-1,-1,7.25,idle,"
			"\"na\"\"me\n\",00abff,192.0.2.1,1700000000.123456,1.5,0.25,64,5,128,,x,3,"
			"\"[{\"\"b\"\":1460,\"\"dir\"\":\"\">\"\",\"\"name\"\":\"\"first\"\","
			"\"\"inner\"\":[7,8]},{\"\"b\"\":0,\"\"dir\"\":\"\"<\"\"},"
			"{\"\"b\"\":65535,\"\"dir\"\":null,\"\"name\"\":\"\"\"\",\"\"inner\"\":[7]}"
			"]\","
			"\"[0,9,10,999,1000,1023,1024,123456,18446744073709551615]\","
			"\"[\"\"a,b\"\",null,\"\"q\\\"\"\\u00ff\"\"]\"\r\n");
}

static void csv_of_nulls(void **unused)
{
	struct all all = empty();

	(void)unused;
	check_csv(nullable_fields, true, &all,
			HEADER "false,,,,,,,,,,,,0.000000,,,64,,1,,,,\"[]\",\"[]\",\"[]\"\r\n");
	check_csv(optional_fields, true, &all,
			HEADER "false,,,,,,,,,,,,0.000000,,,64,,1,,,,,,\r\n");
}

static void check_cell(const char *bytes, size_t size, const char *want)
{
	static const struct field fields[] = {
		FIELD(struct all, text, "text", "", "T."),
		{ 0 },
	};
	struct all all = { .text = { bytes, size } };
	char line[200];

	snprintf(line, sizeof line, "text\r\n%s\r\n", want);
	check_csv(fields, true, &all, line);
}

static void csv_quotes_exactly(void **unused)
{
	(void)unused;
	check_cell("plain", 5, "plain");
	check_cell("", 0, "\"\"");
	check_cell(" a b ", 5, " a b ");
	check_cell("a,b", 3, "\"a,b\"");
	check_cell("\"", 1, "\"\"\"\"");
	check_cell("a\"\"b", 4, "\"a\"\"\"\"b\"");
	check_cell("a\r\nb", 4, "\"a\r\nb\"");
	check_cell("null", 4, "null");
	check_cell("=1+1", 4, "=1+1");
	check_cell("gr\xfc\xc3\x9f", 5, "gr\xc3\xbc\xc3\x9f");
	check_cell("a\0\x01\tb", 5, "a\\u0000\\u0001\tb");
}

/* --- tables that are wrong ----------------------------------------------------------------------
 */

static void refuse(const struct field *const *tables, size_t count, const char *word)
{
	struct err e = { "" };

	assert_null(plan_new(tables, count, true, &e));
	if (strstr(e.text, word) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", word, e.text);
}

static void refuses_wrong_tables(void **unused)
{
	static const struct field twice[] = { FIELD(struct side, ttl, "x", "", "N."),
		FIELD(struct side, id, "x", "", "N."), { 0 } };
	static const struct field inside[] = { FIELD_SUB(struct both, out, "deep", twice, "S."),
		{ 0 } };
	static const struct field no_type[] = { { .key = "y", .unit = "", .text = "N." }, { 0 } };
	static const struct field no_item[] = { { .key = "z", .type = FIELD_LIST, .item_size = 1 },
		{ 0 } };
	static const struct field no_table[] = { { .key = "s", .type = FIELD_STRUCT }, { 0 } };
	static const struct field bad_key[] = { FIELD(struct side, ttl, "a.b", "", "N."), { 0 } };
	static struct field endless[] = { { .key = "again", .type = FIELD_STRUCT }, { 0 } };
	static struct field endless_list[] = {
		{ .key = "list", .type = FIELD_LIST, .item_size = 8 }, { 0 }
	};
	const struct field *const same[] = { small_fields, both_fields, small_fields };

	(void)unused;
	endless[0].sub = endless;
	endless_list[0].sub = endless_list;
	refuse((const struct field *const[]){ twice }, 1, "field x:");
	refuse((const struct field *const[]){ inside }, 1, "field deep.x:");
	refuse((const struct field *const[]){ no_type }, 1, "field y:");
	refuse((const struct field *const[]){ no_item }, 1, "field z:");
	refuse((const struct field *const[]){ no_table }, 1, "field s:");
	refuse((const struct field *const[]){ bad_key }, 1, "field a.b:");
	refuse((const struct field *const[]){ endless }, 1, "again.again.");
	refuse((const struct field *const[]){ endless_list }, 1, "within each other");
	refuse(same, 3, "small_number");
}

static void no_tables_at_all(void **unused)
{
	struct err e = { "" };
	struct plan *p = plan_new(NULL, 0, true, &e);
	struct buf b = buf_new(100);

	(void)unused;
	assert_non_null(p);
	plan_json(p, NULL, &b);
	assert_int_equal(b.size, 2);
	assert_memory_equal(b.p, "{}", 2);
	buf_free(&b);
	plan_free(p);
	plan_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_every_type),
		cmocka_unit_test(writes_nulls),
		cmocka_unit_test(leaves_out_what_is_optional),
		cmocka_unit_test(optional_fields_with_values_stay),
		cmocka_unit_test(leaves_out_the_other_direction),
		cmocka_unit_test(leaves_out_structs_without_members),
		cmocka_unit_test(several_tables),
		cmocka_unit_test(long_texts_and_lists),
		cmocka_unit_test(full_buffers_keep_what_they_had),
		cmocka_unit_test(csv_of_every_type),
		cmocka_unit_test(csv_of_nulls),
		cmocka_unit_test(csv_quotes_exactly),
		cmocka_unit_test(refuses_wrong_tables),
		cmocka_unit_test(no_tables_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
