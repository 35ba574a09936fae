/*
 * Numbers and mail addresses in any bytes: what is found has the form of its kind, and is the same
 * however the text comes in pieces. The first byte chooses the pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/detect/detect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ALL_KINDS (~0U)

static void look(void *context, const struct detect_window *w)
{
	detect_numbers(w, ALL_KINDS, context);
	detect_mail(w, context);
}

static bool digits(const char *value, size_t len, size_t least, size_t most)
{
	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return false;
	}
	return len >= least && len <= most;
}

static bool check_card(void *context, const char *value, size_t len, unsigned places)
{
	(void)context, (void)places;
	if (!digits(value, len, 14, 19))
		abort();
	return true;
}

static bool check_mynumber(void *context, const char *value, size_t len, unsigned places)
{
	(void)context, (void)places;
	if (!digits(value, len, 12, 12))
		abort();
	return true;
}

static bool check_corporate(void *context, const char *value, size_t len, unsigned places)
{
	(void)context, (void)places;
	if (!digits(value, len, 13, 13) || value[0] == '0')
		abort();
	return true;
}

static bool check_phone(void *context, const char *value, size_t len, unsigned places)
{
	(void)context, (void)places;
	if (!digits(value, len, 10, 11) || value[0] != '0' || value[1] == '0')
		abort();
	return true;
}

static bool check_mail(void *context, const char *value, size_t len, unsigned places)
{
	(void)context, (void)places;
	if (memchr(value, '@', len) == NULL || memchr(value, '.', len) == NULL)
		abort();
	for (size_t i = 0; i < len; i++) {
		if (value[i] == '\n' || (value[i] >= 'A' && value[i] <= 'Z'))
			abort();
	}
	return true;
}

static struct hits *detect(const char *text, size_t len, size_t piece)
{
	struct hits *hits = hits_new();
	struct window_reader reader = {.look = look, .context = hits};
	struct windows *w = windows_new(&reader, 1);

	if (hits == NULL || w == NULL)
		abort();
	windows_begin(w, PLACE_FILES);
	for (size_t at = 0; at < len; at += piece)
		windows_feed(w, text + at, len - at < piece ? len - at : piece);
	windows_end(w);
	windows_free(w);
	return hits;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hits *hits;
	struct hits *pieces;
	const char *text;

	if (size < 2)
		return 0;
	text = (const char *)data + 1;
	hits = detect(text, size - 1, size - 1);
	pieces = detect(text, size - 1, (size_t)data[0] + 1);

	hits_each(hits, DETECT_CARD, check_card, NULL);
	hits_each(hits, DETECT_MYNUMBER, check_mynumber, NULL);
	hits_each(hits, DETECT_CORPORATE, check_corporate, NULL);
	hits_each(hits, DETECT_PHONE, check_phone, NULL);
	hits_each(hits, DETECT_MAIL, check_mail, NULL);
	for (size_t kind = 0; kind < DETECT_KIND_COUNT; kind++) {
		if (hits_count(hits, (enum detect_kind)kind, ALL_KINDS) !=
		    hits_count(pieces, (enum detect_kind)kind, ALL_KINDS))
			abort();
	}
	hits_free(hits);
	hits_free(pieces);
	return 0;
}
