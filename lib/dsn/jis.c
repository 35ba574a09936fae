#include "lib/dsn/jis.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#define NO_TABLE ((iconv_t)-1)
#define STEP     ((size_t)512)

struct letter_jis {
	iconv_t table;
};

struct letter_jis *letter_jis_open(void)
{
	struct letter_jis *jis = malloc(sizeof *jis);

	if (jis == NULL)
		return NULL;
	jis->table = iconv_open("ISO-2022-JP", "UTF-8");
	if (jis->table == NO_TABLE) {
		free(jis);
		return NULL;
	}
	return jis;
}

void letter_jis_close(struct letter_jis *jis)
{
	if (jis == NULL)
		return;
	(void)iconv_close(jis->table);
	free(jis);
}

/* A letter that stands for one of JIS X 0208, mostly Microsoft's, and the one that libc knows. */
static const struct pair {
	char other[4], common[4];
} pairs[] = {
    {"\xef\xbd\x9e", "\xe3\x80\x9c"}, /* wave dash: U+FF5E, U+301C */
    {"\xef\xbc\x8d", "\xe2\x88\x92"}, /* minus: U+FF0D, U+2212 */
    {"\xe2\x88\xa5", "\xe2\x80\x96"}, /* double line: U+2225, U+2016 */
    {"\xe2\x80\x94", "\xe2\x80\x95"}, /* dash: U+2014, U+2015 */
    {"\xef\xbf\xa0", "\xc2\xa2"},     /* cent: U+FFE0 */
    {"\xef\xbf\xa1", "\xc2\xa3"},     /* pound: U+FFE1 */
    {"\xef\xbf\xa2", "\xc2\xac"},     /* not: U+FFE2 */
};

/* Converts what is there; false: a letter that is not, with nothing said of it. */
static bool convert(struct letter_jis *jis, char *text, size_t len, struct buf *out)
{
	while (len > 0) {
		char *to = buf_reserve(out, STEP), *at = to;
		size_t room = STEP, done;

		if (to == NULL)
			return false;
		done = iconv(jis->table, &text, &len, &at, &room);
		out->len += STEP - room;
		if (done == (size_t)-1 && errno != E2BIG)
			return false;
	}
	return true;
}

static bool to_ascii(struct letter_jis *jis, struct buf *out)
{
	char *to = buf_reserve(out, STEP), *at = to;
	size_t room = STEP;

	if (to == NULL || iconv(jis->table, NULL, NULL, &at, &room) == (size_t)-1)
		return false;
	out->len += STEP - room;
	return true;
}

/* The text with the common letters; the same length or less. */
static size_t make_common(char *text, size_t len)
{
	size_t written = 0;

	for (size_t at = 0; at < len;) {
		const struct pair *found = NULL;

		for (size_t i = 0; i < COUNT_OF(pairs); i++) {
			if (len - at >= 3 && memcmp(text + at, pairs[i].other, 3) == 0)
				found = &pairs[i];
		}
		if (found != NULL) {
			size_t n = strlen(found->common);

			memcpy(text + written, found->common, n);
			written += n;
			at += 3;
		} else {
			text[written++] = text[at++];
		}
	}
	return written;
}

bool letter_jis_add(struct letter_jis *jis, const char *text, size_t len, struct buf *out)
{
	char *copy = malloc(len + 1);
	bool fine = copy != NULL;

	if (fine) {
		memcpy(copy, text, len);
		len = make_common(copy, len);
		(void)iconv(jis->table, NULL, NULL, NULL, NULL);
		fine = convert(jis, copy, len, out) && to_ascii(jis, out);
	}
	free(copy);
	return fine && buf_ok(out);
}
