/*
 * The limits of lib/extract (M5): each that is reached is told once, work is linear, and the scratch file
 * keeps what stands beneath.
 */
#include "extract_kit.h"

#include <time.h>

#include "lib/extract/state.h"

/* A ZIP of stored members, put together in memory. */
struct zip_maker {
	struct buf out;
	struct buf directory;
	unsigned n;
};

static void number(struct buf *b, uint64_t value, unsigned bytes)
{
	for (; bytes > 0; bytes--, value >>= 8) {
		char c = (char)value;

		buf_add(b, &c, 1);
	}
}

/* The fields that both headers share. */
static void fields(struct buf *b, size_t len, size_t name_len)
{
	number(b, 20, 2);
	number(b, 0, 2);
	number(b, 0, 2);
	number(b, 0, 4);
	number(b, 0, 4); /* the sum is wrong unless the member is empty */
	number(b, len, 4);
	number(b, len, 4);
	number(b, name_len, 2);
	number(b, 0, 2);
}

static void zip_member(struct zip_maker *z, const char *name, const char *content, size_t len)
{
	size_t at = z->out.len, name_len = strlen(name);

	buf_add(&z->out, "PK\3\4", 4);
	fields(&z->out, len, name_len);
	buf_add(&z->out, name, name_len);
	buf_add(&z->out, content, len);
	buf_add(&z->directory, "PK\1\2", 4);
	number(&z->directory, 20, 2);
	fields(&z->directory, len, name_len);
	number(&z->directory, 0, 10);
	number(&z->directory, at, 4);
	buf_add(&z->directory, name, name_len);
	z->n++;
}

static void zip_begin(struct zip_maker *z)
{
	z->n = 0;
	buf_init(&z->out, (size_t)256 * 1024 * 1024);
	buf_init(&z->directory, (size_t)128 * 1024 * 1024);
}

static void zip_finish(struct zip_maker *z)
{
	size_t at = z->out.len;

	buf_add(&z->out, z->directory.bytes, z->directory.len);
	buf_add(&z->out, "PK\5\6\0\0\0\0", 8);
	number(&z->out, z->n, 2);
	number(&z->out, z->n, 2);
	number(&z->out, z->directory.len, 4);
	number(&z->out, at, 4);
	number(&z->out, 0, 2);
	assert_true(buf_ok(&z->out) && buf_ok(&z->directory));
	buf_free(&z->directory);
}

static unsigned count(const char *said, const char *word)
{
	unsigned n = 0;

	for (; (said = strstr(said, word)) != NULL; said++)
		n++;
	return n;
}

