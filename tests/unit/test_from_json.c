/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_from_json.c - lines of JSON as rows of columns: every type, keys in any order, what is
 * missing, strange or wrong; and records written and read back against records as columns.
 */
#include "arrow_text.h"
#include "record/from_json.h"
#include "unit/plan_kit.h"

static struct run {
	struct columns *columns;
	struct batch *batch;
	struct from_json *from;
	struct buf text;
	const char *why;
	size_t at;
} run;

static void open_run(const struct field *fields, struct columns_conf conf)
{
	static struct columns_table table;
	struct err e = { "" };

	table = (struct columns_table){ fields, "all", NULL };
	conf.tables = &table;
	conf.count = 1;
	conf.loose = true;
	run.columns = columns_new(&conf, &e);
	assert_non_null(run.columns);
	run.batch = batch_new(run.columns, &e);
	run.from = from_json_new(run.columns, &fields, 1, conf.both, &e);
	assert_non_null(run.from);
	run.text = buf_new(1 << 24);
}

static void close_run(void)
{
	from_json_free(run.from);
	batch_free(run.batch);
	columns_free(run.columns);
	buf_free(&run.text);
}

static enum from_json_line line_of(const void *bytes, size_t size)
{
	uint8_t *exact = memcpy(malloc(size + !size), bytes, size);
	enum from_json_line what = from_json_line(
			run.from, run.batch, (struct rd){ exact, size }, &run.why, &run.at);

	free(exact);
	return what;
}

static enum from_json_line line(const char *text)
{
	return line_of(text, strlen(text));
}

/* All rows of the batch as text, of one column or (NULL) of all; the batch is empty then. */
static const char *rows(const char *column)
{
	struct ArrowSchema schema;
	struct ArrowArray array;
	struct err e;

	assert_true(columns_schema(run.columns, NULL, 0, &schema, &e));
	assert_true(batch_export(run.batch, &array, &e));
	buf_clear(&run.text);
	for (int64_t i = 0; i < array.length; i++) {
		if (i > 0)
			buf_byte(&run.text, ' ');
		if (column == NULL)
			arrow_row(&schema, &array, (size_t)i, &run.text);
		for (int64_t k = 0; column != NULL && k < schema.n_children; k++)
			if (strcmp(schema.children[k]->name, column) == 0)
				arrow_row(schema.children[k], array.children[k], (size_t)i,
						&run.text);
	}
	buf_byte(&run.text, '\0');
	array.release(&array);
	schema.release(&schema);
	return run.text.p;
}

/* What one line has in one column. */
static const char *value(const char *text, const char *column)
{
	assert_int_equal(line(text), FROM_JSON_RECORD);
	return rows(column);
}

static void check_odd(uint64_t unknown, const char *unknown_names, uint64_t wrong,
		const char *wrong_names)
{
	const struct from_json_odd *odd = from_json_odd(run.from);

	assert_int_equal(odd->unknown, unknown);
	assert_string_equal(odd->unknown_names, unknown_names);
	assert_int_equal(odd->wrong, wrong);
	assert_string_equal(odd->wrong_names, wrong_names);
}

