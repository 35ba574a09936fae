/* The facts of the self-check in words: short, and each asks for one look. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xtext.h"
#include "lib/checks/checks.h"

#define ITEM_ROOM (CHECK_ITEM_MAX + 16)
#define SHOWN     (CHECK_ITEMS_MAX + 1) /* the last is how many more there are */

struct items {
	char text[SHOWN][ITEM_ROOM];
	size_t n;
	size_t more;
};

/* ---- reading a value ---------------------------------------------------------------------- */

/* What would break the sentence's line, or is no letter that can be shown, is a blank. */
static void tidy(char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
	}
}

static bool read_item(const char *at, size_t len, char text[ITEM_ROOM])
{
	char whole[3 * ITEM_ROOM];
	size_t n = 0;

	if (len == 0 || len >= sizeof whole || !xtext_decode(at, len, whole, &n) ||
	    n >= ITEM_ROOM || memchr(whole, '\0', n) != NULL)
		return false;
	memcpy(text, whole, n);
	text[n] = '\0';
	tidy(text);
	return true;
}

/* "+3": so many more. A file may be called that, too; it is not the eleventh. */
static bool read_more(const struct items *items, size_t *more)
{
	const char *text = items->n > 0 ? items->text[items->n - 1] : "";
	char *end;
	unsigned long n;

	if (items->n != SHOWN || text[0] != '+' || text[1] < '1' || text[1] > '9')
		return false;
	n = strtoul(text + 1, &end, 10);
	*more = (size_t)n;
	return *end == '\0';
}

static void read_items(const char *value, size_t len, struct items *items)
{
	const char *end = value + len;

	*items = (struct items){.n = 0};
	for (const char *at = value; value != NULL && at < end && items->n < SHOWN;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t n = (size_t)((comma != NULL ? comma : end) - at);

		if (read_item(at, n, items->text[items->n]))
			items->n++;
		at += n + 1;
	}
	if (read_more(items, &items->more))
		items->n--;
}

/* ---- parts of sentences ------------------------------------------------------------------- */

struct sentence {
	struct buf *out;
	bool english;
	const struct items *items;
	const char *const *rcpt;
	size_t rcpts;
};

/* One or the other language. */
static void say(const struct sentence *s, const char *japanese, const char *english)
{
	buf_add_text(s->out, s->english ? english : japanese);
}

static void say_between(const struct sentence *s, size_t i)
{
	if (i > 0)
		say(s, "、", ", ");
}

static void say_more(const struct sentence *s, size_t more)
{
	if (more > 0)
		buf_addf(s->out, s->english ? " and %zu more" : "、ほか %zu 件", more);
}

static void say_items(const struct sentence *s)
{
	for (size_t i = 0; i < s->items->n; i++) {
		say_between(s, i);
		buf_add_text(s->out, s->items->text[i]);
	}
	say_more(s, s->items->more);
}

/* Behind what is asked, where there is something to name. */
static void say_colon_items(const struct sentence *s)
{
	if (s->items->n == 0)
		return;
	say(s, "：", ": ");
	say_items(s);
}

static void say_address(const struct sentence *s, const char *address)
{
	char text[ITEM_ROOM];
	size_t len = strnlen(address, sizeof text - 1);

	while (address[len] != '\0' && len > 0 && ((unsigned char)address[len] & 0xC0) == 0x80)
		len--;
	memcpy(text, address, len);
	text[len] = '\0';
	tidy(text);
	buf_add_text(s->out, text);
}

/* ---- the sentences ------------------------------------------------------------------------ */

static void say_first_time(const struct sentence *s)
{
	size_t shown = s->rcpts < CHECK_ITEMS_MAX ? s->rcpts : CHECK_ITEMS_MAX;

	say(s, "初めて送る宛先です。アドレスに誤りはありませんか",
	    "You have never written to this address before. Is it the right one?");
	if (shown > 0)
		say(s, "：", " ");
	for (size_t i = 0; i < shown; i++) {
		say_between(s, i);
		say_address(s, s->rcpt[i]);
	}
	say_more(s, s->rcpts - shown);
}

