/* Phone numbers of Japan, by the numbering plan (電気通信番号計画): ten digits, or eleven. */
#include <string.h>

#include "lib/detect/numbers.h"

#define DIGITS_MIN 10
#define DIGITS_MAX 11
#define PARTS_MAX  5

/* The area codes without their 0, by their length; a blank before and behind each. */
static const char areas_1[] = " 3 4 6 ";

static const char areas_2[] =
    " 11 15 17 18 19 22 23 24 25 26 27 28 29 42 43 44 45 46 47 48 49 52 53 54 55 58 59"
    " 72 73 75 76 77 78 79 82 83 84 85 86 87 88 89 92 93 94 95 96 97 98 99 ";

static const char areas_3[] =
    " 123 124 125 126 133 134 135 136 137 138 139 142 143 144 145 146 152 153 154 155 156 157 158"
    " 162 163 164 165 166 167 172 173 174 175 176 178 179 182 183 184 185 186 187 191 192 193 194"
    " 195 197 198 220 223 224 225 226 228 229 233 234 235 237 238 240 241 242 243 244 246 247 248"
    " 250 254 255 256 257 258 259 260 261 263 264 265 266 267 268 269 270 274 276 277 278 279 280"
    " 282 283 284 285 287 288 289 291 293 294 295 296 297 299 422 428 436 438 439 460 463 465 466"
    " 467 470 475 476 478 479 480 493 494 495 531 532 533 536 537 538 539 544 545 547 548 550 551"
    " 553 554 555 556 557 558 561 562 563 564 565 566 567 568 569 572 573 574 575 576 577 578 581"
    " 584 585 586 587 594 595 596 597 598 599 721 725 735 736 737 738 739 740 742 743 744 745 746"
    " 747 748 749 761 763 765 766 767 768 770 771 772 773 774 776 778 779 790 791 794 795 796 797"
    " 798 799 820 823 824 826 827 829 833 834 835 836 837 838 845 846 847 848 852 853 854 855 856"
    " 857 858 859 863 865 866 867 868 869 875 877 879 880 883 884 885 887 889 892 893 894 895 896"
    " 897 898 920 930 940 942 943 944 946 947 948 949 950 952 954 955 956 957 959 964 965 966 967"
    " 968 969 972 973 974 977 978 979 980 982 983 984 985 986 987 993 994 995 996 997 ";

static const char areas_4[] =
    " 1267 1372 1374 1377 1392 1397 1398 1456 1457 1466 1547 1558 1564 1586 1587 1632 1634 1635"
    " 1648 1654 1655 1656 1658 4992 4994 4996 4998 5769 5979 7468 8387 8388 8389 8396 8477 8512"
    " 8513 8514 8515 8516 8517 8518 8519 8636 9802 9912 9913 9969 ";

static const char *const areas[] = {areas_1, areas_2, areas_3, areas_4};

enum joint { JOINT_HYPHEN = 1, JOINT_BLANK = 2, JOINT_DOT = 4, JOINT_PAREN = 8, JOINT_ODD = 16 };

/* A number as it is read. */
struct parts {
	char digits[DIGITS_MAX]; /* national, with the leading 0 */
	size_t n_digits;
	size_t lens[PARTS_MAX]; /* of the parts, the leading 0 counted in */
	size_t n;
	unsigned joints;
	size_t end;
};

static bool area(const char *digits, size_t len)
{
	char word[8] = " ";

	if (len < 2 || len > 5)
		return false;
	memcpy(word + 1, digits + 1, len - 1);
	word[len] = ' ';
	return strstr(areas[len - 2], word) != NULL;
}

/* 050, 060, 070, 080 and 090 with eight digits behind, 0800 with seven. */
static bool eleven(const char *digits)
{
	return digits[1] >= '5' && digits[2] == '0' && (digits[3] != '0' || digits[1] == '8');
}

static bool freephone(const char *digits)
{
	return memcmp(digits, "0120", 4) == 0 || memcmp(digits, "0570", 4) == 0 ||
	       memcmp(digits, "0990", 4) == 0 || memcmp(digits, "0180", 4) == 0 ||
	       memcmp(digits, "0170", 4) == 0;
}

