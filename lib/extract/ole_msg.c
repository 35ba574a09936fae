/* A message as Outlook saves it (MS-OXMSG): each property is a stream that has its number as name. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/extract/ole.h"
#include "lib/extract/tnef.h"
#include "lib/text/charset.h"

#define WINDOW      ((size_t)16384)
#define KIND_WIDE   0x001f
#define KIND_BYTES  0x001e
#define KIND_BINARY 0x0102
#define KIND_OBJECT 0x000d
#define NAME_ROOM   ((size_t)4096)

#define SUBJECT      0x0037
#define SENDER_NAME  0x0c1a
#define SENDER_MAIL  0x0c1f
#define SENDER_SMTP  0x5d01
#define SHOWN_BCC    0x0e02
#define SHOWN_CC     0x0e03
#define SHOWN_TO     0x0e04
#define BODY         0x1000
#define RTF          0x1009
#define HTML         0x1013
#define DISPLAY_NAME 0x3001
#define MAIL         0x3003
#define SMTP         0x39fe
#define DATA         0x3701
#define SHORT_NAME   0x3704
#define LONG_NAME    0x3707
#define CODE_PAGE    0x3ffd

struct property {
	uint32_t stream;
	unsigned kind;
};

struct message {
	struct inside *in;
	struct ole *ole;
	char label[32]; /* of texts in bytes */
};

/* The property of that number in a storage, "__substg1.0_0037001F"; `kind` 0: a text. */
static bool find(
    const struct message *m, uint32_t storage, unsigned id, unsigned kind, struct property *p)
{
	static const unsigned kinds[] = {KIND_WIDE, KIND_BYTES};
	char name[33];

	for (size_t i = 0; i < (kind == 0 ? COUNT_OF(kinds) : 1); i++) {
		uint32_t stream;

		p->kind = kind == 0 ? kinds[i] : kind;
		(void)snprintf(name, sizeof name, "__substg1.0_%04X%04X", id, p->kind);
		stream = ole_find(m->ole, storage, name);
		if (stream != OLE_NONE) {
			p->stream = stream;
			return true;
		}
	}
	return false;
}

/* ---- texts ---- */

/* Whatever takes the bytes of a text. */
struct taker {
	struct charset *charset; /* of bytes; NULL: they are UTF-16 */
	struct wide wide;
};

/* Texts of Outlook end with a NUL, or do not. */
static bool take(struct taker *t, const char *bytes, size_t len, bool last)
{
	if (t->charset == NULL) {
		wide_units(&t->wide, (const unsigned char *)bytes, len / 2);
		return !t->wide.refused;
	}
	while (last && len > 0 && bytes[len - 1] == '\0')
		len--;
	return len == 0 || charset_feed(t->charset, bytes, len);
}

/* Reads the stream as far as `most` bytes. */
static void feed(struct message *m, const struct property *p, uint64_t most, struct taker *t)
{
	struct ole_stream s;
	char bytes[WINDOW];
	bool good = true;
	uint64_t size;

	if (!ole_open_told(m->in, m->ole, p->stream, &s))
		return;
	size = s.size < most ? s.size : most;
	for (uint64_t at = 0; at < size && good;) {
		size_t n = size - at < sizeof bytes ? (size_t)(size - at) : sizeof bytes;

		at += n;
		good = inside_expand(m->in, n, at, m->in->file.size) &&
		       ole_read_told(m->in, &s, at - n, bytes, n) && take(t, bytes, n, at == size);
	}
	ole_stream_close(&s);
}

static void read_property(
    struct message *m, const struct property *p, uint64_t most, struct sink out)
{
	struct taker *t = malloc(sizeof *t);
	bool wide = p->kind == KIND_WIDE;

	if (t != NULL) {
		wide_begin(&t->wide, out);
		t->charset = wide ? NULL : charset_open(m->label, out);
	}
	if (t == NULL || (!wide && t->charset == NULL)) {
		inside_fault(m->in, EXTRACT_MEMORY);
	} else {
		feed(m, p, most, t);
		(void)!(wide ? wide_flush(&t->wide) : charset_end(t->charset));
		charset_free(t->charset);
	}
	free(t);
}

/* The text of a property, in lines of its own. */
static void put_text(struct message *m, uint32_t storage, unsigned id)
{
	struct property p;

	if (!find(m, storage, id, 0, &p))
		return;
	read_property(m, &p, UINT64_MAX, inside_sink(m->in));
	(void)!inside_text(m->in, "\n", 1);
}

static bool into_buf(void *context, const char *bytes, size_t len)
{
	struct buf *b = context;

	buf_add(b, bytes, len);
	return buf_ok(b);
}

/* A short text, NUL-ended; "" if there is none. */
static void short_text(struct message *m, uint32_t storage, unsigned id, struct buf *name)
{
	struct property p;
	struct buf raw;

	buf_clear(name);
	buf_init(&raw, 4 * NAME_ROOM);
	if (find(m, storage, id, 0, &p))
		read_property(m, &p, NAME_ROOM, (struct sink){into_buf, &raw});
	while (raw.len > 0 && raw.bytes[raw.len - 1] == '\0')
		raw.len--;
	(void)member_name(raw.len > 0 ? raw.bytes : "", raw.len, name);
	buf_free(&raw);
}

