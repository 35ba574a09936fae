#include "lib/detect/names_title.h"

#include <string.h>

#include "lib/detect/letters.h"

static const struct honorific {
	const char *word;
	uint8_t points;
} honorifics[] = {{"様", 4}, {"さん", 4}, {"さま", 4}, {"氏", 4}, {"殿", 4}, {"君", 4}, {"くん", 3},
    {"先生", 4}, {"教授", 4}, {"准教授", 4}, {"助教", 3}, {"博士", 3}, {"部長", 3}, {"次長", 3},
    {"課長", 3}, {"係長", 3}, {"室長", 3}, {"所長", 3}, {"局長", 3}, {"社長", 3}, {"副社長", 3},
    {"会長", 3}, {"専務", 3}, {"常務", 3}, {"取締役", 3}, {"執行役員", 3}, {"理事", 3}, {"主任", 3},
    {"主査", 3}, {"主幹", 3}, {"参事", 3}, {"店長", 3}, {"院長", 3}, {"園長", 3}, {"校長", 3},
    {"班長", 3}, {"隊長", 3}, {"本部長", 3}, {"事業部長", 3}, {"工場長", 3}, {"グループ長", 3},
    {"チーム長", 3}, {"弁護士", 4}, {"税理士", 4}, {"会計士", 3}, {"司法書士", 4}, {"行政書士", 4},
    {"社労士", 3}, {"弁理士", 4}, {"医師", 4}, {"看護師", 3}, {"薬剤師", 3}, {"議員", 3},
    {"選手", 3}, {"監督", 3}, {"マネージャー", 3}, {"マネジャー", 3}, {"リーダー", 3},
    {"ディレクター", 3}, {"相談役", 3}, {"顧問", 3}, {"審議官", 3}, {"検事", 3}, {"巡査", 3},
    {"コーチ", 3}, {"ドクター", 3}, {"監事", 3}, {"師長", 3}, {"職長", 3}, {"教頭", 3},
    {"センター長", 3}, {"支配人", 3}, {"学長", 3}, {"理事長", 3}, {"代表", 3}, {"組合長", 3},
    {"団長", 3}, {"館長", 3}, {"婦長", 3}, {"警部", 3}, {"巡査部長", 3}, {"機長", 3}, {"船長", 3},
    {"議長", 3}, {"委員", 3}, {"委員長", 3}, {"幹事", 3}};

/* Behind 様 or 氏 they make another word of it. */
static const char *const other_words[] = {"様々", "様子", "様式", "様態", "様相", "氏名", "氏族",
    "殿下", "君主", "先生方", "部長会", "課長会", "社長室", "会長室", "理事会", "監督署", "監督官",
    "議員会", "顧問料", "主任者", "主査会", "所長会", "専務局", "理事長室", "社長賞"};

static const char *const labels[] = {"氏名", "名前", "担当", "担当者", "責任者", "代表", "代表者",
    "取締役", "社長", "会長", "部長", "課長", "係長", "所長", "店長", "室長", "院長", "次長",
    "主任", "主査", "専務", "常務", "理事", "監事", "講師", "教授", "記録", "議長", "司会", "宛名",
    "受取人", "依頼主", "届け先", "届先", "本人", "会員", "顧客", "出席", "出席者", "参加者",
    "申込者", "契約者", "世帯主", "保護者", "患者", "フリガナ", "ふりがな", "カナ", "選手", "監督",
    "医師", "看護師", "弁護士", "税理士", "候補", "長男", "次男", "長女", "次女", "名義", "名義人",
    "発信者", "送信者", "差出人", "起案者", "承認者", "作成者", "作成", "承認", "確認者", "受付者",
    "記入者", "報告者", "所有者", "宛", "窓口", "署名", "執行役員", "リーダー", "マネージャー",
    "CC", "From", "To", "Name", "name", "KANA", "研究員", "学生", "社員"};

