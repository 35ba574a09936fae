/* The search for all patterns of lib/words/regexes.h, window by window. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/words/regexes_inside.h"

#define WINDOW   ((size_t)65536)
#define BEFORE   ((size_t)256) /* what \b and (?<=...) see before where a search begins */
#define JIT_MAX  ((size_t)1024 * 1024)
#define HEAP_KIB 8192

/*
 * The limit of steps is one for each place where a match may begin. So the time is asked after a
 * stretch of such places, a shorter one where it passes slowly.
 */
#define STRETCH_MIN ((size_t)64)
#define STRETCH_MAX ((size_t)4096)
#define QUICK_NS    UINT64_C(200000)
#define ASK_NS      UINT64_C(2000000)

/* Of the thread's processor time: what any message may take, and what its text adds. */
#define BASE_NS     UINT64_C(100000000)
#define NS_PER_BYTE UINT64_C(1000)

#define PLACES_BIT(place, quoted) (1u << ((unsigned)(place)*2 + (quoted)))
_Static_assert(PLACE_COUNT * 2 <= 8, "a byte has room for all places");

/* A value that was seen: its hash, and in which places, quoted or not. */
struct value {
	uint64_t hash; /* 0: free */
	uint8_t seen;
};

struct found {
	uint64_t count[PLACE_COUNT][2];
	unsigned limit; /* places */
	uint64_t next;  /* where in the text the search goes on */
	uint64_t spent; /* ns */
	struct value *values;
	size_t values_len, values_room;
	char (*shown)[REGEX_SHOWN_MAX];
	size_t shown_len;
};

struct regex_scan {
	const struct regexes *r;
	size_t evidence;
	enum detect_place place;
	pcre2_match_context *context;
	pcre2_match_data *data;
	pcre2_jit_stack *stack;
	struct found *found;
	uint64_t bytes; /* of the message so far */

	uint64_t base; /* where in the text the window begins */
	size_t len;
	char text[WINDOW];
	uint8_t quoted[WINDOW / 8]; /* a bit for each byte */
};

struct regex_scan *regex_scan_open(const struct regexes *r, size_t evidence)
{
	struct regex_scan *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->r = r;
	s->evidence = evidence;
	s->context = pcre2_match_context_create(NULL);
	s->data = pcre2_match_data_create(1, NULL);
	s->stack = pcre2_jit_stack_create(32 * 1024, JIT_MAX, NULL);
	s->found = calloc(r->n + 1, sizeof *s->found);
	if (s->context == NULL || s->data == NULL || s->stack == NULL || s->found == NULL) {
		regex_scan_free(s);
		return NULL;
	}
	(void)pcre2_set_match_limit(s->context, r->steps);
	(void)pcre2_set_depth_limit(s->context, r->steps);
	(void)pcre2_set_heap_limit(s->context, HEAP_KIB);
	pcre2_jit_stack_assign(s->context, NULL, s->stack);
	return s;
}

void regex_scan_free(struct regex_scan *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; s->found != NULL && i < s->r->n; i++) {
		free(s->found[i].values);
		free(s->found[i].shown);
	}
	free(s->found);
	pcre2_jit_stack_free(s->stack);
	pcre2_match_data_free(s->data);
	pcre2_match_context_free(s->context);
	free(s);
}

/* ---- values ---- */

/* FNV-1a; never 0. */
static uint64_t hash_of(const char *value, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)value[i]) * UINT64_C(0x100000001b3);
	return hash != 0 ? hash : 1;
}

static struct value *value_of(struct value *values, size_t room, uint64_t hash)
{
	size_t at = (size_t)(hash ^ hash >> 32) & (room - 1);

	while (values[at].hash != 0 && values[at].hash != hash)
		at = (at + 1) & (room - 1);
	return &values[at];
}

/* The table is at most half full, and grows by doubling. */
static bool make_room(struct found *f)
{
	size_t room = f->values_room > 0 ? f->values_room * 2 : 16;
	struct value *values;

	if (f->values_len * 2 < f->values_room)
		return true;
	values = calloc(room, sizeof *values);
	if (values == NULL)
		return false;
	for (size_t i = 0; i < f->values_room; i++) {
		if (f->values[i].hash != 0)
			*value_of(values, room, f->values[i].hash) = f->values[i];
	}
	free(f->values);
	f->values = values;
	f->values_room = room;
	return true;
}