/* The sign between two parts at `at`; its length, 0 if none is there or no digit follows. */
static size_t joint_at(const struct detect_window *w, size_t at, unsigned *joints)
{
	size_t begin = at, wide;
	unsigned signs = 0;
	unsigned joint = 0;

	for (; at < w->len && signs < 3; at++, signs++) {
		char c = w->text[at], sign;

		if (c == '-') {
			joint |= JOINT_HYPHEN;
		} else if ((wide = digits_wide_joint(w, at, &sign)) > 0) {
			joint |=
			    sign == '-' ? JOINT_HYPHEN : JOINT_ODD; /* ー looks like a hyphen */
			at += wide - 1;
		} else if (sign_at(w, at, "_*|:~"))
			joint |= JOINT_ODD;
		else if (c == ' ')
			joint |= JOINT_BLANK;
		else if (c == '.')
			joint |= JOINT_DOT;
		else if (c == '(' || c == ')')
			joint |= JOINT_PAREN;
		else
			break;
	}

	/* A line that breaks behind a hyphen, and what quotes the next. */
	if (joint == JOINT_HYPHEN && at < w->len && w->text[at] == '\n') {
		for (at++; at < w->len && (w->text[at] == ' ' || w->text[at] == '>'); at++)
			;
	}
	if (at == begin || !digit_at(w, at))
		return 0;
	if (joint & (JOINT_HYPHEN | JOINT_PAREN))
		joint &= ~(unsigned)JOINT_BLANK;
	else if (joint == (JOINT_ODD | JOINT_BLANK))
		joint = JOINT_ODD;
	else if (signs > 1 && joint != JOINT_BLANK)
		return 0;
	*joints |= joint;
	return at - begin;
}

/* Reads parts from `at` on until they make a number. */
static bool read_parts(const struct detect_window *w, size_t at, struct parts *p)
{
	while (p->n < PARTS_MAX) {
		size_t *len = &p->lens[p->n++];
		size_t joint;

		/* "+81-3" is 03: the 0 is there already. */
		*len = p->n == 1 ? p->n_digits : 0;
		for (; digit_at(w, at); at++, ++*len) {
			if (p->n_digits == DIGITS_MAX)
				return false;
			p->digits[p->n_digits++] = w->text[at];
		}
		p->end = at;
		if (p->n_digits >= DIGITS_MIN && p->n_digits == (eleven(p->digits) ? 11U : 10U))
			return true;
		joint = joint_at(w, at, &p->joints);
		if (joint == 0)
			return false;
		at += joint;
	}
	return false;
}

/* Behind "81": the 0 in parentheses, if it is there, and where the number goes on. */
static size_t abroad(const struct detect_window *w, size_t at, struct parts *p)
{
	size_t next = at;

	if (next < w->len && w->text[next] == ')') /* "(+81) 3-..." */
		next++;
	if (sign_at(w, next, " -."))
		next++;
	if (w->len - next >= 3 && memcmp(w->text + next, "(0)", 3) == 0) {
		next += 3;
		if (sign_at(w, next, " -."))
			next++;
	} else if (digit_at(w, next) && w->text[next] == '0') {
		return next;
	}
	if (!digit_at(w, next) && !(next < w->len && w->text[next] == '('))
		return at;
	if (w->text[next] == '(')
		next++;
	p->digits[p->n_digits++] = '0';
	return next;
}

/* Whether the parts are cut where the numbering plan cuts: area, exchange, four digits. */
static bool well_cut(const struct parts *p)
{
	const char *d = p->digits;
	size_t first = p->lens[0];

	if (p->n == 2)
		return freephone(d) && first == 4;
	if (p->n != 3)
		return false;
	if (p->n_digits == DIGITS_MAX) {
		return d[3] == '0' ? first == 4 && p->lens[1] == 3 : first == 3 && p->lens[1] == 4;
	}
	if (freephone(d))
		return first == 4 && (p->lens[1] == 3 || p->lens[1] == 2);
	return first >= 2 && first <= 5 && p->lens[2] == 4;
}

/* Whether there is such an area code and exchange. */
static bool in_plan(const struct parts *p)
{
	const char *d = p->digits;

	if (p->n_digits == DIGITS_MAX || freephone(d))
		return true;
	if (p->n == 3 && p->lens[2] == 4)
		return area(d, p->lens[0]) && d[p->lens[0]] != '0';
	for (size_t len = 2; len <= 5; len++) {
		if (area(d, len) && d[len] != '0')
			return true;
	}
	return false;
}

