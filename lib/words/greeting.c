/*
 * The head of a text is read in blocks of lines, apart by empty lines. The first block in which
 * somebody is given an honorific is the greeting; what stands before it may name the company. Without
 * one, a line that is a name alone, where a name stands in greetings, lacks it. A sentence ends the
 * head; behind it only lines that are nothing but a name with an honorific count.
 */
#include "lib/words/greeting.h"

#include <string.h>
#include <strings.h>

#include "lib/detect/letters.h"
#include "lib/words/greeting_inside.h"
#include "lib/words/partners_inside.h"

#define LINE_WORDS_MAX ((size_t)16)
#define LATE_LINES     ((size_t)8) /* lines with text, among which one behind a sentence counts */
#define PENDING_MAX    ((size_t)3)

/* What is in a line. */
struct line {
	struct stretch text;
	size_t persons;
	struct stretch person[GREETING_NAMES_MAX];
	struct stretch honorific[GREETING_NAMES_MAX];
	size_t companies;
	struct stretch company[GREETING_NAMES_MAX];
	struct stretch to;   /* the honorific of the last company: 御中 */
	struct stretch bare; /* a name, or names, without an honorific at the end of the line */
	bool everyone;
	bool part;            /* a department or title stands in it */
	bool list;            /* a bare name stands in a list with others */
	bool sentence;        /* the text begins in it … */
	struct stretch after; /* … with this word */
	size_t pending;
	struct stretch name[PENDING_MAX]; /* of whom it is not known yet */
};

struct head {
	struct greeting *g;
	bool given;          /* somebody was greeted */
	bool begun;          /* the text has begun */
	bool blank;          /* the line before is empty */
	bool company;        /* this block names a company or a department */
	bool sender;         /* this block holds a signature */
	size_t lines;        /* with text */
	size_t companies;    /* of the blocks before */
	struct stretch bare; /* of this block */
	struct stretch bare_line;
	struct stretch missing; /* of all blocks so far */
	struct stretch missing_line;
};

