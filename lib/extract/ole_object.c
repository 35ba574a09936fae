#include <stdlib.h>
#include <string.h>

#include "lib/extract/ole.h"

#define WINDOW   ((size_t)16384)
#define NAME_MAX 4096

bool read_into_spill(struct inside *in, const struct ole_stream *stream, uint64_t at, uint64_t len,
    struct spill *spill)
{
	unsigned char bytes[WINDOW];
	uint64_t done = 0;

	while (done < len) {
		size_t now = len - done < sizeof bytes ? (size_t)(len - done) : sizeof bytes;

		if (!inside_expand(in, now, done + now, in->file.size) ||
		    !ole_read_told(in, stream, at + done, bytes, now))
			return false;
		if (!spill_write(spill, (const char *)bytes, now)) {
			inside_fault(in, EXTRACT_READ);
			return false;
		}
		done += now;
	}
	return true;
}

void read_stream_as_file(
    struct inside *in, struct ole *ole, uint32_t stream, uint64_t skip, const char *name)
{
	struct ole_stream s;
	struct spill spill;
	struct source file;

	if (!ole_open_told(in, ole, stream, &s))
		return;
	spill_begin(in->x, &spill);
	if (s.size > skip && read_into_spill(in, &s, skip, s.size - skip, &spill)) {
		file = spill_source(&spill);
		inside_file(in, &file, name);
	}
	spill_end(&spill);
	ole_stream_close(&s);
}

/* ---- packages ---- */

/* Text up to its NUL from `*at` on, which is moved behind it. False: it has no end. */
static bool read_name(const struct source *file, uint64_t *at, char *name, size_t room)
{
	ssize_t n = source_read(file, *at, name, room);
	const char *end = n > 0 ? memchr(name, '\0', (size_t)n) : NULL;

	if (end == NULL)
		return false;
	*at += (uint64_t)(end - name) + 1;
	return true;
}

/* Only the last part of a path is a name. */
static const char *last_part(const char *path)
{
	const char *last = path;

	for (const char *p = path; *p != '\0'; p++) {
		if (*p == '/' || (*p == '\\' && p[1] != '\0'))
			last = p + 1;
	}
	return last;
}

static bool read_number(const struct source *file, uint64_t *at, uint32_t *number)
{
	unsigned char bytes[4];

	if (source_read(file, *at, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
		return false;
	*number = (uint32_t)le(bytes, 4);
	*at += sizeof bytes;
	return true;
}

static void tell_package(struct inside *in, const struct source *data, const char *raw)
{
	struct extract_member member = {.size = data->size};
	struct buf name;

	buf_init(&name, MEMBER_NAME_MAX);
	member.name = member_name(raw, strlen(raw), &name);
	if (inside_member(in, &member))
		inside_file(in, data, member.name);
	buf_free(&name);
}

/*
 * What the program "Packager" makes of a file: a label, its path, where it stood for a moment, its
 * bytes. False: it is not that.
 */
static bool read_package(struct inside *in, const struct source *file)
{
	char label[NAME_MAX], path[NAME_MAX];
	uint64_t at = 2;
	uint32_t number, len;
	struct source data;

	if (!read_name(file, &at, label, sizeof label) ||
	    !read_name(file, &at, path, sizeof path) || !read_number(file, &at, &number) ||
	    !read_number(file, &at, &number))
		return false;
	at += number; /* the path once more */
	if (!read_number(file, &at, &len) || at > file->size || len > file->size - at)
		return false;
	data = source_part(file, at, len);
	tell_package(in, &data, last_part(*label != '\0' ? label : path));
	return true;
}

void read_native(struct inside *in, struct ole *ole, uint32_t stream)
{
	struct ole_stream s;
	struct spill spill;
	struct source file;

	if (!ole_open_told(in, ole, stream, &s))
		return;
	spill_begin(in->x, &spill);
	if (s.size > 4 && read_into_spill(in, &s, 4, s.size - 4, &spill)) {
		file = spill_source(&spill);
		if (!read_package(in, &file))
			inside_file(in, &file, "object");
	}
	spill_end(&spill);
	ole_stream_close(&s);
}

/* ---- OLE 1 ---- */

/* Text behind its length. False: it is too long, or not there. */
static bool read_text_1(const struct source *file, uint64_t *at, char *text, size_t room)
{
	uint32_t len;

	if (!read_number(file, at, &len) || len >= room ||
	    source_read(file, *at, text, len) != (ssize_t)len)
		return false;
	text[len] = '\0';
	*at += len;
	return true;
}

void read_ole1(struct inside *in, const struct source *file)
{
	enum { EMBEDDED = 2 };
	char class[256], other[NAME_MAX];
	uint64_t at = 0;
	uint32_t version, kind, len;
	struct source data;

	if (!read_number(file, &at, &version) || !read_number(file, &at, &kind) ||
	    !read_text_1(file, &at, class, sizeof class) ||
	    !read_text_1(file, &at, other, sizeof other) ||
	    !read_text_1(file, &at, other, sizeof other) || kind != EMBEDDED ||
	    !read_number(file, &at, &len)) {
		inside_fault(in, EXTRACT_FORMAT);
		return;
	}
	if (len > file->size - at)
		inside_fault(in, EXTRACT_DAMAGED);
	data = source_part(file, at, len);
	if (strcmp(class, "Package") == 0 && read_package(in, &data))
		return;
	inside_file(in, &data, "object");
}
