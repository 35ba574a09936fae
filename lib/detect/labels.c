#include <string.h>

#include "lib/detect/numbers.h"

struct word {
	const char *text; /* normalised; ASCII in lower case */
	enum label label;
};

static const struct word words[] = {
    {"カード", LABEL_CARD},
    {"クレジット", LABEL_CARD},
    {"クレカ", LABEL_CARD},
    {"デビット", LABEL_CARD},
    {"アメックス", LABEL_CARD},
    {"ダイナース", LABEL_CARD},
    {"マスターカード", LABEL_CARD},
    {"銀聯", LABEL_CARD},
    {"card", LABEL_CARD},
    {"cards", LABEL_CARD},
    {"cardno", LABEL_CARD},
    {"cardnum", LABEL_CARD},
    {"credit", LABEL_CARD},
    {"creditcard", LABEL_CARD},
    {"visa", LABEL_CARD},
    {"mastercard", LABEL_CARD},
    {"jcb", LABEL_CARD},
    {"amex", LABEL_CARD},
    {"diners", LABEL_CARD},
    {"unionpay", LABEL_CARD},
    {"american express", LABEL_CARD},
    {"pan", LABEL_CARD},
    {"ccnum", LABEL_CARD},

    {"マイナンバー", LABEL_MYNUMBER},
    {"マイナンバーカード", LABEL_MYNUMBER},
    {"個人番号", LABEL_MYNUMBER},
    {"個人番号カード", LABEL_MYNUMBER},
    {"通知カード", LABEL_MYNUMBER},
    {"特定個人情報", LABEL_MYNUMBER},
    {"mynumber", LABEL_MYNUMBER},
    {"my_number", LABEL_MYNUMBER},
    {"my-number", LABEL_MYNUMBER},
    {"my number", LABEL_MYNUMBER},
    {"myno", LABEL_MYNUMBER},

    {"法人番号", LABEL_CORPORATE},
    {"登録番号", LABEL_CORPORATE},
    {"インボイス", LABEL_CORPORATE},
    {"適格請求書", LABEL_CORPORATE},
    {"corporate number", LABEL_CORPORATE},

    {"電話", LABEL_PHONE},
    {"携帯", LABEL_PHONE},
    {"ケータイ", LABEL_PHONE},
    {"スマホ", LABEL_PHONE},
    {"ファックス", LABEL_PHONE},
    {"ファクス", LABEL_PHONE},
    {"ファクシミリ", LABEL_PHONE},
    {"ダイヤル", LABEL_PHONE},
    {"フリーコール", LABEL_PHONE},
    {"連絡先", LABEL_PHONE},
    {"直通", LABEL_PHONE},
    {"代表", LABEL_PHONE},
    {"☎", LABEL_PHONE},
    {"📞", LABEL_PHONE},
    {"📱", LABEL_PHONE},
    {"tel", LABEL_PHONE},
    {"telephone", LABEL_PHONE},
    {"phone", LABEL_PHONE},
    {"mobile", LABEL_PHONE},
    {"cell", LABEL_PHONE},
    {"cellphone", LABEL_PHONE},
    {"fax", LABEL_PHONE},
    {"facsimile", LABEL_PHONE},

    {"注文番号", LABEL_OTHER},
    {"受注番号", LABEL_OTHER},
    {"発注番号", LABEL_OTHER},
    {"注文no", LABEL_OTHER},
    {"伝票", LABEL_OTHER},
    {"伝票番号", LABEL_OTHER},
    {"送り状", LABEL_OTHER},
    {"送状", LABEL_OTHER},
    {"追跡", LABEL_OTHER},
    {"荷物", LABEL_OTHER},
    {"問合せ番号", LABEL_OTHER},
    {"問い合わせ番号", LABEL_OTHER},
    {"問合番号", LABEL_OTHER},
    {"受付番号", LABEL_OTHER},
    {"管理番号", LABEL_OTHER},
    {"整理番号", LABEL_OTHER},
    {"会員番号", LABEL_OTHER},
    {"顧客番号", LABEL_OTHER},
    {"お客様番号", LABEL_OTHER},
    {"お客さま番号", LABEL_OTHER},
    {"契約番号", LABEL_OTHER},
    {"証券番号", LABEL_OTHER},
    {"請求書番号", LABEL_OTHER},
    {"請求番号", LABEL_OTHER},
    {"見積番号", LABEL_OTHER},
    {"見積書番号", LABEL_OTHER},
    {"納品書番号", LABEL_OTHER},
    {"口座", LABEL_OTHER},
    {"口座番号", LABEL_OTHER},
    {"普通", LABEL_OTHER},
    {"当座", LABEL_OTHER},
    {"照会番号", LABEL_OTHER},
    {"予約番号", LABEL_OTHER},
    {"承認番号", LABEL_OTHER},
    {"端末番号", LABEL_OTHER},
    {"確認番号", LABEL_OTHER},
    {"納付番号", LABEL_OTHER},
    {"取引番号", LABEL_OTHER},
    {"取引id", LABEL_OTHER},
    {"会社法人等番号", LABEL_OTHER},
    {"保険者番号", LABEL_OTHER},
    {"被保険者番号", LABEL_OTHER},
    {"基礎年金番号", LABEL_OTHER},
    {"社員番号", LABEL_OTHER},
    {"製造番号", LABEL_OTHER},
    {"製品番号", LABEL_OTHER},
    {"商品番号", LABEL_OTHER},
    {"部品番号", LABEL_OTHER},
    {"型番", LABEL_OTHER},
    {"型式", LABEL_OTHER},
    {"品番", LABEL_OTHER},
    {"図番", LABEL_OTHER},
    {"シリアル", LABEL_OTHER},
    {"ロット", LABEL_OTHER},
    {"セッション", LABEL_OTHER},
    {"会議id", LABEL_OTHER},
    {"ミーティングid", LABEL_OTHER},
    {"タイムスタンプ", LABEL_OTHER},
    {"isbn", LABEL_OTHER},
    {"issn", LABEL_OTHER},
    {"jan", LABEL_OTHER},
    {"ean", LABEL_OTHER},
    {"upc", LABEL_OTHER},
    {"itf", LABEL_OTHER},
    {"gtin", LABEL_OTHER},
    {"sku", LABEL_OTHER},
    {"imei", LABEL_OTHER},
    {"iban", LABEL_OTHER},
    {"awb", LABEL_OTHER},
    {"lot", LABEL_OTHER},
    {"order", LABEL_OTHER},
    {"tracking", LABEL_OTHER},
    {"invoice", LABEL_OTHER},
    {"serial", LABEL_OTHER},
    {"timestamp", LABEL_OTHER},
    {"ticket", LABEL_OTHER},
    {"session", LABEL_OTHER},
    {"trace", LABEL_OTHER},
    {"transaction", LABEL_OTHER},
    {"account", LABEL_OTHER},
    {"meeting", LABEL_OTHER},
    {"checksum", LABEL_OTHER},

    {"番号", LABEL_NUMBER},
    {"コード", LABEL_NUMBER},
    {"no", LABEL_NUMBER},
    {"nr", LABEL_NUMBER},
    {"id", LABEL_NUMBER},
    {"code", LABEL_NUMBER},
    {"number", LABEL_NUMBER},
    {"ref", LABEL_NUMBER},
};

