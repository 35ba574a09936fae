/* For the tests of the detectors of numbers and addresses: what is found in a text, as one line. */
#ifndef SEKISHO_TESTS_NUMBERS_KIT_H
#define SEKISHO_TESTS_NUMBERS_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/detect/detect.h"

struct sought {
	struct hits *hits;
	unsigned wanted;
	char line[4096]; /* "KIND VALUE KIND VALUE" */
	const char *word;
};

static void sought_look(void *context, const struct detect_window *w)
{
	struct sought *s = context;

	if (s->wanted & ~(1U << DETECT_MAIL))
		detect_numbers(w, s->wanted, s->hits);
	if (s->wanted & 1U << DETECT_MAIL)
		detect_mail(w, s->hits);
}

static bool sought_see(void *context, const char *value, size_t len, unsigned places)
{
	struct sought *s = context;
	size_t at = strlen(s->line);

	(void)places;
	snprintf(s->line + at, sizeof(s->line) - at, "%s%s %.*s", at > 0 ? " " : "", s->word,
	    (int)len, value);
	return true;
}

/* What of `wanted` is found in normalised text; good until the next call. */
static const char *found(const char *text, size_t len, unsigned wanted)
{
	static struct sought s;
	struct window_reader reader = {.look = sought_look, .context = &s};
	struct windows *w = windows_new(&reader, 1);

	s = (struct sought){.hits = hits_new(), .wanted = wanted};
	assert_non_null(w);
	assert_non_null(s.hits);
	windows_begin(w, PLACE_BODY);
	windows_feed(w, text, len);
	windows_end(w);
	for (size_t kind = 0; kind < DETECT_KIND_COUNT; kind++) {
		s.word = detect_kind_word((enum detect_kind)kind);
		hits_each(s.hits, (enum detect_kind)kind, sought_see, &s);
	}
	hits_free(s.hits);
	windows_free(w);
	return s.line;
}

#define ALL_NUMBERS                                                                                \
	(1U << DETECT_CARD | 1U << DETECT_MYNUMBER | 1U << DETECT_CORPORATE | 1U << DETECT_PHONE)

/* A table of texts, each with what is to be found in it. */
struct text_case {
	const char *text;
	const char *found;
};

static void check_all(const struct text_case *cases, size_t n, unsigned wanted)
{
	size_t wrong = 0;

	for (size_t i = 0; i < n; i++) {
		const char *line = found(cases[i].text, strlen(cases[i].text), wanted);

		if (strcmp(line, cases[i].found) != 0) {
			print_error("%s\n    expected \"%s\"\n    found    \"%s\"\n", cases[i].text,
			    cases[i].found, line);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#endif