static void every_type(void **unused)
{
	static const struct {
		const char *column, *json, *value;
	} cases[] = {
		{ "yes", "true", "true" },
		{ "yes", "false", "false" },
		{ "u8", "255", "255" },
		{ "u16", "65535", "65535" },
		{ "u32", "4294967295", "4294967295" },
		{ "u64", "18446744073709551615", "18446744073709551615" },
		{ "u64", "9007199254740993", "9007199254740993" },
		{ "i32", "-2147483648", "-2147483648" },
		{ "i64", "-9223372036854775808", "-9223372036854775808" },
		{ "f64", "4.71231614014994", "4.71231614014994" },
		{ "f64", "-0.5e1", "-5" },
		{ "word", "\"idle\"", "\"idle\"" },
		{ "word", "\"\"", "\"\"" },
		{ "text", "\"a\\u00e9\\n\\ud83d\\ude00\"", "\"a\xc3\xa9\n\xf0\x9f\x98\x80\"" },
		{ "text", "\"\"", "\"\"" },
		{ "hex", "\"00abff\"", "x'00abff'" },
		{ "hex", "\"\"", "x''" },
		{ "address", "\"192.0.2.1\"", "\"192.0.2.1\"" },
		{ "address", "\"2001:db8::1\"", "\"2001:db8::1\"" },
		{ "time", "1795480223.218886", "1795480223218886000" },
		{ "time", "1795480223.218886123", "1795480223218886123" },
		{ "time", "-0.000000001", "-1" },
		{ "ms", "17.003", "17.003" },
		{ "s", "0.25", "0.25" },
		{ "ip", "{\"out\":{\"ttl\":64},\"in\":{\"id\":5}}",
				"{out:{ttl:64,id:null},in:{ttl:null,id:5}}" },
		{ "maybe", "{\"a\":\"x\",\"n\":3}", "{a:\"x\",n:3}" },
		{ "items",
				"[{\"b\":1,\"dir\":\">\",\"inner\":[7,8]},{\"dir\":\"<\",\"name\":"
				"\"n\"}]",
				"[{b:1,dir:\">\",name:null,inner:[7,8]},"
				"{b:null,dir:\"<\",name:\"n\",inner:null}]" },
		{ "counts", "[0,1,18446744073709551615]", "[0,1,18446744073709551615]" },
		{ "texts", "[\"x\",null,\"\"]", "[\"x\",null,\"\"]" },
		{ "u8", "null", "null" },
		{ "items", "null", "null" },
	};
	char text[400];

	(void)unused;
	open_run(optional_fields, (struct columns_conf){ .both = true });
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snprintf(text, sizeof text, "{\"%s\":%s}", cases[i].column, cases[i].json);
		assert_string_equal(value(text, cases[i].column), cases[i].value);
	}
	check_odd(0, "", 0, "");
	close_run();
}

static void values_of_a_wrong_type_are_null(void **unused)
{
	static const char *const cases[] = { "\"yes\":1", "\"yes\":\"true\"", "\"u8\":256",
		"\"u8\":-1", "\"u8\":1.5", "\"u8\":1e1", "\"u8\":\"1\"", "\"u16\":65536",
		"\"u32\":4294967296", "\"u64\":18446744073709551616", "\"i32\":2147483648",
		"\"i32\":-2147483649", "\"i64\":9223372036854775808", "\"f64\":\"1\"",
		"\"f64\":1e999", "\"word\":1", "\"text\":[1]", "\"text\":{\"a\":1}",
		"\"hex\":\"0\"", "\"hex\":\"0g\"", "\"hex\":\"\\u0030\\u0030\"", "\"hex\":0",
		"\"address\":4", "\"time\":\"2026\"", "\"time\":1.0000000001", "\"ms\":true",
		"\"ip\":[]", "\"ip\":1", "\"items\":{}", "\"items\":\"x\"", "\"counts\":7" };
	char text[100], names[FROM_JSON_NAMES];

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		open_run(optional_fields, (struct columns_conf){ .both = true });
		snprintf(text, sizeof text, "{%s,\"u8\":7}", cases[i]);
		snprintf(names, sizeof names, "%.*s", (int)strcspn(cases[i] + 1, "\""),
				cases[i] + 1);
		assert_int_equal(line(text), FROM_JSON_RECORD);
		if (strcmp(names, "u8") != 0)
			assert_string_equal(rows(names), "null");
		else
			assert_string_equal(rows("u8"), "7");
		check_odd(0, "", 1, names);
		close_run();
	}
}

/* An item that is a struct is one of nulls. */
static void wrong_items_are_null(void **unused)
{
	(void)unused;
	open_run(optional_fields, (struct columns_conf){ .both = true });
	assert_string_equal(value("{\"counts\":[1,\"2\",{\"a\":[3]},4,-5]}", "counts"),
			"[1,null,null,4,null]");
	assert_string_equal(value("{\"items\":[{\"b\":70000},5,null,{}]}", "items"),
			"[{b:null,dir:null,name:null,inner:null},{b:null,dir:null,name:null,inner:"
			"null},"
			"{b:null,dir:null,name:null,inner:null},{b:null,dir:null,name:null,inner:"
			"null}]");
	check_odd(0, "", 5, "counts, items.b, items");
	close_run();
}

static void keys_stand_in_any_order(void **unused)
{
	(void)unused;
	open_run(optional_fields, (struct columns_conf){ .both = true });
	assert_int_equal(line(" { \"u32\" : 3 ,\"yes\":true,\"u16\":2,\t\"u\\u0038\":1,"
			      "\"u64\":4}\r"),
			FROM_JSON_RECORD);
	assert_memory_equal(rows(NULL), "{yes:true,u8:1,u16:2,u32:3,u64:4,i32:null,", 42);
	close_run();
}