_Static_assert(COUNT_OF(words) <= LABEL_WORDS_MAX, "the index has room for all words");

#define HEAD_DIGITS   6 /* a line with a number so long names no columns */
#define JOINED_WITHIN ((size_t)4)
#define BEHIND_WITHIN ((size_t)3) /* "4111 ... (VISA)" */

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Where words that begin like `text` are found in the index: two letters of ASCII, or one other. */
static size_t bucket(const char *text)
{
	unsigned a = lower(text[0]);
	unsigned b = lower(text[1]);
	unsigned c = a < 0x80 ? 0 : (unsigned char)text[2];

	return (a * 131U + b * 31U + c * 7U) % LABEL_BUCKETS;
}

void labels_begin(struct labels *l)
{
	memset(l, 0, sizeof(*l));
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		size_t at = bucket(words[i].text);

		l->next[i] = l->first[at];
		l->first[at] = (uint8_t)(i + 1);
	}
}

static bool same(const char *text, const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (lower(text[i]) != (unsigned char)word[i])
			return false;
	}
	return true;
}

/* A word of ASCII stands between what are no letters; "cardNumber" and "CARD_NO" hold one too. */
static bool bounded(const struct detect_window *w, size_t begin, size_t end)
{
	if (!letter_at(w, begin))
		return true;
	if (begin > 0 && letter_at(w, begin - 1) &&
	    !(w->text[begin] < 'a' && w->text[begin - 1] >= 'a'))
		return false;
	return !letter_at(w, end) || (w->text[end - 1] >= 'a' && w->text[end] < 'a');
}

/* The longest word at `at`; its length, or 0. */
static size_t word_at(
    const struct labels *l, const struct detect_window *w, size_t at, enum label *label)
{
	size_t longest = 0;

	if (w->len - at < 3)
		return 0;
	for (size_t i = l->first[bucket(w->text + at)]; i != 0; i = l->next[i - 1]) {
		const struct word *word = &words[i - 1];
		size_t len = strlen(word->text);

		if (len <= longest || len > w->len - at || !same(w->text + at, word->text, len) ||
		    !bounded(w, at, at + len))
			continue;
		longest = len;
		*label = word->label;
	}
	return longest;
}