/* "TEL03-...", "FAX.03-...", "T:03-...". */
static bool called(const struct detect_window *w, size_t begin)
{
	static const char *const words[] = {
	    "TEL", "Tel", "tel", "FAX", "Fax", "fax", "PHONE", "Phone", "phone", "T", "F", "M"};
	size_t end = begin;

	if (end > 0 && (w->text[end - 1] == '-' || w->text[end - 1] == '/'))
		end--;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		size_t len = strlen(words[i]);

		if (len <= end && memcmp(w->text + end - len, words[i], len) == 0 &&
		    !(len < end && (letter_at(w, end - len - 1) || digit_at(w, end - len - 1))))
			return true;
	}
	return false;
}

/* The second of two: "03-1234-5678/03-1234-5679". */
static bool paired(const struct detect_window *w, size_t begin)
{
	return begin >= 5 && (w->text[begin - 1] == '/' || w->text[begin - 1] == '~') &&
	       digit_at(w, begin - 2) && digit_at(w, begin - 5);
}

static bool ended(const struct detect_window *w, const struct candidate *c)
{
	if (digits_shut(w, c->end))
		return true;
	return c->form == FORM_GROUPED && c->end < w->len &&
	       (w->text[c->end] == '/' || w->text[c->end] == '~' || w->text[c->end] == ':');
}

static bool read_number(
    const struct detect_window *w, size_t at, struct parts *p, struct candidate *c)
{
	size_t from = at;

	*p = (struct parts){0};
	*c = (struct candidate){.begin = at, .kind = DETECT_PHONE};
	if (at > 0 && w->text[at - 1] == '+' && w->len - at > 2 &&
	    memcmp(w->text + at, "81", 2) == 0) {
		c->begin = at - 1;
		c->named = true;
		from = abroad(w, at + 2, p);
	} else if (w->len - at > 4 && memcmp(w->text + at, "0081", 4) == 0) {
		c->named = true;
		from = abroad(w, at + 4, p);
	} else if (at > 0 && w->text[at - 1] == '(') {
		c->begin = at - 1;
	}

	if (p->n_digits == 0 && (!digit_at(w, from) || w->text[from] != '0'))
		return false;
	if (!read_parts(w, from, p) || p->digits[1] == '0')
		return false;
	c->end = p->end;
	return true;
}

/* Cut otherwise than the plan cuts, as far as anybody would: "03-12345678", "0312-34-5678". */
static bool oddly_cut(const struct parts *p)
{
	bool even = (p->joints & (p->joints - 1)) == 0; /* one sign all through */

	return p->n <= 3 && p->lens[0] >= 2 && p->lens[p->n - 1] >= 3 && even;
}

bool phone_at(const struct detect_window *w, size_t at, struct candidate *c)
{
	struct parts p;

	if (!read_number(w, at, &p, c) || memcmp(p.digits, "0123456789", DIGITS_MIN) == 0)
		return false;
	if (p.n > 1 && !well_cut(&p) && !oddly_cut(&p))
		return false;

	if (p.n == 1)
		c->form = FORM_BARE;
	else if (!well_cut(&p))
		c->form = FORM_LOOSE;
	else if ((p.joints & (JOINT_BLANK | JOINT_DOT | JOINT_ODD)) != 0 && !c->named)
		c->form = FORM_BLANKS;
	else
		c->form = FORM_GROUPED;

	c->right = in_plan(&p);
	c->portable = p.n_digits == DIGITS_MAX;
	c->embedded = digits_embedded(w, c->begin, c->end);
	if (c->begin < at && w->text[c->begin] == '(' && p.lens[0] == p.n_digits)
		c->begin = at; /* "(0312345678)": the number stands in it */
	if (!ended(w, c))
		return false;
	return digits_open(w, c->begin) || called(w, c->begin) ||
	       (c->form == FORM_GROUPED && paired(w, c->begin));
}

size_t phone_digits(
    const struct detect_window *w, const struct candidate *c, char *digits, size_t room)
{
	struct candidate again;
	struct parts p;
	size_t at = c->begin;

	while (!digit_at(w, at))
		at++;
	if (!read_number(w, at, &p, &again) || p.n_digits > room)
		return 0;
	memcpy(digits, p.digits, p.n_digits);
	return p.n_digits;
}
