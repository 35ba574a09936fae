/*
 * Mail addresses as people write them: RFC 5321's Local-part and Domain, without what stands around
 * them. A domain may be written with letters of any script (RFC 6531).
 */

#include <string.h>
#include <strings.h>

#include "lib/detect/detect.h"

#define LOCAL_MAX    ((size_t)64)  /* RFC 5321, 4.5.3.1.1 */
#define DOMAIN_MAX   ((size_t)253) /* RFC 1035, 2.3.4 */
#define LABEL_MAX    ((size_t)63)
#define LINE_BACK    ((size_t)200) /* how far the name of a header field is looked for */
#define ID_LOCAL_MIN ((size_t)20)  /* a message-id's local part is so long and longer */
#define ID_DIGITS    ((size_t)8)   /* with so many digits */

struct address {
	size_t begin;
	size_t at; /* the '@' */
	size_t end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_sign(char c, const char *signs)
{
	return c != '\0' && strchr(signs, c) != NULL;
}

/* ---- the local part ------------------------------------------------------------------------------ */

/* In angle brackets all of RFC 5322's atext is believed; in running text what is usual. */
static bool local_char(char c, bool in_brackets)
{
	return is_alnum(c) || is_sign(c, "._-+%") || (in_brackets && is_sign(c, "!#$&'*/=?^`{|}~"));
}

/* "\"Taro Yamada\"@example.jp" */
static bool quoted_local(const struct detect_window *w, struct address *a)
{
	size_t at = a->at - 1;

	if (w->text[at] != '"')
		return false;
	while (at > 0 && a->at - at < LOCAL_MAX) {
		at--;
		if (w->text[at] == '\n')
			return false;
		if (w->text[at] == '"') {
			a->begin = at;
			return a->at - at > 2;
		}
	}
	return false;
}

static size_t local_begin(const struct detect_window *w, size_t at, bool in_brackets)
{
	size_t begin = at;

	while (begin > 0 && local_char(w->text[begin - 1], in_brackets))
		begin--;
	return begin;
}

static bool find_local(const struct detect_window *w, struct address *a)
{
	size_t begin;

	if (a->at == 0)
		return false;
	if (quoted_local(w, a))
		return true;

	begin = local_begin(w, a->at, true);
	if (begin == 0 || w->text[begin - 1] != '<' || !is_alnum(w->text[begin]))
		begin = local_begin(w, a->at, false);
	while (begin < a->at && is_sign(w->text[begin], ".-+%"))
		begin++;
	a->begin = begin;
	return begin < a->at && a->at - begin <= LOCAL_MAX;
}

/* ---- the domain ---------------------------------------------------------------------------------- */

/* Kana, kanji and other letters, but not the signs of punctuation from U+3000 to U+303F. */
static size_t wide_letter(const struct detect_window *w, size_t at)
{
	unsigned char c = at < w->len ? (unsigned char)w->text[at] : 0;
	size_t n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;

	if (c < 0xC3 || c > 0xF4 || w->len - at < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)w->text[at + i] & 0xC0) != 0x80)
			return 0;
	}
	if (c == 0xE2 || (c == 0xE3 && (unsigned char)w->text[at + 1] == 0x80))
		return 0;
	return n;
}

/*
 * The label at `at`. Behind a label of ASCII the text may go on in Japanese without a blank: "taro@
 * example.jpまで"; only where the whole label is of such letters do they belong to it.
 */
static size_t domain_label(const struct detect_window *w, size_t at, bool *wide)
{
	size_t end = at;
	size_t n;

	*wide = wide_letter(w, at) > 0;
	if (*wide) {
		while ((n = wide_letter(w, end)) > 0 ||
		       (end < w->len && (is_alnum(w->text[end]) || w->text[end] == '-')))
			end += n > 0 ? n : 1;
	} else {
		while (end < w->len && (is_alnum(w->text[end]) || w->text[end] == '-'))
			end++;
		while (end > at && w->text[end - 1] == '-')
			end--;
	}
	return end - at > LABEL_MAX * (*wide ? 3 : 1) ? at : end;
}

