#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/text/charset.h"

static bool into_buf(void *context, const char *bytes, size_t len)
{
	struct buf *out = context;

	buf_add(out, bytes, len);
	return buf_ok(out);
}

/* The text fed in pieces of `piece` bytes; "CHARSET/FAILURES:TEXT". */
static const char *shown(const char *label, const char *bytes, size_t len, size_t piece)
{
	static char text[8192];
	struct buf out;
	struct charset *c;

	buf_init(&out, sizeof text / 2);
	c = charset_open(label, (struct sink){into_buf, &out});
	assert_non_null(c);
	for (size_t at = 0; at < len; at += piece) {
		size_t n = piece < len - at ? piece : len - at;
		/* Its own block, so that the sanitizer sees what is read behind it. */
		char *copy = malloc(n);

		assert_non_null(copy);
		memcpy(copy, bytes + at, n);
		assert_true(charset_feed(c, copy, n));
		free(copy);
	}
	assert_true(charset_end(c));
	assert_true(buf_ok(&out));
	(void)snprintf(text, sizeof text, "%s/%llu:%.*s", charset_name(c),
	    (unsigned long long)charset_failures(c), (int)out.len,
	    out.bytes != NULL ? out.bytes : "");
	charset_free(c);
	buf_free(&out);
	return text;
}

/* However the text is cut, the same comes out. */
static void shows(const char *label, const char *bytes, size_t len, const char *expected)
{
	for (size_t piece = 1; piece <= 7; piece++)
		assert_string_equal(shown(label, bytes, len, piece), expected);
	assert_string_equal(shown(label, bytes, len, len > 0 ? len : 1), expected);
}

#define SHOWS(label, bytes, expected) shows((label), (bytes), sizeof(bytes) - 1, (expected))

static void labels(void **state)
{
	(void)state;
	assert_true(charset_known("UTF-8"));
	assert_true(charset_known("Shift_JIS"));
	assert_true(charset_known("\"iso-2022-JP\""));
	assert_true(charset_known(" windows-31j "));
	assert_true(charset_known("x-sjis;"));
	assert_false(charset_known(""));
	assert_false(charset_known("utf"));
	assert_false(charset_known("x-unknown"));

	SHOWS("Shift_JIS", "\x83\x65\x83\x58\x83\x67", "cp932/0:テスト");
	SHOWS("x-sjis", "\x83\x5c\x95\x5c", "cp932/0:ソ表"); /* second bytes are backslashes */
	SHOWS("CSSHIFTJIS", "\x87\x40\x87\x8a\xfb\xfc\xfa\xb1", "cp932/0:①㈱髙﨑");
	SHOWS("sjis", "\x81\x60\x81\x7c", "cp932/0:～－");
	SHOWS("EUC-JP", "\xa5\xc6\xa5\xb9\xa5\xc8\xad\xa1\x8e\xb1", "euc-jp/0:テスト①ｱ");
	SHOWS("euc-jp", "\x8f\xb0\xa1", "euc-jp/0:丂");
	SHOWS("iso-8859-1", "\x93x\x94 \xe9", "windows-1252/0:“x” é");
	SHOWS("gb2312", "\xd6\xd0\xce\xc4", "gb2312/0:中文");
	SHOWS("ks_c_5601-1987", "\xc7\xd1\xb1\xdb", "euc-kr/0:한글");
	SHOWS("big5", "\xa4\xa4\xa4\xe5", "big5/0:中文");
	SHOWS("koi8-r", "\xf2\xd5\xd3", "koi8-r/0:Рус");
	SHOWS("windows-1258", "a\xcc", "windows-1258/0:à"); /* libc waits for the mark */
}

