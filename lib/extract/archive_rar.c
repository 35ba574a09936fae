/*
 * RAR 1.5 to 4 and RAR 5: the headers alone. Names, sizes and flags stand in them uncompressed, so
 * that no unpacker of a closed format is needed; what the members hold cannot be looked into.
 */
#include <string.h>

#include "lib/extract/state.h"

#define HEADER_MOST ((size_t)128 * 1024)

#define RAR4_MAIN       0x73U
#define RAR4_FILE       0x74U
#define RAR4_END        0x7bU
#define RAR4_HIDDEN     0x0080U /* of the main header: the headers are encrypted */
#define RAR4_PASSWORD   0x0004U /* of a file */
#define RAR4_LARGE      0x0100U
#define RAR4_UNICODE    0x0200U
#define RAR4_FOLDER     0x00e0U
#define RAR4_ADD        0x8000U /* data follow the header */
#define RAR4_HEAD_LEN   7
#define RAR4_FILE_FIXED 32

#define RAR5_MAIN   1U
#define RAR5_FILE   2U
#define RAR5_HIDDEN 4U
#define RAR5_END    5U
#define RAR5_EXTRA  0x0001U
#define RAR5_DATA   0x0002U
#define RAR5_FOLDER 0x0001U /* of a file */
#define RAR5_TIME   0x0002U
#define RAR5_CRC    0x0004U
#define RAR5_CRYPT  1U /* a record in the extra area of a file */

struct rar {
	struct inside *in;
	struct buf header;
	struct buf name;
	uint64_t at;
	uint64_t files;
	uint64_t encrypted;
};

enum rar_state { RAR_NEXT, RAR_END, RAR_HIDDEN, RAR_DAMAGED, RAR_STOPPED, RAR_MEMORY };

static enum rar_state see_file(
    struct rar *r, const char *name, uint64_t size, bool encrypted, bool is_folder)
{
	struct extract_member member = {
	    .name = name, .size = size, .encrypted = encrypted, .is_folder = is_folder};

	if (!is_folder) {
		r->files++;
		r->encrypted += encrypted;
	}
	if (r->in->deep && !inside_member(r->in, &member))
		return RAR_STOPPED;
	return RAR_NEXT;
}

/* `len` bytes at r->at into r->header. */
static enum rar_state read_header(struct rar *r, size_t len)
{
	ssize_t n;

	buf_clear(&r->header);
	if (len > HEADER_MOST || buf_reserve(&r->header, len + 1) == NULL)
		return len > HEADER_MOST ? RAR_DAMAGED : RAR_MEMORY;
	n = source_read(&r->in->file, r->at, r->header.bytes, len);
	if (n < 0 || (size_t)n != len)
		return RAR_DAMAGED;
	r->header.len = len;
	return RAR_NEXT;
}

/* ---- RAR 4 ------------------------------------------------------------------------------------ */

/* Adds a letter of UTF-16 (no pairs: each half is one, as RAR writes them) as UTF-8. */
static void add_letter(struct buf *name, unsigned c)
{
	char bytes[3];

	if (c < 0x80) {
		bytes[0] = (char)c;
		buf_add(name, bytes, 1);
	} else if (c < 0x800) {
		bytes[0] = (char)(0xc0 | c >> 6);
		bytes[1] = (char)(0x80 | (c & 0x3f));
		buf_add(name, bytes, 2);
	} else {
		c = c >= 0xd800 && c < 0xe000 ? 0xfffd : c;
		bytes[0] = (char)(0xe0 | c >> 12);
		bytes[1] = (char)(0x80 | (c >> 6 & 0x3f));
		bytes[2] = (char)(0x80 | (c & 0x3f));
		buf_add(name, bytes, 3);
	}
}

/*
 * RAR's own packing of a name: behind the bytes and a NUL stand the common high byte and pairs of
 * bits that say how each letter is made.
 */
static void unpack_name(const unsigned char *narrow, size_t narrow_len, const unsigned char *p,
    size_t len, struct buf *out)
{
	size_t at = 1, made = 0;
	unsigned high = len > 0 ? p[0] : 0, flags = 0, bits = 0;

	while (at < len) {
		if (bits == 0) {
			flags = p[at++];
			bits = 8;
			if (at >= len)
				return;
		}
		bits -= 2;
		switch (flags >> bits & 3) {
		case 0:
			add_letter(out, p[at++]);
			made++;
			break;
		case 1:
			add_letter(out, high << 8 | p[at++]);
			made++;
			break;
		case 2:
			if (len - at < 2)
				return;
			add_letter(out, (unsigned)p[at + 1] << 8 | p[at]);
			at += 2;
			made++;
			break;
		default: {
			unsigned n = p[at] & 0x7fU;
			bool shifted = (p[at++] & 0x80) != 0;
			unsigned add = shifted && at < len ? p[at++] : 0;

			for (n += 2; n > 0 && made < narrow_len; n--, made++)
				add_letter(out, shifted ? ((narrow[made] + add) & 0xff) | high << 8
							: narrow[made]);
			break;
		}
		}
	}
}

