/*
 * PDF: its text comes from a converter; here it is only searched for two words of its structure
 * (ISO 32000-1). Both stand in dictionaries that no PDF can compress: the trailer or the dictionary
 * of a cross-reference stream, and that of a stream that holds a file.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/extract/state.h"

#define WINDOW   ((size_t)65536)
#define NAME_MAX 48 /* "/EmbeddedFiles", each letter as "#45" */

struct marks {
	bool encrypt; /* a name /Encrypt: 7.6.1 */
	bool files;   /* files are embedded: 7.11.4 */
};

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A name ends at white space or at a delimiter (7.2.2). */
static bool ends_name(unsigned char c)
{
	return c <= ' ' || strchr("()<>[]{}/%", c) != NULL;
}

/* The name behind a '/', with its "#xx" decoded (7.3.5): at most `room` letters of it. */
static size_t read_name(const char *at, size_t len, char *name, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < room && !ends_name((unsigned char)at[i]); i++) {
		int high = -1, low = -1;

		if (at[i] == '#' && len - i > 2) {
			high = hex_digit((unsigned char)at[i + 1]);
			low = hex_digit((unsigned char)at[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			name[n++] = (char)(high << 4 | low);
			i += 2;
		} else {
			name[n++] = at[i];
		}
	}
	return n;
}

static bool is_name(const char *name, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(name, word, len) == 0;
}

/* Looks at every name that begins in the first `begins` of `len` bytes. */
static void look(struct marks *marks, const char *bytes, size_t begins, size_t len)
{
	const char *at = bytes, *end = bytes + begins;

	while (at < end && (at = memchr(at, '/', (size_t)(end - at))) != NULL) {
		char name[16];
		size_t n = read_name(at + 1, len - (size_t)(at + 1 - bytes), name, sizeof name);

		if (is_name(name, n, "Encrypt"))
			marks->encrypt = true;
		else if (is_name(name, n, "EmbeddedFile") || is_name(name, n, "EmbeddedFiles") ||
			 is_name(name, n, "EF"))
			marks->files = true;
		at++;
	}
}

/* False: the file could not be read, or no memory. */
static bool find_marks(struct inside *in, struct marks *marks)
{
	char *bytes = malloc(WINDOW + NAME_MAX);
	uint64_t at = 0;
	bool good = bytes != NULL;

	if (bytes == NULL)
		inside_fault(in, EXTRACT_MEMORY);
	while (good && at < in->file.size) {
		ssize_t n = source_read(&in->file, at, bytes, WINDOW + NAME_MAX);

		if (n < 0) {
			inside_fault(in, EXTRACT_READ);
			good = false;
		} else {
			look(marks, bytes, (size_t)n < WINDOW ? (size_t)n : WINDOW, (size_t)n);
			at += WINDOW;
		}
	}
	free(bytes);
	return good;
}

static bool drop(void *context, const char *bytes, size_t len)
{
	(void)context;
	(void)bytes;
	(void)len;
	return true;
}

/*
 * A PDF with a password of its owner alone opens for everybody, and is not "encrypted" to its
 * recipient: the tool, which opens it or does not, decides. So one that has /Encrypt goes to it even
 * when no text is wanted.
 */
static void have_converted(struct inside *in, bool has_encrypt)
{
	const struct extract_told *told = &in->x->setup.told;
	struct sink out = in->deep ? inside_sink(in) : (struct sink){drop, NULL};
	bool encrypted = false, done = false;

	in->found->encrypted = has_encrypt ? ENCRYPTED_UNKNOWN : ENCRYPTED_NO;
	if (in->file.size > in->x->setup.limits.convert) {
		inside_fault(in, EXTRACT_SIZE);
		return;
	}
	if (told->convert != NULL)
		done = told->convert(told->context, CONVERT_PDF, &in->file, out, &encrypted);
	if (encrypted) {
		in->found->encrypted = ENCRYPTED_ALL;
		inside_fault(in, EXTRACT_ENCRYPTED);
	} else if (done) {
		in->found->encrypted = ENCRYPTED_NO;
	} else {
		inside_fault(in, EXTRACT_CONVERTER);
	}
}

void read_pdf(struct inside *in)
{
	struct marks marks = {false, false};

	if (!find_marks(in, &marks)) {
		in->found->encrypted = ENCRYPTED_UNKNOWN;
		return;
	}
	if (in->deep || marks.encrypt)
		have_converted(in, marks.encrypt);
	/* They are compressed streams like all others: nothing here takes them out. */
	if (marks.files)
		inside_fault(in, EXTRACT_FORMAT);
}
