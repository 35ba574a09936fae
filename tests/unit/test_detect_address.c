/* Postal addresses of Japan (S1-28): what is one, where it ends, and what only looks like one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/detect/address_places.h"
#include "lib/detect/detect.h"
#include "lib/detect/letters.h"

struct list {
	char text[2048];
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

/* The addresses of a text, each with "|" behind it. */
static const char *found_between(const char *text, size_t len, size_t from, size_t settled)
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

	detect_addresses(&window, hits);
	hits_each(hits, DETECT_ADDRESS, collect, &list);

	hits_free(hits);
	free(block);
	return list.text;
}

static const char *found(const char *text)
{
	return found_between(text, strlen(text), 0, strlen(text));
}

#define FINDS(text, expected) assert_string_equal(found(text), expected "|")
#define FINDS_NONE(text)      assert_string_equal(found(text), "")

static void forms_of_the_block_number(void **state)
{
	(void)state;
	FINDS("東京都千代田区丸の内1丁目2番3号", "東京都千代田区丸の内1丁目2番3号");
	FINDS("東京都千代田区丸の内1-2-3", "東京都千代田区丸の内1-2-3");
	FINDS("東京都千代田区丸の内1丁目2-3", "東京都千代田区丸の内1丁目2-3");
	FINDS("東京都千代田区丸の内一丁目二番三号です。", "東京都千代田区丸の内一丁目二番三号");
	FINDS("大阪府大阪市中央区北浜東4-17", "大阪府大阪市中央区北浜東4-17");
	FINDS("長野県松本市大字山田字川原123番地の4", "長野県松本市大字山田字川原123番地の4");
	FINDS(
	    "兵庫県姫路市飾磨区英賀甲257番地11,079-239-8816", "兵庫県姫路市飾磨区英賀甲257番地11");
	FINDS("大阪府堺市堺区南瓦町3丁1番1号", "大阪府堺市堺区南瓦町3丁1番1号");
	FINDS("埼玉県所沢市緑ヶ原3の21の7", "埼玉県所沢市緑ヶ原3の21の7");
	FINDS("富山県氷見市上田1234", "富山県氷見市上田1234");
}

/* S1-28: cities and towns are put together freely, and some are in no table. */
static void places_need_not_belong_together(void **state)
{
	(void)state;
	FINDS("滋賀県浦安市筑土八幡町28丁目9番14号", "滋賀県浦安市筑土八幡町28丁目9番14号");
	FINDS("東京都西多摩郡檜原村津久戸町42丁目20番11号",
	    "東京都西多摩郡檜原村津久戸町42丁目20番11号");
	FINDS("広島県みなと市青葉町3-2-1", "広島県みなと市青葉町3-2-1");
	FINDS("茅ヶ崎市東海岸北1-2-3", "茅ヶ崎市東海岸北1-2-3");
	FINDS("三重県四日市市諏訪町1-5", "三重県四日市市諏訪町1-5");
	FINDS("京都府京都市中京区烏丸通四条下る水銀屋町620番地",
	    "京都府京都市中京区烏丸通四条下る水銀屋町620番地");
	FINDS("北海道札幌市中央区北1条西2丁目3番地", "北海道札幌市中央区北1条西2丁目3番地");
	FINDS("横浜市磯子区汐見台東2丁目8番14号", "横浜市磯子区汐見台東2丁目8番14号");
	FINDS("利島村248番地", "利島村248番地");
}

static void what_stands_around(void **state)
{
	(void)state;
	FINDS("〒541-0041 大阪府大阪市中央区北浜東4-17 北浜第三ビル6階",
	    "大阪府大阪市中央区北浜東4-17");
	FINDS("東京都港区芝浦1-2-3-405号室", "東京都港区芝浦1-2-3");
	FINDS("東京都港区芝浦1丁目 3階", "東京都港区芝浦1丁目");
	FINDS("東京都港区丸の内JPタワー9丁目6番20号コーポ芝浦201",
	    "東京都港区丸の内JPタワー9丁目6番20号");
	FINDS("1,青柳節子,277-0813,千葉県柏市みどり台3-14-6,04-7133-0926\n",
	    "千葉県柏市みどり台3-14-6");
	FINDS("埼玉県大田区今戸12-12,090-1234-5678", "埼玉県大田区今戸12-12");
}

