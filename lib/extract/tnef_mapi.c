/* Properties within winmail.dat (MS-OXTNEF 2.1.3.4), and text that is compressed (MS-OXRTFCP). */
#include <stdlib.h>
#include <string.h>

#include "lib/extract/tnef.h"

enum kind {
	KIND_SHORT = 0x0002,
	KIND_LONG = 0x0003,
	KIND_FLOAT = 0x0004,
	KIND_DOUBLE = 0x0005,
	KIND_CURRENCY = 0x0006,
	KIND_APPTIME = 0x0007,
	KIND_ERROR = 0x000a,
	KIND_BOOLEAN = 0x000b,
	KIND_OBJECT = 0x000d,
	KIND_LONGLONG = 0x0014,
	KIND_STRING = 0x001e,
	KIND_UNICODE = 0x001f,
	KIND_TIME = 0x0040,
	KIND_GUID = 0x0048,
	KIND_BINARY = 0x0102,
	KIND_MANY = 0x1000,
};

enum property {
	PROPERTY_SUBJECT = 0x0037,
	PROPERTY_BODY = 0x1000,
	PROPERTY_RTF = 0x1009,
	PROPERTY_HTML = 0x1013,
	PROPERTY_DISPLAY_NAME = 0x3001,
	PROPERTY_DATA = 0x3701,
	PROPERTY_FILE_NAME = 0x3704,
	PROPERTY_LONG_NAME = 0x3707,
	PROPERTY_NAMED = 0x8000, /* and above: a name stands before the value */
};

#define GUID_LEN 16

struct reader {
	const struct source *file;
	uint64_t at;
	bool bad;
};

static uint64_t number(struct reader *r, unsigned n)
{
	unsigned char bytes[8];

	if (r->bad || source_read(r->file, r->at, bytes, n) != (ssize_t)n) {
		r->bad = true;
		return 0;
	}
	r->at += n;
	return le(bytes, n);
}

static void skip(struct reader *r, uint64_t len)
{
	if (r->bad || r->at > r->file->size || len > r->file->size - r->at)
		r->bad = true;
	else
		r->at += len;
}

/* A value whose length stands before it; it fills up to a multiple of four bytes. */
static struct source sized(struct reader *r)
{
	uint64_t len = number(r, 4);
	struct source value = source_part(r->file, r->at, len);
	uint64_t whole = len + (4 - len % 4) % 4;

	/* The last one may lack what fills it. */
	if (!r->bad && whole > r->file->size - r->at && len <= r->file->size - r->at)
		whole = r->file->size - r->at;
	skip(r, whole);
	return value;
}

/* ---- compressed text -------------------------------------------------------------------------- */

#define WINDOW 4096U
#define PRELOADED                                                                                  \
	"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss "           \
	"\\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier"              \
	"{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"

struct rtf {
	struct reader r;
	struct unpacking u;
	char window[WINDOW];
	unsigned at; /* where the next letter goes in it */
	char out[WINDOW];
	size_t out_len;
	bool stopped;
};

static void flush(struct rtf *z)
{
	struct sink sink = unpack_sink(&z->u);

	if (z->out_len > 0 && !z->stopped && !sink_put(&sink, z->out, z->out_len))
		z->stopped = true;
	z->out_len = 0;
}

static void letter(struct rtf *z, char c)
{
	z->window[z->at] = c;
	z->at = (z->at + 1) % WINDOW;
	z->out[z->out_len++] = c;
	if (z->out_len == sizeof z->out)
		flush(z);
}

/* Letters, and copies out of the last 4096 of them; one to itself ends it. */
static void unpack_rtf(struct rtf *z)
{
	while (!z->r.bad && !z->stopped) {
		unsigned flags = (unsigned)number(&z->r, 1);

		for (unsigned bit = 0; bit < 8 && !z->r.bad && !z->stopped; bit++) {
			unsigned from, n;

			if ((flags >> bit & 1) == 0) {
				char c = (char)number(&z->r, 1);

				if (!z->r.bad)
					letter(z, c);
				continue;
			}
			from = (unsigned)number(&z->r, 1) << 8;
			from |= (unsigned)number(&z->r, 1);
			n = (from & 15) + 2;
			from >>= 4;
			if (z->r.bad || from == z->at)
				return;
			while (n-- > 0) {
				letter(z, z->window[from]);
				from = (from + 1) % WINDOW;
			}
		}
	}
}