static double cpu(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void a_million_members_are_cut_off(void **state)
{
	struct zip_maker z;
	struct kit kit;
	char name[16];
	const char *said;
	double before;

	(void)state;
	zip_begin(&z);
	for (unsigned i = 0; i < 1000000; i++) {
		snprintf(name, sizeof name, "%u", i);
		zip_member(&z, name, "", 0);
	}
	zip_finish(&z);

	kit_begin(&kit);
	before = cpu();
	said = kit_look(&kit, z.out.bytes, z.out.len);
	assert_int_equal(count(said, "<"), 1000);
	assert_int_equal(count(said, "!"), 1);
	assert_int_equal(count(said, "!members"), 1);
	assert_int_equal(kit.found.encrypted, ENCRYPTED_UNKNOWN);
	assert_true(cpu() - before < 5.0);
	kit_end(&kit);
	buf_free(&z.out);
}

/* Members of text within an archive that is given in turn, `depth` deep. */
static void nest(struct buf *archive, unsigned depth)
{
	struct zip_maker z;

	zip_begin(&z);
	if (depth == 0)
		zip_member(&z, "t", "", 0);
	else
		zip_member(&z, "z", archive->bytes, archive->len);
	zip_finish(&z);
	buf_free(archive);
	*archive = z.out;
}

static void containers_are_opened_to_the_depth(void **state)
{
	struct buf archive = {0};
	struct kit kit;
	const char *said;

	(void)state;
	for (unsigned depth = 0; depth < 20; depth++)
		nest(&archive, depth);
	kit_begin(&kit);
	kit.limits.depth = 19;
	said = kit_look(&kit, archive.bytes, archive.len);
	assert_int_equal(count(said, "!depth"), 1);
	kit.limits.depth = 20;
	said = kit_look(&kit, archive.bytes, archive.len);
	assert_int_equal(count(said, "!depth"), 0);
	assert_int_equal(count(said, "<t>"), 1);
	kit_end(&kit);
	buf_free(&archive);
}

/* Many members that are each too deep: the depth is told once. */
static void a_limit_is_told_once(void **state)
{
	struct zip_maker z;
	struct kit kit;
	const char *said;
	char name[16];

	(void)state;
	zip_begin(&z);
	for (unsigned i = 0; i < 50; i++) {
		snprintf(name, sizeof name, "%u", i);
		zip_member(&z, name, "", 0);
	}
	zip_finish(&z);
	kit_begin(&kit);
	kit.limits.depth = 0;
	said = kit_look(&kit, z.out.bytes, z.out.len);
	assert_int_equal(count(said, "!"), 1);
	assert_int_equal(count(said, "!depth"), 1);
	assert_int_equal(count(said, "<"), 50);

	/* The next file of the message is told of it, too. */
	said = kit_look(&kit, z.out.bytes, z.out.len);
	assert_int_equal(count(said, "!depth"), 1);
	kit_end(&kit);
	buf_free(&z.out);
}

static void expansion_is_of_the_message(void **state)
{
	struct zip_maker z;
	struct kit kit;
	const char *said;
	char *letters = calloc(1, 100000);

	(void)state;
	memset(letters, 'a', 100000);
	zip_begin(&z);
	zip_member(&z, "1", letters, 100000);
	zip_member(&z, "2", letters, 100000);
	zip_member(&z, "3", letters, 100000);
	zip_finish(&z);
	free(letters);
	kit_begin(&kit);
	kit.limits.expansion = 250000;
	said = kit_look(&kit, z.out.bytes, z.out.len);
	assert_int_equal(count(said, "!expansion"), 1);
	assert_int_equal(count(said, "<"), 3);
	assert_int_equal(count(said, "aaaa|"), 2);
	kit_end(&kit);
	buf_free(&z.out);
}

/* What is told by nothing but inside.h. */
static void told_fault(void *context, enum extract_fault fault, const char *where)
{
	struct kit *kit = context;

	buf_addf(&kit->said, "!%s(%s)", extract_fault_word(fault), where);
}

static void the_ratio_counts_beyond_eight_megabytes(void **state)
{
	struct kit kit;
	struct extract_setup setup = {
	    .limits = {5, 5, UINT64_MAX, 200, 5}, .told = {.context = &kit, .fault = told_fault}};
	struct extract *x = extract_new(&setup);
	struct extract_file found;
	struct inside in = {.x = x, .path = "p", .deep = true, .found = &found};
	uint64_t free_bytes = (uint64_t)8 * 1024 * 1024;

	(void)state;
	kit_begin(&kit);
	assert_true(inside_expand(&in, 1, free_bytes, 0));
	assert_false(inside_expand(&in, 1, free_bytes + 1, 0));
	assert_true(inside_expand(&in, 1, free_bytes + 200, 1));
	assert_false(inside_expand(&in, 1, free_bytes + 201, 1));
	assert_true(inside_expand(&in, 1, UINT64_MAX, UINT64_MAX)); /* no overflow */
	buf_add(&kit.said, "", 1);
	assert_string_equal(kit.said.bytes, "!expansion(p)!expansion(p)");
	kit_end(&kit);
	extract_free(x);
}

static void room_on_the_scratch_file_is_nested(void **state)
{
	struct extract_setup setup = {.scratch = memfd_create("scratch", MFD_CLOEXEC)};
	struct extract *x = extract_new(&setup);
	struct spill outer, inner, next;
	struct source source;
	char bytes[8];

	(void)state;
	spill_begin(x, &outer);
	assert_true(spill_write(&outer, "outer", 5));
	spill_begin(x, &inner);
	assert_true(spill_write(&inner, "in", 2));
	assert_true(spill_write(&inner, "ner", 3));
	source = spill_source(&inner);
	assert_int_equal(source_read(&source, 0, bytes, 8), 5);
	assert_memory_equal(bytes, "inner", 5);
	spill_end(&inner);

	spill_begin(x, &next);
	assert_true(spill_write(&next, "n", 1));
	source = spill_source(&next);
	assert_int_equal(source.start, 5);
	spill_end(&next);
	source = spill_source(&outer);
	assert_int_equal(source_read(&source, 0, bytes, 8), 5);
	assert_memory_equal(bytes, "outer", 5);
	spill_end(&outer);
	extract_free(x);
	(void)close(setup.scratch);
}

/* M4: whatever stands in a name, it is told as one text. */
static void names_are_text(void **state)
{
	struct buf name;

	(void)state;
	buf_init(&name, MEMBER_NAME_MAX);
	assert_string_equal(member_name("\x8c\xa9\x90\xcf", 4, &name), "見積");
	assert_string_equal(member_name("見積", 6, &name), "見積");
	assert_string_equal(member_name("a\0b", 3, &name), "a\xef\xbf\xbd"
							   "b");
	assert_string_equal(member_name("", 0, &name), "");
	assert_string_equal(member_name(NULL, 0, &name), "");
	buf_free(&name);
	assert_true(is_utf8("\xf4\x8f\xbf\xbf", 4));
	assert_false(is_utf8("\xf4\x90\x80\x80", 4));
	assert_false(is_utf8("\xed\xa0\x80", 3));
	assert_false(is_utf8("\xc0\xaf", 2));
	assert_false(is_utf8("\xe3\x81", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_million_members_are_cut_off),
	    cmocka_unit_test(containers_are_opened_to_the_depth),
	    cmocka_unit_test(a_limit_is_told_once),
	    cmocka_unit_test(expansion_is_of_the_message),
	    cmocka_unit_test(the_ratio_counts_beyond_eight_megabytes),
	    cmocka_unit_test(room_on_the_scratch_file_is_nested),
	    cmocka_unit_test(names_are_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
