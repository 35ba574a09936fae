/* The labels of mail and of the web (WHATWG Encoding, section 4.2, and what mail programs add). */
#include <string.h>
#include <strings.h>

#include "lib/text/charset_inside.h"

/* The first is no form of its own: bytes beyond ASCII, or escapes, make it a guess. */
static const struct charset_form forms[] = {
    {.name = "us-ascii", .kind = CHARSET_GUESS},
    {.name = "utf-8", .kind = CHARSET_UTF8},
    {.name = "utf-7", .kind = CHARSET_UTF7},
    {.name = "utf-16be", .kind = CHARSET_UTF16},
    {.name = "utf-16le", .kind = CHARSET_UTF16, .little = true},
    {.name = "utf-32be", .kind = CHARSET_UTF32},
    {.name = "utf-32le", .kind = CHARSET_UTF32, .little = true},
    {.name = "iso-2022-jp", .kind = CHARSET_JIS, .table = "CP932"},
    {.name = "cp932", .kind = CHARSET_ICONV, .table = "CP932"},
    {.name = "euc-jp", .kind = CHARSET_ICONV, .table = "EUC-JP-MS"},
    {.name = "euc-jisx0213", .kind = CHARSET_ICONV, .table = "EUC-JISX0213"},
    {.name = "shift_jisx0213", .kind = CHARSET_ICONV, .table = "SHIFT_JISX0213"},
    {.name = "gb18030", .kind = CHARSET_ICONV, .table = "GB18030"},
    {.name = "gb2312", .kind = CHARSET_ICONV, .table = "EUC-CN"},
    {.name = "big5", .kind = CHARSET_ICONV, .table = "BIG5-HKSCS"},
    {.name = "euc-kr", .kind = CHARSET_ICONV, .table = "CP949"},
    {.name = "iso-2022-kr", .kind = CHARSET_ICONV, .table = "ISO-2022-KR"},
    {.name = "windows-1250", .kind = CHARSET_ICONV, .table = "CP1250"},
    {.name = "windows-1251", .kind = CHARSET_ICONV, .table = "CP1251"},
    {.name = "windows-1252", .kind = CHARSET_ICONV, .table = "CP1252"},
    {.name = "windows-1253", .kind = CHARSET_ICONV, .table = "CP1253"},
    {.name = "windows-1254", .kind = CHARSET_ICONV, .table = "CP1254"},
    {.name = "windows-1255", .kind = CHARSET_ICONV, .table = "CP1255"},
    {.name = "windows-1256", .kind = CHARSET_ICONV, .table = "CP1256"},
    {.name = "windows-1257", .kind = CHARSET_ICONV, .table = "CP1257"},
    {.name = "windows-1258", .kind = CHARSET_ICONV, .table = "CP1258"},
    {.name = "windows-874", .kind = CHARSET_ICONV, .table = "CP874"},
    {.name = "iso-8859-2", .kind = CHARSET_ICONV, .table = "ISO-8859-2"},
    {.name = "iso-8859-3", .kind = CHARSET_ICONV, .table = "ISO-8859-3"},
    {.name = "iso-8859-4", .kind = CHARSET_ICONV, .table = "ISO-8859-4"},
    {.name = "iso-8859-5", .kind = CHARSET_ICONV, .table = "ISO-8859-5"},
    {.name = "iso-8859-6", .kind = CHARSET_ICONV, .table = "ISO-8859-6"},
    {.name = "iso-8859-7", .kind = CHARSET_ICONV, .table = "ISO-8859-7"},
    {.name = "iso-8859-8", .kind = CHARSET_ICONV, .table = "ISO-8859-8"},
    {.name = "iso-8859-10", .kind = CHARSET_ICONV, .table = "ISO-8859-10"},
    {.name = "iso-8859-13", .kind = CHARSET_ICONV, .table = "ISO-8859-13"},
    {.name = "iso-8859-14", .kind = CHARSET_ICONV, .table = "ISO-8859-14"},
    {.name = "iso-8859-15", .kind = CHARSET_ICONV, .table = "ISO-8859-15"},
    {.name = "iso-8859-16", .kind = CHARSET_ICONV, .table = "ISO-8859-16"},
    {.name = "koi8-r", .kind = CHARSET_ICONV, .table = "KOI8-R"},
    {.name = "koi8-u", .kind = CHARSET_ICONV, .table = "KOI8-U"},
    {.name = "ibm437", .kind = CHARSET_ICONV, .table = "CP437"},
    {.name = "ibm850", .kind = CHARSET_ICONV, .table = "CP850"},
    {.name = "ibm866", .kind = CHARSET_ICONV, .table = "CP866"},
    {.name = "macintosh", .kind = CHARSET_ICONV, .table = "MACINTOSH"},
};

