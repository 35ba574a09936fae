#include "lib/mime/param.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/hex.h"
#include "lib/mime/word.h"
#include "lib/text/charset.h"

#define ESCAPE      '\033'
#define PLAIN_MAX   16   /* values of one parameter that are looked at; of more, the last, too */
#define PIECES_MAX  1000 /* pieces of one value */
#define DECODED_MAX (4 * PARAM_VALUE_MAX)

struct piece {
	struct param param;
	size_t order; /* in which it stands in the field */
};

struct collector {
	const char *body;
	size_t len;
	const char *name;
	bool bytes; /* values are wanted as they stand */
	struct param_readings *to;
	struct piece *pieces;
	size_t piece_count;
	size_t piece_room;
	struct buf value; /* the one that is made */
	struct buf text;  /* converted */
};

void param_readings_init(struct param_readings *r)
{
	*r = (struct param_readings){.count = 0};
	buf_init(&r->text, (size_t)PARAM_READINGS * (PARAM_VALUE_MAX + 1));
}

void param_readings_free(struct param_readings *r)
{
	buf_free(&r->text);
	param_readings_init(r);
}

const char *param_reading(const struct param_readings *r, size_t i)
{
	return r->text.bytes + r->all[i].at;
}

/* ---- a reading ---- */

static bool has(const struct param_readings *r, const char *bytes, size_t len)
{
	for (size_t i = 0; i < r->count; i++) {
		if (r->all[i].len == len && memcmp(param_reading(r, i), bytes, len) == 0)
			return true;
	}
	return false;
}

static bool keep(struct param_readings *r, enum param_form form, const char *bytes, size_t len)
{
	if (len > PARAM_VALUE_MAX) {
		r->flags |= PARAM_MANY;
		for (len = PARAM_VALUE_MAX; len > 0 && ((unsigned char)bytes[len] & 0xc0) == 0x80;)
			len--;
	}
	if (len > 0 && memchr(bytes, '\0', len) != NULL)
		r->flags |= PARAM_NUL;
	if (has(r, len > 0 ? bytes : "", len))
		return true;

	if (r->count > 0)
		r->flags |= PARAM_DIFFER;
	if (r->count == PARAM_READINGS) {
		r->flags |= PARAM_MANY;
		return true;
	}
	r->all[r->count++] = (struct param_reading){form, r->text.len, len};
	buf_add(&r->text, bytes, len);
	buf_add(&r->text, "", 1);
	return buf_ok(&r->text);
}

static bool is_raw(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++) {
		if ((unsigned char)b->bytes[i] >= 0x80 || b->bytes[i] == ESCAPE)
			return true;
	}
	return false;
}

/* What percent signs were taken from may hold encoded words, which some decode in turn. */
static bool add_words_of_text(struct collector *c, enum param_form form)
{
	unsigned words = 0;

	buf_clear(&c->value);
	if (!word_decode(c->text.bytes, c->text.len, &c->value, &words))
		c->to->flags |= PARAM_MANY;
	c->value.failed = false;
	if ((words & WORD_SEEN) == 0)
		return true;
	c->to->flags |= PARAM_WORD;
	return keep(c->to, form, c->value.bytes, c->value.len);
}

/* Adds what is in `value`, converted from a charset (NULL: none is given, there may be words). */
static bool add_value(struct collector *c, enum param_form form, const char *charset)
{
	unsigned *flags = &c->to->flags;
	unsigned words = 0;

	if (!buf_ok(&c->value)) {
		/* All of it, or what fits: a cut is told. */
		*flags |= PARAM_MANY;
		c->value.failed = false;
	}
	if (is_raw(&c->value) && charset == NULL)
		*flags |= PARAM_RAW;
	if (c->value.len == 0)
		return keep(c->to, form, "", 0);
	if (c->bytes && !keep(c->to, form, c->value.bytes, c->value.len))
		return false;

	buf_clear(&c->text);
	if (charset == NULL) {
		if (!word_decode(c->value.bytes, c->value.len, &c->text, &words))
			*flags |= PARAM_MANY;
	} else if (!c->bytes && !charset_convert(charset, c->value.bytes, c->value.len, &c->text)) {
		*flags |= PARAM_MANY;
	}
	if ((words & WORD_SEEN) != 0)
		*flags |= PARAM_WORD;
	if ((words & WORD_CHARSET) != 0)
		*flags |= PARAM_CHARSET;
	if (c->bytes && (words & WORD_SEEN) == 0)
		return true;
	if (!keep(c->to, form, c->text.bytes, c->text.len))
		return false;
	return charset == NULL || c->bytes || add_words_of_text(c, form);
}

