#include "lib/detect/numbers.h"

#define CANDIDATES_MAX ((size_t)2048) /* judged together */
#define DIGITS_ROOM    ((size_t)19)

/* How near a word or another number must stand to say something, in bytes. */
#define LABEL_NEAR   ((size_t)30)
#define LABEL_FAR    ((size_t)90)
#define LABEL_DIRECT ((size_t)10)
#define ABOVE_NEAR   ((size_t)800)
#define NEXT_NEAR    ((size_t)400)
#define ROW_NEAR     ((size_t)2000) /* in the next row of a table, the same column */
#define LIST_NEAR    ((size_t)4000)
#define LIST_SIDE    ((size_t)12)
#define LIST_MIN     ((size_t)3) /* so many of a list must be right */

#define KNOWN_MAX ((size_t)256) /* hits that a number is compared with */

struct judge {
	const struct detect_window *w;
	struct hits *hits;
	struct labels labels;
	struct candidate
	    told[DETECT_KIND_COUNT]; /* of each kind, the last hit; its end is 0: none */
	struct candidate *found;     /* CANDIDATES_MAX of them */
	size_t n;
};

static const enum label label_of[DETECT_KIND_COUNT] = {
    [DETECT_CARD] = LABEL_CARD,
    [DETECT_MYNUMBER] = LABEL_MYNUMBER,
    [DETECT_CORPORATE] = LABEL_CORPORATE,
    [DETECT_PHONE] = LABEL_PHONE,
};

/* What stands around a candidate. */
struct evidence {
	enum label own; /* the column's head, or else the nearest word in the line */
	size_t gap;
	bool named;  /* a word of its kind names it */
	bool denied; /* a word of another kind does */
	bool line;   /* a word of its kind stands in its line */
	bool above;  /* a word of its kind stands above */
	bool next;   /* a hit of its kind stands right before */
};

static size_t value_of(const struct judge *j, const struct candidate *c, char digits[DIGITS_ROOM])
{
	if (c->kind == DETECT_PHONE)
		return phone_digits(j->w, c, digits, DIGITS_ROOM);
	return digits_take(j->w, c->begin, c->end, digits, DIGITS_ROOM);
}

/* Whether a word that ends at `end` has named a number already, another than this. */
static bool used(const struct judge *j, enum label own, size_t end, enum detect_kind kind)
{
	for (size_t k = 0; k < DETECT_KIND_COUNT; k++) {
		if (k != kind && label_of[k] == own && own != LABEL_NONE && j->told[k].end > end)
			return true;
	}
	return false;
}

static void weigh(const struct judge *j, const struct candidate *c, struct evidence *e)
{
	const struct candidate *before = &j->told[c->kind];
	size_t near = c->column > 0 ? ROW_NEAR : NEXT_NEAR;
	enum label kind = label_of[c->kind];
	enum label column = labels_column(&j->labels);

	e->own = labels_nearest(&j->labels, &e->gap);
	if (used(j, e->own, j->labels.at - e->gap, c->kind) || e->gap > LABEL_FAR)
		e->own = LABEL_NONE;
	if (column != LABEL_NONE) {
		e->own = column;
		e->gap = 0;
	}
	e->named = e->own == kind || labels_behind(&j->labels, j->w, c->end, kind);
	e->line = e->named || labels_in_line(&j->labels, kind);
	e->denied = !e->named && e->own != LABEL_NONE;
	e->above = labels_above(&j->labels, kind, ABOVE_NEAR);
	e->next = before->end > 0 && c->begin - before->end <= near && c->column == before->column;
}

/* ---- what else may speak for it: looked for only where nothing above decides -------------------- */

/* Of those of its kind that stand near and are written like it: how many, and how many are right. */
struct like {
	size_t all;
	size_t right;
};

static struct like like(const struct judge *j, const struct candidate *c)
{
	size_t i = (size_t)(c - j->found);
	size_t from = i > LIST_SIDE ? i - LIST_SIDE : 0;
	size_t to = i + LIST_SIDE < j->n ? i + LIST_SIDE + 1 : j->n;
	struct like n = {0};
	char own[DIGITS_ROOM];
	char digits[DIGITS_ROOM];
	size_t len = value_of(j, c, own);