static const char *rar4_name(struct rar *r, const unsigned char *raw, size_t len, bool unicode)
{
	const unsigned char *nul = memchr(raw, '\0', len);
	size_t narrow = nul != NULL ? (size_t)(nul - raw) : len;

	if (!unicode || nul == NULL)
		return member_name(raw, narrow, &r->name);
	buf_clear(&r->name);
	unpack_name(raw, narrow, nul + 1, len - narrow - 1, &r->name);
	for (size_t i = 0; i < r->name.len; i++) {
		if (r->name.bytes[i] == '\0')
			r->name.bytes[i] = '?';
	}
	buf_add(&r->name, "", 1);
	return buf_ok(&r->name) ? r->name.bytes : "";
}

static enum rar_state rar4_file(struct rar *r, unsigned flags, uint64_t *packed)
{
	const unsigned char *h = (const unsigned char *)r->header.bytes;
	size_t fixed = RAR4_FILE_FIXED + ((flags & RAR4_LARGE) != 0 ? 8U : 0U);
	uint64_t size;
	size_t name_len;

	if (r->header.len < fixed)
		return RAR_DAMAGED;
	*packed = le(h + 7, 4);
	size = le(h + 11, 4);
	name_len = (size_t)le(h + 26, 2);
	if ((flags & RAR4_LARGE) != 0) {
		*packed |= le(h + 32, 4) << 32;
		size |= le(h + 36, 4) << 32;
	}
	if (name_len > r->header.len - fixed)
		return RAR_DAMAGED;
	return see_file(r, rar4_name(r, h + fixed, name_len, (flags & RAR4_UNICODE) != 0), size,
	    (flags & RAR4_PASSWORD) != 0, (flags & RAR4_FOLDER) == RAR4_FOLDER);
}

static enum rar_state rar4_next(struct rar *r)
{
	enum rar_state state = read_header(r, RAR4_HEAD_LEN);
	const unsigned char *h = (const unsigned char *)r->header.bytes;
	unsigned type, flags;
	uint64_t packed = 0;
	size_t len;

	if (r->at == r->in->file.size)
		return RAR_END; /* old archives have no end record */
	if (state != RAR_NEXT)
		return state;
	type = h[2];
	flags = (unsigned)le(h + 3, 2);
	len = (size_t)le(h + 5, 2);
	if (type < 0x72 || type > RAR4_END || len < RAR4_HEAD_LEN)
		return RAR_DAMAGED;
	if (type == RAR4_END)
		return RAR_END;
	if (type == RAR4_MAIN && (flags & RAR4_HIDDEN) != 0)
		return RAR_HIDDEN;

	state = read_header(r, len);
	h = (const unsigned char *)r->header.bytes;
	if (state == RAR_NEXT && type == RAR4_FILE)
		state = rar4_file(r, flags, &packed);
	else if (state == RAR_NEXT && (flags & RAR4_ADD) != 0 && len >= 11)
		packed = le(h + 7, 4);
	if (state != RAR_NEXT)
		return state;
	if (packed > r->in->file.size - r->at - len)
		return RAR_DAMAGED;
	r->at += len + packed;
	return RAR_NEXT;
}

/* ---- RAR 5 ------------------------------------------------------------------------------------ */

struct piece {
	const unsigned char *at;
	size_t len;
	bool short_of; /* more was asked for than there was */
};

static uint64_t vint(struct piece *p)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 63; shift += 7) {
		unsigned char c;

		if (p->len == 0)
			break;
		c = *p->at++;
		p->len--;
		v |= (uint64_t)(c & 0x7f) << shift;
		if ((c & 0x80) == 0)
			return v;
	}
	p->short_of = true;
	return 0;
}

static void pass_over(struct piece *p, uint64_t len)
{
	if (len > p->len) {
		p->short_of = true;
		len = p->len;
	}
	p->at += len;
	p->len -= (size_t)len;
}

