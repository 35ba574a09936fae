#include "lib/notice/refusal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"

#define TIME_LEN ((size_t)(CLOCK_TEXT - 1))

/* ---- records ------------------------------------------------------------------------------ */

/* The next record that is one line, from *at on. False: there is none. */
static bool next_record(const char **at, const char *end, struct leg_record *r)
{
	while (*at < end) {
		const char *line = *at;
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t len = newline != NULL ? (size_t)(newline - line) : 0;

		if (newline == NULL)
			return false;
		*at = newline + 1;
		/* The lines of a plan begin with a blank, and a plan with its word. */
		if (len <= TIME_LEN + 1 || line[TIME_LEN] != ' ')
			continue;
		r->time = clock_parse(line, TIME_LEN);
		r->text = line + TIME_LEN + 1;
		r->len = len - TIME_LEN - 1;
		if (r->time >= 0)
			return true;
	}
	return false;
}

static bool is_word(const struct leg_record *r, const char *word)
{
	size_t len = strlen(word);

	return r->len >= len && memcmp(r->text, word, len) == 0 &&
	       (r->len == len || r->text[len] == ' ');
}

/* ---- values ------------------------------------------------------------------------------- */

static void no_nul(char *text, size_t len)
{
	for (char *p = text; (p = memchr(p, '\0', len - (size_t)(p - text))) != NULL;)
		*p = '?';
}

/*
 * Adds a value, decoded, to the texts, whose room was made before: they never move. "" if it is not
 * there; as it is written if it is no xtext.
 */
static char *take_value(struct notice_refusal *refusal, const struct leg_record *r, const char *key)
{
	size_t len = 0;
	const char *value = leg_record_value(r, key, &len);
	char *to = buf_reserve(&refusal->texts, len + 1);

	if (to == NULL)
		return NULL;
	if (value != NULL && !xtext_decode(value, len, to, &len))
		memcpy(to, value, len);
	no_nul(to, len);
	to[len] = '\0';
	refusal->texts.len += len + 1;
	return to;
}

static bool value_is(const struct leg_record *r, const char *key, const char *wanted)
{
	size_t len = 0;
	const char *value = leg_record_value(r, key, &len);

	return value != NULL && len == strlen(wanted) && memcmp(value, wanted, len) == 0;
}

/* ---- whom it is forwarded to -------------------------------------------------------------- */

/* The comma behind an address, or its end: a quoted local part may hold commas. */
static char *address_end(char *at)
{
	bool quoted = false;

	for (; *at != '\0' && (quoted || *at != ','); at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (quoted && *at == '\\' && at[1] != '\0')
			at++;
	}
	return at;
}

static bool has_address(const struct notice_refusal *refusal, const char *to)
{
	for (size_t i = 0; i < refusal->forwards; i++) {
		if (strcmp(refusal->forward[i].to, to) == 0)
			return true;
	}
	return false;
}

/* False: too many, or one of them is empty. */
static bool take_addresses(struct notice_refusal *refusal, char *list)
{
	for (bool more = true; more;) {
		char *end = address_end(list);

		more = *end == ',';
		*end = '\0';
		if (*list == '\0' || refusal->forwards == NOTICE_FORWARDS_MAX)
			return false;
		if (!has_address(refusal, list))
			refusal->forward[refusal->forwards++].to = list;
		list = end + 1;
	}
	return true;
}

/* ---- the rule's name ---------------------------------------------------------------------- */

/* Of the rule that refused, from the decisions before that. False: no memory. */
static bool take_name(
    struct notice_refusal *refusal, const struct leg_record *refused, const char *at)
{
	size_t len = 0, other_len = 0;
	const char *where = leg_record_value(refused, "rule", &len), *other;
	struct leg_record r;

	while (refusal->name[0] == '\0' && where != NULL && next_record(&at, refused->text, &r)) {
		other = is_word(&r, "decided") ? leg_record_value(&r, "rule", &other_len) : NULL;
		if (other == NULL || other_len != len || memcmp(other, where, len) != 0)
			continue;
		refusal->name = take_value(refusal, &r, "name");
		if (refusal->name == NULL)
			return false;
	}
	return true;
}

