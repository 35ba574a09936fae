#include "lib/extract/rtf.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/text/charset.h"

bool rtf_is_double(unsigned codepage)
{
	return codepage == 932 || codepage == 936 || codepage == 949 || codepage == 950 ||
	       codepage == 1361 || codepage == 10001;
}

static const char *label_of(unsigned codepage, char *room, size_t size)
{
	switch (codepage) {
	case 10001: /* of the Macintosh, Japanese */
		return "cp932";
	case 10000:
		return "macintosh";
	case 65001:
		return "utf-8";
	default:
		(void)snprintf(room, size, "cp%u", codepage);
		return charset_known(room) ? room : "windows-1252";
	}
}

static bool leads(unsigned codepage, unsigned char c)
{
	if (codepage == 932 || codepage == 10001)
		return (c >= 0x81 && c <= 0x9f) || (c >= 0xe0 && c <= 0xfc);
	return c >= 0x81 && c <= 0xfe;
}

/* How many of the bytes are whole letters: all of them, or all but the last. */
static size_t whole(const struct rtf_out *out)
{
	size_t at = 0;

	if (!rtf_is_double(out->codepage))
		return out->pending;
	while (at + 1 < out->pending)
		at += leads(out->codepage, (unsigned char)out->bytes[at]) ? 2 : 1;
	if (at < out->pending && leads(out->codepage, (unsigned char)out->bytes[at]))
		return at;
	return out->pending;
}

static bool is_ascii(const char *bytes, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)bytes[i];
	return all < 0x80;
}

/* Makes text of the first `len` bytes. */
static void convert(struct rtf_out *out, size_t len)
{
	struct buf made;
	char room[32];

	if (is_ascii(out->bytes, len)) {
		wide_text(&out->wide, out->bytes, len);
	} else {
		buf_init(&made, RTF_PENDING * 4);
		if (charset_convert(
			label_of(out->codepage, room, sizeof room), out->bytes, len, &made))
			wide_text(&out->wide, made.bytes, made.len);
		else
			out->no_memory = true;
		buf_free(&made);
	}
	out->pending -= len;
	memmove(out->bytes, out->bytes + len, out->pending);
}

static void end_bytes(struct rtf_out *out)
{
	if (out->pending > 0)
		convert(out, out->pending);
}

void rtf_byte(struct rtf_out *out, unsigned codepage, unsigned char byte)
{
	if (codepage != out->codepage) {
		end_bytes(out);
		out->codepage = codepage;
	}
	out->bytes[out->pending++] = (char)byte;
	if (out->pending == sizeof out->bytes)
		convert(out, whole(out));
}

void rtf_unit(struct rtf_out *out, uint32_t unit)
{
	end_bytes(out);
	wide_unit(&out->wide, unit);
}

bool rtf_flush(struct rtf_out *out)
{
	end_bytes(out);
	return wide_flush(&out->wide);
}
