#include "lib/seal/order.h"

#include <string.h>

#include "lib/base/xtext.h"
#include "lib/mime/utf8.h"

void seal_order_init(struct seal_order *order)
{
	order->removes = 0;
	buf_init(&order->top, SEAL_TEXT_MAX);
	buf_init(&order->end, SEAL_TEXT_MAX);
	buf_init(&order->bytes, SEAL_ORDER_MAX);
}

void seal_order_free(struct seal_order *order)
{
	buf_free(&order->top);
	buf_free(&order->end);
	buf_free(&order->bytes);
}

/* ---- writing ---- */

void seal_order_add_remove(struct buf *lines, const char *address)
{
	buf_add_text(lines, "remove ");
	buf_add_xtext(lines, address, strlen(address));
	buf_add_text(lines, "\n");
}

void seal_order_add_text(struct buf *lines, bool top, const char *text, size_t len)
{
	buf_add_text(lines, top ? "insert top " : "insert end ");
	buf_add_xtext(lines, text, len);
	buf_add_text(lines, "\n");
}

/* ---- reading ---- */

static bool begins(const char *line, size_t len, const char *with)
{
	return len > strlen(with) && memcmp(line, with, strlen(with)) == 0;
}

static bool take_remove(struct seal_order *order, char *text, size_t len)
{
	if (order->removes == SEAL_REMOVES_MAX || !xtext_decode(text, len, text, &len) ||
	    len == 0 || memchr(text, '\0', len) != NULL)
		return false;
	text[len] = '\0'; /* the newline stood there, or more */
	order->remove[order->removes++] = text;
	return true;
}

static bool is_utf8(const char *text, size_t len)
{
	uint32_t point;

	for (size_t at = 0; at < len;) {
		size_t step = utf8_step(text + at, len - at, &point);

		if (step == 0)
			return false;
		at += step;
	}
	return true;
}

/* A text ends in one newline; an empty line stands before the next one. */
static bool take_text(struct buf *into, char *text, size_t len)
{
	if (!xtext_decode(text, len, text, &len) || memchr(text, '\0', len) != NULL ||
	    !is_utf8(text, len))
		return false;
	while (len > 0 && memchr("\r\n", text[len - 1], 2) != NULL)
		len--;
	if (len == 0)
		return true;
	if (into->len > 0)
		buf_add_text(into, "\n");
	buf_add(into, text, len);
	buf_add_text(into, "\n");
	return buf_ok(into);
}

static bool take_line(struct seal_order *order, char *line, size_t len)
{
	static const char remove[] = "remove ", top[] = "insert top ", end[] = "insert end ";

	if (begins(line, len, remove))
		return take_remove(order, line + sizeof remove - 1, len - sizeof remove + 1);
	if (begins(line, len, top))
		return take_text(&order->top, line + sizeof top - 1, len - sizeof top + 1);
	if (begins(line, len, end))
		return take_text(&order->end, line + sizeof end - 1, len - sizeof end + 1);
	return false;
}

bool seal_order_read(struct seal_order *order, const char *lines, size_t len)
{
	char *at, *end, *newline;

	buf_add(&order->bytes, lines, len);
	if (!buf_ok(&order->bytes) || len == 0 || lines[len - 1] != '\n')
		return false;
	end = order->bytes.bytes + len;
	for (at = order->bytes.bytes; at < end; at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (!take_line(order, at, (size_t)(newline - at)))
			return false;
	}
	return true;
}
