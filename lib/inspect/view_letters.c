/* Which letters a page shows of what strangers wrote. */
#include <string.h>

#include "lib/inspect/view.h"
#include "lib/mime/utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD"

static bool is_blank(uint32_t c)
{
	return c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F;
}

/* What nobody sees, beyond what an address must not have: marks of direction, joiners, fillers, tags. */
static bool is_unseen(uint32_t c)
{
	if (c == 0xA0 || c == 0x3000)
		return false;
	return utf8_unseen(c) || c == 0x034F || c == 0x061C || c == 0x115F || c == 0x1160 ||
	       (c >= 0x180B && c <= 0x180F) || c == 0x3164 || c == 0xFFA0 ||
	       (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF);
}

uint32_t view_letter(uint32_t c)
{
	if (c == '\n' || c == '\t')
		return c;
	if (c == '\f' || c == 0x85 || c == 0x2028 || c == 0x2029)
		return '\n';
	if (c < ' ' || (c >= 0x7F && c < 0xA0))
		return 0;
	if (is_blank(c))
		return ' ';
	return is_unseen(c) ? 0 : c;
}

void view_add(struct buf *out, const char *utf8, size_t len, bool lines)
{
	for (size_t at = 0; at < len;) {
		uint32_t c = 0, shown;
		size_t step = utf8_step(utf8 + at, len - at, &c);

		if (step == 0) {
			buf_add_text(out, REPLACEMENT);
			at++;
			continue;
		}
		shown = view_letter(c);
		if (shown != 0 && shown == c && (lines || c >= ' ')) {
			buf_add(out, utf8 + at, step);
		} else if (shown != 0) {
			/* Of what is put in the place of another letter, each is one byte. */
			char byte = lines ? (char)shown : ' ';

			buf_add(out, &byte, 1);
		}
		at += step;
	}
}

bool view_is_shown(const char *utf8, size_t len, bool lines)
{
	for (size_t at = 0; at < len;) {
		uint32_t c = 0;
		size_t step = utf8_step(utf8 + at, len - at, &c);

		if (step == 0 || c == 0 || view_letter(c) != c || (c < ' ' && !lines))
			return false;
		at += step;
	}
	return true;
}