static const char *const headers[] = {"氏名", "名前", "お名前", "担当者", "担当者名", "担当",
    "社員名", "顧客名", "会員名", "フリガナ", "ふりがな", "カナ", "氏名カナ", "氏名(カナ)",
    "カナ氏名", "申込者", "申込者名", "参加者", "参加者名", "受講者", "受講者名", "患者名",
    "患者氏名", "宛名", "代表者", "代表者名", "契約者", "契約者名", "氏名(漢字)", "漢字氏名",
    "従業員名", "生徒名", "児童名", "保護者名", "受取人", "届け先名", "お届け先名", "購入者",
    "購入者名", "名義人", "責任者", "講師", "講師名", "応募者", "応募者名", "社員氏名", "name",
    "Name", "姓名", "名前(カナ)", "お客様名", "注文者", "注文者名", "セイメイ", "シメイ", "読み",
    "よみ", "ヨミ", "ヨミガナ", "よみがな"};

/* Letters that end what is no name. */
static const char no_name_ends[] = "市区県府郡駅線社店校院者員課係局会団的性化等円個件台枚回号用様"
				   "殿氏品式型版機器率額費料書表票案税券"
				   "証状権法業界力量数値差点度別時分秒年日週部所室館場外前後先"
				   "名区方客主家族位組隊側物語文章節項他容計部著訳記筆";

static const char *const company_forms[] = {"株式会社", "有限会社", "合同会社", "合資会社",
    "合名会社", "(株)", "(有)", "(合)", "(資)", "社団法人", "財団法人", "医療法人", "学校法人",
    "社会福祉法人"};

/* 速水税理士事務所 */
static bool office(const struct clause *c, size_t at)
{
	return clause_word(c, at, "事務所") > 0 || clause_word(c, at, "法人") > 0 ||
	       clause_word(c, at, "会館") > 0 || clause_word(c, at, "事務室") > 0;
}

static bool makes_other_word(const struct clause *c, size_t at)
{
	for (size_t i = 0; i < COUNT_OF(other_words); i++) {
		if (clause_word(c, at, other_words[i]) > 0)
			return true;
	}
	return false;
}

static void mark_letter(struct titles *titles, uint32_t point, unsigned trait)
{
	titles->traits[point % TITLE_LETTERS] |= (uint8_t)trait;
}

static void mark_letters(struct titles *titles, const char *letters, unsigned trait)
{
	for (size_t at = 0, len = strlen(letters); at < len;)
		mark_letter(titles, letter_next(letters, len, &at), trait);
}

void titles_prepare(struct titles *titles, const struct lexicon *lexicon)
{
	memset(titles, 0, sizeof *titles);
	for (size_t i = 0; i < COUNT_OF(honorifics); i++) {
		const char *word = honorifics[i].word;
		size_t at = 0;

		mark_letter(titles, letter_next(word, strlen(word), &at), TRAIT_HONORIFIC);
	}
	for (size_t i = 0; i < COUNT_OF(labels); i++) {
		size_t at = strlen(labels[i]);

		mark_letter(titles, letter_before(labels[i], &at), TRAIT_LABEL);
	}
	for (uint32_t point = 1; point < TITLE_LETTERS; point++) {
		unsigned learned = lexicon_letter(lexicon, point);

		mark_letter(titles, point,
		    ((learned & LEXICON_FAMILY_FIRST) != 0 ? TRAIT_FAMILY_FIRST : 0) |
			((learned & LEXICON_FAMILY_LAST) != 0 ? TRAIT_FAMILY_LAST : 0) |
			((learned & LEXICON_GIVEN_FIRST) != 0 ? TRAIT_GIVEN_FIRST : 0) |
			((learned & LEXICON_GIVEN_LAST) != 0 ? TRAIT_GIVEN_LAST : 0));
	}
	mark_letters(titles, no_name_ends, TRAIT_OTHER_END);
	mark_letters(titles, "第各御貴弊当毎約全同", TRAIT_OTHER);
}