/* Other names of a form: the first word is its own, blanks stand between. */
static const char *const aliases[] = {
    "us-ascii ascii ansi_x3.4-1968 iso646-us iso-ir-6 646 csascii us 7bit",
    "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8 csutf8 utf8mb4 "
    "cp65001",
    "utf-7 utf7 unicode-1-1-utf-7 unicode-2-0-utf-7 x-unicode-2-0-utf-7 csunicode11utf7 cp65000",
    "utf-16be utf-16 utf16 utf16be unicodefffe iso-10646-ucs-2 ucs-2 ucs-2be csutf16be",
    "utf-16le utf16le unicode ucs-2le unicodefeff csunicode csutf16le csutf16",
    "utf-32be utf-32 utf32 utf32be ucs-4 ucs-4be iso-10646-ucs-4 csutf32",
    "utf-32le utf32le ucs-4le csutf32le",
    "iso-2022-jp iso2022jp iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-3 iso-2022-jp-2004 "
    "iso-2022-jp-ms "
    "iso-2022-jp-ext cp50220 cp50221 cp50222 x-windows-iso2022jp windows-50220 windows-50221 "
    "csiso2022jp csiso2022jp2 jis jis7 jis8 jis_encoding csjisencoding x-jis",
    "cp932 shift_jis shift-jis shiftjis sjis x-sjis x-shift-jis ms_kanji ms932 ms-932 windows-31j "
    "windows-932 cswindows31j csshiftjis sjis-win sjis-open cp943 cp943c ibm-943 mskanji",
    "euc-jp eucjp euc_jp x-euc-jp x-euc x-eucjp ujis eucjp-ms eucjp-win cp51932 cp20932 "
    "cseucpkdfmtjapanese extended_unix_code_packed_format_for_japanese euc-jp-ms eucjp-open",
    "euc-jisx0213 euc-jis-2004 euc_jis_2004 eucjis2004",
    "shift_jisx0213 shift_jis-2004 shift_jis_2004 sjis2004",
    "gb18030 gbk cp936 ms936 windows-936 x-gbk gb_2312-80 csgb18030 gb18030-2000 chinese",
    "gb2312 gb_2312 csgb2312 euc-cn euccn x-euc-cn iso-ir-58",
    "big5 big5-hkscs big-5 cn-big5 csbig5 x-x-big5 cp950 ms950 windows-950 big5hkscs",
    "euc-kr euckr ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 cp949 ms949 windows-949 uhc "
    "cseuckr csksc56011987 korean iso-ir-149 ks_c_5601",
    "iso-2022-kr iso2022kr csiso2022kr",
    "windows-1250 cp1250 x-cp1250",
    "windows-1251 cp1251 x-cp1251",
    "windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 latin1 "
    "latin-1 l1 cp819 ibm819 csisolatin1 iso-ir-100 ansi x-ansi",
    "windows-1253 cp1253 x-cp1253",
    "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 iso88599 iso_8859-9 latin5 l5 csisolatin5",
    "windows-1255 cp1255 x-cp1255",
    "windows-1256 cp1256 x-cp1256",
    "windows-1257 cp1257 x-cp1257",
    "windows-1258 cp1258 x-cp1258",
    "windows-874 cp874 tis-620 tis620 iso-8859-11 iso8859-11 dos-874",
    "iso-8859-2 iso8859-2 iso88592 iso_8859-2 latin2 l2 csisolatin2",
    "iso-8859-3 iso8859-3 iso_8859-3 latin3 l3 csisolatin3",
    "iso-8859-4 iso8859-4 iso_8859-4 latin4 l4 csisolatin4",
    "iso-8859-5 iso8859-5 iso_8859-5 cyrillic csisolatincyrillic",
    "iso-8859-6 iso8859-6 iso_8859-6 arabic csisolatinarabic iso-8859-6-i iso-8859-6-e",
    "iso-8859-7 iso8859-7 iso_8859-7 greek greek8 csisolatingreek",
    "iso-8859-8 iso8859-8 iso_8859-8 hebrew csisolatinhebrew iso-8859-8-i iso-8859-8-e logical "
    "visual",
    "iso-8859-10 iso8859-10 iso_8859-10 latin6 l6 csisolatin6",
    "iso-8859-13 iso8859-13 iso_8859-13 latin7",
    "iso-8859-14 iso8859-14 iso_8859-14 latin8",
    "iso-8859-15 iso8859-15 iso_8859-15 latin9 latin-9 csisolatin9",
    "iso-8859-16 iso8859-16 iso_8859-16 latin10",
    "koi8-r koi8 koi cskoi8r koi8_r",
    "koi8-u koi8-ru cskoi8u",
    "ibm437 cp437 437 dos-437",
    "ibm850 cp850 850 dos-850",
    "ibm866 cp866 866 dos-866",
    "macintosh mac x-mac-roman csmacintosh",
};
_Static_assert(COUNT_OF(aliases) == COUNT_OF(forms), "a row of names for each form");

static bool named(const char *row, const char *label, size_t len)
{
	while (*row != '\0') {
		size_t word = strcspn(row, " ");

		if (word == len && strncasecmp(row, label, len) == 0)
			return true;
		row += word + (row[word] == ' ');
	}
	return false;
}

const struct charset_form *charset_form_of(const char *label)
{
	size_t len;

	label += strspn(label, " \t\"'");
	len = strcspn(label, " \t\"';");
	for (size_t i = 0; len > 0 && i < COUNT_OF(forms); i++) {
		if (named(aliases[i], label, len))
			return &forms[i];
	}
	return NULL;
}

const struct charset_form *charset_form_at(size_t i)
{
	return i < COUNT_OF(forms) ? &forms[i] : NULL;
}

bool charset_known(const char *label)
{
	return charset_form_of(label) != NULL;
}
