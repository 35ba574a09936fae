#include "lib/inspect/unclear.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SMALL_SHARE 20 /* one letter in so many may fail: a byte that was lost on its way */
#define FEW         1  /* and one in any case */
#define HEAD        ((size_t)65536)

static bool many(uint64_t failures, uint64_t letters)
{
	return failures > FEW && failures > letters / SMALL_SHARE;
}

/* Charsets that write other letters with those of ASCII: a guess would take them for plain. */
static bool hides_in_ascii(const char *label)
{
	static const char *const begins[] = {
	    "hz", "iso-2022-", "imap", "x-imap", "utf-5", "utf-7-", "scsu", "bocu"};

	for (size_t i = 0; i < COUNT_OF(begins); i++) {
		if (strncasecmp(label, begins[i], strlen(begins[i])) == 0)
			return true;
	}
	return false;
}

static bool is_plain(const struct charset *c)
{
	return strcmp(charset_name(c), "us-ascii") == 0 || strcmp(charset_name(c), "utf-8") == 0;
}

bool charset_unclear(const char *label, const struct charset *c, uint64_t letters)
{
	if (*label != '\0' && !charset_known(label) && (!is_plain(c) || hides_in_ascii(label)))
		return true;
	return many(charset_failures(c), letters);
}

bool charset_bruised(const struct charset *c, uint64_t letters)
{
	return strcmp(charset_name(c), "utf-8") == 0 && charset_failures(c) <= FEW &&
	       letters > SMALL_SHARE;
}

uint64_t letters_in(const char *utf8, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)utf8[i] & 0xC0) != 0x80;
	return n;
}

bool text_unclear(const char *utf8, size_t len)
{
	uint64_t failures = 0;

	for (size_t i = 0; i + 3 <= len; i++)
		failures += memcmp(utf8 + i, "\xEF\xBF\xBD", 3) == 0;
	return many(failures, letters_in(utf8, len));
}

bool text_guessed(const char *utf8, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)utf8[i] >= 0x80)
			return true;
	}
	return false;
}

static bool count_letters(void *context, const char *utf8, size_t len)
{
	uint64_t *letters = context;

	*letters += letters_in(utf8, len);
	return true;
}

bool file_unclear(const char *label, const struct source *file)
{
	size_t most = file->size < HEAD ? (size_t)file->size : HEAD;
	uint64_t letters = 0;
	struct charset *c;
	char *head;
	ssize_t n;
	bool unclear = true;

	if (*label == '\0' || charset_known(label))
		return false;
	c = charset_open(label, (struct sink){count_letters, &letters});
	head = malloc(most + 1);
	n = c != NULL && head != NULL ? source_read(file, 0, head, most) : -1;
	if (n >= 0 && charset_feed(c, head, (size_t)n) && charset_end(c))
		unclear = charset_unclear(label, c, letters);
	free(head);
	charset_free(c);
	return unclear;
}