/* Each recipient, and whom it looks like. */
static void say_lookalike(const struct sentence *s)
{
	size_t shown = s->rcpts < CHECK_ITEMS_MAX ? s->rcpts : CHECK_ITEMS_MAX;

	say(s, "いつもの宛先によく似た、別の宛先です。取り違えていませんか",
	    "An address looks like one that you know, and is another. Is it the one you mean?");
	if (shown > 0)
		say(s, "：", " ");
	for (size_t i = 0; i < shown; i++) {
		say_between(s, i);
		say_address(s, s->rcpt[i]);
		if (i >= s->items->n)
			continue;
		buf_addf(s->out, s->english ? " (like %s)" : "（似た宛先 %s）", s->items->text[i]);
	}
	say_more(s, s->rcpts - shown);
}

static void say_companies(const struct sentence *s)
{
	say(s, "複数の会社に宛てたメールです。一緒に送ってよい相手ですか",
	    "This mail goes to several companies. May all of them see it");
	say_colon_items(s);
	say(s, "", s->items->n == 0 ? "?" : "");
}

static void say_greeting(const struct sentence *s)
{
	say(s, "本文の宛名が、宛先と合っていないようです",
	    "The letter seems to greet somebody else than its recipients");
	say_colon_items(s);
}

static void say_files(const struct sentence *s)
{
	say(s, "この添付ファイルで間違いありませんか", "Are these the right files");
	say_colon_items(s);
	say(s, "", s->items->n == 0 ? "?" : "");
}

static void say_visible(const struct sentence *s)
{
	if (s->items->n == 0) {
		say(s, "To と Cc の多くのアドレスが、受け取る全員に見えます",
		    "Everybody who gets this mail sees many addresses in To and Cc");
		return;
	}
	say(s, "To と Cc の ", "Everybody who gets this mail sees the ");
	buf_add_text(s->out, s->items->text[0]);
	say(s, " 件のアドレスが、受け取る全員に見えます", " addresses in To and Cc");
}

/* "phone:12" */
static void say_kind(const struct sentence *s, const char *item)
{
	static const struct {
		const char *word, *japanese, *english;
	} kinds[] = {
	    {"card", "クレジットカード番号", "credit card numbers"},
	    {"mynumber", "マイナンバー", "My Numbers"},
	    {"corporate", "法人番号", "corporate numbers"},
	    {"phone", "電話番号", "phone numbers"},
	    {"address", "住所", "postal addresses"},
	    {"mail", "メールアドレス", "mail addresses"},
	    {"name", "氏名", "names"},
	};
	size_t word = strcspn(item, ":"), kind = 0;
	const char *count = item[word] == ':' ? item + word + 1 : "";

	while (kind < COUNT_OF(kinds) &&
	       (strlen(kinds[kind].word) != word || memcmp(kinds[kind].word, item, word) != 0))
		kind++;
	if (kind == COUNT_OF(kinds) || count[0] == '\0')
		buf_add_text(s->out, item);
	else if (s->english)
		buf_addf(s->out, "%s %s", kinds[kind].english, count);
	else
		buf_addf(s->out, "%s %s 件", kinds[kind].japanese, count);
}

static void say_personal(const struct sentence *s)
{
	say(s, "個人情報が含まれているようです", "It seems to hold personal data");
	if (s->items->n > 0)
		say(s, "：", ": ");
	for (size_t i = 0; i < s->items->n; i++) {
		say_between(s, i);
		say_kind(s, s->items->text[i]);
	}
}

void check_sentence(struct buf *out, bool english, enum check_fact fact, const char *value,
    size_t len, const char *const *rcpt, size_t rcpts)
{
	struct items items;
	struct sentence s = {out, english, &items, rcpt, rcpts};

	read_items(value, len, &items);
	switch (fact) {
	case CHECK_FIRST_TIME:
		say_first_time(&s);
		return;
	case CHECK_LOOKALIKE:
		say_lookalike(&s);
		return;
	case CHECK_COMPANIES:
		say_companies(&s);
		return;
	case CHECK_GREETING:
		say_greeting(&s);
		return;
	case CHECK_MISSING_FILE:
		say(&s, "本文では添付に触れていますが、添付ファイルがありません",
		    "The text speaks of an attached file, and there is none");
		return;
	case CHECK_FILES:
		say_files(&s);
		return;
	case CHECK_VISIBLE:
		say_visible(&s);
		return;
	case CHECK_PERSONAL:
		say_personal(&s);
		return;
	case CHECK_UNKNOWN:
	case CHECK_COUNT:
		break;
	}
	say(&s, "機械では中身をすべて確認できませんでした。ご自身で確かめてください",
	    "Not all of it could be looked into by machine: please look yourself");
}
