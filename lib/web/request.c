#include "lib/web/request.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/web/escape.h"

#define COOKIES_MAX ((size_t)16384) /* bytes of them; what nginx lets pass is less */
#define PIECE       ((size_t)4096)

enum { BYTES_TARGET, BYTES_FORM, BYTES_COOKIES };

static const char *param(const struct web_incoming *in, const char *name)
{
	size_t len = strlen(name);

	for (char *const *at = in->params; at != NULL && *at != NULL; at++) {
		if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
			return *at + len + 1;
	}
	return "";
}

/* ---- decoding ------------------------------------------------------------------------------ */

/*
 * Decodes %XX, and in a form "+", into `to`, which has room for `len` + 1; it may be `from`. The length, or -1: no
 * percent-encoding, or no UTF-8, or a NUL.
 */
static ssize_t decode(const char *from, size_t len, bool form, char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = from[i];

		if (c == '+' && form) {
			c = ' ';
		} else if (c == '%') {
			int high = i + 2 < len ? hex_digit(from[i + 1]) : -1;
			int low = i + 2 < len ? hex_digit(from[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -1;
			c = (char)(unsigned char)(high * 16 + low);
			i += 2;
		}
		to[n++] = c;
	}
	to[n] = '\0';
	return escape_is_text(to, n) ? (ssize_t)n : -1;
}

/* Browsers send the line ends of a field as CR LF. */
static void mend_lines(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		if (from[0] != '\r' || from[1] != '\n')
			*to++ = *from;
	}
	*to = '\0';
}

static bool add_word(struct web_words *words, const char *name, const char *value)
{
	if (words->n == WEB_WORDS_MAX)
		return false;
	words->word[words->n].name = name;
	words->word[words->n++].value = value;
	return true;
}

/*
 * name=value&name=value, decoded where it stands: `text` is writable, and what is decoded is never longer. `bare`,
 * unless NULL, gets the first if it has no "=".
 */
static bool read_words(char *text, struct web_words *words, const char **bare)
{
	bool first = true;

	for (char *at = text, *next; at != NULL; at = next, first = false) {
		char *end = strchrnul(at, '&'), *equals;

		next = *end != '\0' ? end + 1 : NULL;
		*end = '\0';
		if (*at == '\0')
			continue;
		equals = strchr(at, '=');
		if (equals != NULL) {
			*equals++ = '\0';
			if (decode(equals, strlen(equals), true, equals) < 0)
				return false;
			mend_lines(equals);
		}
		if (decode(at, strlen(at), true, at) < 0)
			return false;
		if (equals == NULL && first && bare != NULL)
			*bare = at;
		else if (!add_word(words, at, equals != NULL ? equals : ""))
			return false;
	}
	return true;
}

/* ---- what is asked for --------------------------------------------------------------------- */

/* A path without a doubt: no empty part, none of dots, no "\", no control character. */
static bool is_plain_path(const char *path)
{
	for (const char *at = path; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f || *at == '\\')
			return false;
		if (*at != '/')
			continue;
		if (at[1] == '/' || strcmp(at, "/.") == 0 || strcmp(at, "/..") == 0 ||
		    strncmp(at, "/./", 3) == 0 || strncmp(at, "/../", 4) == 0)
			return false;
	}
	return path[0] == '/';
}

/* "%2F" and "%5C" would make of one part two. */
static bool hides_slash(const char *path)
{
	for (const char *at = strchr(path, '%'); at != NULL; at = strchr(at + 1, '%')) {
		int high = hex_digit(at[1]), low = high >= 0 ? hex_digit(at[2]) : -1;

		if (low >= 0 && (high * 16 + low == '/' || high * 16 + low == '\\'))
			return true;
	}
	return false;
}

static int read_target(const struct web_incoming *in, struct web_request *r)
{
	const char *target = param(in, "REQUEST_URI");
	size_t len = strlen(target);
	char *text, *query;

	r->path = r->bare = "";
	if (len > WEB_TARGET_MAX)
		return 414;
	text = buf_reserve(&r->bytes[BYTES_TARGET], len + 1);
	if (text == NULL)
		return 400;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)target[i] <= ' ' || target[i] == 0x7f || target[i] == '#')
			return 400;
	}
	memcpy(text, target, len + 1);
	query = strchr(text, '?');
	if (query != NULL)
		*query++ = '\0';
	if (hides_slash(text) || decode(text, strlen(text), false, text) < 0 ||
	    !is_plain_path(text))
		return 400;
	r->path = text;
	return query == NULL || read_words(query, &r->query, &r->bare) ? 0 : 400;
}

static int read_method(const struct web_incoming *in, struct web_request *r)
{
	static const char *const names[] = {"GET", "HEAD", "POST"};
	const char *method = param(in, "REQUEST_METHOD");

	r->method = WEB_OTHER;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(method, names[i]) == 0)
			r->method = (enum web_method)i;
	}
	return r->method == WEB_OTHER ? 405 : 0;
}

/* ---- the form ------------------------------------------------------------------------------ */

/* The length that was announced; -1: none that is a number. */
static int64_t body_length(const struct web_incoming *in)
{
	const char *text = param(in, "CONTENT_LENGTH");
	size_t digits = strspn(text, "0123456789");

	if (text[digits] != '\0' || digits > 12)
		return -1;
	return digits == 0 ? 0 : strtoll(text, NULL, 10);
}

static bool is_form(const struct web_incoming *in)
{
	static const char form[] = "application/x-www-form-urlencoded";
	const char *type = param(in, "CONTENT_TYPE");

	return strncmp(type, form, sizeof form - 1) == 0 &&
	       (type[sizeof form - 1] == '\0' || type[sizeof form - 1] == ';' ||
		   type[sizeof form - 1] == ' ');
}