/* ---- all of it ---------------------------------------------------------------------------- */

static enum notice_refused take_refused(
    struct notice_refusal *refusal, const struct leg_record *refused)
{
	size_t len = 0;
	bool nobody = value_is(refused, "tell", "nobody");
	bool by_rule = leg_record_value(refused, "tell", &len) != NULL;
	char *list;

	refusal->time = refused->time;
	refusal->where = take_value(refusal, refused, "rule");
	refusal->name = take_value(refusal, refused, "name");
	refusal->why = take_value(refusal, refused, "why");
	list = take_value(refusal, refused, "forward");
	refusal->forward = calloc(NOTICE_FORWARDS_MAX, sizeof *refusal->forward);
	if (refusal->where == NULL || refusal->name == NULL || refusal->why == NULL ||
	    list == NULL || refusal->forward == NULL)
		return NOTICE_REFUSED_NO_MEMORY;

	refusal->tell = value_is(refused, "tell", "sender");
	if (by_rule && !refusal->tell && !nobody)
		return NOTICE_REFUSED_ODD;
	if (leg_record_value(refused, "forward", &len) != NULL && !take_addresses(refusal, list))
		return NOTICE_REFUSED_ODD;
	return NOTICE_REFUSED;
}

/* What has been done about it. False: no memory. */
static bool take_done(struct notice_refusal *refusal, const struct leg_record *r)
{
	const char *to;

	if (is_word(r, "told")) {
		refusal->told = true;
		return true;
	}
	if (!is_word(r, "forwarded"))
		return true;
	to = take_value(refusal, r, "to");
	for (size_t i = 0; to != NULL && i < refusal->forwards; i++) {
		if (strcmp(refusal->forward[i].to, to) == 0)
			refusal->forward[i].done = true;
	}
	return to != NULL;
}

enum notice_refused notice_refusal_read(const struct leg *leg, struct notice_refusal *refusal)
{
	const char *at, *end, *behind;
	enum notice_refused result;
	struct leg_record r, refused = {.text = NULL};
	char *room;

	*refusal = (struct notice_refusal){.where = ""};
	if (leg->verdict != LEG_REFUSED || leg->trailer_bytes.len == 0)
		return NOTICE_NOT_REFUSED;
	at = behind = leg->trailer_bytes.bytes;
	end = at + leg->trailer_bytes.len;
	while (next_record(&at, end, &r)) {
		if (is_word(&r, "refused")) {
			refused = r;
			behind = at;
		}
	}
	if (refused.text == NULL)
		return NOTICE_NOT_REFUSED;

	/* Every value that is taken is in the trailer once, and has a NUL for at least its key. */
	buf_init(&refusal->texts, SIZE_MAX);
	room = buf_reserve(&refusal->texts, leg->trailer_bytes.len + 16);
	result = room != NULL ? take_refused(refusal, &refused) : NOTICE_REFUSED_NO_MEMORY;
	if (result == NOTICE_REFUSED && !take_name(refusal, &refused, leg->trailer_bytes.bytes))
		result = NOTICE_REFUSED_NO_MEMORY;
	for (at = behind; result == NOTICE_REFUSED && next_record(&at, end, &r);) {
		if (!take_done(refusal, &r))
			result = NOTICE_REFUSED_NO_MEMORY;
	}
	if (result != NOTICE_REFUSED)
		notice_refusal_free(refusal);
	return result;
}

void notice_refusal_free(struct notice_refusal *refusal)
{
	buf_free(&refusal->texts);
	free(refusal->forward);
	*refusal = (struct notice_refusal){.where = ""};
}

bool notice_refusal_owes(const struct notice_refusal *refusal)
{
	if (refusal->tell && !refusal->told)
		return true;
	for (size_t i = 0; i < refusal->forwards; i++) {
		if (!refusal->forward[i].done)
			return true;
	}
	return false;
}