static void the_first_of_two_values_is_kept(void **unused)
{
	(void)unused;
	open_run(optional_fields, (struct columns_conf){ .both = true });
	assert_string_equal(value("{\"u8\":1,\"u8\":2}", "u8"), "1");
	assert_string_equal(value("{\"counts\":[1],\"counts\":[2,3]}", "counts"), "[1]");
	assert_string_equal(value("{\"ip\":{\"out\":{}},\"ip\":{\"out\":{\"ttl\":1}}}", "ip"),
			"{out:{ttl:null,id:null},in:null}");
	check_odd(0, "", 3, "u8, counts, ip");
	close_run();
}

static void strangers_are_counted(void **unused)
{
	(void)unused;
	open_run(optional_fields, (struct columns_conf){ .both = true });
	for (int i = 0; i < 3; i++)
		assert_string_equal(value("{\"new\":{\"a\":[1,{\"b\":2}]},\"u8\":1,\"ip\":{\"out\":"
					  "{\"odd, \\n\":[]}},\"items\":[{\"x\":1}],\"new\":1}",
						    "u8"),
				"1");
	check_odd(12, "new, ip.out.odd??\\n, items.x", 0, "");
	assert_string_equal(value("{\"\":1,\"u8\":2,\"ip\":{\"\":3}}", "u8"), "2");
	check_odd(14, "new, ip.out.odd??\\n, items.x, \"\", ip.\"\"", 0, "");
	close_run();
}

/* However many there are, the list of names has an end. */
static void names_are_few(void **unused)
{
	char text[100];

	(void)unused;
	open_run(optional_fields, (struct columns_conf){ .both = true });
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "{\"u8\":1,\"key%d\":2,\"%040d\":3}", i, i);
		assert_int_equal(line(text), FROM_JSON_RECORD);
	}
	assert_int_equal(from_json_odd(run.from)->unknown, 2000);
	assert_in_range(strlen(from_json_odd(run.from)->unknown_names), 200, 255);
	close_run();
}

static void lines_that_are_no_records(void **unused)
{
	static const char *const other[] = {
		"{\"version\":\"1.0.0\",\"u8\":\"1\",\"strange\":7}",
		"{\"u8\":1,\"strange\":[{}],\"version\":\"1.0.0\"}",
		"{\"summary\":{\"packets\":1}}",
		"{\"drops\":{\"interface\":\"eth0\"}}",
		"{\"summary\":{\"file\":1,\"records\":1000,\"lost\":0}}",
	};

	(void)unused;
	open_run(optional_fields, (struct columns_conf){ .both = true });
	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
		assert_int_equal(line(other[i]), FROM_JSON_OTHER);
	assert_int_equal(batch_rows(run.batch), 0);
	check_odd(0, "", 0, "");
	/* further in, these are keys like others */
	assert_string_equal(value("{\"u8\":1,\"ip\":{\"version\":4}}", "u8"), "1");
	close_run();
}

/* Nothing of a damaged line stays, and the next one is read. */
static void damage_leaves_nothing(void **unused)
{
	static const char whole[] =
			"{\"u8\":1,\"word\":\"w\",\"text\":\"t\\n\",\"hex\":\"00\","
			"\"items\":[{\"b\":1,\"inner\":[1,2]},{\"b\":2}],\"counts\":[1,2,3],"
			"\"new\":{\"a\":1}}";

	(void)unused;
	open_run(optional_fields, (struct columns_conf){ .both = true });
	for (size_t size = 0; size < sizeof whole - 1; size++) {
		assert_int_equal(line_of(whole, size), FROM_JSON_DAMAGED);
		assert_non_null(run.why);
		assert_true(run.at <= size);
		check_odd(0, "", 0, "");
	}
	assert_int_equal(line("{\"u8\":5,\"counts\":[9]}"), FROM_JSON_RECORD);
	assert_int_equal(line_of(whole, sizeof whole - 2), FROM_JSON_DAMAGED);
	assert_int_equal(line("{\"u16\":6}"), FROM_JSON_RECORD);
	assert_string_equal(rows("counts"), "[9] null");
	assert_int_equal(line("{\"u8\":5,\"items\":[{\"b\":3}]}"), FROM_JSON_RECORD);
	assert_int_equal(line_of(whole, sizeof whole - 2), FROM_JSON_DAMAGED);
	assert_string_equal(rows("items"), "[{b:3,dir:null,name:null,inner:null}]");
	close_run();
}

