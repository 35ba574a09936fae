#include "lib/detect/names_score.h"

#include <string.h>

#include "lib/detect/letters.h"
#include "lib/detect/names_title.h"

#define FAMILY_LETTERS 5
#define GIVEN_LETTERS  4
#define KANA_LETTERS   6

#define NEVER             (-100)
#define PLACE_POINTS_MOST 20 /* that place_points can give */

static bool has_trait(const struct clause *c, size_t at, unsigned trait)
{
	return (c->traits[at] & trait) != 0;
}

static unsigned known(const struct clause *c, size_t start, size_t end)
{
	return end > start && end - start <= LEXICON_LETTERS ? c->known[start][end - start - 1] : 0;
}

/* Whether the words of the best reading begin there. */
static bool word_begins(const struct clause *c, size_t at)
{
	return at >= c->n || c->word[at] != WORD_NONE || !clause_japanese(c, at);
}

static bool all_kanji(const struct clause *c, size_t start, size_t end)
{
	for (size_t i = start; i < end; i++) {
		/* 竹ノ内, 鍛冶ヶ沢 */
		bool small = i == start + 1 && end == start + 3 &&
			     (c->point[i] == 0x30ce || c->point[i] == 0x30f6 ||
				 c->point[i] == 0x30b1 || c->point[i] == 0x306e);

		if (c->kind[i] != KIND_KANJI && !small)
			return false;
	}
	return true;
}

static bool all_kana(const struct clause *c, size_t start, size_t end)
{
	for (size_t i = start; i < end; i++) {
		if (c->kind[i] != c->kind[start])
			return false;
	}
	return c->kind[start] == KIND_HIRAGANA || c->kind[start] == KIND_KATAKANA;
}

/* What the letters at both ends say of a family name that no dictionary has. */
static int family_letters(const struct clause *c, size_t start, size_t end)
{
	int points =
	    has_trait(c, start, TRAIT_FAMILY_FIRST) + has_trait(c, end - 1, TRAIT_FAMILY_LAST);

	if (has_trait(c, start, TRAIT_OTHER))
		return NEVER;
	if (has_trait(c, end - 1, TRAIT_OTHER_END))
		return NEVER;
	/* 作成須 is but a common word with more. */
	if (end - start > 2 && (known(c, start, start + 2) & LEXICON_NOUN) != 0 &&
	    (known(c, start, start + 2) & (LEXICON_FAMILY | LEXICON_PLACE)) == 0)
		return NEVER;
	return points == 2 ? 2 : 0;
}

static int family_points(const struct clause *c, size_t start, size_t end)
{
	unsigned flags = known(c, start, end);
	size_t len = end - start;

	/* It is a family name as well, but in mail it is not. */
	if (clause_word(c, start, "本部") == len)
		return -4;
	if ((flags & LEXICON_FAMILY) != 0)
		return len == 1 ? 3 : 4;
	if ((flags & (LEXICON_NOUN | LEXICON_ORG)) != 0 && (flags & LEXICON_PLACE) == 0)
		return (flags & LEXICON_GIVEN) != 0 && len == 1 ? 0 : -4;
	if (len == 1)
		return (flags & LEXICON_GIVEN) != 0 ? 0 : -1;
	if ((flags & LEXICON_PLACE) != 0)
		return 2;
	return len > 4 ? NEVER : family_letters(c, start, end);
}

/* Hiragana that stand behind a family name and are not a given name, though some are called so. */
static bool grammar(const struct clause *c, size_t start, size_t end)
{
	static const char *const words[] = {"より", "から", "まで", "など", "のみ", "ほか", "こと",
	    "もの", "ため", "です", "まま", "たち", "だけ", "ごと", "あて", "なり", "ども", "さん",
	    "さま", "くん", "ちゃん", "ほど", "とも", "また", "かつ", "には", "では", "とは",
	    "との", "への", "へは", "でも", "にも", "おり", "より"};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (clause_word(c, start, words[i]) == end - start)
			return true;
	}
	return false;
}

/* 見積, 旅行: a common noun at the end. */
static bool ends_in_noun(const struct clause *c, size_t start, size_t end)
{
	for (size_t at = start + 1; at + 2 <= end; at++) {
		if ((known(c, at, end) & (LEXICON_NOUN | LEXICON_GIVEN)) == LEXICON_NOUN)
			return true;
	}
	return false;
}

