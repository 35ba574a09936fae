/* One word of a greeting: a company, a department, a title, a name, a name with its honorific. */
#include <string.h>

#include "lib/detect/letters.h"
#include "lib/words/greeting_inside.h"
#include "lib/words/partners_inside.h"

#define NAME_LETTERS_MAX ((size_t)24)
#define WORD_MAX         ((size_t)150) /* bytes; a longer one is no name */

/* Words that end as honorifics do, and are none. */
static const char *const no_honorific[] = {
    "お疲れ様",
    "お疲れさま",
    "お世話様",
    "お世話さま",
    "ご苦労様",
    "ご苦労さま",
    "同様",
    "仕様",
    "模様",
    "多様",
    "一様",
    "異様",
    "有様",
    "何様",
    "奥様",
    "神様",
    "王様",
    "お陰様",
    "おかげさま",
    "お互い様",
    "たくさん",
    "お父さん",
    "お母さん",
    "諸氏",
    "同氏",
    "華氏",
    "摂氏",
    "彼氏",
    "神殿",
    "御殿",
    "宮殿",
    "逆さま",
    "さまざま",
};

static const char *const everyone[] = {
    "各位",
    "皆様",
    "皆さま",
    "みなさま",
    "みな様",
    "皆様方",
    "皆さん",
    "みなさん",
    "一同様",
    "担当者様",
    "担当者さま",
    "担当者殿",
    "担当様",
    "責任者様",
    "お客様",
    "お客さま",
    "得意様",
    "会員様",
    "保護者様",
    "関係者様",
    "オーナー様",
    "ユーザー様",
    "委員様",
    "諸君",
    "ご担当者",
    "御担当者",
};

static const char *const honorifics[] = {
    "様",
    "さま",
    "サマ",
    "殿",
    "さん",
    "サン",
    "氏",
    "先生",
    "君",
    "くん",
    "ちゃん",
};

/* Longer ones before those that they end with. */
static const char *const titles[] = {
    "代表取締役社長",
    "代表取締役会長",
    "代表取締役",
    "専務取締役",
    "常務取締役",
    "取締役",
    "執行役員",
    "代表社員",
    "代表理事",
    "副社長",
    "社長",
    "会長",
    "専務",
    "常務",
    "監査役",
    "相談役",
    "顧問",
    "本部長",
    "副部長",
    "部長代理",
    "部長",
    "次長",
    "課長補佐",
    "課長代理",
    "課長",
    "係長",
    "主任",
    "室長",
    "所長",
    "支店長",
    "店長",
    "工場長",
    "局長",
    "院長",
    "校長",
    "園長",
    "学部長",
    "学長",
    "准教授",
    "教授",
    "講師",
    "博士",
    "理事長",
    "理事",
    "事務局長",
    "センター長",
    "チームリーダー",
    "リーダー",
    "マネージャー",
    "マネジャー",
    "ディレクター",
    "主査",
    "主幹",
    "主事",
    "参事",
    "参与",
    "班長",
    "組合長",
    "頭取",
    "支配人",
    "署長",
    "市長",
    "町長",
    "村長",
    "知事",
    "議員",
    "弁護士",
    "税理士",
    "会計士",
    "司法書士",
    "行政書士",
    "医師",
    "監督",
    "先輩",
    "代表",
    "担当",
};

static const char *const companies[] = {
    "商事",
    "商店",
    "商会",
    "製作所",
    "製作",
    "工業",
    "産業",
    "電機",
    "電気",
    "電子",
    "電工",
    "銀行",
    "信用金庫",
    "信金",
    "大学",
    "大学院",
    "病院",
    "医院",
    "クリニック",
    "運輸",
    "運送",
    "物流",
    "製薬",
    "薬品",
    "化学",
    "建設",
    "工務店",
    "印刷",
    "食品",
    "物産",
    "興業",
    "興産",
    "技研",
    "鉄工",
    "精機",
    "精工",
    "機械",
    "自動車",
    "システム",
    "システムズ",
    "サービス",
    "ホールディングス",
    "グループ",
    "コーポレーション",
    "ソリューションズ",
    "事務所",
    "協会",
    "組合",
    "連合会",
    "役所",
    "役場",
    "県庁",
    "府庁",
    "都庁",
    "学園",
    "学校",
    "高校",
    "会社",
    "証券",
    "保険",
    "不動産",
    "出版",
    "新聞社",
    "放送",
    "通信",
    "百貨店",
    "ホテル",
    "農園",
    "水産",
    "酒造",
    "紡績",
    "硝子",
    "製紙",
    "鋼業",
    "金属",
    "開発",
    "珈琲店",
    "書店",
    "薬局",
    "社",
};

