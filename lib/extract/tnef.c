/*
 * winmail.dat: Outlook's own wrapping of attachments and text (MS-OXTNEF). A reader of the stream of
 * attributes where it stands, for the library that there is holds all of it in memory: what an
 * attachment contains is a stretch of the file, and every length is held against its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/extract/tnef.h"
#include "lib/text/charset.h"

#define SIGNATURE  UINT32_C(0x223e9f78)
#define HEAD_LEN   9 /* level, attribute, length */
#define NAME_MOST  ((size_t)65536)
#define LEVEL_MAIL 1U
#define LEVEL_FILE 2U

enum attribute {
	ATT_SUBJECT = 0x8004,
	ATT_BODY = 0x800c,
	ATT_FILE_DATA = 0x800f,
	ATT_FILE_NAME = 0x8010,
	ATT_FILE_BEGINS = 0x9002,
	ATT_PROPERTIES = 0x9003,
	ATT_FILE_PROPERTIES = 0x9005,
	ATT_CODEPAGE = 0x9007,
};

/* The sum of the attribute's bytes stands behind it; a wrong one is damage, but not the end. */
static bool right_sum(const struct source *file, uint64_t at, uint64_t len)
{
	unsigned char bytes[4096];
	uint64_t end = at + len;
	unsigned sum = 0;
	ssize_t n;

	while (at < end) {
		n = source_read(
		    file, at, bytes, end - at < sizeof bytes ? (size_t)(end - at) : sizeof bytes);
		if (n <= 0)
			return false;
		for (ssize_t i = 0; i < n; i++)
			sum += bytes[i];
		at += (uint64_t)n;
	}
	n = source_read(file, end, bytes, 2);
	return n == 2 && le(bytes, 2) == (sum & 0xffff);
}

/* The length without the NUL that ends a text, which is of two bytes in UTF-16. */
static size_t without_end(const char *bytes, size_t len, bool wide)
{
	size_t nul = wide ? 2 : 1;

	while (len >= nul && bytes[len - 1] == '\0' && bytes[len - nul] == '\0')
		len -= nul;
	return len;
}

void tnef_read_name(struct tnef *t, const struct source *value, bool wide, struct buf *name)
{
	size_t len = value->size < NAME_MOST ? (size_t)value->size : NAME_MOST;
	const char *label = wide ? "UTF-16LE" : t->codepage;
	char *bytes = malloc(len + 1);
	struct buf text;

	buf_init(&text, MEMBER_NAME_MAX);
	buf_clear(name);
	if (bytes == NULL) {
		inside_fault(t->in, EXTRACT_MEMORY);
		return;
	}
	if (source_read(value, 0, bytes, len) != (ssize_t)len)
		t->damaged = true;
	else if (!charset_convert(label, bytes, without_end(bytes, len, wide), &text))
		inside_fault(t->in, EXTRACT_MEMORY);
	else
		member_name(text.bytes, text.len, name);
	buf_free(&text);
	free(bytes);
}

/* A text of the message: to the detectors as one of its own. */
void tnef_read_text(struct tnef *t, const struct source *value, const char *label)
{
	struct charset *c = charset_open(label, inside_sink(t->in));
	char bytes[4096];
	uint64_t at = 0;
	bool wide = strcmp(label, "UTF-16LE") == 0, going = c != NULL;

	if (c == NULL)
		inside_fault(t->in, EXTRACT_MEMORY);
	while (going && at < value->size) {
		ssize_t n = source_read(value, at, bytes, sizeof bytes);
		size_t len;

		if (n <= 0)
			break;
		at += (uint64_t)n;
		len = (size_t)n;
		if (at == value->size)
			len = without_end(bytes, len, wide);
		going = charset_feed(c, bytes, len);
	}
	if (going && !charset_end(c))
		going = false;
	charset_free(c);
	inside_text_ends(t->in);
}

/* ---- attachments ------------------------------------------------------------------------------ */

