/*
 * What a sentence holds decides: a word that promises ("添付", "別紙", "find attached"), and none
 * that takes it back: a request, a denial, another mail, another way of sending. Blanks and line breaks
 * between Japanese letters are nothing.
 */
#include "lib/words/promise.h"

#include <string.h>

#include "lib/detect/letters.h"

struct text {
	const char *at;
	size_t len;
};

static bool has(struct text s, const char *word)
{
	return memmem(s.at, s.len, word, strlen(word)) != NULL;
}

static bool has_any(struct text s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (has(s, words[i]))
			return true;
	return false;
}

/* ---- Japanese ---- */

/* Behind "添付", close to it: somebody else's act, an earlier mail, a rule, a fault. */
static const char *const not_attached[] = {
    "いただ",
    "頂",
    "ください",
    "下さい",
    "くださ",
    "願い",
    "漏れ",
    "もれ",
    "忘れ",
    "なし",
    "無し",
    "せず",
    "しない",
    "できません",
    "できない",
    "できる",
    "不要",
    "必要",
    "場合",
    "開け",
    "開か",
    "ありません",
    "ございません",
    "ありましたら",
    "すること",
    "してある",
    "されて",
    "された",
    "される",
    "なさ",
    "方法",
    "容量",
    "サイズ",
    "禁止",
    "削除",
    "が届",
    "が見当",
    "が見え",
    "が付い",
    "がつい",
    "の有無",
    "の上限",
    "の制限",
    "の種類",
    "の形式",
    "取扱",
    "取り扱い",
    "の件数",
    "可能",
    "たい",
    "してほし",
    "して欲し",
    "の上、",
    "提出",
    "拝見",
    "確認しまし",
    "拝受",
    "受領",
    "受け取り",
    "されません",
    "文字化け",
    "しなくて",
    "ではなく",
    "しません",
    "ますか",
};

/* But these are asked of what is attached to this mail. */
static const char *const look_here[] = {
    "ご覧",
    "ご参照",
    "参照",
    "ご確認",
    "ご査収",
    "査収",
    "ご高覧",
    "ご一読",
    "お目通し",
    "通り",
    "とおり",
    "にて",
    "いたし",
    "致し",
    "しました",
    "します",
    "しており",
    "しています",
    "のほど",
    "差し替え",
    "お使い",
    "ご利用",
    "ご記入",
    "お読み",
    "につき",
};

/* Other mails, and other days. */
static const char *const elsewhere[] = {
    "先日",
    "先ほどお送り",
    "前回",
    "昨日",
    "先週",
    "以前",
    "先般",
    "過日",
    "郵送",
    "宅配",
    "宅急便",
    "FAXで",
    "FAXにて",
    "発送",
    "来週",
    "後日",
    "後ほど",
    "のちほど",
    "明日",
    "追って",
    "次第",
    "別途",
    "別メール",
    "別便",
    "商品に",
    "製品に",
    "荷物",
    "実機",
    "現物",
    "バイク便",
    "共有フォルダ",
    "封書",
    "書留",
    "レターパック",
    "普通便",
    "電子契約",
    "出来上がり",
    "完成したら",
    "でき次第",
    "決まり次第",
    "改めてお送り",
};

static const char *const papers[] = {
    "ファイル",
    "資料",
    "見積",
    "請求書",
    "注文書",
    "発注書",
    "契約書",
    "仕様書",
    "議事録",
    "図面",
    "報告書",
    "提案書",
    "企画書",
    "一覧",
    "リスト",
    "カタログ",
    "データ",
    "写真",
    "画像",
    "申込書",
    "申請書",
    "履歴書",
    "書類",
    "価格表",
    "納品書",
    "領収書",
    "計画書",
    "工程表",
    "スケジュール表",
    "原稿",
    "マニュアル",
    "手順書",
    "案内状",
    "地図",
    "PDF",
    "Excel",
    "Word",
    "エクセル",
    "ワード",
    "パワーポイント",
    "レポート",
    "誓約書",
    "覚書",
    "証明書",
    "サンプルファイル",
    "日程表",
    "予定表",
    "成績書",
    "検査表",
    "アンケート",
    "名簿",
    "チラシ",
    "パンフレット",
    "レジュメ",
    "設計書",
    "CSV",
    "表を",
    "書を",
    "録を",
    "案を",
    "図を",
    "稿を",
    "書き起こし",
};

