/*
 * Whether who is greeted is a recipient. A person is compared with each recipient's display name, or,
 * where that is of another script or not there, by its reading with the local part: the family name
 * decides, and the given name where both are there.
 */
#include <string.h>
#include <strings.h>

#include "lib/detect/letters.h"
#include "lib/words/greeting_inside.h"
#include "lib/words/partners_inside.h"

#define DISPLAY_MAX    ((size_t)1024) /* bytes of a display name, normalised */
#define GIVEN_LETTERS  ((size_t)4)
#define READINGS_MAX   ((size_t)6)
#define SEGMENTS_MAX   ((size_t)6)
#define CANDIDATES_MAX ((size_t)64)
#define NAMED_MAX      ((size_t)100)
#define SAME_NAME_MAX  ((size_t)8) /* partners of one name; of more nothing is said */
#define ROMAJI_LETTERS ((size_t)3) /* fewer are no name in a local part */

static const char *const verdict_words[GREETING_VERDICT_COUNT] = {
#define V(name, word) [GREETING_##name] = (word),
    GREETING_VERDICTS(V)
#undef V
};

const char *greeting_verdict_word(enum greeting_verdict verdict)
{
	return verdict_words[verdict];
}

enum answer {
	ANSWER_UNKNOWN,
	ANSWER_NO,
	ANSWER_YES,
};

/* Who is greeted, prepared once. */
struct person {
	struct stretch name; /* kanji folded; without blanks if Japanese */
	bool latin;
	size_t family; /* bytes of a common family name, or 0 */
	char text[GREETING_NAME_MAX + 1];
	size_t readings;
	char reading[READINGS_MAX][ROMAJI_MAX + 1];
};

struct compare {
	const struct greeting *g;
	const struct partners *partners;
	const struct greeting_reader *reader;
	const struct norm_tables *tables;
	size_t persons;
	struct person person[GREETING_NAMES_MAX];
	enum answer
	    person_is[GREETING_NAMES_MAX]; /* YES of one recipient, else NO of all, else UNKNOWN */
	size_t companies; /* greeted that are partners; several partners may have one name */
	bool company_is[2 * GREETING_NAMES_MAX];
	size_t candidates;
	size_t partner[CANDIDATES_MAX];
	size_t company[CANDIDATES_MAX]; /* which of the companies it may be */
	bool company_fits; /* one that is in no table is in a recipient's name or domain */
};

/* ---- readings ---- */

static void add_reading(struct person *p, const char *text, size_t len)
{
	if (p->readings < READINGS_MAX && romaji_fold(text, len, p->reading[p->readings]) > 1)
		p->readings++;
}

/* All ways to read the name: of its family name, and of the whole. */
static void read_name(const struct compare *c, struct person *p)
{
	const char *romaji = NULL;
	char kana[ROMAJI_MAX + 1];

	p->family = surname_of(p->name.text, p->name.len, &romaji);
	while (p->family > 0 && *romaji != '\0') {
		size_t n = strcspn(romaji, " ");

		add_reading(p, romaji, n);
		romaji += n + (romaji[n] == ' ');
	}
	if (c->reader != NULL &&
	    c->reader->reading(c->reader->context, p->name.text, p->name.len, kana, sizeof kana))
		add_reading(p, kana, strlen(kana));
}

static bool has_kanji(struct stretch s)
{
	for (size_t at = 0; at < s.len;)
		if (letter_kanji(letter_next(s.text, s.len, &at)))
			return true;
	return false;
}

static bool is_japanese(struct stretch s)
{
	for (size_t at = 0; at < s.len;)
		if (letter_japanese(letter_next(s.text, s.len, &at)))
			return true;
	return false;
}

/* Copies a name, its kanji folded; without its blanks if it is Japanese. */
static void set_person(const struct compare *c, struct person *p, const char *name)
{
	struct stretch s = {.text = name, .len = strlen(name)};
	size_t used = 0;

	*p = (struct person){.latin = !is_japanese(s)};
	for (size_t at = 0; at < s.len && used + LETTER_BYTES < sizeof p->text;) {
		uint32_t point = kanji_fold(letter_next(s.text, s.len, &at));

		if (point != ' ' || p->latin)
			used += partner_letter(point, p->text + used);
	}
	p->name = (struct stretch){.text = p->text, .len = used};
	if (p->latin || !has_kanji(p->name))
		add_reading(p, p->name.text, p->name.len);
	else
		read_name(c, p);
}

