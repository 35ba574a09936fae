#include "lib/remote/stuff.h"

#include <string.h>

void stuff_init(struct stuff *s, stuff_take *take, void *context)
{
	*s = (struct stuff){.take = take, .context = context};
}

static bool give(const struct stuff *s, const char *from, const char *to)
{
	return from == to || s->take(s->context, from, (size_t)(to - from));
}

/* Passes over a line's rest from `at`; returns behind its CR or at the end, NULL at a bare LF. */
static const char *pass_line(struct stuff *s, const char *at, const char *end)
{
	const char *lf = memchr(at, '\n', (size_t)(end - at));
	const char *stop = lf != NULL ? lf : end;
	const char *cr = memchr(at, '\r', (size_t)(stop - at));

	if (cr == NULL)
		return lf != NULL ? NULL : end;
	s->cr = true;
	return cr + 1;
}

/* The CR at the end of what came before was kept until its LF is there. */
static enum stuff_status release_cr(struct stuff *s, char next)
{
	if (next != '\n')
		return STUFF_BARE;
	s->cr = s->middle = false;
	return s->take(s->context, "\r\n", 2) ? STUFF_OK : STUFF_STOP;
}

enum stuff_status stuff_feed(struct stuff *s, const char *in, size_t len)
{
	const char *at = in, *end = in + len, *given;

	if (len > 0 && s->cr) {
		enum stuff_status status = release_cr(s, *at++);

		if (status != STUFF_OK)
			return status;
	}
	given = at;
	while (at < end) {
		const char *next;

		if (s->cr) {
			if (*at++ != '\n')
				return STUFF_BARE;
			s->cr = s->middle = false;
			continue;
		}
		if (!s->middle && *at == '.') {
			if (!give(s, given, at) || !s->take(s->context, ".", 1))
				return STUFF_STOP;
			given = at;
		}
		s->middle = true;
		next = pass_line(s, at, end);
		if (next == NULL)
			return STUFF_BARE;
		at = next;
	}
	/* A CR is set only behind a byte of this stretch: one of before was released. */
	return give(s, given, end - (s->cr && len > 0 ? 1 : 0)) ? STUFF_OK : STUFF_STOP;
}

enum stuff_status stuff_end(struct stuff *s)
{
	if (s->cr)
		return STUFF_BARE;
	if (s->middle && !s->take(s->context, "\r\n", 2))
		return STUFF_STOP;
	s->middle = false;
	return STUFF_OK;
}
