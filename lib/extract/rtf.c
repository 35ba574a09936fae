/*
 * RTF, as it comes (Rich Text Format Specification 1.9.1): a group is a few bytes of state, an
 * embedded object goes to the scratch file, and nothing else is kept.
 */
#include "lib/extract/rtf.h"

#include <stdlib.h>
#include <string.h>

#include "lib/extract/ole.h"
#include "lib/extract/rtf_words.h"
#include "lib/extract/state.h"

#define WINDOW     ((size_t)65536)
#define GROUPS_MAX 4096
#define FONTS      32768
#define ANSI       1 /* in the table of fonts: the charset of the document, whatever that is */
#define PROPERTY   "gtextUNICODE" /* of a drawing: the text that is drawn */

struct group {
	uint8_t to;
	bool begins; /* the destination is this group's own */
	bool block;  /* stands apart from the text around it */
	bool double_font;
	uint16_t font;
	uint16_t other_font; /* for letters of two bytes */
	uint16_t units;      /* letters behind \u that stand for it */
};

struct rtf {
	struct inside *in;
	uint64_t at; /* in the file, behind the window */
	size_t next, len;
	bool unread;

	struct group *groups;
	size_t depth;
	struct group g; /* the innermost */
	bool star;
	unsigned skip; /* letters that stand for the \u before them */

	uint16_t *fonts; /* code pages */
	uint16_t defining;
	uint16_t default_font;
	unsigned codepage;

	struct spill object;
	bool has_object;
	int nibble; /* -1: none */
	size_t held;
	char hold[512];

	char property[sizeof PROPERTY];
	size_t property_len;
	struct rtf_out out;
	char window[WINDOW];
};

/* ---- bytes ---- */

/* -1 at the end. */
static int next_byte(struct rtf *r)
{
	ssize_t n;

	if (r->next < r->len)
		return (unsigned char)r->window[r->next++];
	n = source_read(&r->in->file, r->at, r->window, sizeof r->window);
	if (n <= 0) {
		r->unread = n < 0;
		return -1;
	}
	r->at += (uint64_t)n;
	r->len = (size_t)n;
	r->next = 1;
	return (unsigned char)r->window[0];
}

/* Only directly behind next_byte. */
static void back(struct rtf *r)
{
	r->next--;
}

static void pass_over(struct rtf *r, uint64_t n)
{
	size_t here = r->len - r->next;

	if (n <= here) {
		r->next += (size_t)n;
		return;
	}
	n -= here;
	r->next = r->len;
	r->at = n < r->in->file.size - r->at ? r->at + n : r->in->file.size;
}

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ---- objects ---- */

static void write_held(struct rtf *r)
{
	if (r->held > 0 && !spill_write(&r->object, r->hold, r->held)) {
		inside_fault(r->in, EXTRACT_READ);
		r->has_object = false;
	}
	r->held = 0;
}

static void object_byte(struct rtf *r, unsigned byte)
{
	if (!r->has_object)
		return;
	r->hold[r->held++] = (char)byte;
	if (r->held == sizeof r->hold)
		write_held(r);
}

static void object_digit(struct rtf *r, int c)
{
	int digit = hex_digit(c);

	if (digit < 0)
		return;
	if (r->nibble < 0) {
		r->nibble = digit;
		return;
	}
	object_byte(r, (unsigned)(r->nibble << 4 | digit));
	r->nibble = -1;
}

static void begin_object(struct rtf *r)
{
	if (!r->has_object)
		spill_begin(r->in->x, &r->object);
	r->has_object = true;
	r->held = 0;
	r->nibble = -1;
}

static void end_object(struct rtf *r)
{
	struct source file;

	write_held(r);
	if (r->has_object) {
		file = spill_source(&r->object);
		if (!rtf_flush(&r->out))
			r->out.wide.refused = true;
		read_ole1(r->in, &file);
	}
	spill_end(&r->object);
	r->has_object = false;
}

/* ---- text ---- */

static unsigned codepage_now(const struct rtf *r)
{
	unsigned page = r->fonts[r->g.font % FONTS];

	if (r->g.double_font && !rtf_is_double(page)) {
		unsigned other = r->fonts[r->g.other_font % FONTS];

		page = rtf_is_double(other) ? other : ANSI;
	}
	return page <= ANSI ? r->codepage : page;
}