/* Whether Latin letters, folded, may be this name, or begin or end it. */
static bool reads_as(const struct person *p, const char *romaji)
{
	size_t n = strlen(romaji);

	for (size_t i = 0; i < p->readings; i++) {
		size_t all = strlen(p->reading[i]);

		if (strcmp(p->reading[i], romaji) == 0)
			return true;
		if (n >= ROMAJI_LETTERS && n < all &&
		    (strncmp(p->reading[i], romaji, n) == 0 ||
			strcmp(p->reading[i] + all - n, romaji) == 0) &&
		    greeting_letters(p->name.text, p->name.len) > 2)
			return true;
		if (n > all && all >= ROMAJI_LETTERS && n <= all + 1 && /* an initial */
		    (strncmp(romaji, p->reading[i], all) == 0 ||
			strcmp(romaji + 1, p->reading[i]) == 0))
			return true;
	}
	return false;
}

/* ---- local parts ---- */

static bool is_role(const char *word)
{
	static const char *const roles[] = {"info", "sales", "eigyo", "soumu", "somu", "keiri",
	    "jinji", "juchu", "support", "admin", "office", "mail", "contact", "hanbai", "kaihatsu",
	    "koho", "kobai", "saiyo", "customer", "service", "news", "noreply", "no", "reply",
	    "all", "staff", "team", "group", "desk", "help", "order", "shop", "tencho", "shacho",
	    "hozen", "haisha", "kikaku", "gijutsu", "seizo", "hinshitsu", "web", "post", "master",
	    "abuse", "root", "purchasing", "recruit", "honsha", "tokyo", "osaka", "bu", "ka", "g",
	    "ml", "dev"};

	for (size_t i = 0; i < COUNT_OF(roles); i++)
		if (strcmp(word, roles[i]) == 0)
			return true;
	return false;
}

/* The segments of a local part: "k.tanaka" as "k", "tanaka". */
static size_t segments(
    const char *address, char segment[SEGMENTS_MAX][ROMAJI_MAX + 1], size_t length[SEGMENTS_MAX])
{
	size_t n = 0;

	for (const char *at = address; *at != '\0' && *at != '@' && n < SEGMENTS_MAX;) {
		size_t len = 0;

		while (letter_latin((unsigned char)at[len]))
			len++;
		if (len > 0) {
			(void)romaji_fold(at, len, segment[n]);
			length[n++] = len;
		}
		at += len;
		while (*at != '\0' && *at != '@' && !letter_latin((unsigned char)*at))
			at++;
	}
	return n;
}

static enum answer ask_local(const struct person *p, const char *address)
{
	char segment[SEGMENTS_MAX][ROMAJI_MAX + 1];
	size_t length[SEGMENTS_MAX];
	size_t n = segments(address, segment, length);
	bool personal = false, role = false;

	for (size_t i = 0; i < n; i++) {
		if (length[i] >= 2 && reads_as(p, segment[i]))
			return ANSWER_YES;
		role |= length[i] > 1 && is_role(segment[i]);
		personal |= length[i] > 2 && surname_romaji(segment[i]);
	}
	/* "tanaka.taro" in one: the reading may be that of the family name alone. */
	return personal && !role && p->readings > 0 ? ANSWER_NO : ANSWER_UNKNOWN;
}

/* ---- display names ---- */

static bool starts(struct stretch a, struct stretch with)
{
	return a.len >= with.len && with.len > 0 && memcmp(a.text, with.text, with.len) == 0;
}

/* What stands behind the first `n` bytes may be another script's writing of the same given name. */
static bool may_differ(struct stretch a, struct stretch b)
{
	return has_kanji(a) != has_kanji(b);
}