static const char *const parts[] = {
    "部",
    "課",
    "室",
    "係",
    "局",
    "科",
    "センター",
    "グループ",
    "チーム",
    "支店",
    "支社",
    "本社",
    "本店",
    "工場",
    "本部",
    "支部",
    "窓口",
    "研究所",
    "営業所",
    "事業所",
    "出張所",
    "学部",
    "研究室",
    "事務局",
    "ご担当",
    "御担当",
    "委員会",
    "オフィス",
    "デスク",
    "ユニット",
    "支所",
    "分室",
    "部門",
    "者",
    "部会",
    "役員",
    "会員",
    "プロジェクト",
};

/* Departments and places that stand alone. */
static const char *const part_words[] = {
    "営業",
    "経理",
    "総務",
    "人事",
    "購買",
    "広報",
    "企画",
    "開発",
    "技術",
    "製造",
    "資材",
    "品質",
    "管理",
    "情報",
    "法務",
    "財務",
    "生産",
    "物流",
    "販売",
    "業務",
    "調達",
    "採用",
    "受注",
    "発注",
    "配車",
    "保全",
    "東京",
    "大阪",
    "名古屋",
    "札幌",
    "仙台",
    "京都",
    "神戸",
    "横浜",
    "担当",
    "システム",
    "サポート",
    "経営企画",
    "お客様相談",
    "受付",
    "事務",
    "秘書",
};

/* Begin a text, wherever they stand in a word. */
static const char *const sentences[] = {
    "です",
    "ます",
    "まし",
    "でし",
    "ござい",
    "世話",
    "いつも",
    "平素",
    "拝啓",
    "前略",
    "謹啓",
    "ありが",
    "こんに",
    "こんば",
    "おはよ",
    "疲れ",
    "苦労",
    "初めま",
    "はじめ",
    "失礼",
    "申し",
    "ください",
    "下さい",
    "について",
    "お知らせ",
    "ご案内",
    "おります",
    "の件",
    "ため",
};

/* ---- stretches ---- */

bool stretch_ends(struct stretch s, const char *with)
{
	size_t n = strlen(with);

	return n <= s.len && memcmp(s.text + s.len - n, with, n) == 0;
}

bool stretch_is(struct stretch s, const char *what)
{
	return s.len == strlen(what) && memcmp(s.text, what, s.len) == 0;
}

static bool is_any(struct stretch s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (stretch_is(s, words[i]))
			return true;
	return false;
}

/* The bytes of the longest of the words that it ends with; 0 if with none. */
static size_t ends_any(struct stretch s, const char *const *words, size_t n)
{
	size_t best = 0;

	for (size_t i = 0; i < n; i++)
		if (strlen(words[i]) > best && stretch_ends(s, words[i]))
			best = strlen(words[i]);
	return best;
}

static struct stretch cut(struct stretch s, size_t behind)
{
	return (struct stretch){.text = s.text, .len = s.len - behind};
}

size_t greeting_letters(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t at = 0; at < len; n++)
		(void)letter_next(text, len, &at);
	return n;
}

/* ---- names ---- */

struct letters {
	size_t kanji;
	size_t katakana;
	size_t hiragana;
	size_t latin;
	size_t other;
};

static struct letters letters_of(struct stretch s)
{
	struct letters n = {0};

	for (size_t at = 0; at < s.len;) {
		uint32_t point = letter_next(s.text, s.len, &at);

		if (letter_kanji(point) || point == 0x30f6) /* 三ヶ島 */
			n.kanji++;
		else if (letter_katakana(point) || point == 0x30fb)
			n.katakana++;
		else if (letter_hiragana(point))
			n.hiragana++;
		else if (letter_latin(point) || point == '.' || point == '-' || point == '&')
			n.latin++;
		else
			n.other++;
	}
	return n;
}

