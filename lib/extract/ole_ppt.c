/* PowerPoint 97 and later (MS-PPT): records within records; the text stands in atoms. */
#include <stdlib.h>

#include <zlib.h>

#include "lib/extract/ole.h"

#define WINDOW        ((size_t)16384)
#define TEXT_CHARS    0x0fa0
#define TEXT_BYTES    0x0fa8
#define STRING        0x0fba
#define OBJECT        0x1011
#define CRYPT_SESSION 0x2f14
#define TOKEN_CRYPT   UINT32_C(0xf3d1c4df)
#define CONTAINER     0x0f

struct ppt {
	struct inside *in;
	struct ole_stream stream;
	struct wide out;
	unsigned char bytes[WINDOW];
	char made[WINDOW];
};

/* The stream "Current User" says it first (2.3.2). */
static bool is_encrypted(struct inside *in, struct ole *ole, uint32_t storage)
{
	uint32_t user = ole_find(ole, storage, "Current User");
	struct ole_stream s;
	unsigned char head[16];
	bool encrypted = false;

	if (user == OLE_NONE || !ole_open_told(in, ole, user, &s))
		return false;
	if (ole_read(&s, 0, head, sizeof head) == (ssize_t)sizeof head)
		encrypted = le(head + 12, 4) == TOKEN_CRYPT;
	ole_stream_close(&s);
	return encrypted;
}

/* Text of `len` bytes; a paragraph ends with CR, a line with VT. False: stop. */
static bool read_letters(struct ppt *p, uint64_t at, uint32_t len, bool wide)
{
	while (len > (wide ? 1 : 0)) {
		size_t now = len < sizeof p->bytes ? len : sizeof p->bytes;

		now -= wide ? now % 2 : 0;
		if (!ole_read_told(p->in, &p->stream, at, p->bytes, now))
			return false;
		for (size_t i = 0; i < now; i += wide ? 2 : 1) {
			uint32_t unit = p->bytes[i];

			if (wide)
				unit |= (uint32_t)p->bytes[i + 1] << 8;
			wide_unit(&p->out, unit == '\r' || unit == 0x0b ? '\n' : unit);
		}
		at += now;
		len -= (uint32_t)now;
	}
	wide_unit(&p->out, '\n');
	return !p->out.refused;
}

/* ---- objects ---- */

/* Unpacks what stands from `at` on into the spill. False: stopped, the fault is told. */
static bool unpack(struct ppt *p, uint64_t at, uint32_t len, struct spill *spill)
{
	z_stream z = {.avail_in = 0};
	int done = Z_OK;
	bool good = inflateInit(&z) == Z_OK;

	if (!good) {
		inside_fault(p->in, EXTRACT_MEMORY);
		return false;
	}
	while (good && done != Z_STREAM_END) {
		size_t made;

		if (z.avail_in == 0) {
			size_t now = len < sizeof p->bytes ? len : sizeof p->bytes;

			good = now > 0 && ole_read_told(p->in, &p->stream, at, p->bytes, now);
			if (now == 0)
				inside_fault(p->in, EXTRACT_DAMAGED);
			z.next_in = p->bytes;
			z.avail_in = (unsigned)now;
			at += now;
			len -= (uint32_t)now;
		}
		z.next_out = (unsigned char *)p->made;
		z.avail_out = sizeof p->made;
		done = good ? inflate(&z, Z_NO_FLUSH) : Z_DATA_ERROR;
		if (good && done != Z_OK && done != Z_STREAM_END && done != Z_BUF_ERROR) {
			inside_fault(p->in, EXTRACT_DAMAGED);
			good = false;
		}
		made = sizeof p->made - z.avail_out;
		good = good && inside_expand(p->in, made, z.total_out, z.total_in);
		if (good && !spill_write(spill, p->made, made)) {
			inside_fault(p->in, EXTRACT_READ);
			good = false;
		}
	}
	(void)inflateEnd(&z);
	return good;
}

/* A compound file of its own, mostly compressed behind its size (2.10.34). */
static void read_object(struct ppt *p, uint64_t at, uint32_t len, bool compressed)
{
	struct spill spill;
	struct source file;

	if (!wide_flush(&p->out))
		return;
	spill_begin(p->in->x, &spill);
	if (compressed ? len > 4 && unpack(p, at + 4, len - 4, &spill)
		       : read_into_spill(p->in, &p->stream, at, len, &spill)) {
		file = spill_source(&spill);
		inside_file(p->in, &file, "object");
	}
	spill_end(&spill);
}

/* ---- records ---- */

/* One record (2.3.1); `*at` is moved behind it, or into it. False: stop. */
static bool read_record(struct ppt *p, uint64_t *at)
{
	unsigned char head[8];
	uint32_t kind, type, len;
	uint64_t start;

	if (!ole_read_told(p->in, &p->stream, *at, head, sizeof head))
		return false;
	kind = (uint32_t)le(head, 2);
	type = (uint32_t)le(head + 2, 2);
	len = (uint32_t)le(head + 4, 4);
	start = *at += sizeof head;
	if (len > p->stream.size - start) {
		inside_fault(p->in, EXTRACT_DAMAGED);
		return false;
	}
	if ((kind & 0x0f) == CONTAINER)
		return true;
	*at += len;
	if (type == TEXT_CHARS || type == STRING)
		return read_letters(p, start, len, true);
	if (type == TEXT_BYTES)
		return read_letters(p, start, len, false);
	if (type == OBJECT)
		read_object(p, start, len, kind >> 4 == 1);
	return !p->out.refused;
}

void read_ppt(struct inside *in, struct ole *ole, uint32_t storage)
{
	uint64_t at = 0;
	struct ppt *p;

	if (is_encrypted(in, ole, storage)) {
		ole_is_encrypted(in, storage);
		return;
	}
	if (!in->deep)
		return;
	p = malloc(sizeof *p);
	if (p == NULL) {
		inside_fault(in, EXTRACT_MEMORY);
		return;
	}
	p->in = in;
	if (ole_open_told(in, ole, ole_find(ole, storage, "PowerPoint Document"), &p->stream)) {
		wide_begin(&p->out, inside_sink(in));
		while (p->stream.size - at >= 8 && read_record(p, &at))
			;
		(void)!wide_flush(&p->out);
		ole_stream_close(&p->stream);
	}
	free(p);
}
