/*
 * A pattern (the first line) and a text: whole or in pieces the same is found, a limit ends the search
 * in time, and a masked value shows at most four letters. The first byte chooses the pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/words/regexes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ALL         ((1u << PLACE_COUNT) - 1)
#define PATTERN_MAX 200

static bool check_masked(void *context, const char *masked, size_t len)
{
	size_t shown = 0;

	(void)context;
	for (size_t i = 0; i < len; i++)
		shown += masked[i] != '*' && masked[i] != ' ' &&
			 ((unsigned char)masked[i] & 0xc0) != 0x80;
	if (len >= REGEX_SHOWN_MAX || strlen(masked) != len || memchr(masked, '\n', len) != NULL)
		abort();
	if (shown > 4) /* a line's end is shown as a blank */
		abort();
	return true;
}

static void search(struct regex_scan *s, const struct buf *text, size_t piece)
{
	regex_scan_begin(s, PLACE_BODY);
	for (size_t at = 0; at < text->len; at += piece)
		regex_scan_feed(s, text->bytes + at,
		    piece < text->len - at ? piece : text->len - at, at % 2 == 0);
	regex_scan_end(s);
	if (regex_distinct(s, 0, ALL, true) > regex_all(s, 0, ALL, true) ||
	    regex_all(s, 0, ALL, false) > regex_all(s, 0, ALL, true))
		abort();
	regex_each(s, 0, check_masked, NULL);
}

static void compare(const struct regexes *r, const struct buf *text, size_t piece)
{
	struct regex_scan *whole = regex_scan_open(r, 3), *pieces = regex_scan_open(r, 3);

	if (whole == NULL || pieces == NULL)
		abort();
	search(whole, text, text->len + 1);
	search(pieces, text, piece);
	/* What a limit of time ends may end elsewhere. */
	if (regex_limit(whole, 0) == 0 && regex_limit(pieces, 0) == 0 &&
	    regex_all(whole, 0, ALL, true) != regex_all(pieces, 0, ALL, true))
		abort();
	regex_scan_free(whole);
	regex_scan_free(pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct norm_tables *tables;
	const char *pattern = (const char *)data + 1, *line;
	struct regex_fault fault;
	struct regexes *r;
	struct buf text;

	if (tables == NULL)
		tables = norm_prepare();
	if (tables == NULL || size < 2 || size > 4096)
		return 0;
	line = memchr(pattern, '\n', size - 1);
	if (line == NULL || line - pattern > PATTERN_MAX)
		return 0;

	r = regexes_new(tables, 1000);
	if (r == NULL)
		abort();
	buf_init(&text, size * 24);
	if (!norm_text(tables, line + 1, (size_t)((const char *)data + size - line - 1), &text))
		abort();
	if (!regexes_add(r, pattern, (size_t)(line - pattern), &fault)) {
		if (fault.offset > (size_t)(line - pattern) ||
		    memchr(fault.text, '\0', sizeof fault.text) == NULL)
			abort();
	} else {
		compare(r, &text, data[0] % 31 + 1u);
	}
	regexes_free(r);
	buf_free(&text);
	return 0;
}