/* One word of a display name, and the one behind it, against a Japanese name. */
static enum answer ask_word(const struct person *p, struct stretch word, struct stretch next)
{
	struct stretch rest;

	if (starts(word, p->name))
		return ANSWER_YES;
	if (!starts(p->name, word))
		return ANSWER_NO;
	rest = (struct stretch){.text = p->name.text + word.len, .len = p->name.len - word.len};
	if (p->family > 0 && word.len < p->family)
		return ANSWER_NO; /* 林 of 林田 */
	if (next.len == 0 || starts(next, rest) || starts(rest, next) || !is_japanese(next) ||
	    may_differ(rest, next))
		return ANSWER_YES;
	return ANSWER_NO;
}

static bool word_letter(uint32_t point)
{
	return letter_japanese(point) || letter_latin(point) || letter_digit(point) ||
	       (point >= 0xc0 && point < 0x2000);
}

/* The next run of letters of one kind: Latin, or Japanese; kanji behind katakana begin a new one. */
static struct stretch next_run(const char *text, size_t len, size_t *at)
{
	struct stretch s = {0};
	bool latin = false;
	bool katakana = false;

	while (*at < len) {
		size_t next = *at;
		uint32_t point = letter_next(text, len, &next);

		if (!word_letter(point)) {
			*at = next;
			if (s.len > 0)
				break;
			continue;
		}
		if (s.len > 0 &&
		    (latin != !letter_japanese(point) || (katakana && letter_kanji(point))))
			break;
		if (s.len == 0)
			s.text = text + *at;
		latin = !letter_japanese(point);
		katakana = letter_katakana(point);
		*at = next;
		s.len = (size_t)(text + next - s.text);
	}
	return s;
}

/* The word without an honorific or a title; empty if it is a company's or a department's. */
static struct stretch name_in(struct stretch word)
{
	struct greeting_read_word w = greeting_word(word.text, word.len);

	if (w.kind == GREETING_WORD_PERSON || w.kind == GREETING_WORD_NAME)
		return w.name;
	return (struct stretch){.text = word.text, .len = 0};
}

/* Whether it is a person's: a common family name, or the reading of it is the mailbox's name. */
static bool surely_name(const struct compare *c, struct stretch word, const char *address)
{
	size_t n = surname_of(word.text, word.len, NULL);
	char kana[ROMAJI_MAX + 1];
	struct person p = {.name = word};

	if (n > 0 && greeting_letters(word.text + n, word.len - n) <= GIVEN_LETTERS)
		return true;
	if (c->reader == NULL ||
	    !c->reader->reading(c->reader->context, word.text, word.len, kana, sizeof kana))
		return false;
	add_reading(&p, kana, strlen(kana));
	return ask_local(&p, address) == ANSWER_YES;
}

/* Two writings of a name, one of which has no kanji: by how they are read. */
static enum answer ask_reading(
    const struct compare *c, const struct person *p, struct stretch word, const char *address)
{
	struct person other = {.name = word};

	if (has_kanji(word))
		read_name(c, &other);
	else
		add_reading(&other, word.text, word.len);
	for (size_t i = 0; i < other.readings; i++)
		if (reads_as(p, other.reading[i]))
			return ANSWER_YES;
	return p->readings > 0 && other.readings > 0 && surely_name(c, word, address)
		   ? ANSWER_NO
		   : ANSWER_UNKNOWN;
}

static enum answer ask_latin(const struct person *p, struct stretch word)
{
	char romaji[ROMAJI_MAX + 1];

	(void)romaji_fold(word.text, word.len, romaji);
	if (word.len > 1 && reads_as(p, romaji))
		return ANSWER_YES;
	if (p->readings > 0 && word.len >= ROMAJI_LETTERS && (p->latin || surname_romaji(romaji)))
		return ANSWER_NO;
	return ANSWER_UNKNOWN;
}

/* One word of a display name, and the one behind it. */
static enum answer ask_run(const struct compare *c, const struct person *p, struct stretch word,
    struct stretch next, const char *address)
{
	struct stretch name;