static void show(const struct regex_scan *s, struct found *f, const char *value, size_t len)
{
	if (f->shown_len >= s->evidence)
		return;
	if (f->shown == NULL)
		f->shown = calloc(s->evidence, sizeof *f->shown);
	if (f->shown != NULL)
		(void)regex_mask(value, len, f->shown[f->shown_len++], REGEX_SHOWN_MAX);
}

/* False: no memory. */
static bool count_value(
    struct regex_scan *s, struct found *f, const char *value, size_t len, bool quoted)
{
	uint64_t hash = hash_of(value, len);
	struct value *known;

	f->count[s->place][quoted]++;
	if (!make_room(f))
		return false;
	known = value_of(f->values, f->values_room, hash);
	if (known->hash == 0 && f->values_len < REGEX_DISTINCT_MAX) {
		known->hash = hash;
		f->values_len++;
		show(s, f, value, len);
	}
	if (known->hash != 0)
		known->seen |= (uint8_t)PLACES_BIT(s->place, quoted);
	return true;
}

/* ---- the search ---- */

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool continues(const struct regex_scan *s, size_t at)
{
	return at > 0 && at < s->len && ((unsigned char)s->text[at] & 0xc0) == 0x80;
}

/* At `at` or before it, where a letter begins. */
static size_t letter_before(const struct regex_scan *s, size_t at)
{
	for (unsigned i = 0; i < 3 && continues(s, at); i++)
		at--;
	return at;
}

/* One match that begins from `start` to before `end`. A code of PCRE2. */
static int match(struct regex_scan *s, const pcre2_code *code, size_t start, size_t end, bool last)
{
	uint32_t options = PCRE2_NOTEMPTY | (last ? 0 : PCRE2_NOTEOL);
	int result;

	(void)pcre2_set_offset_limit(s->context, end - 1);
	result =
	    pcre2_match(code, (PCRE2_SPTR)s->text, s->len, start, options, s->data, s->context);
	if (result == PCRE2_ERROR_JIT_STACKLIMIT) /* the interpreter has more room */
		result = pcre2_match(code, (PCRE2_SPTR)s->text, s->len, start,
		    options | PCRE2_NO_JIT, s->data, s->context);
	return result;
}

/* Counts the match at hand. False: no memory. `at` gets where the search goes on. */
static bool matched(struct regex_scan *s, struct found *f, size_t *at)
{
	const size_t *bounds = pcre2_get_ovector_pointer(s->data);
	size_t from = bounds[0] < bounds[1] ? bounds[0] : bounds[1]; /* \K may swap them */
	size_t to = bounds[0] < bounds[1] ? bounds[1] : bounds[0];
	size_t end = to > 0 ? to - 1 : 0;

	*at = to > *at ? to : *at + 1;
	return count_value(
	    s, f, s->text + from, to - from, (s->quoted[end / 8] >> end % 8 & 1) != 0);
}

/*
 * All matches that begin before `settled`, from where the last search ended. False: a limit was
 * reached.
 */
static bool search(
    struct regex_scan *s, struct found *f, const pcre2_code *code, size_t settled, bool last)
{
	uint64_t may = BASE_NS + NS_PER_BYTE * s->bytes - f->spent;
	uint64_t began = now_ns(CLOCK_THREAD_CPUTIME_ID), took, waited = 0;
	size_t at = f->next > s->base ? (size_t)(f->next - s->base) : 0, stretch = STRETCH_MIN;