static const char *const sending[] = {
    "お送りします",
    "お送りいたします",
    "お送り致します",
    "お送り申し上げます",
    "送付します",
    "送付いたします",
    "送付致します",
    "お送りしました",
    "お送りいたしました",
    "お送りさせて",
    "ご送付します",
    "ご送付いたします",
    "送ります",
    "お届けします",
    "お届けいたします",
    "再送します",
    "再送いたします",
    "再送致します",
    "送付させて",
    "送付申し上げます",
};

/* From one "添付" to the next: what belongs to it. */
static bool attaches(struct text s)
{
	static const char *const earlier[] = {
	    "いただいた", "いただきました", "頂いた", "くださった"};

	if (has(s, "させていただ") || has(s, "させて頂"))
		return true;
	if (has_any(s, earlier, COUNT_OF(earlier)))
		return false;
	if (!has_any(s, not_attached, COUNT_OF(not_attached)))
		return true;

	/* 添付のとおりですのでご確認ください: what is asked is to look at it. */
	if (has(s, "漏れ") || has(s, "忘れ") || has(s, "開か") || has(s, "開け") ||
	    has(s, "提出") || has(s, "できません") || has(s, "できない") || has(s, "ますか") ||
	    has(s, "ませんか") || has(s, "場合") || has(s, "ありません") || has(s, "なし") ||
	    has(s, "無し") || has(s, "せず") || has(s, "不要") || has(s, "すること"))
		return false;
	if (has(s, "して") && !has(s, "しており") && !has(s, "しています") &&
	    (has(s, "ください") || has(s, "下さい") || has(s, "いただ") || has(s, "頂") ||
		has(s, "ほし") || has(s, "欲し")))
		return false;
	return has_any(s, look_here, COUNT_OF(look_here));
}

/* Every "添付" of the sentence, each with what stands behind it up to the next. */
static bool promises_attachment(struct text s)
{
	static const char word[] = "添付";
	const char *at = memmem(s.at, s.len, word, sizeof word - 1);

	while (at != NULL) {
		const char *behind = at + sizeof word - 1;
		size_t left = (size_t)(s.at + s.len - behind);
		const char *next = memmem(behind, left, word, sizeof word - 1);
		struct text mine = {
		    .at = behind, .len = next != NULL ? (size_t)(next - behind) : left};

		if (attaches(mine))
			return true;
		at = next;
	}
	return false;
}

/* 先日のメールに添付した資料; but 先日の議事録を添付します is of this one. */
static bool tells_of_another(struct text s)
{
	static const char *const when[] = {"先日", "前回", "昨日", "先週", "以前"};
	static const char *const what[] = {"添付した", "お送りした", "お送りしました", "メールに",
	    "メールの", "メールで", "送付した"};

	return has_any(s, when, COUNT_OF(when)) && has_any(s, what, COUNT_OF(what));
}

static bool promises_japanese(struct text s)
{
	static const char *const enclosed[] = {"別紙", "別添", "同封"};
	static const char *const sent[] = {"郵送", "宅配", "発送", "商品に", "製品に", "荷物",
	    "返送", "ください", "下さい", "返信用"};
	static const char *const look[] = {"ご覧", "参照", "ご確認", "査収", "の通り", "のとおり"};
	static const char *const verb[] = {"ます", "まし", "です"};

	if (has(s, "添付") && !has(s, "不審") && !has(s, "知らない") && !tells_of_another(s) &&
	    promises_attachment(s))
		return true;
	if (has_any(s, enclosed, COUNT_OF(enclosed)) &&
	    !has_any(s, elsewhere, COUNT_OF(elsewhere)) &&
	    (has_any(s, look, COUNT_OF(look)) ||
		(has_any(s, verb, COUNT_OF(verb)) && !has_any(s, sent, COUNT_OF(sent)))))
		return true;
	return has_any(s, sending, COUNT_OF(sending)) && has_any(s, papers, COUNT_OF(papers)) &&
	       !has_any(s, elsewhere, COUNT_OF(elsewhere));
}

/* ---- English ---- */

