/*
 * Compound files (S1-28, S1-30, M2, T4): real files of Office, and the same with every byte of what holds them together
 * changed: nothing but a fault may come of that, and soon.
 */
#include "extract_kit.h"

#include <time.h>

#include "lib/extract/ole.h"

static const char *const samples[] = {
    "word97.doc", "excel97.xls", "powerpoint97.ppt", "locked97.doc", "locked97.xls"};

static void check_sample(
    const char *name, enum file_format format, enum file_encrypted encrypted, const char *text)
{
	size_t len;
	char *bytes = kit_sample(name, &len);
	struct kit kit;

	kit_begin(&kit);
	assert_non_null(strstr(kit_look(&kit, bytes, len), text));
	assert_int_equal(kit.found.format, format);
	assert_int_equal(kit.found.encrypted, encrypted);
	/* Only glanced at, it is the same. */
	kit.shallow = true;
	assert_string_equal(kit_look(&kit, bytes, len), "");
	assert_int_equal(kit.found.format, format);
	assert_int_equal(kit.found.encrypted, encrypted);
	kit_end(&kit);
	free(bytes);
}

static void real_files(void **state)
{
	(void)state;
	check_sample("word97.doc", FORMAT_DOC, ENCRYPTED_NO,
	    "株式会社山田商事　御中\n担当：髙橋一郎 様　電話 03-1234-5678\n品名\t金額\t\n封筒①㈱");
	check_sample("excel97.xls", FORMAT_XLS, ENCRYPTED_NO,
	    "\n山田 "
	    "太郎\t090-1234-5678\t4111111111111111\t①㈱髙島屋\n佐藤\t花子\t123456789012\t0.5\n");
	check_sample(
	    "powerpoint97.ppt", FORMAT_PPT, ENCRYPTED_NO, "提案書：関所システム ①㈱髙橋\n");
	check_sample("locked97.doc", FORMAT_DOC, ENCRYPTED_ALL, "!encrypted");
	check_sample("locked97.xls", FORMAT_XLS, ENCRYPTED_ALL, "!encrypted");
}

static struct ole *open_sample(const char *bytes, size_t len, enum ole_status *status)
{
	struct source file = {memfd_create("file", MFD_CLOEXEC), 0, len};

	assert_int_equal(write(file.fd, bytes, len), (ssize_t)len);
	return ole_open(&file, status);
}

/* A stream says the same wherever one begins to read it, and however much is read at once. */
static void streams_are_read_at_random(void **state)
{
	enum ole_status status;
	size_t len;
	char *bytes = kit_sample("word97.doc", &len), all[32768], part[700];
	struct ole *ole = open_sample(bytes, len, &status);
	struct ole_stream s;
	ssize_t n;

	(void)state;
	assert_non_null(ole);
	assert_int_equal(status, OLE_OK);
	assert_int_equal(ole_find(ole, OLE_ROOT, "Nothing"), OLE_NONE);
	assert_false(ole_stream_open(ole, OLE_ROOT, &s));
	for (uint32_t i = 1; i < ole_entries(ole); i++) {
		if (ole_entry(ole, i)->kind != OLE_STREAM)
			continue;
		assert_true(ole_stream_open(ole, i, &s));
		assert_false(s.cut);
		n = ole_read(&s, 0, all, sizeof all);
		assert_int_equal(n, ole_entry(ole, i)->size);
		for (size_t at = 0; at <= (size_t)n; at += 61) {
			size_t left = (size_t)n - at < sizeof part ? (size_t)n - at : sizeof part;

			assert_int_equal(ole_read(&s, at, part, sizeof part), left);
			assert_memory_equal(part, all + at, left);
		}
		ole_stream_close(&s);
	}
	ole_close(ole);
	free(bytes);
}

/* Cut off behind whatever byte: it is told, unless all that is read is still there. */
static void cut_files(void **state)
{
	struct kit kit;

	(void)state;
	kit_begin(&kit);
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		size_t len;
		char *bytes = kit_sample(samples[i], &len);
		char *whole = strdup(kit_look(&kit, bytes, len));

		assert_non_null(whole);
		for (size_t n = 8; n < len; n += n < 600 ? 7 : 509) {
			char *part = malloc(n);
			const char *said;

			assert_non_null(part);
			memcpy(part, bytes, n);
			said = kit_look(&kit, part, n);
			assert_true(strchr(said, '!') != NULL || strcmp(said, whole) == 0);
			free(part);
		}
		free(whole);
		free(bytes);
	}
	kit_end(&kit);
}

/* Numbers of sectors, sizes and places replaced by others: it ends, and soon. */
static void wrong_numbers(void **state)
{
	static const uint32_t wrong[] = {0, 1, 2, 0x7fffffff, 0xfffffffe, 0xffffffff};
	struct kit kit;
	clock_t begun = clock();
	unsigned seed = 1;

	(void)state;
	kit_begin(&kit);
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		size_t len;
		char *bytes = kit_sample(samples[i], &len);

		for (int round = 0; round < 600; round++) {
			char kept[4];
			size_t at;

			seed = seed * 1103515245u + 12345u;
			/* The header first, then anywhere. */
			at = (round < 130 ? (size_t)round * 4 : (seed >> 8) % (len - 4)) &
			     ~(size_t)3;
			memcpy(kept, bytes + at, 4);
			memcpy(bytes + at, &wrong[(seed >> 4) % COUNT_OF(wrong)], 4);
			(void)kit_look(&kit, bytes, len);
			memcpy(bytes + at, kept, 4);
		}
		free(bytes);
	}
	kit_end(&kit);
	assert_true(clock() - begun < 60 * CLOCKS_PER_SEC);
}

/* M5: text counts against the limit of what is unpacked: pieces may all show the same bytes. */
static void text_is_counted(void **state)
{
	size_t len;
	char *bytes = kit_sample("word97.doc", &len);
	struct kit kit;
	const char *said;

	(void)state;
	kit_begin(&kit);
	kit.limits.expansion = 100;
	said = kit_look(&kit, bytes, len);
	assert_non_null(strstr(said, "!expansion"));
	assert_true(strlen(said) < 4000);
	kit_end(&kit);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(real_files),
	    cmocka_unit_test(streams_are_read_at_random),
	    cmocka_unit_test(cut_files),
	    cmocka_unit_test(wrong_numbers),
	    cmocka_unit_test(text_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
