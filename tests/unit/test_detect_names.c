/* Names of persons (S1-28): a family name and a given name, or a family name with an honorific. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/detect/detect.h"

#define FOLDER "/var/lib/mecab/dic/ipadic-utf8"

struct list {
	char text[4096];
	size_t used;
};

static bool collect(void *context, const char *value, size_t len, unsigned places)
{
	struct list *list = context;

	(void)places;
	list->used += (size_t)snprintf(
	    list->text + list->used, sizeof list->text - list->used, "%.*s|", (int)len, value);
	assert_true(list->used < sizeof list->text);
	return true;
}

/* The names of a text, each with "|" behind it. */
static const char *found_between(
    struct namer *namer, const char *text, size_t len, size_t from, size_t settled)
{
	static struct list list;
	/* Its own block, so that the sanitizer sees what is read behind it. */
	char *block = malloc(len > 0 ? len : 1);
	struct hits *hits = hits_new();
	struct detect_window window = {
	    .len = len, .from = from, .settled = settled, .place = PLACE_BODY};

	assert_non_null(block);
	assert_non_null(hits);
	memcpy(block, text, len);
	window.text = block;
	list = (struct list){.used = 0};

	detect_names(namer, &window, hits);
	hits_each(hits, DETECT_NAME, collect, &list);

	hits_free(hits);
	free(block);
	return list.text;
}

static const char *found(void **state, const char *text)
{
	return found_between(*state, text, strlen(text), 0, strlen(text));
}

#define FINDS(text, expected) assert_string_equal(found(state, text), expected "|")
#define FINDS_NONE(text)      assert_string_equal(found(state, text), "")

static void full_names(void **state)
{
	FINDS("担当は佐藤花子です。", "佐藤花子");
	FINDS("営業部 佐藤 花子 様", "佐藤花子");
	FINDS("アルファ株式会社 村上健一", "村上健一");
	FINDS("鈴木 くみ子", "鈴木くみ子");
	FINDS("出席 木下部長、西田真理子(記録)、長谷川亮", "木下|西田真理子|長谷川亮");
	FINDS("当日は弊社の高橋一郎がお伺いします。", "高橋一郎");
}

static void honorifics(void **state)
{
	FINDS("佐藤様\n", "佐藤");
	FINDS("お世話になっております、松本さん。", "松本");
	FINDS("田中課長代理と小川氏", "田中|小川");
	FINDS("サトウさん", "サトウ");
	FINDS("野口所長の携帯", "野口");
	FINDS("東和設計 藤本先生", "藤本");
	FINDS("財務部長 大豆生田様", "大豆生田");
	FINDS("事務局 戸叶さんまでご一報ください。", "戸叶");
}

static void kana_names(void **state)
{
	FINDS("お名前:サトウ ハナコ", "サトウハナコ");
	FINDS("サトウ ハナコ 様", "サトウハナコ");
	FINDS("氏名,フリガナ\n村山 零,ムラヤマ レイ\n", "村山零|ムラヤマレイ");
}

/* The dictionary has not all names: what they are made of and where they stand must do. */
static void names_that_are_in_no_dictionary(void **state)
{
	FINDS("西之園 零 様", "西之園零");
	FINDS("担当:甲斐谷 光司(内線1234)", "甲斐谷光司");
	FINDS("番号,氏名,部署\n3,五十嵐 悠真,製版\n9,蓮見 千聡,総務\n", "五十嵐悠真|蓮見千聡");
	FINDS("氏名  桑名 敬一郎", "桑名敬一郎");
}

static void what_is_no_person(void **state)
{
	FINDS_NONE("マイナンバーの提出をお願いします。");
	FINDS_NONE("お客様各位、皆様、ご担当者様");
	FINDS_NONE("佐藤製作所 松本電機株式会社 高橋商事");
	FINDS_NONE("株式会社 佐藤");
	FINDS_NONE("福島県 松本市 宮崎駅 山口支店");
	FINDS_NONE("住所\n東京都\n大阪府\n氏名 東京都");
	FINDS_NONE("担当:東京都 様");
	FINDS_NONE("山口支店長");
	FINDS_NONE("営業部長 経理課長 担当者様 取引先様");
	FINDS_NONE("佐藤です。担当:佐藤");
	FINDS_NONE("床材見積 社員旅行 高圧洗浄 瀬戸内銀行");
	FINDS_NONE("貴社ますますご清栄のこととお慶び申し上げます。");
	FINDS_NONE("青木硝子 宮崎青果");
	FINDS_NONE("柏木社労士事務所");
	FINDS_NONE("カ)マツモトデンキ");
	FINDS_NONE("Taro Yamada");
	FINDS_NONE("");
	FINDS_NONE("様");
}

static void only_what_begins_in_the_window(void **state)
{
	static const char text[] = "佐藤花子様\n鈴木一郎様\n";
	size_t len = sizeof text - 1;
	size_t second = strlen("佐藤花子様\n");

	assert_string_equal(found_between(*state, text, len, 3, len), "鈴木一郎|");
	assert_string_equal(found_between(*state, text, len, 0, second), "佐藤花子|");
}

/* No end of a text within a name, even within a letter, is read beyond. */
static void every_beginning(void **state)
{
	static const char text[] = "株式会社アルファ 営業部長 佐藤 花子様、ﾀﾅｶ サトウ ハナコさん\n";

	for (size_t len = 0; len < sizeof text; len++)
		(void)found_between(*state, text, len, 0, len);
}

/* A line longer than a clause, without any sign: all of it is read. */
static void long_lines(void **state)
{
	static const char filler[] = "これはとても長い文章ですが";
	char text[8192];
	size_t used = 0;

	while (used < 6000) {
		memcpy(text + used, filler, sizeof filler - 1);
		used += sizeof filler - 1;
	}
	memcpy(text + used, "、佐藤花子様", sizeof "、佐藤花子様");
	FINDS(text, "佐藤花子");
}

static void dictionaries_that_are_none(void **state)
{
	(void)state;
	errno = 0;
	assert_null(namer_open("/nonexistent"));
	assert_int_equal(errno, ENOENT);
	errno = 0;
	assert_null(namer_open("/a folder"));
	assert_int_equal(errno, EINVAL);
}

static int open_namer(void **state)
{
	*state = namer_open(FOLDER);
	return *state == NULL;
}

static int free_namer(void **state)
{
	namer_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(full_names),
	    cmocka_unit_test(honorifics),
	    cmocka_unit_test(kana_names),
	    cmocka_unit_test(names_that_are_in_no_dictionary),
	    cmocka_unit_test(what_is_no_person),
	    cmocka_unit_test(only_what_begins_in_the_window),
	    cmocka_unit_test(every_beginning),
	    cmocka_unit_test(long_lines),
	    cmocka_unit_test(dictionaries_that_are_none),
	};

	return cmocka_run_group_tests(tests, open_namer, free_namer);
}