/* `apart`: it cannot be a common noun that belongs to the family name, as in 青木硝子. */
static int given_points(const struct clause *c, size_t start, size_t end, bool apart)
{
	unsigned flags = known(c, start, end);
	size_t len = end - start;

	if (c->kind[start] != KIND_KANJI && grammar(c, start, end))
		return NEVER;
	if ((flags & LEXICON_GIVEN) != 0) {
		/* 青木硝子 is a shop, 青木 硝子 may be a lady. */
		if (shop_word(c, start, end) && !apart)
			return NEVER;
		if ((flags & LEXICON_NOUN) != 0 && len > 1 && !apart)
			return c->word[start] == WORD_GIVEN ? 3 : 1;
		return len == 1 ? 3 : 4;
	}
	if (len > 3 || has_trait(c, end - 1, TRAIT_OTHER_END))
		return NEVER;
	if ((flags & LEXICON_NOUN) != 0)
		return len == 1 && apart ? -1 : -5;
	/* 本部 鈴木 */
	if ((flags & LEXICON_FAMILY) != 0 && len > 1 && c->kind[start] == KIND_KANJI)
		return -3;
	if ((flags & (LEXICON_ORG | LEXICON_PLACE)) != 0 && !apart)
		return -2;
	if (c->kind[start] != KIND_KANJI)
		return apart;
	if (ends_in_noun(c, start, end))
		return -5;
	if (len == 1)
		return (flags & LEXICON_FAMILY) != 0 ? 0 : 1;
	return has_trait(c, start, TRAIT_GIVEN_FIRST) && has_trait(c, end - 1, TRAIT_GIVEN_LAST)
		   ? 2
		   : 0;
}

/* `reading`: a name in kanji stands before it. */
static int kana_points(
    const struct clause *c, size_t start, size_t end, unsigned wanted, bool reading)
{
	unsigned flags = known(c, start, end);
	size_t len = end - start;

	if (len < 2 || len > KANA_LETTERS)
		return NEVER;
	if ((flags & wanted) != 0)
		return (flags & LEXICON_NOUN) != 0 ? 2 : 4;
	return (flags & (LEXICON_NOUN | LEXICON_ORG)) != 0 && !reading ? -2 : 1;
}

static int bound_points(const struct clause *c, size_t start, size_t end)
{
	return (int)clause_left(c, start) + (int)clause_right(c, end);
}

/* Where the kana end that begin at `at`, if they are a half name; or `at`. */
static size_t kana_end(const struct clause *c, size_t at, enum letter_kind kind)
{
	size_t end = at;

	while (end < c->n && c->kind[end] == kind)
		end++;
	return end - at >= 2 && end - at <= KANA_LETTERS ? end : at;
}

/* Whether a name in kana stands behind, with only signs between: 山田 太郎,ヤマダ タロウ. */
static bool reading_behind(const struct clause *c, size_t at)
{
	size_t start = at;
	size_t end;
	size_t next;

	while (start < c->n && c->kind[start] < KIND_DIGIT)
		start++;
	if (start == at || start >= c->n || start > at + 4)
		return false;
	end = kana_end(c, start, c->kind[start]);
	next = clause_skip(c, end);
	return end > start && next > end && c->kind[start] <= KIND_KATAKANA && next < c->n &&
	       kana_end(c, next, c->kind[start]) > next;
}

/* Whether what seems to be the given name is the family name's reading: 明美 ナギサ アスカ. */
static bool is_reading(const struct clause *c, const struct candidate *name)
{
	size_t next = clause_skip(c, name->end);

	return c->kind[name->given] == KIND_KATAKANA && next > name->end && next < c->n &&
	       c->kind[next] == KIND_KATAKANA;
}

/* Whether kana are taken for a given name that go on, or that may be grammar: 高さや. */
static bool is_cut_kana(const struct clause *c, const struct candidate *name, bool read)
{
	if (c->kind[name->given] == KIND_KANJI || honorific_at(c, name->end) > 0)
		return false;
	if (!read && name->end < c->n && c->kind[name->end] == c->kind[name->end - 1])
		return true;
	return name->family_end == name->given && name->given == name->start + 1 &&
	       clause_right(c, name->end) == BOUND_NONE;
}

/* What stands around a full name. */
static int place_points(
    const struct clause *c, const struct candidate *name, const struct surroundings *around)
{
	int points = bound_points(c, name->start, name->end);

	points += around->column;
	if (honorific_at(c, name->end) > 0)
		points += 3;
	points += label_before(c, name->start) + phrase_after(c, name->end);
	if (!name->kana && reading_behind(c, name->end))
		points += 3;
	if (name->family_end < name->given)
		points++;
	return points;
}