/* ---- bodies ---- */

static bool add_number(struct spill *spill, unsigned n, uint64_t number)
{
	char bytes[4];

	for (unsigned i = 0; i < n; i++)
		bytes[i] = (char)(number >> (8 * i));
	return spill_write(spill, bytes, n);
}

/*
 * Compressed text is the same as in winmail.dat, and whoever reads that reads it: a list of one
 * property (MS-OXTNEF 2.1.3.4).
 */
static void read_rtf_body(struct message *m, const struct property *p)
{
	struct tnef t = {.in = m->in};
	struct ole_stream s;
	struct spill spill;
	struct source value;

	if (!ole_open_told(m->in, m->ole, p->stream, &s))
		return;
	buf_init(&t.short_name, MEMBER_NAME_MAX);
	buf_init(&t.long_name, MEMBER_NAME_MAX);
	spill_begin(m->in->x, &spill);
	if (add_number(&spill, 4, 1) && add_number(&spill, 2, KIND_BINARY) &&
	    add_number(&spill, 2, RTF) && add_number(&spill, 4, 1) &&
	    add_number(&spill, 4, s.size) && read_into_spill(m->in, &s, 0, s.size, &spill) &&
	    add_number(&spill, 4, 0)) {
		value = spill_source(&spill);
		if (!tnef_properties(&t, &value, false) || t.damaged)
			inside_fault(m->in, EXTRACT_DAMAGED);
	}
	spill_end(&spill);
	buf_free(&t.short_name);
	buf_free(&t.long_name);
	ole_stream_close(&s);
}

/* All there are: which of them is shown is for the reader's program to choose. */
static void read_bodies(struct message *m, uint32_t storage)
{
	struct property p;

	put_text(m, storage, BODY);
	inside_text_ends(m->in);
	if (find(m, storage, HTML, KIND_BINARY, &p))
		read_stream_as_file(m->in, m->ole, p.stream, 0, "body.html");
	if (find(m, storage, HTML, 0, &p))
		put_text(m, storage, HTML);
	if (find(m, storage, RTF, KIND_BINARY, &p))
		read_rtf_body(m, &p);
}

/* ---- attachments ---- */

static void attachment_name(struct message *m, uint32_t storage, struct buf *name)
{
	static const unsigned ids[] = {LONG_NAME, SHORT_NAME, DISPLAY_NAME};

	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		short_text(m, storage, ids[i], name);
		if (name->len > 1)
			return;
	}
}

/* Messages and objects within it are storages of their own, and are come to as those. */
static void read_attachment(struct message *m, uint32_t storage)
{
	struct extract_member member = {.size = 0};
	struct property p;
	struct buf name;
	bool has_data = find(m, storage, DATA, KIND_BINARY, &p);

	buf_init(&name, MEMBER_NAME_MAX);
	attachment_name(m, storage, &name);
	member.name = buf_ok(&name) && name.len > 0 ? name.bytes : "";
	if (has_data)
		member.size = ole_entry(m->ole, p.stream)->size;
	if (inside_member(m->in, &member)) {
		if (has_data)
			read_stream_as_file(m->in, m->ole, p.stream, 0, member.name);
		else if (!find(m, storage, DATA, KIND_OBJECT, &p))
			inside_fault_at(m->in, EXTRACT_FORMAT, member.name); /* a link */
	}
	buf_free(&name);
}

/* ---- the message ---- */

/* The code page stands in the list of numbers: a head of 32 bytes, or of 24, then 16 bytes each. */
static void find_label(struct message *m, uint32_t storage)
{
	struct ole_stream s;
	unsigned char row[16];

	m->label[0] = '\0';
	if (!ole_open_told(m->in, m->ole, ole_find(m->ole, storage, "__properties_version1.0"), &s))
		return;
	for (uint64_t at = s.size % 16 == 0 ? 32 : 24; ole_read(&s, at, row, 16) == 16; at += 16) {
		if (le(row, 4) == ((uint64_t)CODE_PAGE << 16 | 3))
			(void)snprintf(m->label, sizeof m->label, "cp%u", (unsigned)le(row + 8, 4));
	}
	ole_stream_close(&s);
}

static void put_recipient(struct message *m, uint32_t storage)
{
	put_text(m, storage, DISPLAY_NAME);
	put_text(m, storage, SMTP);
	put_text(m, storage, MAIL);
}

void read_msg(struct inside *in, struct ole *ole, uint32_t storage)
{
	static const unsigned texts[] = {
	    SUBJECT, SENDER_NAME, SENDER_MAIL, SENDER_SMTP, SHOWN_TO, SHOWN_CC, SHOWN_BCC};
	struct message m = {.in = in, .ole = ole};
	const uint32_t *children;
	size_t n = ole_children(ole, storage, &children);

	if (!in->deep)
		return;
	find_label(&m, storage);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		put_text(&m, storage, texts[i]);
	for (size_t i = 0; i < n; i++) {
		if (ole_name_begins(ole_entry(ole, children[i]), "__recip"))
			put_recipient(&m, children[i]);
	}
	read_bodies(&m, storage);
	for (size_t i = 0; i < n; i++) {
		if (ole_name_begins(ole_entry(ole, children[i]), "__attach"))
			read_attachment(&m, children[i]);
	}
}