/* Kanji or katakana. */
static bool kanji_before(const struct detect_window *w, size_t begin)
{
	const unsigned char *c;

	if (begin < 3)
		return false;
	c = (const unsigned char *)w->text + begin - 3;
	if (c[0] == 0xE3)
		return c[1] == 0x83 || (c[1] == 0x82 && c[2] >= 0xA1);
	return c[0] >= 0xE4 && c[0] <= 0xE9;
}

/*
 * "番号" behind "カード" says nothing new, nor does it alone: "番号は...". Behind another word it makes
 * a number of some kind: "利用者番号".
 */
static bool says_more(
    const struct labels *l, const struct detect_window *w, enum label label, size_t begin)
{
	if (label != LABEL_NUMBER)
		return true;
	if ((unsigned char)w->text[begin] >= 0x80 && !kanji_before(w, begin))
		return false;
	for (size_t i = LABEL_CARD; i < LABEL_NUMBER; i++) {
		if (l->last[i].end != 0 && l->last[i].line == l->line &&
		    begin - l->last[i].end <= JOINED_WITHIN)
			return false;
	}
	return true;
}

static void mark(
    struct labels *l, const struct detect_window *w, enum label label, size_t begin, size_t end)
{
	if (!says_more(l, w, label, begin))
		return;
	l->last[label] = (struct label_mark){.end = end, .line = l->line, .column = l->column};
	if (l->column < COLUMNS_MAX)
		l->line_head[l->column] = (uint8_t)label;
}

/* A line ends: it may have been the head of a table, or stand behind its end. */
static void end_line(struct labels *l)
{
	bool names = false;

	for (size_t i = 0; i < COLUMNS_MAX; i++)
		names = names || l->line_head[i] != LABEL_NONE;

	if (l->column == 0) {
		l->head_columns = 0;
	} else if (names && !l->digits) {
		memcpy(l->head, l->line_head, sizeof(l->head));
		l->head_columns = (uint16_t)(l->column + 1);
	}
	memset(l->line_head, 0, sizeof(l->line_head));
	l->line++;
	l->column = 0;
	l->quoted = false;
	l->digits = false;
}

void labels_read(struct labels *l, const struct detect_window *w, size_t to)
{
	size_t run = 0;

	while (l->at < to) {
		char c = w->text[l->at];
		enum label label = LABEL_NONE;
		size_t len;

		run = digit_at(w, l->at) ? run + 1 : 0;
		l->digits = l->digits || run >= HEAD_DIGITS;
		if (c == '\n')
			end_line(l);
		else if (c == '"')
			l->quoted = !l->quoted;
		else if (c == ',' && !l->quoted && l->column < UINT16_MAX - 1)
			l->column++;

		/* Neither a blank nor a digit begins a word, nor does the middle of a letter. */
		if (c <= '9' && c >= 0) {
			l->at++;
			continue;
		}
		len = ((unsigned char)c & 0xC0) == 0x80 ? 0 : word_at(l, w, l->at, &label);
		if (len > 0)
			mark(l, w, label, l->at, l->at + len);
		l->at += len > 0 ? len : 1;
	}
}

enum label labels_nearest(const struct labels *l, size_t *gap)
{
	enum label nearest = LABEL_NONE;
	size_t end = 0;

	for (size_t i = LABEL_CARD; i < LABEL_COUNT; i++) {
		if (l->last[i].end > end && l->last[i].line == l->line) {
			end = l->last[i].end;
			nearest = (enum label)i;
		}
	}
	*gap = l->at - end;
	return nearest;
}

enum label labels_column(const struct labels *l)
{
	if (l->column >= l->head_columns || l->column >= COLUMNS_MAX)
		return LABEL_NONE;
	return (enum label)l->head[l->column];
}

bool labels_in_line(const struct labels *l, enum label sort)
{
	return l->last[sort].end != 0 && l->last[sort].line == l->line;
}

bool labels_above(const struct labels *l, enum label sort, size_t bytes)
{
	return l->last[sort].end != 0 && l->at - l->last[sort].end <= bytes;
}

bool labels_behind(
    const struct labels *l, const struct detect_window *w, size_t end, enum label sort)
{
	for (size_t at = end; at < w->len && at - end <= BEHIND_WITHIN; at++) {
		enum label label = LABEL_NONE;

		if (w->text[at] == '\n' || digit_at(w, at))
			return false;
		if (word_at(l, w, at, &label) > 0)
			return label == sort;
	}
	return false;
}