	for (size_t k = from; k < to; k++) {
		const struct candidate *other = &j->found[k];
		size_t apart = k > i ? other->begin - c->begin : c->begin - other->begin;

		if (other->kind != c->kind || other->form != c->form || apart > LIST_NEAR)
			continue;
		if (k != i && value_of(j, other, digits) == len && memcmp(digits, own, len) == 0)
			continue; /* the same again says nothing */
		n.all++;
		n.right += other->right;
	}
	return n;
}

/* `some` of them and no wrong one, or nearly none: hardly by chance. */
static bool listed(const struct judge *j, const struct candidate *c, size_t some)
{
	struct like n = like(j, c);

	return n.right >= some && 10 * n.right >= 9 * n.all;
}

/* Two wrong ones for a right one: numbers of another kind, of which some are right by chance. */
static bool among_wrong(const struct judge *j, const struct candidate *c)
{
	struct like n = like(j, c);

	return n.all > 2 * n.right;
}

struct search {
	const char *digits;
	size_t n;
	size_t left;
	bool found;
};

static bool see(void *context, const char *value, size_t len, unsigned places)
{
	struct search *s = context;

	(void)places;
	s->found = len == s->n && memcmp(value, s->digits, len) == 0;
	return !s->found && --s->left > 0;
}

/* A number that was named once is the same one where it stands alone. */
static bool known(const struct judge *j, const struct candidate *c)
{
	char digits[DIGITS_ROOM];
	struct search s = {.digits = digits, .left = KNOWN_MAX};

	s.n = value_of(j, c, digits);
	hits_each(j->hits, c->kind, see, &s);
	return s.found;
}

static bool in_japanese(const struct judge *j, const struct candidate *c)
{
	return digits_in_japanese(j->w, c->begin, c->end);
}

/* ---- the judgement ------------------------------------------------------------------------------ */

static bool judge_card(const struct judge *j, const struct candidate *c, const struct evidence *e)
{
	if (e->named)
		return true;
	if (e->denied && e->own != LABEL_NUMBER && (c->form == FORM_BARE || e->gap <= LABEL_NEAR))
		return false;
	if (e->above)
		return true;

	switch (c->form) {
	case FORM_GROUPED:
		return true;
	case FORM_BLANKS:
		if (!c->embedded || e->next || in_japanese(j, c))
			return !among_wrong(j, c) || known(j, c);
		return known(j, c);
	case FORM_BARE:
		return (!e->denied && !among_wrong(j, c)) || known(j, c);
	case FORM_LOOSE:
		break;
	}
	return false;
}

/* One number of 12 digits in ten is right by chance: something must speak for it. */
static bool judge_mynumber(
    const struct judge *j, const struct candidate *c, const struct evidence *e)
{
	if (e->named)
		return true;
	if (e->denied)
		return known(j, c);
	if (e->above || e->next || c->form == FORM_LOOSE)
		return e->above || e->next;
	if (c->form == FORM_BLANKS && !c->embedded && in_japanese(j, c))
		return true;
	return listed(j, c, c->form == FORM_BLANKS ? 2 * LIST_MIN : LIST_MIN) || known(j, c);
}

/* Whether the words above speak of corporate numbers rather than of articles. */
static bool corporate_last(const struct judge *j)
{
	return j->labels.last[LABEL_CORPORATE].end > j->labels.last[LABEL_OTHER].end;
}

static bool judge_corporate(
    const struct judge *j, const struct candidate *c, const struct evidence *e)
{
	if (c->named || e->named)
		return true;
	if (e->denied)
		return known(j, c);
	if (e->next || (e->above && (!c->article || corporate_last(j))))
		return true;
	return (!c->article && listed(j, c, 2 * LIST_MIN)) || known(j, c);
}