bool greeting_take(void *context, const char *text, size_t len)
{
	struct greeting_head *head = context;
	size_t room = sizeof head->text - head->len;
	size_t n = len;

	if (n > room) {
		for (n = room; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			continue;
	}
	memcpy(head->text + head->len, text, n);
	head->len += n;
	return n == len && head->len < sizeof head->text;
}

/* ---- what was found ---- */

static void copy(char *into, size_t room, struct stretch s)
{
	size_t n = s.len < room - 1 ? s.len : room - 1;

	while (n < s.len && n > 0 && ((unsigned char)s.text[n] & 0xc0) == 0x80)
		n--;
	if (n > 0)
		memcpy(into, s.text, n);
	into[n] = '\0';
}

/* A name without the blanks in it. */
static void copy_name(char into[GREETING_NAME_MAX + 1], struct stretch s)
{
	size_t used = 0;

	copy(into, GREETING_NAME_MAX + 1, s);
	if ((unsigned char)into[0] < 0x80)
		return;
	for (size_t i = 0; into[i] != '\0'; i++)
		if (into[i] != ' ')
			into[used++] = into[i];
	into[used] = '\0';
}

static void add_company(struct greeting *g, struct stretch name, struct stretch honorific)
{
	struct greeting_name *c;

	if (g->companies == GREETING_NAMES_MAX || name.len == 0)
		return;
	c = &g->company[g->companies++];
	copy(c->text, sizeof c->text, name);
	copy(c->honorific, sizeof c->honorific, honorific);
}

static void add_person(struct greeting *g, struct stretch name, struct stretch honorific)
{
	struct greeting_name *p;

	if (g->persons == GREETING_NAMES_MAX || name.len == 0)
		return;
	p = &g->person[g->persons++];
	copy_name(p->text, name);
	copy(p->honorific, sizeof p->honorific, honorific);
	if (honorific.len == 0)
		g->honorific = HONORIFIC_MISSING;
	else if (g->honorific == HONORIFIC_NONE)
		g->honorific = HONORIFIC_GIVEN;
}

/* ---- words of a line ---- */

static bool separates(uint32_t point)
{
	return point == ' ' || point == 0x3001 || point == ',' || point == '/' || point == '(' ||
	       point == ')' || point == '&' || point == 0x3010 || point == 0x3011 || point == '[' ||
	       point == ']' || point == ';' || point == 0x30fb;
}

/* The next word; `*list` is whether a comma or its like ends it. False at the end. */
static bool next_word(struct stretch line, size_t *at, struct stretch *word, bool *list)
{
	size_t start = *at, end = *at;

	*list = false;
	*word = (struct stretch){0};
	while (*at < line.len) {
		size_t form = partner_form_behind(line.text + *at, line.len - *at);
		uint32_t point;

		/* The brackets of (株) part nothing. */
		if (form > 0 && line.text[*at] == '(') {
			*at += form;
			end = *at;
			continue;
		}
		point = letter_next(line.text, line.len, at);
		if (!separates(point)) {
			end = *at;
			continue;
		}
		if (end > start)
			break;
		start = end = *at;
	}
	if (end == start)
		return false;
	*word = (struct stretch){.text = line.text + start, .len = end - start};
	for (size_t i = end; i < line.len;) {
		uint32_t point = letter_next(line.text, line.len, &i);

		if (!separates(point))
			break;
		*list |= point == 0x3001 || point == ',' || point == '/' || point == 0x30fb;
	}
	return true;
}

/* One name from the first letter of `a` to the last of `b`. */
static struct stretch span(struct stretch a, struct stretch b)
{
	return (struct stretch){.text = a.text, .len = (size_t)(b.text + b.len - a.text)};
}

static bool all_japanese(struct stretch s)
{
	for (size_t at = 0; at < s.len;)
		if (!letter_japanese(letter_next(s.text, s.len, &at)))
			return false;
	return true;
}

/* Whether two words are a family name and a given name: 佐藤 花子, but not 大阪 田中. */
static bool is_pair(struct stretch family, struct stretch given)
{
	if (!all_japanese(family) || !all_japanese(given) ||
	    greeting_letters(family.text, family.len) > 4 ||
	    greeting_letters(given.text, given.len) > 5)
		return false;
	if (surname_of(family.text, family.len, NULL) == family.len)
		return true;
	return surname_of(given.text, given.len, NULL) == 0;
}

static void line_company(struct line *l, struct stretch name)
{
	if (l->companies < GREETING_NAMES_MAX && name.len > 0)
		l->company[l->companies++] = name;
}

/* The words kept so far, but for the last `but`, are a company's. */
static void settle(struct line *l, size_t but)
{
	if (l->pending > but)
		line_company(l, span(l->name[0], l->name[l->pending - but - 1]));
	l->pending = 0;
}

/* The name that ends in the words kept so far, and in `last` if that is not empty. */
static struct stretch ending_name(struct line *l, struct stretch last)
{
	struct stretch name = last;

	if (name.len == 0 && l->pending > 0)
		name = l->name[--l->pending];
	if (l->pending > 0 && name.len > 0 && is_pair(l->name[l->pending - 1], name))
		name = span(l->name[--l->pending], name);
	settle(l, 0);
	return name;
}

static void line_person(struct line *l, struct stretch name, struct stretch honorific)
{
	if (l->persons == GREETING_NAMES_MAX || name.len == 0)
		return;
	l->person[l->persons] = name;
	l->honorific[l->persons++] = honorific;
}

static void keep_name(struct line *l, struct stretch name)
{
	if (l->pending == PENDING_MAX) {
		line_company(l, l->name[0]);
		l->pending--;
		memmove(l->name, l->name + 1, l->pending * sizeof *l->name);
	}
	l->name[l->pending++] = name;
}

/* Whether it can be nothing but a person's name: a common family name, alone or with a given one. */
static bool surely_person(struct stretch s)
{
	size_t n = surname_of(s.text, s.len, NULL);

	return n > 0 && greeting_letters(s.text + n, s.len - n) <= 4;
}

/* A title behind names: 田中 部長 is a person, unless one follows: 部長 田中様. */
static void take_title(struct line *l, struct stretch title)
{
	l->part = true;
	if (l->pending > 0 && surely_person(l->name[l->pending - 1]))
		line_person(l, ending_name(l, (struct stretch){0}), title);
	settle(l, 0);
}

/* A name behind which a comma stands: somebody without an honorific, or a company. */
static void take_listed(struct line *l, struct stretch name)
{
	if (surely_person(ending_name(l, (struct stretch){0}))) {
		l->bare = name;
		l->list = true;
	} else {
		line_company(l, name);
	}
}

/* Takes a word. False: the text begins with it. */
static bool take_word(struct line *l, struct stretch text, bool list)
{
	struct greeting_read_word w = greeting_word(text.text, text.len);

	switch (w.kind) {
	case GREETING_WORD_COMPANY:
		settle(l, 0);
		line_company(l, w.name);
		return true;
	case GREETING_WORD_PART:
		settle(l, 0);
		line_company(l, w.company);
		l->part = true;
		return true;
	case GREETING_WORD_TITLE:
		if (w.company.len > 0)
			settle(l, 0);
		line_company(l, w.company);
		take_title(l, w.name);
		return true;
	case GREETING_WORD_PERSON:
		line_company(l, w.company);
		if (w.company.len > 0)
			settle(l, 0);
		line_person(l, ending_name(l, w.name), w.honorific);
		return true;
	case GREETING_WORD_EVERYONE:
		settle(l, 0);
		l->everyone = true;
		return true;
	case GREETING_WORD_TO:
		settle(l, 0);
		line_company(l, w.name);
		l->to = w.honorific;
		return true;
	case GREETING_WORD_NAME:
		if (w.behind)
			settle(l, 0);
		line_company(l, w.company);
		l->part |= w.behind;
		keep_name(l, w.name);
		if (list)
			take_listed(l, w.name);
		return true;
	case GREETING_WORD_SENTENCE:
		break;
	}
	return false;
}

/* ---- English ---- */

static bool latin_is(struct stretch s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.text, word, s.len) == 0;
}