/* Whether a blank or an honorific tells the given name from a common noun. */
static bool set_apart(const struct clause *c, const struct candidate *name)
{
	return name->family_end < name->given || honorific_at(c, name->end) > 0;
}

/* Whether the best reading says 姓 and 名. */
static bool read_as_name(const struct clause *c, const struct candidate *name)
{
	unsigned given = known(c, name->given, name->end);

	if (name->end - name->given > 1 && (given & LEXICON_NOUN) != 0 && !set_apart(c, name))
		return false;
	return c->word[name->start] == WORD_FAMILY &&
	       c->word_len[name->start] == name->family_end - name->start &&
	       c->word[name->given] == WORD_GIVEN &&
	       c->word_len[name->given] == name->end - name->given;
}

/* Whether the word before `at` is a common one of two letters or more, or ends one: 部長, 営業部. */
static bool behind_common_word(const struct clause *c, size_t at)
{
	size_t start = at - 1;

	while (start > 0 && c->word[start] == WORD_NONE)
		start--;
	if (c->word[start] >= WORD_SUFFIX_FIRST && c->word[start] <= WORD_SUFFIX_LAST)
		return true;
	return at - start >= 2 && c->word[start] >= WORD_VERBAL && c->word[start] != WORD_NONE &&
	       (c->word[start] <= WORD_NOUN_LAST || c->word[start] > WORD_PROPER_LAST);
}

/* Whether a title or a common word follows, and not the rest of a name. */
static bool before_common_word(const struct clause *c, size_t at)
{
	if (c->word[at] >= WORD_SUFFIX_FIRST && c->word[at] <= WORD_SUFFIX_LAST)
		return has_trait(c, at, TRAIT_OTHER_END);
	return (c->word[at] == WORD_NOUN || c->word[at] == WORD_VERBAL) && c->word_len[at] >= 2;
}

static void keep_better(struct candidate *best, const struct candidate *name)
{
	if (name->points > best->points || (name->points == best->points && name->end > best->end))
		*best = *name;
}

/* Whether the letters before and behind let a name begin and end here. */
static bool stands_free(const struct clause *c, size_t start, size_t end)
{
	return (word_begins(c, start) || clause_left(c, start) > BOUND_NONE) &&
	       (word_begins(c, end) || clause_right(c, end) > BOUND_NONE ||
		   honorific_at(c, end) > 0);
}

/* What stands directly before or behind may be part of the name, so that this is but a piece of it. */
static int piece_points(const struct clause *c, size_t start, size_t end)
{
	int points = 0;

	if (clause_japanese(c, end) && honorific_at(c, end) == 0 &&
	    (c->kind[end] == c->kind[end - 1] || c->kind[end] == KIND_KANJI))
		points -= before_common_word(c, end) ? 1 : 7;
	if (start > 0 && c->kind[start - 1] == KIND_KANJI && c->kind[start] == KIND_KANJI &&
	    !behind_common_word(c, start))
		points -= 4;
	return points;
}

/* Whether a short word of kanji stands behind a blank, as a given name behind a family name. */
static bool half_behind(const struct clause *c, size_t at)
{
	size_t next = clause_skip(c, at);
	size_t end = next;

	while (end < c->n && c->kind[end] == KIND_KANJI)
		end++;
	return next > at && end > next && end - next <= 3 &&
	       (clause_right(c, end) > BOUND_NONE || honorific_at(c, end) > 0) &&
	       honorific_at(c, next) == 0;
}

/* Whether a short word of kanji, which is no common one, stands before a blank. */
static bool half_before(const struct clause *c, size_t at)
{
	size_t end = clause_skip_back(c, at);
	size_t start = end;

	while (start > 0 && c->kind[start - 1] == KIND_KANJI)
		start--;
	return end < at && start < end && end - start <= 4 &&
	       !has_trait(c, end - 1, TRAIT_OTHER_END) &&
	       (known(c, start, end) & LEXICON_NOUN) == 0 && !behind_common_word(c, end);
}

/* A common word that the best reading has across the two halves: 社員 in 社|員旅行. */
static int seam_points(const struct clause *c, const struct candidate *name)
{
	size_t start = name->given;

	if (name->family_end < name->given || c->word[name->given] != WORD_NONE)
		return 0;
	while (start > name->start && c->word[start] == WORD_NONE)
		start--;
	return c->word[start] == WORD_NONE ? 0 : -3;
}