/* C1 to C3: the letters of NEC and IBM, both kinds of kana, 8-bit kana, other sets. */
static void iso_2022_jp(void **state)
{
	(void)state;
	SHOWS("iso-2022-jp", "\x1b$B;3ED\x1b(B a", "iso-2022-jp/0:山田 a");
	SHOWS("ISO-2022-JP", "\x1b$B-!-j\x1b(B", "iso-2022-jp/0:①㈱");
	SHOWS("iso-2022-jp", "\x1b$B|byu\x1b(B", "iso-2022-jp/0:髙﨑");
	SHOWS("iso-2022-jp", "\x1b$B!A!]\x1b(B", "iso-2022-jp/0:～－");
	SHOWS("iso-2022-jp", "\x1b(I1C\x1b(B.", "iso-2022-jp/0:ｱﾃ.");
	SHOWS("cp50222",
	    "\x0e"
	    "1C\x0f"
	    "1",
	    "iso-2022-jp/0:ｱﾃ1");
	SHOWS("cp50221", "a\xb1\xc3z", "iso-2022-jp/0:aｱﾃz");
	SHOWS("iso-2022-jp", "\x83\x65\x83\x58", "iso-2022-jp/0:テス"); /* CP932, labelled wrong */
	SHOWS("iso-2022-jp", "\x1b$@;3\x1b(J", "iso-2022-jp/0:山");
	SHOWS("iso-2022-jp-1", "\x1b$(D0!\x1b(B", "iso-2022-jp/0:丂");
	SHOWS("iso-2022-jp-2", "\x1b$AVPND\x1b$(CGQ1[\x1b(B", "iso-2022-jp/0:中文한글");
	SHOWS("iso-2022-jp-3", "\x1b$(O.#\x1b(B", "iso-2022-jp/0:㐂");
	SHOWS("iso-2022-jp", "\x1b&@\x1b$B;3\x1b(B", "iso-2022-jp/0:山");
	/* A line's end changes nothing: all mail programs read on. */
	SHOWS("iso-2022-jp", "\x1b$B;3\nED\x1b(B", "iso-2022-jp/0:山\n田");
}

/* M8: the Roman set has the yen where ASCII has the backslash. */
static void yen_and_backslash(void **state)
{
	(void)state;
	SHOWS("iso-2022-jp", "\\~\x1b(J\\~\x1b(B\\", "iso-2022-jp/0:\\~¥‾\\");
	SHOWS("shift_jis", "\\~", "cp932/0:\\~");
}

/* M8: what is broken is replaced and counted; nothing behind it is lost. */
static void broken_iso_2022_jp(void **state)
{
	(void)state;
	SHOWS("iso-2022-jp", "a\x1b", "iso-2022-jp/1:a\xef\xbf\xbd");
	SHOWS("iso-2022-jp", "a\x1b$", "iso-2022-jp/1:a\xef\xbf\xbd");
	SHOWS("iso-2022-jp", "a\x1b$(", "iso-2022-jp/1:a\xef\xbf\xbd");
	SHOWS("iso-2022-jp", "\x1b$B;", "iso-2022-jp/1:\xef\xbf\xbd");
	SHOWS("iso-2022-jp", "\x1b$B;\x1b(Bxy", "iso-2022-jp/1:\xef\xbf\xbdxy");
	SHOWS("iso-2022-jp", "\x1b$B;\n;3", "iso-2022-jp/1:\xef\xbf\xbd\n山");
	SHOWS("iso-2022-jp", "\x1b$B~~;3\x1b(B", "iso-2022-jp/1:\xef\xbf\xbd山");
	SHOWS("iso-2022-jp", "\x1b$B));3\x1b(B", "iso-2022-jp/1:\xef\xbf\xbd山");
	SHOWS("iso-2022-jp", "\x1b[1mx", "iso-2022-jp/1:\xef\xbf\xbd[1mx");
	SHOWS("iso-2022-jp", "\x1b\x1b$B;3", "iso-2022-jp/1:\xef\xbf\xbd山");
	SHOWS("iso-2022-jp", "\xff\x80x", "iso-2022-jp/2:\xef\xbf\xbd\xef\xbf\xbdx");
	SHOWS("iso-2022-jp", "\x1b(I~\x1b(B", "iso-2022-jp/1:\xef\xbf\xbd");
}

static void broken_tables(void **state)
{
	(void)state;
	SHOWS("shift_jis", "\x83", "cp932/1:\xef\xbf\xbd");
	SHOWS("shift_jis", "\x83\x20z", "cp932/1:\xef\xbf\xbd z"); /* ASCII is not eaten */
	SHOWS("shift_jis", "\x85\xfc\x83\x65", "cp932/1:\xef\xbf\xbdテ");
	SHOWS("euc-jp", "\xa5<b>", "euc-jp/1:\xef\xbf\xbd<b>");
}