static bool rar5_is_encrypted(struct piece extra)
{
	while (extra.len > 0 && !extra.short_of) {
		uint64_t size = vint(&extra);
		struct piece record = extra;

		pass_over(&extra, size);
		if (extra.short_of || size == 0)
			return false;
		if (vint(&record) == RAR5_CRYPT && !record.short_of)
			return true;
	}
	return false;
}

static enum rar_state rar5_file(struct rar *r, struct piece p, uint64_t extra)
{
	struct piece area = p;
	uint64_t flags, size, name_len;
	const char *name;

	if (extra > p.len)
		return RAR_DAMAGED;
	pass_over(&area, p.len - extra);
	p.len -= (size_t)extra;

	flags = vint(&p);
	size = vint(&p);
	(void)vint(&p); /* attributes */
	pass_over(&p, ((flags & RAR5_TIME) != 0 ? 4U : 0U) + ((flags & RAR5_CRC) != 0 ? 4U : 0U));
	(void)vint(&p); /* compression, system */
	(void)vint(&p);
	name_len = vint(&p);
	if (p.short_of || name_len > p.len)
		return RAR_DAMAGED;
	name = member_name(p.at, (size_t)name_len, &r->name);
	return see_file(r, name, size, rar5_is_encrypted(area), (flags & RAR5_FOLDER) != 0);
}

/* The sum, the length of the header and what it begins with. */
static enum rar_state rar5_next(struct rar *r)
{
	unsigned char head[7];
	ssize_t n = source_read(&r->in->file, r->at, head, sizeof head);
	struct piece p = {head + 4, 3, false};
	uint64_t len, type, flags, extra = 0, data = 0;
	enum rar_state state;

	if (n < (ssize_t)sizeof head)
		return n == 0 ? RAR_END : RAR_DAMAGED;
	len = vint(&p);
	if (p.short_of || len == 0 || len > HEADER_MOST)
		return RAR_DAMAGED;
	r->at += 4 + (3 - p.len);
	state = read_header(r, (size_t)len);
	if (state != RAR_NEXT)
		return state;

	p = (struct piece){(const unsigned char *)r->header.bytes, r->header.len, false};
	type = vint(&p);
	flags = vint(&p);
	if ((flags & RAR5_EXTRA) != 0)
		extra = vint(&p);
	if ((flags & RAR5_DATA) != 0)
		data = vint(&p);
	if (p.short_of)
		return RAR_DAMAGED;
	if (type == RAR5_END)
		return RAR_END;
	if (type == RAR5_HIDDEN)
		return RAR_HIDDEN;
	if (type == RAR5_FILE)
		state = rar5_file(r, p, extra);
	if (state != RAR_NEXT)
		return state;
	if (data > r->in->file.size - r->at - len)
		return RAR_DAMAGED;
	r->at += len + data;
	return RAR_NEXT;
}

/* ----------------------------------------------------------------------------------------------- */

static void conclude(struct rar *r, enum rar_state state)
{
	struct inside *in = r->in;

	if (state == RAR_HIDDEN) {
		in->found->encrypted = ENCRYPTED_ALL;
		inside_fault(in, EXTRACT_ENCRYPTED);
		return;
	}
	if (state == RAR_DAMAGED)
		inside_fault(in, EXTRACT_DAMAGED);
	if (state == RAR_MEMORY)
		inside_fault(in, EXTRACT_MEMORY);
	if (r->files > r->encrypted)
		inside_fault(in, EXTRACT_FORMAT);
	if (r->encrypted > 0) {
		in->found->encrypted =
		    r->encrypted == r->files && state == RAR_END ? ENCRYPTED_ALL : ENCRYPTED_SOME;
		inside_fault(in, EXTRACT_ENCRYPTED);
	} else if (state != RAR_END) {
		in->found->encrypted = ENCRYPTED_UNKNOWN;
	}
}

void read_rar(struct inside *in)
{
	struct rar r = {.in = in};
	enum rar_state state = RAR_NEXT;
	bool five;

	buf_init(&r.header, HEADER_MOST + 1);
	buf_init(&r.name, MEMBER_NAME_MAX);
	state = read_header(&r, 8);
	five = state == RAR_NEXT && r.header.bytes[6] == 1;
	r.at = five ? 8 : 7;
	while (state == RAR_NEXT)
		state = five ? rar5_next(&r) : rar4_next(&r);
	conclude(&r, state);
	buf_free(&r.header);
	buf_free(&r.name);
}