static void try_full(const struct clause *c, struct candidate *name,
    const struct surroundings *around, struct candidate *best)
{
	unsigned whole = name->family_end == name->given ? known(c, name->start, name->end) : 0;
	int family = family_points(c, name->start, name->family_end);
	int given = given_points(c, name->given, name->end, set_apart(c, name));
	bool read = read_as_name(c, name);

	if (family <= NEVER || given <= NEVER)
		return;
	/* 長谷川 is one name, not 長谷 and 川; 会議室 is none. */
	if ((whole != 0 && !read) || (whole & LEXICON_PLACE) != 0)
		return;
	if (is_reading(c, name) || is_cut_kana(c, name, read))
		return;

	if (family + given + (read ? 3 : 0) + PLACE_POINTS_MOST < NAME_POINTS)
		return;

	/* 宮野原 結翔 is not 宮野 原, and 喜瀬 蒼太 not 蒼 太. */
	if (name->family_end == name->given &&
	    (half_behind(c, name->end) ||
		(name->family_end == name->start + 1 && half_before(c, name->start))))
		family -= 4;

	name->points = family + given + place_points(c, name, around) + (read ? 3 : 0) +
		       piece_points(c, name->start, name->end) + seam_points(c, name);
	if (name->points >= NAME_POINTS && stands_free(c, name->start, name->end) &&
	    !name_of_company(c, name->start, name->end) && !title_covers(c, name->start, name->end))
		keep_better(best, name);
}

/* The given name begins at `given`. It may have kana: くみ子, あすか, マリ. */
static void try_given(const struct clause *c, struct candidate name,
    const struct surroundings *around, struct candidate *best)
{
	for (size_t len = 1; len <= KANA_LETTERS && clause_japanese(c, name.given + len - 1);
	     len++) {
		name.end = name.given + len;
		/* What is not known as a name must at least stand apart. */
		if (!all_kanji(c, name.given, name.end) &&
		    (known(c, name.given, name.end) & LEXICON_GIVEN) == 0 &&
		    (len < 2 || name.family_end == name.given ||
			!all_kana(c, name.given, name.end) ||
			(clause_right(c, name.end) != BOUND_HARD &&
			    honorific_at(c, name.end) == 0)))
			continue;
		if (len > GIVEN_LETTERS && !all_kana(c, name.given, name.end))
			continue;
		try_full(c, &name, around, best);
	}
}

static void try_kanji(
    const struct clause *c, size_t start, const struct surroundings *around, struct candidate *best)
{
	for (size_t len = 1; len <= FAMILY_LETTERS && start + len < c->n; len++) {
		struct candidate name = {.start = start, .family_end = start + len};

		if (!clause_japanese(c, name.family_end - 1))
			break;
		if (!all_kanji(c, start, name.family_end))
			continue;
		name.given = clause_skip(c, name.family_end);
		/* 佐藤さん, 佐藤部長 */
		if (name.given == name.family_end && honorific_at(c, name.given) > 0)
			continue;
		try_given(c, name, around, best);
	}
}

static size_t run_end(const struct clause *c, size_t start)
{
	size_t end = start;

	while (end < c->n && c->kind[end] == c->kind[start])
		end++;
	return end;
}

/* サトウ ハナコ; without the blank only where an honorific or a label speaks for it. */
static void try_kana(
    const struct clause *c, size_t start, const struct surroundings *around, struct candidate *best)
{
	struct candidate name = {.start = start, .kana = true};
	size_t end = run_end(c, start);
	int context;

	for (size_t split = start + 2; split <= end; split++) {
		name.family_end = split;
		name.given = split == end ? clause_skip(c, end) : split;
		if (name.given >= c->n || (split == end && name.given == end) ||
		    c->kind[name.given] != c->kind[start])
			continue;
		name.end = split == end ? run_end(c, name.given) : end;
		/* さとう はなこさん, written in one */
		for (size_t cut = name.given + 2; cut < name.end; cut++) {
			if (honorific_at(c, cut) > 0 && c->kind[start] == KIND_HIRAGANA)
				name.end = cut;
		}

		context = place_points(c, &name, around) + (around->neighbour ? 3 : 0);
		if (split < end &&
		    kana_end(c, clause_skip(c, end), c->kind[start]) > clause_skip(c, end))
			continue;
		if (split < end &&
		    (!(around->column || honorific_at(c, name.end) > 0 ||
			 label_before(c, start) > 0) ||
			kana_points(c, start, split, LEXICON_FAMILY, around->neighbour) < 4 ||
			kana_points(c, name.given, name.end, LEXICON_GIVEN, around->neighbour) < 4))
			continue;
		name.points =
		    kana_points(c, start, split, LEXICON_FAMILY, around->neighbour) +
		    kana_points(c, name.given, name.end, LEXICON_GIVEN, around->neighbour) +
		    context - 1;
		if (name.points >= NAME_POINTS && clause_left(c, start) > BOUND_NONE &&
		    (clause_right(c, name.end) > BOUND_NONE || honorific_at(c, name.end) > 0) &&
		    !name_of_company(c, start, name.end))
			keep_better(best, &name);
	}
}

