/* Windows: nothing is lost, told twice or cut, however the text comes (M2; S1-28: a number across two pieces). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/detect/window.h"

/* Puts together what was settled, and looks at what each window promises. */
struct seen {
	char *settled;
	size_t len;
	size_t windows;
	enum detect_place place;
	size_t hits; /* of the mark */
	const char *whole;
	size_t whole_len;
};

static const char mark[] = "<<mark>>";

static void look(void *context, const struct detect_window *w)
{
	struct seen *s = context;
	size_t at = 0;
	const char *found;

	assert_true(w->from <= w->settled && w->settled <= w->len && w->len <= WINDOW_SIZE);

	/* The window is a stretch of the text: `from` stands where the last one settled. */
	assert_true(s->len >= w->from);
	assert_memory_equal(s->whole + s->len - w->from, w->text, w->len);
	if (s->len > 0)
		assert_true(w->from >= WINDOW_BEFORE || w->from == s->len);
	if (s->len + w->len - w->from < s->whole_len)
		assert_true(w->len - w->settled >= WINDOW_BEHIND);

	memcpy(s->settled + s->len, w->text + w->from, w->settled - w->from);
	s->len += w->settled - w->from;
	s->windows++;
	s->place = w->place;

	while ((found = memmem(w->text + at, w->len - at, mark, sizeof(mark) - 1)) != NULL) {
		at = (size_t)(found - w->text);
		s->hits += at >= w->from && at < w->settled;
		at++;
	}
}

static void feed(const char *text, size_t len, size_t piece, struct seen *s)
{
	struct window_reader reader = {.look = look, .context = s};
	struct windows *w = windows_new(&reader, 1);

	assert_non_null(w);
	*s = (struct seen){.settled = malloc(len + 1), .whole = text, .whole_len = len};
	assert_non_null(s->settled);
	windows_begin(w, PLACE_FILES);
	for (size_t at = 0; at < len; at += piece)
		windows_feed(w, text + at, len - at < piece ? len - at : piece);
	windows_end(w);
	windows_free(w);
	assert_int_equal(s->len, len);
	assert_memory_equal(s->settled, text, len);
	free(s->settled);
}

static void test_short(void **state)
{
	struct seen s;

	(void)state;
	feed("", 0, 1, &s);
	assert_int_equal(s.windows, 0);
	feed("abc", 3, 1, &s);
	assert_int_equal(s.windows, 1);
	assert_int_equal(s.place, PLACE_FILES);
}

/* The mark stands at every place round the end of a window, and is told once. */
static void test_mark_at_the_seam(void **state)
{
	size_t len = 3 * WINDOW_SIZE;
	char *text = malloc(len);
	struct seen s;

	(void)state;
	assert_non_null(text);
	for (size_t at = WINDOW_SIZE - 2 * WINDOW_BEHIND; at < WINDOW_SIZE + 8; at += 7) {
		memset(text, 'x', len);
		memcpy(text + at, mark, sizeof(mark) - 1);
		memcpy(text + len - sizeof(mark) + 1, mark, sizeof(mark) - 1);
		feed(text, len, 4096, &s);
		assert_int_equal(s.hits, 2);
		assert_true(s.windows >= 3);
	}
	free(text);
}

/* Letters of several bytes are never cut, whatever the pieces. */
static void test_whole_letters(void **state)
{
	static const char letters[] = "あ𠮷é漢";
	size_t len = 0;
	char *text = malloc(2 * WINDOW_SIZE + sizeof(letters));
	struct seen s;

	(void)state;
	assert_non_null(text);
	for (; len < 2 * WINDOW_SIZE; len += sizeof(letters) - 1)
		memcpy(text + len, letters, sizeof(letters) - 1);
	feed(text, len, sizeof(letters) - 1, &s);
	feed(text, len, len, &s);
	free(text);
}

static void cut_look(void *context, const struct detect_window *w)
{
	bool *cut = context;

	*cut = *cut || ((unsigned char)w->text[0] & 0xC0) == 0x80;
	if (w->settled < w->len)
		*cut = *cut || ((unsigned char)w->text[w->settled] & 0xC0) == 0x80;
	*cut = *cut || ((unsigned char)w->text[w->len - 1] & 0xC0) == 0xC0;
}

static void test_edges_of_letters(void **state)
{
	bool cut = false;
	struct window_reader reader = {.look = cut_look, .context = &cut};
	struct windows *w = windows_new(&reader, 1);

	(void)state;
	assert_non_null(w);
	windows_begin(w, PLACE_BODY);
	windows_feed(w, "x", 1);
	for (size_t i = 0; i < WINDOW_SIZE; i++)
		windows_feed(w, "𠮷あé", 9);
	windows_end(w);
	windows_free(w);
	assert_false(cut);
}

/* What is no UTF-8 goes through as well: nothing loops, nothing is lost. */
static void test_bytes_without_letters(void **state)
{
	size_t len = 2 * WINDOW_SIZE + 5;
	char *text = malloc(len);
	struct seen s;

	(void)state;
	assert_non_null(text);
	memset(text, 0x80, len);
	feed(text, len, len, &s);
	feed(text, len, 3, &s);
	free(text);
}

/* A new text begins with nothing before it. */
static void test_texts_apart(void **state)
{
	struct seen s = {.settled = malloc(64), .whole = "second", .whole_len = 6};
	struct window_reader readers[] = {{.look = look, .context = &s}};
	struct windows *w = windows_new(readers, 1);

	(void)state;
	assert_non_null(w);
	windows_begin(w, PLACE_SUBJECT);
	windows_feed(w, "first", 5);
	windows_begin(w, PLACE_NAMES);
	windows_feed(w, "second", 6);
	windows_end(w);
	assert_int_equal(s.place, PLACE_NAMES);
	assert_int_equal(s.windows, 1);
	windows_end(w);
	assert_int_equal(s.windows, 1);
	windows_free(w);
	windows_free(NULL);
	free(s.settled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_short),
	    cmocka_unit_test(test_mark_at_the_seam),
	    cmocka_unit_test(test_whole_letters),
	    cmocka_unit_test(test_edges_of_letters),
	    cmocka_unit_test(test_bytes_without_letters),
	    cmocka_unit_test(test_texts_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
