#include "lib/detect/window.h"

#include <stdlib.h>
#include <string.h>

#define LETTER_MAX ((size_t)4) /* bytes of one letter of UTF-8 */

struct windows {
	const struct window_reader *readers;
	size_t n;
	enum detect_place place;
	size_t from; /* hits before it were told */
	size_t len;
	char text[WINDOW_SIZE];
	struct window_reader copies[];
};

struct windows *windows_new(const struct window_reader *readers, size_t n)
{
	struct windows *w;
	size_t size;

	if (!size_mul(n, sizeof(*readers), &size) || !size_add(size, sizeof(*w), &size))
		return NULL;
	w = malloc(size);
	if (w == NULL)
		return NULL;

	w->readers = w->copies;
	w->n = n;
	if (n > 0)
		memcpy(w->copies, readers, n * sizeof(*readers));
	windows_begin(w, PLACE_BODY);
	return w;
}

void windows_free(struct windows *w)
{
	free(w);
}

void windows_begin(struct windows *w, enum detect_place place)
{
	w->place = place;
	w->from = 0;
	w->len = 0;
}

/* The last place at or before `at` where a letter begins; in bytes that are no UTF-8 any place is. */
static size_t letter_at(const char *text, size_t at)
{
	size_t back = 0;

	while (back < LETTER_MAX && back < at && ((unsigned char)text[at - back] & 0xC0) == 0x80)
		back++;
	return back == LETTER_MAX ? at : at - back;
}

static void look(struct windows *w, size_t settled)
{
	struct detect_window window = {
	    .text = w->text, .len = w->len, .from = w->from, .settled = settled, .place = w->place};

	for (size_t i = 0; i < w->n; i++)
		w->readers[i].look(w->readers[i].context, &window);
}

/* The window is full: what has enough behind it is told, and what the rest needs before it stays. */
static void slide(struct windows *w)
{
	size_t settled = letter_at(w->text, w->len - WINDOW_BEHIND);
	size_t keep = letter_at(w->text, settled - WINDOW_BEFORE);

	look(w, settled);
	w->len -= keep;
	memmove(w->text, w->text + keep, w->len);
	w->from = settled - keep;
}

void windows_feed(struct windows *w, const char *text, size_t len)
{
	while (len > 0) {
		size_t room = sizeof(w->text) - w->len;
		size_t n = len;

		if (n > room) {
			n = letter_at(text, room);
			if (n == 0) {
				slide(w);
				continue;
			}
		}
		memcpy(w->text + w->len, text, n);
		w->len += n;
		text += n;
		len -= n;
	}
}

void windows_end(struct windows *w)
{
	if (w->len > w->from)
		look(w, w->len);
	windows_begin(w, w->place);
}