/* ---- backslashes ---- */

enum backslash {
	BACKSLASH_TAKEN, /* by the grammar: it goes, what is behind it stays */
	BACKSLASH_PAIRS, /* but not the second byte of a letter of Shift_JIS */
	BACKSLASH_KEPT,  /* but those before a quote or a backslash */
};

/* Whether a byte is the first of a letter of two bytes, in Shift_JIS. */
static bool is_lead(char c)
{
	unsigned char byte = (unsigned char)c;

	return (byte >= 0x81 && byte <= 0x9f) || (byte >= 0xe0 && byte <= 0xfc);
}

/* Adds a value to `value`, line ends of folds taken out. Whether a backslash was there to judge. */
static bool add_raw(struct collector *c, const struct param *param, enum backslash how)
{
	bool judged = false;

	for (size_t i = 0; i < param->value_len; i++) {
		char byte = param->value[i];
		size_t left = param->value_len - i;

		if (byte == '\r' || byte == '\n')
			continue;
		if (how == BACKSLASH_PAIRS && is_lead(byte) && left > 1) {
			judged = judged || param->value[i + 1] == '\\';
			buf_add(&c->value, param->value + i, 2);
			i++;
			continue;
		}
		if (byte == '\\' && param->quoted && left > 1) {
			bool escape = param->value[i + 1] == '"' || param->value[i + 1] == '\\';

			judged = judged || !escape;
			if (escape || how != BACKSLASH_KEPT)
				byte = param->value[++i];
		}
		buf_add(&c->value, &byte, 1);
	}
	return judged;
}

/* Adds the value, each way to read its backslashes being a reading. */
static bool add_plain(
    struct collector *c, enum param_form form, const struct param *param, struct param tail)
{
	static const enum backslash HOW[] = {BACKSLASH_PAIRS, BACKSLASH_TAKEN, BACKSLASH_KEPT};
	bool judged = true;

	tail.quoted = false;
	for (size_t i = 0; i < COUNT_OF(HOW) && judged; i++) {
		size_t before = c->to->count;

		buf_clear(&c->value);
		judged = add_raw(c, param, HOW[i]);
		(void)add_raw(c, &tail, BACKSLASH_KEPT);
		if (!add_value(c, form, NULL))
			return false;
		if (i > 0 && c->to->count > before)
			c->to->flags |= PARAM_BACKSLASH;
	}
	return true;
}

/* ---- values without quotes ---- */

/*
 * What is behind a value up to the semicolon or the next parameter: old clients mean it to belong to
 * the value, which they do not quote.
 */
static struct param tail_of(const struct collector *c, const struct param *param, unsigned mode)
{
	const char *end = c->body + c->len;
	const char *from = param->value + param->value_len + (param->quoted ? 1 : 0);
	const char *last = from, *before = from; /* where this word ends, and the one before it */
	bool blank = false;

	for (const char *at = from; at < end && *at != ';' && *at != '"'; at++) {
		if (*at == '(' && (mode & PARAM_COMMENTS) != 0)
			break;
		if (*at == '=') {
			last = before;
			break;
		}
		if (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n') {
			blank = true;
			continue;
		}
		if (blank)
			before = last;
		blank = false;
		last = at + 1;
	}
	return (struct param){.value = from, .value_len = last > from ? (size_t)(last - from) : 0};
}

static bool names_file(const struct collector *c)
{
	return strcasecmp(c->name, "filename") == 0 || strcasecmp(c->name, "name") == 0;
}

/* One value of the parameter that is not in pieces. */
static bool add_param(struct collector *c, const struct param *param, unsigned mode)
{
	struct param tail = tail_of(c, param, mode), none = {.value = ""};
	bool rest = tail.value_len > 0 && (c->bytes || names_file(c));

	if (rest)
		c->to->flags |= PARAM_UNQUOTED;
	/* A name goes on behind its blanks; what is behind a quote is less likely to belong to it. */
	if (rest && !param->quoted && !c->bytes && !add_plain(c, PARAM_FORM_PLAIN, param, tail))
		return false;
	if (!add_plain(c, PARAM_FORM_PLAIN, param, none))
		return false;
	return !rest || add_plain(c, PARAM_FORM_PLAIN, param, tail);
}