	if (!is_japanese(word))
		return ask_latin(p, word);
	name = name_in(word);
	if (name.len == 0)
		return ANSWER_UNKNOWN;
	if (p->latin || has_kanji(name) != has_kanji(p->name))
		return ask_reading(c, p, name, address);
	if (ask_word(p, name, next.len > 0 && is_japanese(next) ? name_in(next) : next) ==
	    ANSWER_YES)
		return ANSWER_YES;
	return surely_name(c, name, address) ? ANSWER_NO : ANSWER_UNKNOWN;
}

/* YES if one of its words is the name; NO if one is another's; a role says nothing. */
static enum answer ask_display(const struct compare *c, const struct person *p, const char *display,
    size_t len, const char *address)
{
	enum answer answer = ANSWER_UNKNOWN;
	struct stretch word, next;
	size_t at = 0;

	for (word = next_run(display, len, &at); word.len > 0; word = next) {
		enum answer one;

		next = next_run(display, len, &at);
		one = ask_run(c, p, word, next, address);
		if (one == ANSWER_YES)
			return one;
		if (one == ANSWER_NO)
			answer = one;
	}
	return answer;
}

/* A Latin name is one by all of its words: "Kenji Sato" by either. */
static enum answer ask_person(const struct compare *c, const struct person *p, const char *display,
    size_t len, const char *address)
{
	enum answer answer = ANSWER_UNKNOWN, local;

	if (p->latin) {
		size_t at = 0;
		struct stretch word;

		while ((word = next_run(p->name.text, p->name.len, &at)).len > 0) {
			struct person one = {.latin = true, .name = word};
			enum answer now;

			add_reading(&one, word.text, word.len);
			now = ask_display(c, &one, display, len, address);
			local = ask_local(&one, address);
			if (now == ANSWER_YES || local == ANSWER_YES)
				return ANSWER_YES;
			answer = answer == ANSWER_NO || now == ANSWER_NO ? ANSWER_NO : local;
		}
		return answer;
	}
	answer = ask_display(c, p, display, len, address);
	if (answer == ANSWER_YES)
		return answer;
	local = ask_local(p, address);
	return local != ANSWER_UNKNOWN ? local : answer;
}

/* ---- companies ---- */

static void add_candidate(struct compare *c, size_t partner)
{
	if (c->candidates == CANDIDATES_MAX)
		return;
	c->partner[c->candidates] = partner;
	c->company[c->candidates++] = c->companies;
}

/* The partners whose name stands first in a longer one. */
struct first {
	struct compare *c;
	size_t at;
};

static bool see_first(void *context, size_t partner, size_t at, size_t len)
{
	struct first *first = context;

	(void)len;
	if (first->at != SIZE_MAX && first->at != at)
		return false;
	first->at = at;
	add_candidate(first->c, partner);
	return true;
}

/* Whether the name is a partner's; then it is kept. */
static bool keep_partner(struct compare *c, const char *name, bool within)
{
	size_t partners[SAME_NAME_MAX];
	size_t n, before = c->candidates;
	struct first first = {.c = c, .at = SIZE_MAX};

	if (c->partners == NULL)
		return false;
	n = partners_of_name(c->partners, name, strlen(name), partners, SAME_NAME_MAX);
	for (size_t i = 0; i < n && n <= SAME_NAME_MAX; i++)
		add_candidate(c, partners[i]);
	if (n == 0 && within)
		partners_find(c->partners, name, strlen(name), see_first, &first);
	if (c->candidates > before)
		c->companies++;
	return n > 0 || c->candidates > before;
}

/* A company that is in no table: its name stands in a recipient's name, or is a label of a domain. */
static bool company_shows(
    const struct compare *c, const char *name, const char *display, size_t len, const char *address)
{
	char core[PARTNER_NAME_MAX], shown[PARTNER_NAME_MAX];
	size_t n = partner_core(c->tables, name, strlen(name), core);
	size_t m = partner_core(c->tables, display, len, shown);
	const char *at = strrchr(address, '@');

	if (n < 6)
		return false;
	if (m >= n && memmem(shown, m, core, n) != NULL)
		return true;
	for (; at != NULL && *at != '\0'; at += strcspn(at, ".")) {
		at++;
		if (strcspn(at, ".") == n && strncasecmp(at, core, n) == 0)
			return true;
	}
	return false;
}

