/* Forbidden times of day, as they stand in a plan: whether it is such a time, and until when. */
#include "lib/policy/window.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "lib/policy/inside.h"

#define MINUTE     (60 * CLOCK_SECOND)
#define DAY_MINUTE (24 * 60)
#define TERMS_MAX  ((size_t)4096)
#define ARENA_MAX  ((size_t)16 * 1024 * 1024)

/* One of the times of a rule; `last` of them. */
struct term {
	struct rule_condition when;
	bool last;
};

struct forbidden {
	struct arena *arena;
	const struct org *org;
	struct term *term;
	size_t terms;
};

/* ---- reading ------------------------------------------------------------------------------ */

static bool read_term(struct forbidden *f, const char *text, size_t len, bool last)
{
	struct conf_fault fault;

	if (f->terms == TERMS_MAX)
		return false;
	f->term[f->terms].last = last;
	return rule_when_parse(f->arena, text, len, &f->term[f->terms++].when, &fault);
}

static bool read_terms(struct forbidden *f, const char *text, size_t len)
{
	const char *end = text + len;

	for (;;) {
		size_t n = 0;

		while (text + n < end && text[n] != '&' && text[n] != ';')
			n++;
		if (!read_term(f, text, n, text + n == end || text[n] == ';'))
			return false;
		if (text + n == end)
			return true;
		text += n + 1;
	}
}

static size_t terms_in(const char *text, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '&' || text[i] == ';';
	return n;
}

static bool forbidden_read(struct forbidden *f, const char *text, size_t len)
{
	char *plain;
	size_t n = 0;

	if (len == 0 || len > WINDOW_TEXT_MAX)
		return false;
	f->arena = arena_new(ARENA_MAX);
	if (f->arena == NULL)
		return false;
	plain = arena_take(f->arena, len + 1);
	if (plain == NULL || !xtext_decode(text, len, plain, &n))
		return false;
	f->term = arena_take(f->arena, terms_in(plain, n) * sizeof *f->term);
	return f->term != NULL && read_terms(f, plain, n);
}

/* ---- looking ------------------------------------------------------------------------------ */

/* A rule forbids it when all of its times hold. */
static bool is_forbidden(const struct forbidden *f, const struct moment *at)
{
	bool holds = true;

	for (size_t i = 0; i < f->terms; i++) {
		holds = holds && moment_within(f->org, &f->term[i].when, at);
		if (!f->term[i].last)
			continue;
		if (holds)
			return true;
		holds = true;
	}
	return false;
}

static int sooner(int minute, int boundary, int soonest)
{
	int left = (boundary - minute + DAY_MINUTE) % DAY_MINUTE;

	left = left == 0 ? DAY_MINUTE : left;
	return left < soonest ? left : soonest;
}

/* Minutes of the clock on the wall until an answer may change: a span begins or ends, or the day does. */
static int next_boundary(const struct forbidden *f, int minute)
{
	int soonest = DAY_MINUTE - minute;

	for (size_t i = 0; i < f->terms; i++) {
		for (size_t k = 0; k < f->term[i].when.spans; k++) {
			const struct rule_span *span = &f->term[i].when.span[k];

			if (!span->timed)
				continue;
			soonest = sooner(minute, span->begin, soonest);
			soonest = sooner(minute, span->end % DAY_MINUTE, soonest);
		}
	}
	return soonest;
}

/*
 * The next moment at which the answer may be another. Where the zone changes in between, clocks are put
 * forward or back on the way: then it is the next minute, whatever the clock shows.
 */
static int64_t next_change(const struct forbidden *f, int64_t time, struct moment *at)
{
	int64_t whole = time - time % CLOCK_SECOND - at->day.tm_sec * CLOCK_SECOND, next;
	long offset = at->day.tm_gmtoff;

	next = whole + next_boundary(f, at->day.tm_hour * 60 + at->day.tm_min) * MINUTE;
	moment_of(next, at);
	if (at->day.tm_gmtoff == offset)
		return next;
	next = whole + MINUTE;
	moment_of(next, at);
	return next;
}

static void look(const struct forbidden *f, int64_t now, struct window *window)
{
	int64_t last = now + MOMENT_DAYS_MAX * DAY_MINUTE * MINUTE, time = now;
	struct moment at;

	moment_of(now, &at);
	*window = (struct window){.inside = is_forbidden(f, &at), .ends = now};
	while (is_forbidden(f, &at)) {
		time = next_change(f, time, &at);
		if (time > last) {
			window->ends = -1;
			return;
		}
		window->ends = time;
	}
}

bool window_look(
    const char *text, size_t len, const struct org *org, int64_t now, struct window *window)
{
	struct forbidden f = {.org = org};
	bool fine = forbidden_read(&f, text, len);

	if (fine)
		look(&f, now, window);
	arena_free(f.arena);
	return fine;
}