	while (at < settled) {
		size_t end = settled - at > stretch ? letter_before(s, at + stretch) : settled;
		uint64_t start = now_ns(CLOCK_MONOTONIC);
		int result = match(s, code, at, end, last);

		if (result == PCRE2_ERROR_NOMATCH)
			at = end;
		else if (result < 0 || !matched(s, f, &at))
			return false; /* steps, depth, memory */

		took = now_ns(CLOCK_MONOTONIC) - start;
		if (took > QUICK_NS)
			stretch = stretch > STRETCH_MIN ? stretch / 2 : stretch;
		else
			stretch = stretch < STRETCH_MAX ? stretch * 2 : stretch;
		waited += took;
		if (waited > ASK_NS) {
			if (now_ns(CLOCK_THREAD_CPUTIME_ID) - began > may)
				return false;
			waited = 0;
		}
	}
	took = now_ns(CLOCK_THREAD_CPUTIME_ID) - began;
	f->spent += took;
	f->next = s->base + at;
	return took <= may;
}

/* The window is full, or the text ends. What may be the beginning of a match stays. */
static void look(struct regex_scan *s, bool last)
{
	size_t settled = last ? s->len : letter_before(s, s->len - REGEX_MATCH_MAX);
	size_t keep = settled > BEFORE ? letter_before(s, settled - BEFORE) : 0;

	for (size_t i = 0; i < s->r->n; i++) {
		struct found *f = &s->found[i];

		/* Where a pattern is no longer searched for, nobody knows how often it matches. */
		if (f->limit != 0 || !search(s, f, s->r->code[i], settled, last))
			f->limit |= 1u << s->place;
	}
	if (last)
		return;

	keep -= keep % 8; /* the bits move by bytes */
	memmove(s->text, s->text + keep, s->len - keep);
	memmove(s->quoted, s->quoted + keep / 8, sizeof s->quoted - keep / 8);
	s->len -= keep;
	s->base += keep;
}

void regex_scan_begin(struct regex_scan *s, enum detect_place place)
{
	s->place = place;
}

static void mark_quoted(struct regex_scan *s, size_t from, size_t len, bool quoted)
{
	for (size_t i = from; i < from + len; i++) {
		uint8_t bit = (uint8_t)(1u << i % 8);

		s->quoted[i / 8] =
		    quoted ? s->quoted[i / 8] | bit : s->quoted[i / 8] & (uint8_t)~bit;
	}
}

void regex_scan_feed(struct regex_scan *s, const char *text, size_t len, bool quoted)
{
	if (s->r->n == 0)
		return;
	s->bytes += len;
	while (len > 0) {
		size_t n = len < WINDOW - s->len ? len : WINDOW - s->len;

		memcpy(s->text + s->len, text, n);
		mark_quoted(s, s->len, n, quoted);
		s->len += n;
		text += n;
		len -= n;
		if (s->len == WINDOW)
			look(s, false);
	}
}

void regex_scan_end(struct regex_scan *s)
{
	if (s->len > 0)
		look(s, true);
	s->len = 0;
	s->base = 0;
	for (size_t i = 0; i < s->r->n; i++)
		s->found[i].next = 0;
}

/* ---- what was found ---- */

size_t regex_distinct(const struct regex_scan *s, size_t pattern, unsigned places, bool quoted)
{
	const struct found *f = &s->found[pattern];
	unsigned wanted = 0;
	size_t n = 0;

	for (unsigned place = 0; place < PLACE_COUNT; place++) {
		if ((places >> place & 1) != 0)
			wanted |= PLACES_BIT(place, 0) | (quoted ? PLACES_BIT(place, 1) : 0);
	}
	for (size_t i = 0; i < f->values_room; i++)
		n += f->values[i].hash != 0 && (f->values[i].seen & wanted) != 0;
	return n;
}

uint64_t regex_all(const struct regex_scan *s, size_t pattern, unsigned places, bool quoted)
{
	const struct found *f = &s->found[pattern];
	uint64_t n = 0;

	for (unsigned place = 0; place < PLACE_COUNT; place++) {
		if ((places >> place & 1) != 0)
			n += f->count[place][0] + (quoted ? f->count[place][1] : 0);
	}
	return n;
}

unsigned regex_limit(const struct regex_scan *s, size_t pattern)
{
	return s->found[pattern].limit;
}

void regex_each(const struct regex_scan *s, size_t pattern, regex_see *see, void *context)
{
	const struct found *f = &s->found[pattern];

	for (size_t i = 0; i < f->shown_len; i++) {
		if (!see(context, f->shown[i], strlen(f->shown[i])))
			return;
	}
}