static uint8_t honorific_points(const struct clause *c, size_t at)
{
	for (size_t i = 0; i < COUNT_OF(honorifics); i++) {
		size_t len = clause_word(c, at, honorifics[i].word);

		if (len > 0 && !office(c, at + len) && !makes_other_word(c, at))
			return honorifics[i].points;
	}
	return 0;
}

void titles_mark(const struct titles *titles, struct clause *c)
{
	memset(c->honorific, 0, sizeof c->honorific);
	for (size_t i = 0; i < c->n; i++)
		c->traits[i] = titles->traits[c->point[i] % TITLE_LETTERS];

	for (size_t i = 0; i < c->n; i++) {
		if ((c->traits[i] & TRAIT_HONORIFIC) == 0)
			continue;
		c->honorific[i] = honorific_points(c, i);
		for (size_t before = i; before > clause_skip_back(c, i); before--)
			c->honorific[before - 1] = c->honorific[i];
	}
}

void titles_confirm(struct clause *c)
{
	for (size_t i = 0; i < c->n; i++) {
		size_t start = clause_skip(c, i);

		/* 同様 and 山口支店長 have no honorific in them: no word begins with it. */
		if (c->honorific[i] > 0 && c->word[start] == WORD_NONE)
			c->honorific[i] = 0;
	}
}

bool title_covers(const struct clause *c, size_t start, size_t end)
{
	for (size_t i = 0; i < COUNT_OF(honorifics); i++) {
		if (clause_word(c, start, honorifics[i].word) == end - start)
			return true;
	}
	return false;
}

int label_before(const struct clause *c, size_t at)
{
	size_t end = clause_skip_back(c, at);
	bool colon = end > 0 && (c->point[end - 1] == ':' || c->point[end - 1] == '=');

	if (colon)
		end = clause_skip_back(c, end - 1);
	if (end == 0 || (c->traits[end - 1] & TRAIT_LABEL) == 0)
		return 0;
	for (size_t i = 0; i < COUNT_OF(labels); i++) {
		if (clause_word_before(c, end, labels[i]) > 0)
			return colon ? 3 : 2;
	}
	return 0;
}

int phrase_after(const struct clause *c, size_t at)
{
	static const char *const phrases[] = {"と申し", "です。", "です、", "でございます", "が伺",
	    "がお伺", "が担当", "がご案内", "が対応", "がご対応", "が参り", "がご説明", "が説明",
	    "が訪問", "がご訪問", "がご連絡", "が連絡", "宛に", "宛て", "まで連絡", "までご連絡",
	    "までお問", "名義", "が出席", "が同行", "が着任", "が退職", "が入社"};

	if (at >= c->n || c->kind[at] < KIND_HIRAGANA)
		return 0;
	for (size_t i = 0; i < COUNT_OF(phrases); i++) {
		if (clause_word(c, at, phrases[i]) > 0)
			return 3;
	}
	return 0;
}

bool shop_word(const struct clause *c, size_t start, size_t end)
{
	static const char *const words[] = {
	    "青果", "硝子", "金物", "生花", "和紙", "鉄鋼", "花卉", "酒造"};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (clause_word(c, start, words[i]) == end - start)
			return true;
	}
	return false;
}

static bool in_a_word(const struct clause *c, size_t at)
{
	return clause_japanese(c, at) || (at < c->n && c->kind[at] == KIND_DIGIT);
}

bool name_of_company(const struct clause *c, size_t start, size_t end)
{
	size_t before = clause_skip_back(c, start);

	for (size_t i = 0; i < COUNT_OF(company_forms); i++) {
		size_t len = clause_word_before(c, before, company_forms[i]);

		if (clause_word(c, end, company_forms[i]) > 0)
			return true;
		/* In "アルファ株式会社 佐藤花子" the company has its name already. */
		if (len > 0 && (before - len == 0 || !in_a_word(c, before - len - 1)))
			return true;
	}
	return false;
}

bool header_of_names(const struct clause *c, size_t start, size_t end)
{
	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		if (clause_word(c, start, headers[i]) == end - start && end > start)
			return true;
	}
	return false;
}