static int read_form(const struct web_incoming *in, struct web_request *r)
{
	int64_t announced = body_length(in);
	struct buf *b = &r->bytes[BYTES_FORM];
	size_t n;

	if (announced < 0)
		return 400;
	if ((uint64_t)announced > in->most || (uint64_t)announced > WEB_FORM_MAX)
		return 413;
	if (announced == 0)
		return 0;
	if (r->method != WEB_POST || !is_form(in))
		return 400;
	do {
		char *to = buf_reserve(b, PIECE);

		if (to == NULL)
			return 413;
		n = in->read(in->context, to, PIECE);
		b->len += n < PIECE ? n : PIECE;
		if (b->len > (uint64_t)announced)
			return 400;
	} while (n > 0);
	if (b->len != (uint64_t)announced || !escape_is_text(b->bytes, b->len))
		return 400;
	buf_add(b, "", 1);
	return buf_ok(b) && read_words(b->bytes, &r->form, NULL) ? 0 : 400;
}

/* ---- the header ---------------------------------------------------------------------------- */

/* RFC 6265, 5.4. Another program of the same host may have set anything: what is odd is passed over. */
static void read_cookies(const struct web_incoming *in, struct web_request *r)
{
	const char *header = param(in, "HTTP_COOKIE");
	size_t len = strlen(header);
	char *text = len < COOKIES_MAX ? buf_reserve(&r->bytes[BYTES_COOKIES], len + 1) : NULL;

	if (text == NULL)
		return;
	memcpy(text, header, len + 1);
	for (char *at = text, *next; at != NULL; at = next) {
		char *end = strchrnul(at, ';'), *equals;

		next = *end != '\0' ? end + 1 : NULL;
		*end = '\0';
		at += strspn(at, " \t");
		equals = strchr(at, '=');
		if (equals == NULL || equals == at || !escape_is_text(at, strlen(at)))
			continue;
		*equals++ = '\0';
		if (!add_word(&r->cookies, at, equals))
			return;
	}
}

/* A header field of ours is short and printable, or it is not there. */
static const char *field(const struct web_incoming *in, const char *name, size_t most)
{
	const char *text = param(in, name);
	size_t len = strlen(text);

	if (len > most)
		return "";
	for (size_t i = 0; i < len; i++) {
		if (text[i] < ' ' || text[i] > '~')
			return "";
	}
	return text;
}

int web_request_read(const struct web_incoming *in, struct web_request *r)
{
	int status;

	*r = (struct web_request){.path = "", .bare = ""};
	buf_init(&r->bytes[BYTES_TARGET], WEB_TARGET_MAX + 1);
	buf_init(&r->bytes[BYTES_FORM], WEB_FORM_MAX + 2 * PIECE);
	buf_init(&r->bytes[BYTES_COOKIES], COOKIES_MAX);
	r->source = field(in, "REMOTE_ADDR", 64);
	r->language = field(in, "HTTP_ACCEPT_LANGUAGE", 256);
	r->agent_site = field(in, "HTTP_SEC_FETCH_SITE", 32);
	r->origin = field(in, "HTTP_ORIGIN", 300);
	read_cookies(in, r);
	status = read_method(in, r);
	if (status == 0)
		status = read_target(in, r);
	return status != 0 ? status : read_form(in, r);
}

void web_request_free(struct web_request *r)
{
	for (size_t i = 0; i < COUNT_OF(r->bytes); i++)
		buf_free(&r->bytes[i]);
}

const char *web_word(const struct web_words *words, const char *name)
{
	for (size_t i = 0; i < words->n; i++) {
		if (strcmp(words->word[i].name, name) == 0)
			return words->word[i].value;
	}
	return NULL;
}

void web_encode(struct buf *out, const char *text)
{
	escape_part(out, text, strlen(text));
}

/* ---- languages ----------------------------------------------------------------------------- */

/* "0.8" as 800; 1000 if there is no weight; what is no weight counts as nothing. */
static int weight(const char *text, size_t len)
{
	const char *q = memmem(text, len, "q=", 2);
	int value = 0, place = 100;

	if (q == NULL)
		return 1000;
	q += 2;
	if (q < text + len && *q == '1')
		return 1000;
	if (q >= text + len || *q != '0')
		return 0;
	if (++q < text + len && *q == '.') {
		for (q++; q < text + len && *q >= '0' && *q <= '9' && place > 0; q++, place /= 10)
			value += (*q - '0') * place;
	}
	return value;
}

/* Whether the range at `text` is of the language: "ja", "ja-JP". */
static bool is_of(const char *text, size_t len, const char *lang)
{
	return len >= 2 && strncasecmp(text, lang, 2) == 0 &&
	       (len == 2 || strchr("-; \t", text[2]) != NULL);
}

const char *web_language(const char *accept, const char *fallback)
{
	const char *best = fallback;
	int most = 0;

	while (*accept != '\0') {
		size_t len = strcspn(accept, ",");
		size_t blanks = strspn(accept, " \t");
		const char *range = accept + blanks;
		size_t rest = blanks < len ? len - blanks : 0;
		const char *lang = is_of(range, rest, "ja")   ? "ja"
				   : is_of(range, rest, "en") ? "en"
							      : NULL;

		if (lang != NULL && weight(range, rest) > most) {
			most = weight(range, rest);
			best = lang;
		}
		accept += len + (accept[len] == ',');
	}
	return best;
}