static void says_what_is_damaged(void **unused)
{
	static const struct {
		const char *text, *why;
		size_t at;
	} cases[] = {
		{ "{\"u8\":tru}", "a value is missing", 6 },
		{ "{\"u8\":1}{", "something follows the value", 8 },
		{ "[1]", "no record of a flow", 0 },
		{ "7", "no record of a flow", 0 },
		{ "{}", "no record of a flow", 0 },
		{ "{\"uid\":\"C1\",\"id.orig_h\":\"192.0.2.1\"}", "no record of a flow", 0 },
	};

	(void)unused;
	open_run(optional_fields, (struct columns_conf){ .both = true });
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(line(cases[i].text), FROM_JSON_DAMAGED);
		assert_string_equal(run.why, cases[i].why);
		assert_int_equal(run.at, cases[i].at);
	}
	check_odd(0, "", 0, "");
	close_run();
}

/* What is not wanted is known all the same. */
static void unwanted_columns_are_passed_over(void **unused)
{
	static const char *const names[] = { "u16", "ip.out.ttl", "items.b" };

	(void)unused;
	open_run(optional_fields,
			(struct columns_conf){ .both = true, .names = names, .name_count = 3 });
	assert_string_equal(
			value("{\"u8\":1,\"u16\":2,\"counts\":[1],\"ip\":{\"out\":{\"ttl\":3,"
			      "\"id\":4},\"in\":{\"id\":5}},\"items\":[{\"b\":6,\"dir\":\">\"}]}",
					NULL),
			"{u16:2,ip:{out:{ttl:3}},items:[{b:6}]}");
	assert_string_equal(value("{\"u8\":1}", NULL), "{u16:null,ip:null,items:null}");
	check_odd(0, "", 0, "");
	close_run();
}

static void reverse_columns_are_strange_without_both(void **unused)
{
	(void)unused;
	open_run(optional_fields, (struct columns_conf){ .both = false });
	assert_string_equal(value("{\"ip\":{\"out\":{\"ttl\":3},\"in\":{\"ttl\":4}}}", "ip"),
			"{out:{ttl:3,id:null}}");
	check_odd(1, "ip.in", 0, "");
	close_run();
}

static void addresses_as_bytes(void **unused)
{
	(void)unused;
	open_run(optional_fields, (struct columns_conf){ .both = true, .binary_addresses = true });
	assert_string_equal(value("{\"address\":\"192.0.2.1\"}", "address"),
			"00000000000000000000ffffc0000201");
	assert_string_equal(value("{\"address\":\"2001:db8::ff\"}", "address"),
			"20010db80000000000000000000000ff");
	check_odd(0, "", 0, "");
	assert_string_equal(value("{\"address\":\"host\"}", "address"), "null");
	assert_string_equal(value("{\"address\":\"192.0.2.1\\u0000\"}", "address"), "null");
	check_odd(0, "", 2, "address");
	close_run();
}

/* What is left out when it is empty is null. */
static void empty_is_null_where_records_leave_it_out(void **unused)
{
	(void)unused;
	open_run(optional_fields, (struct columns_conf){ .both = true });
	assert_string_equal(value("{\"maybe\":{},\"u8\":1}", "maybe"), "null");
	assert_string_equal(value("{\"maybe\":{\"a\":null}}", "maybe"), "null");
	assert_string_equal(value("{\"counts\":[]}", "counts"), "null");
	close_run();
	open_run(plain_fields, (struct columns_conf){ .both = true });
	assert_string_equal(value("{\"maybe\":{}}", "maybe"), "{a:null,n:null}");
	assert_string_equal(value("{\"counts\":[]}", "counts"), "[]");
	close_run();
}

/* --- there and back -----------------------------------------------------------------------------
 */

static uint64_t draw(void)
{
	static uint64_t state = 5;

	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return state >> (state >> 59 & 31);
}

static struct field_text draw_text(char *room, size_t size)
{
	size %= 20;
	for (size_t i = 0; i < size; i++)
		room[i] = (char)draw();
	return (struct field_text){ draw() % 4 == 0 ? NULL : room, size };
}

static const char *draw_word(void)
{
	static const char *const words[] = { NULL, ">", "<", "idle", "", "caf\xe9",
		"a word that is longer than what is remembered of words" };

	return words[draw() % (sizeof words / sizeof words[0])];
}