/* ---- RFC 2231 ---- */

static void add_percent(struct collector *c, const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char byte = value[i];

		if (byte == '\r' || byte == '\n')
			continue;
		if (byte == '%' && len - i > 2 && hex_digit(value[i + 1]) >= 0 &&
		    hex_digit(value[i + 2]) >= 0) {
			byte = (char)(hex_digit(value[i + 1]) << 4 | hex_digit(value[i + 2]));
			i += 2;
		}
		buf_add(&c->value, &byte, 1);
	}
}

/* Takes "charset'language'" off a value, if it is there. */
static void take_charset(
    struct collector *c, struct param *param, char label[static CHARSET_LABEL_MAX + 1])
{
	const char *end = param->value + param->value_len;
	const char *one = memchr(param->value, '\'', param->value_len);
	const char *two = one == NULL ? NULL : memchr(one + 1, '\'', (size_t)(end - one - 1));
	size_t len;

	label[0] = '\0';
	if (two == NULL)
		return;
	len = (size_t)(one - param->value);
	if (len <= CHARSET_LABEL_MAX) {
		memcpy(label, param->value, len);
		label[len] = '\0';
	}
	if (memchr(label, '\0', len) != NULL || (len > 0 && !charset_known(label)))
		c->to->flags |= PARAM_CHARSET;
	param->value_len = (size_t)(end - two - 1);
	param->value = two + 1;
}

static bool add_extended(struct collector *c, struct param param)
{
	char label[CHARSET_LABEL_MAX + 1];

	take_charset(c, &param, label);
	buf_clear(&c->value);
	add_percent(c, param.value, param.value_len);
	return add_value(c, PARAM_FORM_EXTENDED, label);
}