/* ---- all ---- */

static void take_recipient(struct compare *c, const struct greeting_recipient *r)
{
	const char *at = strrchr(r->address, '@');
	size_t partner = PARTNER_NONE;
	char folded[DISPLAY_MAX + LETTER_BYTES];
	struct buf display;
	size_t used = 0;

	buf_init(&display, DISPLAY_MAX);
	if (norm_text(c->tables, r->name, strlen(r->name), &display)) {
		for (size_t i = 0; i < display.len && used < DISPLAY_MAX;)
			used += partner_letter(
			    kanji_fold(letter_next(display.bytes, display.len, &i)), folded + used);
	}
	buf_free(&display);
	if (memchr(folded, '@', used) != NULL)
		used = 0; /* an address, which names nobody */

	for (size_t i = 0; i < c->persons; i++) {
		enum answer answer = ask_person(c, &c->person[i], folded, used, r->address);

		if (answer == ANSWER_YES ||
		    (answer == ANSWER_UNKNOWN && c->person_is[i] == ANSWER_NO))
			c->person_is[i] = c->person_is[i] == ANSWER_YES ? ANSWER_YES : answer;
	}
	if (c->partners != NULL && at != NULL)
		partner = partners_of_domain(c->partners, at + 1);
	for (size_t i = 0; i < c->candidates; i++)
		c->company_is[c->company[i]] |= c->partner[i] == partner;
	for (size_t i = 0; i < c->g->companies && !c->company_fits; i++)
		c->company_fits = company_shows(c, c->g->company[i].text, folded, used, r->address);
}

/*
 * Whether it has no name, and stands there with one, too: an envelope's recipient who is in a field.
 * The first ones only, so that time stays linear.
 */
static bool named_elsewhere(const struct greeting_recipient *recipients, size_t n, size_t i)
{
	size_t end = n < NAMED_MAX ? n : NAMED_MAX;

	if (recipients[i].name[0] != '\0')
		return false;
	for (size_t k = 0; k < end; k++)
		if (recipients[k].name[0] != '\0' &&
		    strcasecmp(recipients[k].address, recipients[i].address) == 0)
			return true;
	return false;
}

static void prepare(struct compare *c)
{
	for (size_t i = 0; i < c->g->companies; i++)
		(void)keep_partner(c, c->g->company[i].text, true);
	for (size_t i = 0; i < c->g->persons; i++) {
		if (keep_partner(c, c->g->person[i].text, false))
			continue; /* アルファ様 */
		c->person_is[c->persons] = ANSWER_NO;
		set_person(c, &c->person[c->persons], c->g->person[i].text);
		c->person[c->persons].name.text = c->person[c->persons].text;
		c->persons++;
	}
}

static enum greeting_verdict judge(const struct compare *c)
{
	bool fits = c->company_fits;

	for (size_t i = 0; i < c->companies; i++) {
		if (!c->company_is[i])
			return GREETING_OTHER;
		fits = true;
	}
	for (size_t i = 0; i < c->persons; i++) {
		if (c->person_is[i] == ANSWER_NO)
			return GREETING_OTHER;
		fits |= c->person_is[i] == ANSWER_YES;
	}
	return fits ? GREETING_FITS : GREETING_UNKNOWN;
}

enum greeting_verdict greeting_compare(const struct greeting *greeting,
    const struct greeting_recipient *recipients, size_t n, const struct partners *partners,
    const struct greeting_reader *reader, const struct norm_tables *tables)
{
	struct compare c = {
	    .g = greeting, .partners = partners, .reader = reader, .tables = tables};

	if (greeting->persons == 0 && greeting->companies == 0)
		return GREETING_NONE;
	prepare(&c);
	if (n == 0)
		return GREETING_UNKNOWN;
	for (size_t i = 0; i < n; i++)
		if (!named_elsewhere(recipients, n, i))
			take_recipient(&c, &recipients[i]);
	return judge(&c);
}