/* A double that 15 digits hold. */
static double draw_double(void)
{
	char text[40];

	snprintf(text, sizeof text, "%.14e", (double)(int64_t)draw() / 977);
	return draw() % 5 == 0 ? (double)NAN : strtod(text, NULL);
}

static struct all draw_record(void)
{
	static struct item items[4];
	static uint64_t counts[300];
	static struct field_text texts[3];
	static char room[9][20];
	static uint8_t bytes[20];
	struct all a = { .yes = draw() & 1 };

	for (size_t i = 0; i < 4; i++)
		items[i] = (struct item){ (uint16_t)draw(), draw() & 1 ? ">" : "<",
			draw_text(room[i], draw()), { bytes, draw() % 3 } };
	for (size_t i = 0; i < 300; i++)
		counts[i] = draw() % 3 == 0 ? draw() : 0;
	for (size_t i = 0; i < 3; i++)
		texts[i] = draw_text(room[4 + i], draw());
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)draw();
	a.u8 = (uint8_t)draw(), a.u16 = (uint16_t)draw(), a.u32 = (uint32_t)draw(), a.u64 = draw();
	a.i32 = (int32_t)draw(), a.i64 = (int64_t)draw(), a.f64 = draw_double();
	a.word = draw_word(), a.text = draw_text(room[8], draw());
	a.hex = (struct field_hex){ draw() & 1 ? bytes : NULL, draw() % sizeof bytes };
	a.address.version = (uint8_t)(draw() % 3 * 2 + (draw() & 1 ? 2 : 0));
	a.address.version = a.address.version == 2 ? 4 : a.address.version;
	memcpy(a.address.bytes, bytes, 16);
	a.time = (struct field_time){ (int64_t)draw(), draw() & 1 };
	if (!a.time.nanoseconds)
		a.time.ns -= a.time.ns % 1000;
	a.ms.ns = draw() & 1 ? (int64_t)(draw() >> 12) : -1;
	a.s.ns = draw() & 1 ? (int64_t)(draw() >> 12) : -1;
	a.ip = (struct both){ { (uint8_t)draw(), (int32_t)draw() }, { 1, -1 } };
	a.maybe = (struct maybe){ draw_word(), draw() & 1 ? (uint32_t)draw() : UINT32_MAX };
	a.items = (struct field_list){ items, draw() % 5 };
	a.counts = (struct field_list){ counts, draw() % 301 };
	a.texts = (struct field_list){ texts, draw() % 4 };
	return a;
}

/* Shows where two long texts begin to differ. */
static void check_same(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] != '\0' && a[i] == b[i])
		i++;
	if (a[i] != b[i])
		fail_msg("%.80s\n  and %.80s", a + (i < 40 ? 0 : i - 40),
				b + (i < 40 ? 0 : i - 40));
}

/* Records as columns are what their JSON is as columns. */
static void there_and_back(void **unused)
{
	const struct field *table = optional_fields; /* as all that can be null in records */
	struct buf json = buf_new(1 << 24);

	(void)unused;
	for (int n = 0; n < 4000; n++) {
		struct plan *plan = plan_new(&table, 1, true, NULL);
		const struct all a = draw_record();
		const void *data = &a;
		char *direct;

		open_run(table, (struct columns_conf){
						.both = true, .binary_addresses = draw() & 1 });
		assert_true(batch_append(run.batch, &data));
		direct = strdup(rows(NULL));
		buf_clear(&json);
		plan_json(plan, &data, &json);
		assert_int_equal(line_of(json.p, json.size), FROM_JSON_RECORD);
		check_same(rows(NULL), direct);
		check_odd(0, "", 0, "");
		free(direct);
		close_run();
		plan_free(plan);
	}
	buf_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type),
		cmocka_unit_test(values_of_a_wrong_type_are_null),
		cmocka_unit_test(wrong_items_are_null),
		cmocka_unit_test(keys_stand_in_any_order),
		cmocka_unit_test(the_first_of_two_values_is_kept),
		cmocka_unit_test(strangers_are_counted),
		cmocka_unit_test(names_are_few),
		cmocka_unit_test(lines_that_are_no_records),
		cmocka_unit_test(damage_leaves_nothing),
		cmocka_unit_test(says_what_is_damaged),
		cmocka_unit_test(unwanted_columns_are_passed_over),
		cmocka_unit_test(reverse_columns_are_strange_without_both),
		cmocka_unit_test(addresses_as_bytes),
		cmocka_unit_test(empty_is_null_where_records_leave_it_out),
		cmocka_unit_test(there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