/* Whether a common family name fills it, so that its 部 or 所 is none of a company: 服部, 田所. */
static bool is_surname(struct stretch s)
{
	return s.len > 0 && surname_of(s.text, s.len, NULL) == s.len;
}

static bool is_company(struct stretch s)
{
	size_t n = ends_any(s, companies, COUNT_OF(companies));

	if (partner_form_before(s.text, s.len) > 0 || partner_form_behind(s.text, s.len) > 0)
		return true;
	return n > 0 && n < s.len && !is_surname(s);
}

static bool is_part(struct stretch s)
{
	if (is_any(s, part_words, COUNT_OF(part_words)) || is_any(s, parts, COUNT_OF(parts)))
		return true;
	return ends_any(s, parts, COUNT_OF(parts)) > 0 && !is_surname(s);
}

/* A title alone, or that of a department: 部長, 営業部長, 経営情報学部教授. */
static bool is_title(struct stretch s)
{
	size_t n = ends_any(s, titles, COUNT_OF(titles));

	return n > 0 && (n == s.len || is_part(cut(s, n)) || is_title(cut(s, n)));
}

static bool is_sentence(struct stretch s)
{
	for (size_t i = 0; i < COUNT_OF(sentences); i++)
		if (memmem(s.text, s.len, sentences[i], strlen(sentences[i])) != NULL)
			return true;
	return false;
}

/* What may be the name of somebody or of a company. */
static bool is_name(struct stretch s)
{
	struct letters n = letters_of(s);
	size_t all = n.kanji + n.katakana + n.hiragana + n.latin;

	if (n.other > 0 || all == 0 || all > NAME_LETTERS_MAX)
		return false;
	if (n.hiragana > 0 && n.katakana == 0 && n.kanji == 0)
		return all <= 7;
	return n.hiragana <= 3;
}

/* ---- departments before a name without a blank ---- */

static size_t head_end(struct stretch s, size_t at)
{
	struct stretch head = {.text = s.text, .len = at};
	struct stretch rest = {.text = s.text + at, .len = s.len - at};
	size_t n = partner_form_before(s.text, at);

	if (rest.len == 0 || greeting_letters(rest.text, rest.len) > 8)
		return 0;
	if (n == 0 && ends_any(head, companies, COUNT_OF(companies)) == 0 &&
	    ends_any(head, parts, COUNT_OF(parts)) == 0 && !is_title(head))
		return 0;

	/* 服部太郎 is no department's; 営業部服部 is. */
	return is_surname(head) ? 0 : at;
}

/* Where a company, department or title ends that a name is written to: 営業部|田中. 0: nowhere. */
static size_t joined_head(struct stretch s)
{
	size_t best = 0;

	if (surname_of(s.text, s.len, NULL) > 0 && partner_form_behind(s.text, s.len) == 0) {
		/* A family name leads: then 部 or 所 within is part of it, or of what follows. */
		size_t n = surname_of(s.text, s.len, NULL);

		if (greeting_letters(s.text + n, s.len - n) <= 3)
			return 0;
	}
	for (size_t at = 0; at < s.len;) {
		(void)letter_next(s.text, s.len, &at);
		if (at == s.len || head_end(s, at) == 0)
			continue;
		/* 営業部|阿部太郎: the second 部 is a name's. */
		if (best > 0 && surname_of(s.text + best, s.len - best, NULL) >= at - best)
			break;
		best = at;
	}
	return best;
}

static struct greeting_read_word person(struct stretch name, struct stretch honorific)
{
	struct greeting_read_word w = {.kind = GREETING_WORD_PERSON, .honorific = honorific};
	size_t head = joined_head(name);

	if (head > 0) {
		struct stretch company = {.text = name.text, .len = head};

		if (is_company(company))
			w.company = company;
		name.text += head;
		name.len -= head;
	}
	w.name = name;
	return w;
}

/* ---- a word ---- */

static struct greeting_read_word of_kind(enum greeting_word kind, struct stretch name)
{
	return (struct greeting_read_word){.kind = kind, .name = name};
}

/* A department or a title, and nobody's name behind it: 営業部, 東京支店営業部, 店長; not 営業部阿部. */
static bool is_desk(struct stretch s)
{
	size_t head = joined_head(s);

	if (head > 0) {
		s.text += head;
		s.len -= head;
	}
	return s.len > 0 && (is_title(s) || is_part(s));
}