/* M8: overlong forms, surrogates and lone bytes never become letters. */
static void utf_8(void **state)
{
	(void)state;
	SHOWS("utf-8", "", "utf-8/0:");
	SHOWS("utf-8", "aé山😀", "utf-8/0:aé山😀");
	SHOWS("utf-8",
	    "\xc0\xbc"
	    "b",
	    "utf-8/2:\xef\xbf\xbd\xef\xbf\xbd"
	    "b");
	SHOWS("utf-8", "\xe0\x80\xbc", "utf-8/3:\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	SHOWS("utf-8", "\xed\xa0\x80", "utf-8/3:\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	SHOWS("utf-8", "\xf4\x90\x80\x80.",
	    "utf-8/4:\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd.");
	SHOWS("utf-8",
	    "\xe5\xb1"
	    "a",
	    "utf-8/1:\xef\xbf\xbd"
	    "a");
	SHOWS("utf-8", "a\xe5\xb1", "utf-8/1:a\xef\xbf\xbd");
	SHOWS("utf-8",
	    "\xef\xbb\xbf"
	    "a",
	    "utf-8/0:a");
	SHOWS("utf-8", "\xef\xbb", "utf-8/1:\xef\xbf\xbd");
}

static void utf_16_and_32(void **state)
{
	(void)state;
	SHOWS("utf-16", "\xfe\xff\x5c\x71\x00\x61", "utf-16be/0:山a");
	SHOWS("utf-16", "\xff\xfe\x71\x5c\x61\x00", "utf-16le/0:山a");
	SHOWS("utf-16", "\x5c\x71\x00\x61", "utf-16be/0:山a");
	SHOWS("utf-16", "a\0b\0\n\0", "utf-16le/0:ab\n"); /* as Windows means it */
	SHOWS("utf-16le", "\x71\x5c\x61\x00", "utf-16le/0:山a");
	/* The lower byte of 田 is the upper one of kana: a short text does not outvote its label. */
	SHOWS("utf-16le", "\x71\x5c\x30\x75\x2a\x59\xce\x90", "utf-16le/0:山田太郎");
	SHOWS("utf-16be", "\x5c\x71\x75\x30\x59\x2a\x90\xce", "utf-16be/0:山田太郎");
	SHOWS("utf-16le", "\xff\xfe\x71\x5c\x30\x75", "utf-16le/0:山田");
	/* But what plainly is of the other order is read as that. */
	SHOWS("utf-16be", "c\0a\0r\0d\0", "utf-16le/0:card");
	SHOWS("utf-16le", "\xfe\xff\x5c\x71", "utf-16be/0:山"); /* the mark outdoes the label */
	SHOWS("utf-16be", "\xd8\x3d\xde\x00\xd8\x3d\x00\x61",
	    "utf-16be/1:😀\xef\xbf\xbd"
	    "a");
	SHOWS("utf-16be", "\xde\x00\x00\x61\x00",
	    "utf-16be/2:\xef\xbf\xbd"
	    "a\xef\xbf\xbd");
	SHOWS("utf-16be", "\xd8\x3d", "utf-16be/1:\xef\xbf\xbd");
	SHOWS("utf-32", "\x00\x00\xfe\xff\x00\x00\x5c\x71", "utf-32be/0:山");
	SHOWS("", "\xff\xfe\x00\x00\x71\x5c\x00\x00", "utf-32le/0:山");
	SHOWS("utf-32be", "\x00\x11\x00\x00\x00\x00\x00\x61",
	    "utf-32be/1:\xef\xbf\xbd"
	    "a");
	SHOWS("utf-32le", "a\0\0\0b\0", "utf-32le/1:a\xef\xbf\xbd");
}

/* M8: +ADw- is a letter under this label and nowhere else. */
static void utf_7(void **state)
{
	(void)state;
	SHOWS("utf-7", "+ADw-b+AD4-", "utf-7/0:<b>");
	SHOWS("utf-7", "1 +- 1 = 2", "utf-7/0:1 + 1 = 2");
	SHOWS("unicode-1-1-utf-7", "+XHF1MA.", "utf-7/0:山田.");
	SHOWS("utf-7", "+2D3eAA-", "utf-7/0:😀");
	SHOWS("utf-7", "a+", "utf-7/1:a\xef\xbf\xbd");
	SHOWS("utf-7", "+AD!", "utf-7/1:\xef\xbf\xbd!");
	SHOWS("utf-7", "\xe5", "utf-7/1:\xef\xbf\xbd");
	SHOWS("utf-8", "+ADw-", "utf-8/0:+ADw-");
	SHOWS("us-ascii", "+ADw-", "us-ascii/0:+ADw-");
}

static void guesses(void **state)
{
	(void)state;
	SHOWS("", "", "us-ascii/0:");
	SHOWS("", "plain", "us-ascii/0:plain");
	SHOWS("x-unknown", "山田です", "utf-8/0:山田です");
	SHOWS("us-ascii", "caf\xc3\xa9", "utf-8/0:café");
	SHOWS("us-ascii", "a\x1b$B;3ED\x1b(B", "iso-2022-jp/0:a山田");
	SHOWS("", "\x8e\x52\x93\x63\x82\xc5\x82\xb7", "cp932/0:山田です");
	SHOWS("", "\xbb\xb3\xc5\xc4\xa4\xc7\xa4\xb9", "euc-jp/0:山田です");
	SHOWS("", "d\xe9j\xe0 \xe9t\xe9", "windows-1252/0:déjà été");
	SHOWS("", "h\0i\0\n\0", "utf-16le/0:hi\n");
	SHOWS("", "\0h\0i\0\n", "utf-16be/0:hi\n");
	SHOWS("",
	    "\xff\xfe"
	    "B0D0F0",
	    "utf-16le/0:あいう");
	SHOWS("", "\xef\xbb\xbf山", "utf-8/0:山");
	SHOWS("", "\x1b[1mx", "us-ascii/0:\x1b[1mx");
}

#define SJIS_KANA  "\x83\x4a\x81\x5b\x83\x68"
#define SJIS_DIGIT "\x82\x53\x82\x50\x82\x50\x82\x50"

/* S1-11: half of each letter looks like ASCII, and the text like one of a western language. */
static void cp932_in_ascii(void **state)
{
	(void)state;
	SHOWS("", SJIS_KANA " " SJIS_DIGIT, "cp932/0:カード ４１１１");
	SHOWS("", SJIS_DIGIT "-" SJIS_DIGIT, "cp932/0:４１１１-４１１１");
	SHOWS("", "\x93quoted\x94 \x93text\x94 \x96 caf\xe9",
	    "windows-1252/0:“quoted” “text” – café");
}

static void reads(const char *label, const char *head, bool is_html, const char *expected)
{
	struct charset_readings r;
	char text[256];
	size_t used;

	charset_readings_of(label, head, strlen(head), is_html, &r);
	used = (size_t)snprintf(text, sizeof text, "%s%s", r.label, r.differ ? "!" : "");
	for (size_t i = 0; i < r.count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, ",%s", r.others[i]);
	assert_string_equal(text, expected);
}

/* S1-11, M8: letters that hide behind the label of a western charset. */
static void unlike_western(void **state)
{
	(void)state;
	reads("iso-8859-1", SJIS_KANA SJIS_DIGIT, false, "iso-8859-1!,cp932");
	reads("windows-1252", "\xa5\xab\xa1\xbc\xa5\xc9 \xa3\xb4\xa3\xb1", false,
	    "windows-1252!,euc-jp");
	reads("latin1", "山田です", false, "latin1!,utf-8");
	reads("iso-8859-1", "d\xe9j\xe0 \xe9t\xe9 \x93x\x94", false, "iso-8859-1");
	reads("iso-8859-1", "plain", false, "iso-8859-1");
	reads("koi8-r", "\xf2\xd5\xd3\xd3", false, "koi8-r");
}

/* S1-11: what HTML says of itself, where the header says nothing, or something else. */
static void meta(void **state)
{
	char late[1200];

	(void)state;
	reads("", "<meta charset=Shift_JIS>x", true, "cp932");
	reads("", "<META http-equiv=\"Content-Type\" content=\"text/html; charset=euc-jp\">", true,
	    "euc-jp");
	reads("us-ascii", "<meta charset = 'sjis'/>", true, "cp932");
	reads("", "<meta charset=Shift_JIS>x", false, "");
	reads("", "<meta name=x><meta charset=utf-16>x", true, "");
	reads("utf-8", "<meta charset=shift_jis>plain", true, "utf-8,cp932");
	reads("utf-8", "<meta charset=shift_jis>山田", true, "utf-8,cp932");
	reads("euc-jp", "<meta charset=shift_jis>" SJIS_KANA, true, "euc-jp!,cp932");
	reads("euc-jp", "<meta charset=x-euc-jp>\xa5\xab", true, "euc-jp");
	reads("", "<meta charset=utf-7>+ADw-", true, "utf-7,utf-8");
	(void)snprintf(late, sizeof late, "%1100s<meta charset=sjis>", "");
	reads("", late, true, "");
}

/* M8: a mark of byte order before what is not UTF-16 hides nothing. */
static void lying_marks(void **state)
{
	(void)state;
	SHOWS("utf-8",
	    "\xfe\xff"
	    "card 4111 1111 1111 1111\n",
	    "utf-8/0:card 4111 1111 1111 1111\n");
	SHOWS("us-ascii",
	    "\xff\xfe"
	    "confidential\n",
	    "utf-8/0:confidential\n");
	SHOWS("shift_jis", "\xef\xbb\xbf山", "utf-8/0:山");
	SHOWS("utf-8",
	    "\xff\xfe"
	    "a\0b\0",
	    "utf-16le/0:ab");
}

/* What is decided after 64 KB holds for all of it, and ASCII before does not count. */
static void late_guess(void **state)
{
	size_t ascii = 200000;
	char *text = malloc(ascii + 4);
	struct buf out;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', ascii);
	memcpy(text + ascii, "\x8e\x52\x93\x63", 4);
	buf_init(&out, ascii * 2);
	assert_true(charset_convert("", text, ascii + 4, &out));
	assert_int_equal(out.len, ascii + 6);
	assert_memory_equal(out.bytes + ascii, "山田", 6);

	buf_clear(&out);
	for (size_t i = 0; i + 4 <= ascii; i += 4)
		memcpy(text + i, "\xbb\xb3\xa4\xce", 4);
	assert_true(charset_convert("", text, ascii, &out));
	assert_int_equal(out.len, ascii / 2 * 3);
	assert_memory_equal(out.bytes + out.len - 6, "山の", 6);
	buf_free(&out);
	free(text);
}

static bool refuse(void *context, const char *bytes, size_t len)
{
	(void)context;
	(void)bytes;
	(void)len;
	return false;
}

static void bounds(void **state)
{
	struct buf out;
	struct charset *c;
	bool wanted = true;

	(void)state;
	buf_init(&out, 4);
	assert_false(charset_convert("utf-8", "山田", 6, &out));
	buf_free(&out);

	c = charset_open("iso-2022-jp", (struct sink){refuse, NULL});
	assert_non_null(c);
	for (unsigned i = 0; i < 10000 && wanted; i++)
		wanted = charset_feed(c, "\x1b$B;3ED;3ED", 11);
	assert_false(wanted);
	assert_false(charset_end(c));
	charset_free(c);
}

/* In a child that may open no file: 0 if Russian, Korean and Japanese are converted, 1 if not. */
static int converts_without_files(void)
{
	int status = -1;
	pid_t child = fork();

	assert_int_not_equal(child, -1);
	if (child == 0) {
		struct rlimit none = {0, 0};
		struct buf out;
		bool fine;

		buf_init(&out, 1000);
		fine = setrlimit(RLIMIT_NOFILE, &none) == 0 &&
		       charset_convert("koi8-r", "\xf2\xd5\xd3", 3, &out) &&
		       charset_convert("iso-2022-jp", "\x1b$B;3\x1b$(CGQ\x1b$(D0!", 17, &out) &&
		       out.len == 6 + 3 + 3 + 3 && memcmp(out.bytes, "Рус山한丂", out.len) == 0;
		_exit(!fine);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* A worker has no files: what was prepared before is all that it needs. */
static void prepared(void **state)
{
	struct charset_tables *tables;

	(void)state;
	assert_int_equal(converts_without_files(), 1);
	tables = charset_prepare();
	assert_non_null(tables);
	assert_int_equal(converts_without_files(), 0);
	charset_tables_free(tables);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prepared), /* first: the others load tables */
	    cmocka_unit_test(labels),
	    cmocka_unit_test(iso_2022_jp),
	    cmocka_unit_test(yen_and_backslash),
	    cmocka_unit_test(broken_iso_2022_jp),
	    cmocka_unit_test(broken_tables),
	    cmocka_unit_test(utf_8),
	    cmocka_unit_test(utf_16_and_32),
	    cmocka_unit_test(utf_7),
	    cmocka_unit_test(guesses),
	    cmocka_unit_test(cp932_in_ascii),
	    cmocka_unit_test(unlike_western),
	    cmocka_unit_test(meta),
	    cmocka_unit_test(lying_marks),
	    cmocka_unit_test(late_guess),
	    cmocka_unit_test(bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