/* Whether a label may be the last one: letters, two at least; "xn--" with what follows. */
static bool top_label(const struct detect_window *w, size_t begin, size_t end)
{
	static const char *const files[] = {"png", "jpg", "jpeg", "gif", "svg", "css", "html",
	    "txt", "service", "socket", "timer", "mount", "slice", "target", "path"};

	if (end - begin > 4 && strncasecmp(w->text + begin, "xn--", 4) == 0)
		return true;
	for (size_t i = begin; i < end; i++) {
		if (is_digit(w->text[i]) || w->text[i] == '-')
			return false;
	}
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		if (strlen(files[i]) == end - begin &&
		    strncasecmp(w->text + begin, files[i], end - begin) == 0)
			return false;
	}
	return end - begin >= 2;
}

static bool find_domain(const struct detect_window *w, struct address *a)
{
	size_t at = a->at + 1;
	size_t best = 0;

	for (bool first = true;; first = false) {
		bool wide;
		size_t end = domain_label(w, at, &wide);

		if (end == at || end - a->at > DOMAIN_MAX)
			break;
		/* A wide label stands in front of others: behind "example.jp." a sentence begins. */
		if (!first && wide && best > 0)
			break;
		if (!first && !wide && top_label(w, at, end))
			best = end;
		else if (!first)
			best = 0;
		if (end >= w->len || w->text[end] != '.')
			break;
		at = end + 1;
	}
	a->end = best;
	return best > 0;
}

/* ---- what is none -------------------------------------------------------------------------------- */

/* "ssh://git@example.jp": the name of a user before a host. */
static bool in_url(const struct detect_window *w, const struct address *a)
{
	size_t at = a->begin;

	while (at > 0 && a->begin - at < LOCAL_MAX &&
	       (is_alnum(w->text[at - 1]) || is_sign(w->text[at - 1], "._-:%")))
		at--;
	return at >= 3 && w->text[at - 1] == '/' && w->text[at - 2] == '/' && at < a->at &&
	       (w->text[at - 3] == ':' || is_alnum(w->text[at - 3]));
}

static bool has_word(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i++) {
		if (strncasecmp(text + i, word, n) == 0)
			return true;
	}
	return false;
}

/* In a field that holds message-ids; they are folded over lines that begin with a blank. */
static bool in_id_field(const struct detect_window *w, size_t begin)
{
	static const char *const fields[] = {
	    "message-id:", "references:", "in-reply-to:", "content-id:"};
	size_t from = begin;

	while (from > 0 && begin - from < LINE_BACK) {
		if (w->text[from - 1] == '\n' &&
		    (from == w->len || (w->text[from] != ' ' && w->text[from] != '<')))
			break;
		from--;
	}
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		if (has_word(w->text + from, begin - from, fields[i]))
			return true;
	}
	return false;
}

static bool is_id(const struct detect_window *w, const struct address *a)
{
	bool brackets = a->begin > 0 && w->text[a->begin - 1] == '<' && a->end < w->len &&
			w->text[a->end] == '>';
	size_t digits = 0;

	for (size_t i = a->begin; i < a->at; i++)
		digits += is_digit(w->text[i]);
	if (brackets && a->at - a->begin >= ID_LOCAL_MIN && digits >= ID_DIGITS)
		return true;
	if (a->begin >= 4 && strncasecmp(w->text + a->begin - 4, "cid:", 4) == 0)
		return true;
	return brackets && in_id_field(w, a->begin);
}

static void tell(const struct detect_window *w, const struct address *a, struct hits *hits)
{
	char value[LOCAL_MAX + 1 + DOMAIN_MAX + 1];
	size_t len = a->end - a->begin;

	for (size_t i = 0; i < len; i++) {
		char c = w->text[a->begin + i];

		value[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	hits_add(hits, DETECT_MAIL, w->place, value, len);
}

void detect_mail(const struct detect_window *window, struct hits *hits)
{
	size_t at = 0;

	while (at < window->len) {
		const char *sign = memchr(window->text + at, '@', window->len - at);
		struct address a;

		if (sign == NULL)
			return;
		a.at = (size_t)(sign - window->text);
		at = a.at + 1;
		if (!find_local(window, &a) || !find_domain(window, &a))
			continue;
		if (a.begin >= window->from && a.begin < window->settled && !in_url(window, &a) &&
		    !is_id(window, &a))
			tell(window, &a, hits);
		at = a.end;
	}
}