/* The company that a department or title is written to: みなと銀行|浜松町支店. */
static struct stretch leading_company(struct stretch s)
{
	struct stretch best = {.text = s.text, .len = 0};

	for (size_t at = 0; at < s.len;) {
		struct stretch head = {.text = s.text};

		(void)letter_next(s.text, s.len, &at);
		head.len = at;
		if (at < s.len && is_company(head) && !is_part(head))
			best = head;
	}
	return best;
}

/* A department or title with what may stand before it; or a name behind it: 営業部阿部. */
static struct greeting_read_word placed(enum greeting_word kind, struct stretch s)
{
	struct greeting_read_word w = of_kind(kind, s);
	size_t head = joined_head(s);
	struct stretch rest = {.text = s.text + head, .len = s.len - head};

	if (kind != GREETING_WORD_NAME)
		w.company = leading_company(s);
	if (head == 0 || surname_of(rest.text, rest.len, NULL) == 0 || is_part(rest) ||
	    is_title(rest) || is_company(rest))
		return w;
	w.kind = GREETING_WORD_NAME;
	w.name = rest;
	w.company = leading_company(s);
	w.behind = true;
	return w;
}

/* The word without its honorific, `n` bytes: who is it? */
static struct greeting_read_word honored(struct stretch s, size_t n)
{
	struct stretch base = cut(s, n);
	struct stretch honorific = {.text = s.text + base.len, .len = n};
	size_t title = ends_any(base, titles, COUNT_OF(titles));

	if (is_desk(base))
		return of_kind(GREETING_WORD_EVERYONE, base);
	if (title > 0 && title < base.len && !is_company(base))
		base = cut(base, title); /* 田中部長様 */
	if (base.len > 0 && joined_head(base) == 0 && is_company(base)) {
		struct greeting_read_word w = of_kind(GREETING_WORD_TO, base);

		w.honorific = honorific;
		return w;
	}
	if (base.len > 0 && (is_sentence(base) || (!is_name(base) && joined_head(base) == 0)))
		return of_kind(GREETING_WORD_SENTENCE, s);
	return person(base, honorific);
}

/* A name with a title behind it: 田中部長. */
static struct greeting_read_word titled(struct stretch s, size_t n)
{
	struct stretch title = {.text = s.text + s.len - n, .len = n};

	if (is_title(s))
		return placed(GREETING_WORD_TITLE, s);
	if (!is_name(cut(s, n)) || stretch_is(title, "担当") || stretch_is(title, "代表"))
		return placed(GREETING_WORD_TITLE, s);
	return person(cut(s, n), title);
}

struct greeting_read_word greeting_word(const char *text, size_t len)
{
	struct stretch s = {.text = text, .len = len};
	size_t n;

	if (len > WORD_MAX)
		return of_kind(GREETING_WORD_SENTENCE, s);
	if (stretch_ends(s, "宛") || stretch_ends(s, "へ"))
		s = cut(s, 3);
	if (is_any(s, no_honorific, COUNT_OF(no_honorific)))
		return of_kind(GREETING_WORD_SENTENCE, s);
	if (ends_any(s, everyone, COUNT_OF(everyone)) > 0)
		return of_kind(GREETING_WORD_EVERYONE, s);
	if (stretch_ends(s, "御中")) {
		struct greeting_read_word w = of_kind(GREETING_WORD_TO, cut(s, 6));

		w.honorific = (struct stretch){.text = s.text + s.len - 6, .len = 6};
		return w;
	}
	n = ends_any(s, honorifics, COUNT_OF(honorifics));
	if (n > 0)
		return honored(s, n);
	if (is_sentence(s))
		return of_kind(GREETING_WORD_SENTENCE, s);
	n = ends_any(s, titles, COUNT_OF(titles));
	if (n > 0)
		return titled(s, n);
	if (partner_form_before(s.text, s.len) > 0 || partner_form_behind(s.text, s.len) > 0)
		return of_kind(GREETING_WORD_COMPANY, s);
	if (is_part(s))
		return placed(GREETING_WORD_PART, s);
	if (is_company(s))
		return of_kind(GREETING_WORD_COMPANY, s);
	return is_name(s) ? placed(GREETING_WORD_NAME, s) : of_kind(GREETING_WORD_SENTENCE, s);
}