static bool latin_any(struct stretch s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (latin_is(s, words[i]))
			return true;
	return false;
}

/* A word of Latin letters, a dot at its end left out. */
static bool next_latin(struct stretch line, size_t *at, struct stretch *word)
{
	size_t start;

	while (*at < line.len && line.text[*at] == ' ')
		++*at;
	start = *at;
	while (*at < line.len && memchr(" ,:;!/&", line.text[*at], 7) == NULL)
		++*at;
	*word = (struct stretch){.text = line.text + start, .len = *at - start};
	if (word->len > 1 && word->text[word->len - 1] == '.')
		word->len--;
	return word->len > 0;
}

/* "Dear Mr. Sato and Ms. Tanaka," behind "Dear". */
static void take_dear(struct line *l, struct stretch line, size_t at, struct stretch dear)
{
	static const char *const nobody[] = {"all", "team", "sir", "sirs", "madam", "customer",
	    "customers", "colleagues", "everyone", "friends", "there", "folks", "members",
	    "valued"};
	static const char *const titles[] = {
	    "mr", "ms", "mrs", "miss", "mx", "dr", "prof", "professor"};
	static const char *const sans[] = {"-san", "-sama", "-sensei"};
	struct stretch word, title = dear, name = {0};

	for (size_t n = 0; n < 12 && next_latin(line, &at, &word); n++) {
		if (latin_any(word, nobody, COUNT_OF(nobody))) {
			l->everyone = true;
			return;
		}
		if (latin_any(word, titles, COUNT_OF(titles))) {
			title = word;
		} else if (latin_is(word, "and") || latin_is(word, "or")) {
			line_person(l, name, title);
			name = (struct stretch){0};
		} else {
			name = name.len > 0 ? span(name, word) : word;
		}
		if (at < line.len && line.text[at] != ' ') {
			if (line.text[at] != '/' && line.text[at] != '&')
				break;
			line_person(l, name, title);
			name = (struct stretch){0};
			at++;
		}
	}
	for (size_t i = 0; i < COUNT_OF(sans); i++) {
		size_t n = strlen(sans[i]);

		if (name.len > n && strncasecmp(name.text + name.len - n, sans[i], n) == 0) {
			title =
			    (struct stretch){.text = name.text + name.len - n + 1, .len = n - 1};
			name.len -= n;
		}
	}
	if (greeting_letters(name.text != NULL ? name.text : "", name.len) <= 40)
		line_person(l, name, title);
}

/* "Dear …", "To whom it may concern", "Tanaka-san,". */
static bool take_english(struct line *l, struct stretch line)
{
	static const char *const words[] = {"dear", "hi", "hello"};
	struct stretch word;
	size_t at = 0;

	if (!next_latin(line, &at, &word))
		return false;
	if (latin_any(word, words, COUNT_OF(words))) {
		take_dear(l, line, at, word);
		return true;
	}
	if (line.len > 7 && strncasecmp(line.text, "to whom", 7) == 0) {
		l->everyone = true;
		return true;
	}
	if (word.len > 4 && (stretch_ends(word, "-san") || stretch_ends(word, "-sama"))) {
		take_dear(l, word, 0, (struct stretch){0});
		l->sentence = at + 1 < line.len;
		return true;
	}
	return false;
}

/* ---- a line ---- */

