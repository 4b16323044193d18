/* SPDX-License-Identifier: BSD-3-Clause */
/* test_documents.c - what the field tables say about themselves: schema, page, explain=NAME. */
#include "plan_kit.h"

/* --- documents ----------------------------------------------------------------------------------
 */

static const struct field *const doc_tables[] = { small_fields, nullable_fields, optional_fields };
static const char *const doc_names[] = { "base", "all", "optional" };

static void assert_has(struct buf *b, const char *words)
{
	buf_byte(b, '\0');
	b->size--;
	if (strstr(b->p, words) == NULL)
		fail_msg("\"%s\" is missing", words);
}

static void schema(void **unused)
{
	struct buf b = buf_new(1 << 20);

	(void)unused;
	plan_schema(doc_tables, doc_names, 2, &b);
	assert_true(buf_ok(&b));
	assert_true(json_is_valid(b.p, b.size));
	assert_has(&b, "\"$schema\": \"https://json-schema.org/draft/2020-12/schema\"");
	assert_has(&b, "\"required\": [\"small_number\"],\n");
	assert_has(&b, "\"required\": [\"out\"]\n");
	assert_has(&b, "\"required\": [\"b\",\"dir\"]\n");
	assert_has(&b, "\"type\": [\"integer\", \"null\"],\n\t\t\t\"minimum\": 0, \"maximum\": "
		       "255,");
	assert_has(&b, "\"x-unit\": \"packets\"");
	assert_has(&b, "\"yes\": [\"time\",\"ip\",\"items\",\"counts\",\"texts\"]");
	assert_has(&b, "\"f64\": [\"yes\"]");
	buf_free(&b);
}

static void markdown(void **unused)
{
	struct buf b = buf_new(1 << 20);

	(void)unused;
	plan_markdown(doc_tables, doc_names, 3, &b);
	assert_true(buf_ok(&b));
	assert_has(&b, "\n## base\n");
	assert_has(&b, "| `small_number` | integer | packets | Counts &lt;something> \\| more. | "
		       "never | "
		       "RFC 5103 | 1.1 |\n");
	assert_has(&b, "| `items[].name` | text |  | Name. | left out: no name |  | 1.0 |\n");
	assert_has(&b, "| `maybe.n` | integer |  | A number. | left out without a number |  | 1.0 "
		       "|\n");
	assert_has(&b, "| `counts[]` | list of integer |");
	assert_has(&b, "| `ip.in` | object |  | What the responder sent. | never null; only in "
		       "records of "
		       "both directions |");
	buf_free(&b);
}

static void check_explain(const char *name, const char *want)
{
	struct buf b = buf_new(1 << 20);
	const bool found = plan_explain(doc_tables, 1, name, &b);

	assert_int_equal(found, want != NULL);
	buf_byte(&b, '\0');
	assert_string_equal(b.p, want == NULL ? "" : want);
	buf_free(&b);
}

static size_t explained(const char *name)
{
	struct buf b = buf_new(1 << 20);
	size_t count = 0;

	plan_explain(doc_tables + 1, 1, name, &b);
	buf_byte(&b, '\0');
	for (const char *p = b.p; (p = strstr(p, "\n  type")) != NULL; p++)
		count++;
	buf_free(&b);
	return count;
}

static void explain(void **unused)
{
	static const char want[] = "small_number\n"
				   "  type        integer\n"
				   "  unit        packets\n"
				   "  definition  Counts <something> | more.\n"
				   "  null        never\n"
				   "  source      RFC 5103\n"
				   "  since       1.1\n";

	(void)unused;
	check_explain("small_number", want);
	check_explain("small", NULL);
	check_explain("number", NULL);
	check_explain("", NULL);
	assert_int_equal(explained("u8"), 1);
	assert_int_equal(explained("ttl"), 2); /* ends in .ttl */
	assert_int_equal(explained("ip"), 7);  /* itself, out, in and their members */
	assert_int_equal(explained("in.ttl"), 1);
	assert_int_equal(explained("ip.in"), 3);
	assert_int_equal(explained("items"), 5);
	assert_int_equal(explained("items.b"), 1);
	assert_int_equal(explained("items[].b"), 1);
	assert_int_equal(explained("tems"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schema),
		cmocka_unit_test(markdown),
		cmocka_unit_test(explain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
