/* Names of companies without their forms: 株式会社アルファ, アルファ㈱ and Alpha Co., Ltd. */
#include <string.h>

#include "lib/detect/letters.h"
#include "lib/words/partners_inside.h"

/* Normalised, so that ㈱ and （株） are (株). Longer ones stand before those that they end with. */
static const char *const forms[] = {
    "株式会社",
    "(株)",
    "有限会社",
    "(有)",
    "合同会社",
    "(同)",
    "合名会社",
    "(名)",
    "合資会社",
    "(資)",
    "相互会社",
    "(相)",
    "特例有限会社",
    "一般社団法人",
    "公益社団法人",
    "社団法人",
    "(社)",
    "一般財団法人",
    "公益財団法人",
    "財団法人",
    "(財)",
    "社会医療法人",
    "医療法人社団",
    "医療法人財団",
    "医療法人",
    "(医)",
    "学校法人",
    "(学)",
    "社会福祉法人",
    "(福)",
    "特定非営利活動法人",
    "NPO法人",
    "国立大学法人",
    "公立大学法人",
    "独立行政法人",
    "国立研究開発法人",
    "地方独立行政法人",
    "宗教法人",
    "(宗)",
    "税理士法人",
    "弁護士法人",
    "監査法人",
    "協同組合",
};

/* Behind a blank, a comma or a Japanese letter; the dots and blanks in them may be missing. */
static const char *const latin_forms[] = {
    "co ltd",
    "company limited",
    "ltd",
    "limited",
    "inc",
    "incorporated",
    "k k",
    "corp",
    "corporation",
    "llc",
    "l l c",
    "co",
    "company",
    "gmbh",
    "plc",
    "ag",
    "pte ltd",
    "llp",
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

static bool loose(char c)
{
	return c == ' ' || c == '\n' || c == ',' || c == '.';
}

/* ---- those of Latin letters ---- */

/* From the end of the text back: how many bytes are this form. A blank in it is any of ". ,", or none. */
static size_t latin_before(const char *text, size_t len, const char *form)
{
	size_t at = len;

	for (size_t i = strlen(form); i > 0; i--) {
		if (form[i - 1] == ' ') {
			while (at > 0 && loose(text[at - 1]))
				at--;
			continue;
		}
		if (at == 0 || lower(text[at - 1]) != form[i - 1])
			return 0;
		at--;
	}
	return len - at;
}

static size_t latin_behind(const char *text, size_t len, const char *form)
{
	size_t at = 0;

	for (size_t i = 0; form[i] != '\0'; i++) {
		if (form[i] == ' ') {
			while (at < len && at < 32 && loose(text[at]))
				at++;
			continue;
		}
		if (at == len || lower(text[at]) != form[i])
			return 0;
		at++;
	}
	return at;
}

/* ---- all ---- */

static bool latin(char c)
{
	return letter_latin((unsigned char)c) || letter_digit((unsigned char)c);
}

size_t partner_form_before(const char *text, size_t len)
{
	size_t end = len;
	size_t best = 0;

	while (end > 0 && len - end < 2 && (text[end - 1] == ' ' || text[end - 1] == '\n'))
		end--;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		size_t n = strlen(forms[i]);

		if (n <= end && n > best && same(text + end - n, forms[i], n))
			best = n;
	}
	if (best > 0)
		return len - end + best;

	while (end > 0 && len - end < 4 && loose(text[end - 1]))
		end--;
	for (size_t i = 0; i < COUNT_OF(latin_forms); i++) {
		size_t n = latin_before(text, end, latin_forms[i]);

		if (n > best && (n == end || !latin(text[end - n - 1])))
			best = n;
	}
	return best > 0 ? len - end + best : 0;
}

size_t partner_form_behind(const char *text, size_t len)
{
	size_t start = 0, best = 0;

	while (start < len && start < 2 && (text[start] == ' ' || text[start] == '\n'))
		start++;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		size_t n = strlen(forms[i]);

		if (n <= len - start && n > best && same(text + start, forms[i], n))
			best = n;
	}
	if (best > 0)
		return start + best;

	while (start < len && start < 4 && loose(text[start]))
		start++;
	for (size_t i = 0; i < COUNT_OF(latin_forms); i++) {
		size_t n = latin_behind(text + start, len - start, latin_forms[i]);

		if (n > best && (start + n == len || !latin(text[start + n])))
			best = n;
	}
	if (best > 0 && start + best < len && text[start + best] == '.')
		best++;
	return best > 0 ? start + best : 0;
}

size_t partner_letter(uint32_t point, char bytes[LETTER_BYTES])
{
	if (point < 0x80) {
		bytes[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		bytes[0] = (char)(0xc0 | point >> 6);
		bytes[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		bytes[0] = (char)(0xe0 | point >> 12);
		bytes[1] = (char)(0x80 | (point >> 6 & 0x3f));
		bytes[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	bytes[0] = (char)(0xf0 | point >> 18);
	bytes[1] = (char)(0x80 | (point >> 12 & 0x3f));
	bytes[2] = (char)(0x80 | (point >> 6 & 0x3f));
	bytes[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

/* Cuts forms off both ends until there is none. */
static void bare(const char **name, size_t *len)
{
	size_t n;

	do {
		while (*len > 0 && loose((*name)[0])) {
			++*name;
			--*len;
		}
		while (*len > 0 && loose((*name)[*len - 1]))
			--*len;
		n = partner_form_behind(*name, *len);
		if (n > 0 && n < *len && !latin((*name)[n - 1])) {
			*name += n;
			*len -= n;
			continue;
		}
		n = partner_form_before(*name, *len);
		if (n > 0 && n < *len)
			*len -= n;
		else
			n = n < *len ? 0 : n;
	} while (n > 0 && n < *len);
}

size_t partner_core(
    const struct norm_tables *tables, const char *name, size_t len, char core[PARTNER_NAME_MAX])
{
	size_t used = 0;
	bool gap = false;

	bare(&name, &len);
	if (partner_form_behind(name, len) == len)
		return 0;
	for (size_t at = 0; at < len;) {
		char bytes[LETTER_BYTES];
		uint32_t point = norm_fold(tables, letter_next(name, len, &at));
		size_t n = partner_letter(point, bytes);

		if (point == ' ' || point == '\n') {
			gap = true;
			continue;
		}
		if (used + n + 1 > PARTNER_NAME_MAX)
			return 0;
		if (gap && used > 0 && point < 0x80 && (unsigned char)core[used - 1] < 0x80)
			core[used++] = ' ';
		gap = false;
		memcpy(core + used, bytes, n);
		used += n;
	}
	return used;
}