static bool is_mark(uint32_t point)
{
	return point == ' ' || point == '>' || point == '*' || point == '#' || point == '=' ||
	       point == '-' || point == '@' || point == 0x3000 ||
	       (point >= 0x2190 && point <= 0x2bff) || point == 0x203b || point == 0x3013;
}

/* The line without what decorates it, and without "To:". */
static struct stretch plain_line(const char *text, size_t len)
{
	static const char *const labels[] = {"to:", "cc:", "宛先:", "宛:", "(cc:", "cc."};
	struct stretch s = {.text = text, .len = len};

	for (size_t at = 0; at < s.len;) {
		size_t next = at;

		if (!is_mark(letter_next(s.text, s.len, &next))) {
			s.text += at;
			s.len -= at;
			break;
		}
		at = next;
		if (at == s.len)
			s.len = 0;
	}
	while (s.len > 0 && s.text[s.len - 1] == ' ')
		s.len--;
	for (size_t i = 0; i < COUNT_OF(labels); i++) {
		size_t n = strlen(labels[i]);

		if (s.len > n && strncasecmp(s.text, labels[i], n) == 0) {
			s.text += n;
			s.len -= n;
		}
	}
	return s;
}

/* Latin words, which are a company's name up to its form: "Alpha Trading Co., Ltd." */
static size_t latin_company(struct stretch line)
{
	for (size_t at = 0; at < line.len; at++) {
		if ((unsigned char)line.text[at] >= 0x80)
			return 0;
		if (at > 1 && (line.text[at] == ' ' || line.text[at] == ',')) {
			size_t form = partner_form_behind(line.text + at, line.len - at);

			if (form > 0)
				return at + form;
		}
	}
	return 0;
}

static bool all_ascii(struct stretch s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.text[i] >= 0x80)
			return false;
	return true;
}

static void read_line(struct line *l, const char *text, size_t len)
{
	struct stretch word;
	size_t at = 0;
	bool list;

	*l = (struct line){.text = plain_line(text, len)};
	if (take_english(l, l->text)) {
		l->sentence |= l->persons == 0 && !l->everyone;
		return;
	}
	at = latin_company(l->text);
	if (at > 0)
		line_company(l, (struct stretch){.text = l->text.text, .len = at});
	if (all_ascii(l->text)) {
		l->sentence = at == 0;
		return;
	}
	for (size_t n = 0; next_word(l->text, &at, &word, &list); n++) {
		if (n == LINE_WORDS_MAX || !take_word(l, word, list)) {
			l->sentence = true;
			l->after = word;
			break;
		}
	}
	if (l->pending > 0 && !l->sentence)
		l->bare = ending_name(l, (struct stretch){0});
	else
		settle(l, 0);
}

/* ---- the head ---- */

/* Lines of a signature, or of a letter's head, which is the sender's. */
static bool signs(struct stretch line)
{
	static const char *const marks[] = {
	    "TEL", "Tel", "FAX", "http", "〒", "電話", "携帯", "E-mail", "Mail:", "@"};

	for (size_t i = 0; i < COUNT_OF(marks); i++)
		if (memmem(line.text, line.len, marks[i], strlen(marks[i])) != NULL)
			return true;
	return false;
}

static bool is_date(struct stretch line)
{
	size_t digits = 0, at = 0;

	while (at < line.len) {
		uint32_t point = letter_next(line.text, line.len, &at);

		digits += letter_digit(point);
		if (!letter_digit(point) && point != 0x5e74 && point != 0x6708 && point != 0x65e5 &&
		    point != '/' && point != '-' && point != '.' && point != ' ' &&
		    point != 0x4ee4 && point != 0x548c)
			return false;
	}
	return digits > 0;
}

static void end_block(struct head *h)
{
	if (h->bare.len > 0 && !h->sender && h->missing.len == 0) {
		h->missing = h->bare;
		h->missing_line = h->bare_line;
	}
	if (h->sender && !h->given)
		h->g->companies = h->companies;
	h->companies = h->g->companies;
	h->bare = (struct stretch){0};
	h->company = false;
	h->sender = false;
	h->blank = true;
}