static bool judge_phone(const struct judge *j, const struct candidate *c, const struct evidence *e)
{
	if (e->named)
		return true;
	if (!c->right || (e->own == LABEL_OTHER && e->gap <= LABEL_DIRECT))
		return false;

	switch (c->form) {
	case FORM_GROUPED:
		return true;
	case FORM_BLANKS:
		if (e->denied)
			return false;
		return !c->embedded || e->above || e->next || listed(j, c, LIST_MIN) || known(j, c);
	case FORM_BARE:
		if (c->named)
			return true;
		if (e->denied)
			return known(j, c);
		return c->portable || e->above || e->next || in_japanese(j, c) ||
		       listed(j, c, LIST_MIN) || known(j, c);
	case FORM_LOOSE:
		break;
	}
	return false;
}

static bool judged(const struct judge *j, const struct candidate *c)
{
	struct evidence e;

	if (!c->right && c->kind != DETECT_PHONE)
		return false;
	weigh(j, c, &e);
	if (c->glued)
		return e.line;
	switch (c->kind) {
	case DETECT_CARD:
		return judge_card(j, c, &e);
	case DETECT_MYNUMBER:
		return judge_mynumber(j, c, &e);
	case DETECT_CORPORATE:
		return judge_corporate(j, c, &e);
	case DETECT_PHONE:
		return judge_phone(j, c, &e);
	case DETECT_ADDRESS:
	case DETECT_MAIL:
	case DETECT_NAME:
	case DETECT_KIND_COUNT:
		break;
	}
	return false;
}

static void tell(const struct judge *j, const struct candidate *c)
{
	char digits[DIGITS_ROOM];

	if (c->begin >= j->w->from && c->begin < j->w->settled)
		hits_add(j->hits, c->kind, j->w->place, digits, value_of(j, c, digits));
}

static void judge_all(struct judge *j, unsigned wanted)
{
	for (size_t i = 0; i < j->n; i++) {
		struct candidate *c = &j->found[i];

		labels_read(&j->labels, j->w, c->begin);
		c->column = j->labels.column;
		if (!judged(j, c))
			continue;
		j->told[c->kind] = *c;
		if (wanted & 1U << c->kind)
			tell(j, c);
	}
	j->n = 0;
}

/* What begins with the row: the kind whose check digit is right, or else the first of its shape. */
static bool row_at(const struct detect_window *w, const struct row *row, struct candidate *c)
{
	static bool (*const shapes[])(const struct detect_window *w, const struct row *row,
	    struct candidate *c) = {card_at, mynumber_at, corporate_at};
	struct candidate other;
	bool some = false;

	for (size_t i = 0; i < COUNT_OF(shapes); i++) {
		if (!shapes[i](w, row, &other) || (some && !other.right))
			continue;
		*c = other;
		some = true;
		if (other.right)
			break;
	}
	return some;
}

/* What begins with the run of digits at `at`; where to look on. */
static size_t gather(struct judge *j, size_t at)
{
	const struct detect_window *w = j->w;
	struct candidate *c = &j->found[j->n];
	struct row row;
	size_t end = at;

	while (digit_at(w, end))
		end++;
	if (((w->text[at] == '0' && end - at <= 13) || (at > 0 && w->text[at - 1] == '+')) &&
	    phone_at(w, at, c)) {
		j->n++;
		return c->end;
	}
	if (end - at == 1 && spaced_at(w, at, c)) {
		j->n++;
		return c->end;
	}
	if (end - at < 4 && end - at != 1)
		return end;

	digits_row(w, at, &row);
	if (!row_at(w, &row, c))
		return end;
	j->n++;
	return c->end;
}

void detect_numbers(const struct detect_window *window, unsigned wanted, struct hits *hits)
{
	struct candidate found[CANDIDATES_MAX];
	struct judge j = {.w = window, .hits = hits, .found = found};
	size_t at = 0;

	labels_begin(&j.labels);
	while (at < window->len) {
		if (!digit_at(window, at)) {
			at++;
			continue;
		}
		at = gather(&j, at);
		if (j.n == CANDIDATES_MAX)
			judge_all(&j, wanted);
	}
	judge_all(&j, wanted);
}
