/* Patterns, and what is wrong with them; regexes_scan.c searches. */
#include "lib/words/regexes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/words/regexes_inside.h"

#define OPTIONS                                                                                    \
	(PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |               \
	    PCRE2_USE_OFFSET_LIMIT)

struct regexes *regexes_new(const struct norm_tables *tables, uint32_t steps)
{
	struct regexes *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->tables = tables;
	r->steps = steps;
	return r;
}

void regexes_free(struct regexes *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++)
		pcre2_code_free(r->code[i]);
	free(r);
}

static bool blame(struct regex_fault *fault, size_t offset, const char *text)
{
	fault->offset = offset;
	(void)snprintf(fault->text, sizeof fault->text, "%s", text);
	return false;
}

/* The length of the letter at `s`; 1 for what is none, which PCRE2 refuses. */
static size_t letter_len(const char *s, size_t len)
{
	unsigned char c = (unsigned char)s[0];
	size_t n = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	return n <= len ? n : len;
}

/* A letter that normalised text has not: the pattern would look for it in vain. */
static bool letters_exist(
    const struct regexes *r, const char *pattern, size_t len, struct regex_fault *fault)
{
	struct buf normal;
	bool fine = true;

	buf_init(&normal, 1024);
	for (size_t at = 0; at < len && fine; at += letter_len(pattern + at, len - at)) {
		size_t n = letter_len(pattern + at, len - at);

		buf_clear(&normal);
		if ((unsigned char)pattern[at] < 0x80 ||
		    !norm_text(r->tables, pattern + at, n, &normal))
			continue;
		if (normal.len == n && memcmp(normal.bytes, pattern + at, n) == 0)
			continue;
		fine = false;
		fault->offset = at;
		(void)snprintf(fault->text, sizeof fault->text,
		    "%.*s never stands in the text that is searched: it is \"%.*s\" there", (int)n,
		    pattern + at, (int)normal.len, normal.len > 0 ? normal.bytes : "");
	}
	buf_free(&normal);
	return fine;
}

bool regexes_add(struct regexes *r, const char *pattern, size_t len, struct regex_fault *fault)
{
	int error = 0;
	size_t offset = 0;
	pcre2_code *code;

	if (len > REGEX_PATTERN_MAX)
		return blame(fault, REGEX_PATTERN_MAX, "the pattern is too long");
	if (r->n == REGEX_PATTERNS_MAX)
		return blame(fault, 0, "there are too many patterns");

	code = pcre2_compile((PCRE2_SPTR)pattern, len, OPTIONS, &error, &offset, NULL);
	if (code == NULL) {
		fault->offset = offset;
		(void)pcre2_get_error_message(
		    error, (PCRE2_UCHAR *)fault->text, sizeof fault->text);
		return false;
	}
	if (!letters_exist(r, pattern, len, fault)) {
		pcre2_code_free(code);
		return false;
	}
	r->compiled += pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
	r->code[r->n++] = code;
	return true;
}

size_t regexes_count(const struct regexes *r)
{
	return r->n;
}

size_t regexes_compiled(const struct regexes *r)
{
	return r->compiled;
}

/* ---- masking ---- */

static bool continues(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t regex_mask(const char *value, size_t len, char *masked, size_t room)
{
	size_t letters = 0, shown, used = 0, at = 0;

	for (size_t i = 0; i < len; i++)
		letters += !continues(value[i]);
	shown = letters / 4 < 4 ? letters / 4 : 4;

	for (size_t letter = 0; at < len; letter++) {
		size_t n = 1;
		/* Half of what is shown is in front, the odd one as well. */
		bool show = letter < (shown + 1) / 2 || letter >= letters - shown / 2;

		while (at + n < len && continues(value[at + n]))
			n++;
		if (used + (show ? n : 1) + 1 > room)
			break;
		if (show)
			memcpy(masked + used, value + at, n);
		else
			masked[used] = value[at] == '\n' ? ' ' : '*';
		used += show ? n : 1;
		at += n;
	}
	masked[used] = '\0';
	for (size_t i = 0; i < used; i++) /* evidence is one line */
		masked[i] = masked[i] == '\n' ? ' ' : masked[i];
	return used;
}