void tnef_file_ends(struct tnef *t)
{
	struct extract_member member = {.size = t->data.size};
	const char *name = t->short_name.len > 0 ? t->short_name.bytes : "";

	if (!t->in_file)
		return;
	t->in_file = false;
	if (t->long_name.len > 1)
		name = t->long_name.bytes;
	member.name = name;
	if (!inside_member(t->in, &member)) {
		t->stopped = true;
		return;
	}
	if (t->has_data)
		inside_file(t->in, &t->data, name);
	else
		inside_fault_at(t->in, EXTRACT_FORMAT, name); /* a link to a file elsewhere */
}

static void file_begins(struct tnef *t)
{
	tnef_file_ends(t);
	t->in_file = true;
	t->has_data = false;
	t->data = source_part(&t->in->file, 0, 0);
	buf_clear(&t->short_name);
	buf_clear(&t->long_name);
}

/* ---- attributes ------------------------------------------------------------------------------- */

static void see_codepage(struct tnef *t, const struct source *value)
{
	unsigned char bytes[4];

	if (source_read(value, 0, bytes, 4) != 4)
		return;
	(void)snprintf(t->codepage, sizeof t->codepage, "windows-%u", (unsigned)le(bytes, 4));
	if (le(bytes, 4) == 65001)
		(void)snprintf(t->codepage, sizeof t->codepage, "UTF-8");
	else if (le(bytes, 4) == 932)
		(void)snprintf(t->codepage, sizeof t->codepage, "Shift_JIS");
	if (!charset_known(t->codepage))
		t->codepage[0] = '\0';
}

static void see_attribute(struct tnef *t, unsigned attribute, const struct source *value)
{
	switch (attribute) {
	case ATT_CODEPAGE:
		see_codepage(t, value);
		break;
	case ATT_SUBJECT:
	case ATT_BODY:
		tnef_read_text(t, value, t->codepage);
		break;
	case ATT_FILE_BEGINS:
		file_begins(t);
		break;
	case ATT_FILE_NAME:
		tnef_read_name(t, value, false, &t->short_name);
		break;
	case ATT_FILE_DATA:
		if (!t->in_file)
			file_begins(t);
		t->data = *value;
		t->has_data = true;
		break;
	case ATT_PROPERTIES:
	case ATT_FILE_PROPERTIES:
		if (!tnef_properties(t, value, attribute == ATT_FILE_PROPERTIES))
			t->damaged = true;
		break;
	default: /* dates, senders, flags */
		break;
	}
}

static void read_attributes(struct tnef *t)
{
	const struct source *file = &t->in->file;
	uint64_t at = 6; /* signature and key */

	while (!t->stopped && at < file->size) {
		unsigned char head[HEAD_LEN];
		ssize_t n = source_read(file, at, head, sizeof head);
		uint64_t len = le(head + 5, 4);
		struct source value;

		if (n < (ssize_t)sizeof head || (head[0] != LEVEL_MAIL && head[0] != LEVEL_FILE)) {
			t->damaged = true;
			break;
		}
		at += HEAD_LEN;
		if (len > file->size - at || file->size - at - len < 2) {
			/* Past the end: what there is of it is looked at all the same. */
			t->damaged = true;
			len = file->size - at;
		} else if (!right_sum(file, at, len)) {
			t->damaged = true;
		}
		value = source_part(file, at, len);
		see_attribute(t, (unsigned)le(head + 1, 2), &value);
		at += len + 2;
	}
	if (!t->stopped)
		tnef_file_ends(t);
}

void read_tnef(struct inside *in)
{
	struct tnef t = {.in = in};

	buf_init(&t.short_name, MEMBER_NAME_MAX);
	buf_init(&t.long_name, MEMBER_NAME_MAX);
	read_attributes(&t);
	if (t.damaged)
		inside_fault(in, EXTRACT_DAMAGED);
	buf_free(&t.short_name);
	buf_free(&t.long_name);
}