static void letter(struct rtf *r, int c)
{
	if (r->skip > 0) {
		r->skip--;
		return;
	}
	switch ((enum rtf_destination)r->g.to) {
	case RTF_TEXT:
	case RTF_VALUE:
		/* A byte of ASCII may be the second of a letter in what is pending. */
		rtf_byte(&r->out, c < 0x80 ? r->out.codepage : codepage_now(r), (unsigned char)c);
		break;
	case RTF_OBJECT:
		object_digit(r, c);
		break;
	case RTF_NAME:
		if (r->property_len < sizeof r->property)
			r->property[r->property_len++] = (char)c;
		break;
	case RTF_FONTS:
	case RTF_NOTHING:
		break;
	}
}

static void unit(struct rtf *r, uint32_t u)
{
	if (r->g.to == RTF_TEXT || r->g.to == RTF_VALUE)
		rtf_unit(&r->out, u);
}

/* ---- groups ---- */

static bool begin_group(struct rtf *r)
{
	if (r->depth == GROUPS_MAX)
		return false;
	r->groups[r->depth++] = r->g;
	r->g.begins = r->g.block = false;
	r->star = false;
	r->skip = 0;
	return true;
}

static void end_group(struct rtf *r)
{
	r->skip = 0;
	r->star = false;
	if (r->g.to == RTF_OBJECT && r->g.begins)
		end_object(r);
	if (r->g.block)
		unit(r, '\n');
	if (r->depth > 0)
		r->g = r->groups[--r->depth];
}

static void go_to(struct rtf *r, enum rtf_destination to)
{
	/* What lies within something that is not read is not read either. */
	if (r->g.to == RTF_NOTHING || r->g.to == RTF_OBJECT)
		return;
	if (to == RTF_TEXT) {
		unit(r, '\n');
		r->g.block = true;
	}
	if (to == RTF_NAME)
		r->property_len = 0;
	if (to == RTF_VALUE && (r->property_len != sizeof PROPERTY - 1 ||
				   memcmp(r->property, PROPERTY, sizeof PROPERTY - 1) != 0))
		to = RTF_NOTHING;
	if (to == RTF_OBJECT)
		begin_object(r);
	r->g.to = (uint8_t)to;
	r->g.begins = true;
}

/* ---- fonts ---- */

static void font_charset(struct rtf *r, long charset)
{
	static const struct {
		uint8_t charset;
		uint16_t codepage;
	} pages[] = {{77, 10000}, {78, 10001}, {128, 932}, {129, 949}, {130, 1361}, {134, 936},
	    {136, 950}, {161, 1253}, {162, 1254}, {163, 1258}, {177, 1255}, {178, 1256},
	    {186, 1257}, {204, 1251}, {222, 874}, {238, 1250}, {255, 437}};

	r->fonts[r->defining] = ANSI;
	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		if (pages[i].charset == charset)
			r->fonts[r->defining] = pages[i].codepage;
	}
}

/* ---- control words ---- */

static long within(long n, long most)
{
	return n < 0 ? 0 : n > most ? most : n;
}

static void set_font(struct rtf *r, long n)
{
	if (r->g.to == RTF_FONTS)
		r->defining = (uint16_t)within(n, FONTS - 1);
	else
		r->g.font = (uint16_t)within(n, FONTS - 1);
}

static void raw_bytes(struct rtf *r, long n)
{
	if (r->g.to != RTF_OBJECT) {
		pass_over(r, (uint64_t)within(n, INT32_MAX));
		return;
	}
	for (int c; n > 0 && (c = next_byte(r)) >= 0; n--)
		object_byte(r, (unsigned)c);
}

/* Words that change how letters are read. */
static void change_how(struct rtf *r, enum rtf_how how, long n)
{
	switch (how) {
	case RTF_FONT:
		set_font(r, n);
		break;
	case RTF_OTHER_FONT:
		r->g.other_font = (uint16_t)within(n, FONTS - 1);
		break;
	case RTF_DOUBLE:
		r->g.double_font = true;
		break;
	case RTF_SINGLE:
		r->g.double_font = false;
		break;
	case RTF_PLAIN:
		r->g.font = r->default_font;
		r->g.double_font = false;
		break;
	case RTF_DEFAULT_FONT:
		r->default_font = r->g.font = (uint16_t)within(n, FONTS - 1);
		break;
	case RTF_ANSI_PAGE:
		r->codepage = (unsigned)within(n, UINT16_MAX);
		break;
	case RTF_CHARSET:
		if (r->g.to == RTF_FONTS)
			font_charset(r, n);
		break;
	case RTF_FONT_PAGE:
		if (r->g.to == RTF_FONTS)
			r->fonts[r->defining] = (uint16_t)within(n, UINT16_MAX);
		break;
	}
}