static bool promises_english(struct text s)
{
	static const char *const yes[] = {"find attached", "find the attached", "attached please",
	    "attached is", "attached are", "attached you", "is attached", "are attached",
	    "i attach", "we attach", "i have attached", "i've attached", "we have attached",
	    "we've attached", "am attaching", "are attaching", "i'm attaching", "see attached",
	    "see the attached", "the attached", "see attachment", "see the attachment",
	    "in the attachment", "the attachment", "attached file", "attached document",
	    "as attached", "attached herewith", "enclosed please", "find enclosed",
	    "attached below", "attached for your", "attached to this", "attached hereto",
	    "attaching"};
	static const char *const no[] = {"nothing attached", "without attachment",
	    "without the attachment", "no attachment", "not attached", "n't attached",
	    "isn't attached", "could you attach", "please attach", "can you attach",
	    "would you attach", "forgot to attach", "missing attachment",
	    "the attachment was missing", "attachment is missing", "do not open", "don't open",
	    "not open the attach", "n't open the attach", "you attached", "your attachment",
	    "never open", "be attached", "must attach", "cannot attach", "can't attach",
	    "the attachment you", "previously attached", "last mail", "attached to it"};

	return has_any(s, yes, COUNT_OF(yes)) && !has_any(s, no, COUNT_OF(no));
}

/* ---- sentences ---- */

/* The sentence without blanks between Japanese letters, in lower case. */
static size_t squeeze(const char *text, size_t len, char into[PROMISE_SENTENCE_MAX + 1], bool lower)
{
	size_t used = 0;
	bool gap = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == ' ' || c == '\n') {
			gap = true;
			continue;
		}
		if (gap && used > 0 && (unsigned char)c < 0x80 &&
		    (unsigned char)into[used - 1] < 0x80)
			into[used++] = ' ';
		gap = false;
		into[used++] = lower && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	into[used] = '\0';
	return used;
}

static void look(struct promise *p)
{
	char plain[PROMISE_SENTENCE_MAX + 1];
	struct text s = {.at = plain};

	s.len = squeeze(p->text, p->len, plain, false);
	if (!p->found && s.len > 0) {
		bool found = promises_japanese(s);

		if (!found) {
			s.len = squeeze(p->text, p->len, plain, true);
			found = promises_english(s);
			s.len = squeeze(p->text, p->len, plain, false);
		}
		if (found) {
			p->found = true;
			memcpy(p->sentence, plain, s.len + 1);
		}
	}
	p->len = 0;
	p->line = 0;
}

void promise_open(struct promise *p)
{
	p->found = false;
	p->sentence[0] = '\0';
	p->len = 0;
	p->line = 0;
}

/* Whether the sentence goes no further than the line: an empty line, or one of an enumeration. */
static bool ends_line(const struct promise *p)
{
	for (size_t i = p->line; i < p->len; i++)
		if (p->text[i] != ' ' && p->text[i] != '\n')
			return false;
	return true;
}

/* A full stop ends a sentence; that of ASCII when a blank comes behind it. */
static bool ends_sentence(const struct promise *p, const char *letter, size_t n)
{
	if (n == 3 && memcmp(letter, "。", 3) == 0)
		return true;
	if (n != 1)
		return false;
	if (*letter == '!' || *letter == '?')
		return true;
	return (*letter == ' ' || *letter == '\n') && p->len > 0 && p->text[p->len - 1] == '.';
}

static void take_letter(struct promise *p, const char *letter, size_t n)
{
	bool ends;

	if (n == 1 && *letter == '\n') {
		if (ends_line(p) || ends_sentence(p, letter, n)) {
			look(p);
			return;
		}
	}
	if (p->len + n > PROMISE_SENTENCE_MAX)
		look(p);
	ends = ends_sentence(p, letter, n);
	memcpy(p->text + p->len, letter, n);
	p->len += n;
	if (ends)
		look(p);
	else if (n == 1 && *letter == '\n')
		p->line = p->len;
}

bool promise_take(void *context, const char *text, size_t len)
{
	struct promise *p = context;

	for (size_t at = 0; at < len && !p->found;) {
		size_t start = at;

		(void)letter_next(text, len, &at);
		take_letter(p, text + start, at - start);
	}
	return !p->found;
}

void promise_end(struct promise *p)
{
	look(p);
}