/* The sizes, how it is compressed, a sum; then the text. */
static bool read_rtf_body(struct tnef *t, const struct source *value)
{
	struct rtf *z = calloc(1, sizeof *z);
	bool fine;

	if (z == NULL) {
		inside_fault(t->in, EXTRACT_MEMORY);
		return true;
	}
	z->r.file = value;
	z->u.in = t->in;
	skip(&z->r, 8);
	if (number(&z->r, 4) == UINT32_C(0x414c454d)) { /* "MELA": as it is */
		struct source plain = source_part(value, 16, value->size);

		inside_file(t->in, &plain, "");
		free(z);
		return true;
	}
	skip(&z->r, 4);
	memcpy(z->window, PRELOADED, sizeof PRELOADED - 1);
	z->at = sizeof PRELOADED - 1;

	unpack_begin(&z->u);
	unpack_rtf(z);
	flush(z);
	fine = !z->r.bad;
	if (!z->stopped && z->u.size > 0)
		unpack_look(&z->u, "");
	unpack_end(&z->u);
	free(z);
	return fine;
}

/* ---- properties ------------------------------------------------------------------------------- */

/* An object stands behind the GUID of its kind: a message is TNEF again, a storage is OLE. */
static struct source without_guid(const struct source *value, unsigned kind)
{
	if (kind != KIND_OBJECT)
		return *value;
	return source_part(value, GUID_LEN, value->size);
}

static void see_of_file(struct tnef *t, unsigned id, unsigned kind, const struct source *value)
{
	bool wide = kind == KIND_UNICODE;

	if (id == PROPERTY_LONG_NAME)
		tnef_read_name(t, value, wide, &t->long_name);
	else if ((id == PROPERTY_FILE_NAME || id == PROPERTY_DISPLAY_NAME) &&
		 t->long_name.len <= 1 && t->short_name.len <= 1)
		tnef_read_name(t, value, wide, &t->short_name);
	else if (id == PROPERTY_DATA && !(t->has_data && t->data.size > 0)) {
		t->data = without_guid(value, kind);
		t->has_data = true;
	}
}

static bool see_of_mail(struct tnef *t, unsigned id, unsigned kind, const struct source *value)
{
	const char *label = kind == KIND_UNICODE ? "UTF-16LE" : t->codepage;

	if (id == PROPERTY_SUBJECT || id == PROPERTY_BODY)
		tnef_read_text(t, value, label);
	else if (id == PROPERTY_HTML)
		inside_file(t->in, value, "body.html");
	else if (id == PROPERTY_RTF)
		return read_rtf_body(t, value);
	return true;
}

/* How long a value of this kind is, 0: its length stands before it; it fills to four bytes. */
static uint64_t fixed_len(unsigned kind, bool *known)
{
	*known = true;
	switch (kind) {
	case KIND_SHORT:
	case KIND_LONG:
	case KIND_FLOAT:
	case KIND_ERROR:
	case KIND_BOOLEAN:
		return 4;
	case KIND_DOUBLE:
	case KIND_CURRENCY:
	case KIND_APPTIME:
	case KIND_LONGLONG:
	case KIND_TIME:
		return 8;
	case KIND_GUID:
		return GUID_LEN;
	case KIND_OBJECT:
	case KIND_STRING:
	case KIND_UNICODE:
	case KIND_BINARY:
		return 0;
	default:
		*known = false;
		return 0;
	}
}

/* A name of its own: a GUID, then a number or a text. */
static void skip_name(struct reader *r)
{
	skip(r, GUID_LEN);
	if (number(r, 4) == 0)
		skip(r, 4);
	else
		(void)sized(r);
}

/* False: not a kind of value that there is; nothing behind it can be read. */
static bool read_property(struct tnef *t, struct reader *r, bool of_file)
{
	unsigned kind = (unsigned)number(r, 2), id = (unsigned)number(r, 2);
	bool many = (kind & KIND_MANY) != 0, known;
	uint64_t len, count = 1;

	kind &= ~(unsigned)KIND_MANY;
	if (id >= PROPERTY_NAMED)
		skip_name(r);
	len = fixed_len(kind, &known);
	if (!known)
		return false;
	if (len == 0 || many)
		count = number(r, 4);
	for (; count > 0 && !r->bad; count--) {
		struct source value;

		if (len > 0) {
			skip(r, len);
			continue;
		}
		value = sized(r);
		if (of_file)
			see_of_file(t, id, kind, &value);
		else if (!see_of_mail(t, id, kind, &value))
			t->damaged = true;
	}
	return true;
}

bool tnef_properties(struct tnef *t, const struct source *value, bool of_file)
{
	struct reader r = {.file = value};
	uint64_t count = number(&r, 4);

	for (; count > 0 && !r.bad; count--) {
		if (!read_property(t, &r, of_file))
			return false;
	}
	return !r.bad;
}