static void do_word(struct rtf *r, const struct rtf_word *word, bool has_number, long n)
{
	switch (word->action) {
	case RTF_LETTER:
		unit(r, word->value);
		break;
	case RTF_UNICODE:
		unit(r, (uint32_t)n & 0xffff);
		r->skip = r->g.units;
		break;
	case RTF_UNITS:
		r->g.units = (uint16_t)within(has_number ? n : 1, UINT16_MAX);
		break;
	case RTF_BINARY:
		raw_bytes(r, n);
		break;
	case RTF_PAGE:
		r->codepage = word->value;
		break;
	case RTF_TO:
		go_to(r, (enum rtf_destination)word->value);
		break;
	case RTF_HOW:
		change_how(r, (enum rtf_how)word->value, n);
		break;
	}
}

/* A word, its number, and the one blank behind them. `c` is its first letter. */
static void control_word(struct rtf *r, int c)
{
	char name[RTF_WORD_MAX + 1];
	size_t len = 0;
	bool minus = false, has_number = false, star = r->star;
	long n = 0;
	const struct rtf_word *word;

	for (; (c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c >= 0; c = next_byte(r)) {
		if (len < sizeof name)
			name[len++] = (char)c;
	}
	if (c == '-') {
		minus = true;
		c = next_byte(r);
	}
	for (; c >= '0' && c <= '9'; c = next_byte(r)) {
		has_number = true;
		n = n < INT32_MAX / 10 ? n * 10 + (c - '0') : INT32_MAX;
	}
	if (c >= 0 && c != ' ')
		back(r);

	r->star = false;
	word = len <= RTF_WORD_MAX ? rtf_word_named(name, len) : NULL;
	if (word != NULL)
		do_word(r, word, has_number, minus ? -n : n);
	else if (star)
		go_to(r, RTF_NOTHING); /* what that is, only those know who wrote it */
}

static void hex_letter(struct rtf *r)
{
	int high = hex_digit(next_byte(r));
	int low = high >= 0 ? hex_digit(next_byte(r)) : -1;

	if (low >= 0 && r->g.to != RTF_OBJECT)
		letter(r, high << 4 | low);
}

static void control(struct rtf *r)
{
	int c = next_byte(r);

	switch (c) {
	case '\'':
		hex_letter(r);
		break;
	case '*':
		r->star = true;
		break;
	case '\r':
	case '\n':
		unit(r, '\n');
		break;
	case '~':
		unit(r, 0xa0);
		break;
	case '-':
		unit(r, 0xad);
		break;
	case '_':
		unit(r, '-');
		break;
	case '\\':
	case '{':
	case '}':
		letter(r, c);
		break;
	default:
		if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c >= 0)
			control_word(r, c);
		break;
	}
}

/* ---- the file ---- */

/* Until the outermost group ends. */
static void read_groups(struct rtf *r)
{
	int c;

	while (!r->out.wide.refused && (c = next_byte(r)) >= 0) {
		switch (c) {
		case '{':
			if (!begin_group(r)) {
				inside_fault(r->in, EXTRACT_DEPTH);
				return;
			}
			break;
		case '}':
			end_group(r);
			if (r->depth == 0)
				return;
			break;
		case '\\':
			control(r);
			break;
		case '\r':
		case '\n':
		case '\0':
			break;
		default:
			letter(r, c);
			break;
		}
	}
	if (!r->out.wide.refused)
		inside_fault(r->in, r->unread ? EXTRACT_READ : EXTRACT_DAMAGED);
}

/* Something behind the end: one program shows it, another does not. */
static void read_rest(struct rtf *r)
{
	int c;

	while ((c = next_byte(r)) >= 0) {
		if (c > ' ' && c != 0x1a) {
			inside_fault(r->in, EXTRACT_AMBIGUOUS);
			return;
		}
	}
}

void read_rtf(struct inside *in)
{
	struct rtf *r;

	if (!in->deep)
		return;
	r = calloc(1, sizeof *r);
	if (r == NULL)
		goto fail;
	r->groups = calloc(GROUPS_MAX, sizeof *r->groups);
	r->fonts = calloc(FONTS, sizeof *r->fonts);
	if (r->groups == NULL || r->fonts == NULL)
		goto fail;
	r->in = in;
	r->codepage = r->out.codepage = 1252;
	r->g.units = 1;
	r->nibble = -1;
	wide_begin(&r->out.wide, inside_sink(in));

	read_groups(r);
	if (r->has_object)
		end_object(r);
	if (rtf_flush(&r->out) && r->depth == 0)
		read_rest(r);
	if (r->out.no_memory)
		goto fail;
	goto out;
fail:
	inside_fault(in, EXTRACT_MEMORY);
out:
	if (r != NULL) {
		free(r->groups);
		free(r->fonts);
	}
	free(r);
}