static int compare(const void *one, const void *two)
{
	const struct piece *a = one, *b = two;

	if (a->param.piece != b->param.piece)
		return a->param.piece < b->param.piece ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static bool keep_piece(struct collector *c, const struct param *param)
{
	if (c->piece_count == PIECES_MAX) {
		c->to->flags |= PARAM_MANY;
		return true;
	}
	if (c->piece_count == c->piece_room) {
		size_t room = c->piece_room == 0 ? 8 : 2 * c->piece_room;
		struct piece *pieces = realloc(c->pieces, room * sizeof *pieces);

		if (pieces == NULL)
			return false;
		c->pieces = pieces;
		c->piece_room = room;
	}
	c->pieces[c->piece_count] = (struct piece){*param, c->piece_count};
	c->piece_count++;
	return true;
}

/* Which pieces are joined. */
struct join {
	bool last;     /* of two with one number the last, not the first */
	bool over_gap; /* those behind a missing one, too */
};

/* Whether the i-th of the sorted pieces is one to be joined behind number `before`. */
static bool joins(const struct collector *c, size_t i, int before, struct join how)
{
	const struct piece *p = c->pieces + i;

	if (how.last ? i + 1 < c->piece_count && p[1].param.piece == p->param.piece
		     : i > 0 && p[-1].param.piece == p->param.piece)
		return false;
	return how.over_gap || p->param.piece == before + 1;
}

static bool join(struct collector *c, struct join how)
{
	char label[CHARSET_LABEL_MAX + 1] = "";
	bool extended = false;
	int before = -1;

	buf_clear(&c->value);
	for (size_t i = 0; i < c->piece_count; i++) {
		struct param param = c->pieces[i].param;

		if (!joins(c, i, before, how))
			continue;
		if (param.extended && before == -1)
			take_charset(c, &param, label);
		if (param.extended)
			add_percent(c, param.value, param.value_len);
		else
			(void)add_raw(c, &param, BACKSLASH_PAIRS);
		extended = extended || param.extended;
		before = param.piece;
	}
	return before == -1 || add_value(c, PARAM_FORM_PIECES, extended ? label : NULL);
}

static bool add_pieces(struct collector *c)
{
	bool twice = false, gap = false;

	if (c->piece_count == 0)
		return true;

	qsort(c->pieces, c->piece_count, sizeof *c->pieces, compare);
	for (size_t i = 0; i < c->piece_count; i++) {
		int before = i == 0 ? -1 : c->pieces[i - 1].param.piece;

		twice = twice || c->pieces[i].param.piece == before;
		gap = gap || c->pieces[i].param.piece > before + 1;
	}
	if (twice)
		c->to->flags |= PARAM_TWICE;
	if (gap)
		c->to->flags |= PARAM_GAP;

	return join(c, (struct join){.last = false}) &&
	       (!twice || join(c, (struct join){.last = true})) &&
	       (!gap || join(c, (struct join){.over_gap = true})) &&
	       (!gap || !twice || join(c, (struct join){.last = true, .over_gap = true}));
}

/* ---- all of them ---- */

static bool is_named(const struct collector *c, const struct param *param)
{
	return strlen(c->name) == param->name_len &&
	       strncasecmp(c->name, param->name, param->name_len) == 0;
}

/* Reads the field in one way; `judge`: by it the field is judged. */
static bool collect(struct collector *c, unsigned mode, bool judge)
{
	struct param_reader r = param_open(c->body, c->len, mode, NULL, NULL);
	struct param param, last = {.value = ""};
	size_t values[2] = {0, 0}; /* plain ones, extended ones */
	bool fine = true;

	c->piece_count = 0;
	while (fine && param_next(&r, &param)) {
		if (!is_named(c, &param))
			continue;
		if (param.value_len > 0 && memchr(param.value, '\0', param.value_len) != NULL)
			r.flags |= PARAM_NUL;
		if (param.piece >= 0) {
			fine = keep_piece(c, &param);
			continue;
		}
		last = param;
		if (++values[param.extended] > PLAIN_MAX)
			continue;
		fine = param.extended ? add_extended(c, param) : add_param(c, &param, mode);
	}
	if (fine && values[last.extended] > PLAIN_MAX)
		fine = last.extended ? add_extended(c, last) : add_param(c, &last, mode);
	if (values[0] > 1 || values[1] > 1)
		r.flags |= PARAM_TWICE;
	if (values[0] > PLAIN_MAX || values[1] > PLAIN_MAX)
		r.flags |= PARAM_MANY;

	c->to->flags |= r.flags & (judge ? ~(unsigned)PARAM_PIECES : PARAM_TWICE | PARAM_NUL);
	if (c->piece_count > 0)
		c->to->flags |= PARAM_PIECES;
	return fine && add_pieces(c);
}

/* Puts the readings from `from` on into the order of their forms, those of one as they are. */
static void sort_forms(struct param_readings *r, size_t from)
{
	for (size_t i = from + 1; i < r->count; i++) {
		struct param_reading one = r->all[i];
		size_t at = i;

		for (; at > from && r->all[at - 1].form > one.form; at--)
			r->all[at] = r->all[at - 1];
		r->all[at] = one;
	}
}

static bool read_all(
    const char *body, size_t len, const char *name, bool bytes, struct param_readings *readings)
{
	struct collector c = {body, len, name, .bytes = bytes, .to = readings};
	bool letters = len > 0 && memmem(body, len, "\033$", 2) != NULL;
	bool parens = len > 0 && memchr(body, '(', len) != NULL;
	bool first; /* without comments: a name that is not quoted has parentheses more often */
	size_t before = readings->count;
	bool fine;

	buf_init(&c.value, DECODED_MAX);
	buf_init(&c.text, DECODED_MAX);
	first = parens && !letters && !bytes && names_file(&c);
	fine = (!letters || collect(&c, PARAM_COMMENTS | PARAM_JIS, true)) &&
	       (!first || collect(&c, 0, false)) && collect(&c, PARAM_COMMENTS, !letters) &&
	       (first || !parens || collect(&c, 0, false));
	sort_forms(readings, before);

	buf_free(&c.value);
	buf_free(&c.text);
	free(c.pieces);
	return fine;
}

bool param_read(const char *body, size_t len, const char *name, struct param_readings *readings)
{
	return read_all(body, len, name, false, readings);
}

bool param_read_bytes(
    const char *body, size_t len, const char *name, struct param_readings *readings)
{
	return read_all(body, len, name, true, readings);
}
