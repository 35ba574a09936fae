#include "lib/smtp/data.h"

#include <string.h>

#define WINDOW 1024

void data_init(struct data *d, bool repair, data_take *take, void *context)
{
	*d = (struct data){
	    .state = DATA_LINE_START, .repair = repair, .take = take, .context = context};
}

static void give(const struct data *d, const char *from, const char *to)
{
	if (to > from)
		d->take(d->context, from, (size_t)(to - from));
}

static void give_crlf(const struct data *d)
{
	d->take(d->context, "\r\n", 2);
}

/*
 * Passes over whole lines, and the rest of one, that can be given out as they stand: no dot at a
 * line's start, no CR or LF alone. `at` stands within a line. Returns where it stopped; the state
 * is DATA_LINE_START (behind a CRLF, at a dot or the end) or DATA_TEXT (at a CR or LF that needs
 * a closer look, or the end).
 *
 * memchr is several times faster than any search for two bytes; the second one goes over bytes
 * that the first has just brought into the cache. The window keeps text full of lonely CRs, where
 * the next LF is far, from being searched to its end for each of them.
 */
static const char *pass_lines(struct data *d, const char *at, const char *end)
{
	d->state = DATA_TEXT;
	while (at < end) {
		size_t window = end - at < WINDOW ? (size_t)(end - at) : WINDOW;
		const char *lf = memchr(at, '\n', window);
		const char *stop = lf != NULL ? lf : at + window;
		const char *cr = memchr(at, '\r', (size_t)(stop - at));

		d->state = DATA_TEXT;
		if (cr != NULL && cr + 1 != lf)
			return cr;
		if (lf != NULL && cr == NULL)
			return lf;
		at = stop;
		if (lf == NULL)
			continue;
		at = lf + 1;
		d->state = DATA_LINE_START;
		if (at < end && *at == '.')
			break;
	}
	return at;
}

/*
 * One step for the byte at `at`, which is not plain text. Each returns how many bytes it used, 0
 * or 1: a byte that only ends a state is looked at again in the next. DATA_BARE is told by
 * `*bare`: the caller stops there unless it repairs, in which case what stands alone has become
 * CRLF and is no line's end to SMTP.
 */
static size_t step_cr(struct data *d, char c, bool *bare)
{
	give_crlf(d);
	d->state = c == '\n' ? DATA_LINE_START : DATA_TEXT;
	*bare = c != '\n';
	return c == '\n' ? 1 : 0;
}

static size_t step_text(struct data *d, char c, bool *bare)
{
	if (c == '\r') {
		d->state = DATA_CR;
		return 1;
	}
	d->state = DATA_TEXT;
	if (c != '\n')
		return 0;
	give_crlf(d);
	*bare = true;
	return 1;
}

static size_t step_dot_cr(struct data *d, char c, bool *bare)
{
	(void)c;
	give_crlf(d);
	d->state = DATA_TEXT;
	*bare = true;
	return 0;
}

static size_t step(struct data *d, char c, bool *bare)
{
	switch (d->state) {
	case DATA_LINE_START:
		if (c != '.')
			return step_text(d, c, bare);
		d->state = DATA_DOT;
		return 1;
	case DATA_TEXT:
		return step_text(d, c, bare);
	case DATA_CR:
		return step_cr(d, c, bare);
	case DATA_DOT:
		if (c != '\r')
			return step_text(d, c, bare);
		d->state = DATA_DOT_CR;
		return 1;
	case DATA_DOT_CR:
		return step_dot_cr(d, c, bare);
	}
	return 1;
}

enum data_status data_feed(struct data *d, const char *in, size_t len, size_t *used)
{
	const char *at = in;
	const char *end = in + len;

	while (at < end) {
		bool bare = false;

		if (d->state == DATA_DOT_CR && *at == '\n') {
			*used = (size_t)(at + 1 - in);
			return DATA_END;
		}
		if (d->state == DATA_TEXT || (d->state == DATA_LINE_START && *at != '.')) {
			const char *run = at;

			at = pass_lines(d, at, end);
			give(d, run, at);
			if (at == end)
				break;
		}

		at += step(d, *at, &bare);
		if (bare && !d->repair) {
			*used = (size_t)(at - in);
			return DATA_BARE;
		}
	}
	*used = len;
	return DATA_MORE;
}