static void blanks_and_line_ends_are_left_out(void **state)
{
	(void)state;
	FINDS("東京都 千代田区 丸の内 1-2-3", "東京都千代田区丸の内1-2-3");
	FINDS("> 東京都千代田区\n> 丸の内1-2-3\n", "東京都千代田区丸の内1-2-3");
	FINDS("東京都千代田区丸の内\n一丁目2番3号\n", "東京都千代田区丸の内一丁目2番3号");
	FINDS("\"東京都\",\"千代田区\",\"丸の内1-2-3\"", "東京都千代田区丸の内1-2-3");
}

static void what_only_looks_like_one(void **state)
{
	(void)state;
	FINDS_NONE("東京都の人口は約1400万人です。");
	FINDS_NONE("千代田区は3-5件の申請を受け付けました。");
	FINDS_NONE("新宿区役所 03-1234-5678");
	FINDS_NONE("東京本社 2026-11-22 10:30");
	FINDS_NONE("大阪市北区 2026-11-22");
	FINDS_NONE("松本市で12個、宮崎市で3本");
	FINDS_NONE("横浜市から1丁目まで歩く");
	FINDS_NONE("港区,100-0001");
	FINDS_NONE("福岡市 45,000円");
	FINDS_NONE("市区町村 1-2-3");
	FINDS_NONE("");
	FINDS_NONE("県");
}

/* A window tells what begins in it, and what began before it is not found again at its city. */
static void only_what_begins_in_the_window(void **state)
{
	static const char text[] = "東京都千代田区丸の内1-2-3\n大阪府大阪市北区梅田4-5-6\n";
	size_t len = sizeof text - 1;
	size_t second = strlen("東京都千代田区丸の内1-2-3\n");

	(void)state;
	assert_string_equal(found_between(text, len, 3, len), "大阪府大阪市北区梅田4-5-6|");
	assert_string_equal(found_between(text, len, 0, second), "東京都千代田区丸の内1-2-3|");
}

/* No cut of an address is read beyond its end. */
static void every_beginning(void **state)
{
	static const char text[] =
	    "〒100-0001 京都府京都市中京区烏丸通四条下る水銀屋町1丁目2番地の3号室";

	(void)state;
	for (size_t len = 0; len < sizeof text; len++)
		(void)found_between(text, len, 0, len);
}

static void tables_are_sorted_and_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ADDRESS_PLACES; i++) {
		assert_true(address_place(address_places[i], strlen(address_places[i])));
		assert_true(i == 0 || strcmp(address_places[i - 1], address_places[i]) < 0);
	}
	for (size_t i = 0; i < ADDRESS_PREFECTURES; i++)
		assert_true(
		    address_prefecture(address_prefectures[i], strlen(address_prefectures[i])));
	assert_false(address_place("東京都", strlen("東京都")));
	assert_false(address_place("市", strlen("市")));
	assert_false(address_prefecture("", 0));
}

static void letters_forth_and_back(void **state)
{
	static const char text[] = "a\xe5\xb8\x82\xf0\xa0\xae\xb7\xe5\xb8";
	size_t len = sizeof text - 1;
	size_t at = 0;

	(void)state;
	assert_int_equal(letter_next(text, len, &at), 'a');
	assert_int_equal(letter_next(text, len, &at), 0x5e02);
	assert_int_equal(letter_next(text, len, &at), 0x20bb7);
	assert_int_equal(at, 8);
	assert_int_equal(letter_next(text, len, &at), LETTER_NONE);
	assert_int_equal(at, 9);

	at = 8;
	assert_int_equal(letter_before(text, &at), 0x20bb7);
	assert_int_equal(letter_before(text, &at), 0x5e02);
	assert_int_equal(letter_before(text, &at), 'a');
	assert_int_equal(letter_before(text, &at), LETTER_NONE);
	assert_int_equal(at, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(forms_of_the_block_number),
	    cmocka_unit_test(places_need_not_belong_together),
	    cmocka_unit_test(what_stands_around),
	    cmocka_unit_test(blanks_and_line_ends_are_left_out),
	    cmocka_unit_test(what_only_looks_like_one),
	    cmocka_unit_test(only_what_begins_in_the_window),
	    cmocka_unit_test(every_beginning),
	    cmocka_unit_test(tables_are_sorted_and_found),
	    cmocka_unit_test(letters_forth_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