/* Somebody is greeted in this line. */
static void take_greeting(struct head *h, const struct line *l)
{
	struct greeting *g = h->g;

	/* What stood alone in the line before is the company, or a department. */
	if (h->bare.len > 0 && !h->given)
		add_company(g, h->bare, (struct stretch){0});
	h->bare = (struct stretch){0};
	for (size_t i = 0; i < l->companies; i++)
		add_company(g, l->company[i], i + 1 == l->companies ? l->to : (struct stretch){0});
	for (size_t i = 0; i < l->persons; i++)
		add_person(g, l->person[i], l->honorific[i]);
	if (l->bare.len > 0 && l->persons > 0 && surely_person(l->bare))
		add_person(g, l->bare, (struct stretch){0});
	g->everyone |= l->everyone;
	if (g->line[0] == '\0' || (l->persons > 0 && g->persons == l->persons))
		copy(g->line, sizeof g->line, l->text);
	g->found = true;
	h->given = true;
}

/* A line that greets nobody as one should: a company, a department, a name. */
static void take_bare(struct head *h, const struct line *l)
{
	if (h->given)
		return;
	for (size_t i = 0; i < l->companies; i++)
		add_company(h->g, l->company[i], (struct stretch){0});
	h->company |= l->companies > 0 || l->part;
	if (h->bare.len > 0 && !(h->company && surely_person(h->bare)))
		add_company(h->g, h->bare, (struct stretch){0});
	if (l->bare.len > 0) {
		bool person = surely_person(l->bare) ||
			      (h->company && greeting_letters(l->bare.text, l->bare.len) <= 5);

		if (person) {
			h->bare = l->bare;
			h->bare_line = l->text;
		} else {
			add_company(h->g, l->bare, (struct stretch){0});
			h->company = true;
		}
	}
}

/* What one says to whom one has just named. */
static bool is_hello(struct stretch s)
{
	static const char *const words[] = {"疲れ", "世話", "おはよ", "こんに", "こんば", "いつも",
	    "ありが", "苦労", "無沙汰", "久しぶり"};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (memmem(s.text, s.len, words[i], strlen(words[i])) != NULL)
			return true;
	return false;
}

/* Takes a line with text. False: the head ends. */
static bool take_line(struct head *h, const char *text, size_t len)
{
	struct line l;
	bool greets;

	read_line(&l, text, len);
	if (is_date(l.text) || l.text.len == 0)
		return true;
	h->lines++;
	greets = l.persons > 0 || l.everyone || l.to.len > 0;
	if (h->begun && (l.sentence || !greets || !h->blank || h->lines > LATE_LINES))
		return !h->given;
	if (signs(l.text))
		h->sender = true;
	if (greets) {
		take_greeting(h, &l);
	} else if (l.sentence && l.list && is_hello(l.after)) {
		/* 柴田、お疲れさまです。 But 柴田、今井の2名で伺います。 */
		h->bare = l.bare;
		h->bare_line = l.text;
	} else if (!l.sentence) {
		take_bare(h, &l);
		if (l.list && h->bare.len == 0 && surely_person(l.bare)) {
			h->bare = l.bare;
			h->bare_line = l.text;
		}
	}
	h->blank = false;
	if (l.sentence) {
		end_block(h);
		h->begun = true;
		h->blank = false;
	}
	return true;
}

static void finish(struct head *h)
{
	struct greeting *g = h->g;

	if (!h->given && h->missing.len > 0) {
		add_person(g, h->missing, (struct stretch){0});
		copy(g->line, sizeof g->line, h->missing_line);
		g->found = true;
	}
	for (size_t i = 0; i < g->companies && !g->found; i++) {
		struct stretch name = {.text = g->company[i].text};

		/* A company alone is greeted if it says that it is one; else it is a heading. */
		name.len = strlen(name.text);
		if (partner_form_behind(name.text, name.len) == 0 &&
		    partner_form_before(name.text, name.len) == 0)
			continue;
		copy(g->line, sizeof g->line, name);
		g->found = true;
	}
	if (!g->found)
		g->companies = 0;
}

void greeting_read(
    const struct norm_tables *tables, const char *text, size_t len, struct greeting *greeting)
{
	struct head h = {.g = greeting, .blank = true};
	size_t lines = 0, end;

	(void)tables;
	*greeting = (struct greeting){.honorific = HONORIFIC_NONE};
	if (len > GREETING_HEAD_MAX)
		len = GREETING_HEAD_MAX;
	for (size_t at = 0; at < len && lines < GREETING_LINES_MAX; at = end + 1) {
		const char *newline = memchr(text + at, '\n', len - at);
		size_t from = at;

		end = newline != NULL ? (size_t)(newline - text) : len;
		while (from < end && text[from] == ' ')
			from++;
		if (from == end) {
			end_block(&h);
			if (h.given && h.begun)
				break;
			continue;
		}
		lines++;
		if (!take_line(&h, text + from, end - from))
			break;
	}
	end_block(&h);
	finish(&h);
}