/* 佐藤様, 佐藤部長, サトウさん. */
static void try_family(
    const struct clause *c, size_t start, const struct surroundings *around, struct candidate *best)
{
	bool kana = c->kind[start] != KIND_KANJI;

	for (size_t len = 1; len <= FAMILY_LETTERS && clause_japanese(c, start + len - 1); len++) {
		struct candidate name = {.start = start, .kana = kana};
		int honorific;
		unsigned flags;

		name.family_end = name.given = name.end = start + len;
		honorific = honorific_at(c, name.end);
		flags = known(c, start, name.end);
		if (honorific == 0 ||
		    !(kana ? all_kana(c, start, name.end) : all_kanji(c, start, name.end)))
			continue;
		if (kana && ((flags & LEXICON_FAMILY) == 0 || half_before(c, start)))
			continue;
		/* 花子さん is no full name; 東京様 is none at all. */
		if ((flags & LEXICON_FAMILY) == 0 &&
		    ((flags & (LEXICON_GIVEN | LEXICON_PLACE)) == LEXICON_GIVEN ||
			clause_left(c, start) == BOUND_NONE || len == 1))
			continue;
		if ((flags & (LEXICON_FAMILY | LEXICON_PLACE)) == 0 && flags != 0)
			continue;
		if (name_of_company(c, start, name.end))
			continue;

		name.points =
		    kana ? kana_points(c, start, name.end, LEXICON_FAMILY, around->neighbour)
			 : family_points(c, start, name.end);
		name.points += honorific + (int)clause_left(c, start);
		name.points += piece_points(c, start, name.end);
		if (c->word[start] == WORD_FAMILY && c->word_len[start] == len)
			name.points += 2;
		else if (word_begins(c, start) && word_begins(c, name.end))
			name.points++;
		/* A point more, since a full name has two halves to earn them with. */
		name.points++;
		if (flags == 0 && honorific >= 4 && len <= 3)
			name.points += 2;
		if (name.points >= NAME_POINTS &&
		    (word_begins(c, start) || clause_left(c, start) > BOUND_NONE))
			keep_better(best, &name);
	}
}

/* 東京 都, which a reader of words may take for 東 京都; the others are read as one place. */
static bool is_prefecture(const struct clause *c, size_t start, const struct candidate *name)
{
	static const char *const prefectures[] = {"北海道", "青森県", "岩手県", "宮城県", "秋田県",
	    "山形県", "福島県", "茨城県", "栃木県", "群馬県", "埼玉県", "千葉県", "東京都",
	    "神奈川県", "新潟県", "富山県", "石川県", "福井県", "山梨県", "長野県", "岐阜県",
	    "静岡県", "愛知県", "三重県", "滋賀県", "京都府", "大阪府", "兵庫県", "奈良県",
	    "和歌山県", "鳥取県", "島根県", "岡山県", "広島県", "山口県", "徳島県", "香川県",
	    "愛媛県", "高知県", "福岡県", "佐賀県", "長崎県", "熊本県", "大分県", "宮崎県",
	    "鹿児島県", "沖縄県"};

	for (size_t i = 0; i < COUNT_OF(prefectures); i++) {
		if (clause_word(c, start, prefectures[i]) >= name->end - name->start &&
		    name->start == start)
			return true;
	}
	return false;
}

bool name_at(
    const struct clause *c, size_t start, const struct surroundings *around, struct candidate *best)
{
	*best = (struct candidate){.points = 0};
	if (!c->start[start])
		return false;

	if (c->kind[start] == KIND_KANJI)
		try_kanji(c, start, around, best);
	else if (clause_left(c, start) > BOUND_NONE)
		try_kana(c, start, around, best);
	try_family(c, start, around, best);
	return best->points >= NAME_POINTS && !is_prefecture(c, start, best);
}
