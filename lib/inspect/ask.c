#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xtext.h"
#include "lib/inspect/protocol.h"

static const char *const wants[] = {
#define W(name, word) word,
    INSPECT_WANTS(W)
#undef W
};

void ask_init(struct ask *ask)
{
	struct settings settings;

	*ask = (struct ask){.evidence = 0};
	settings_default(&settings);
	ask_limits(ask, &settings);
}

void ask_limits(struct ask *ask, const struct settings *settings)
{
#define L(field, name) ask->limits.field = settings->field;
	INSPECT_LIMITS(L)
#undef L
	ask->evidence = (size_t)settings->inspect_evidence;
}

void ask_free(struct ask *ask)
{
	for (size_t i = 0; i < ask->blocks; i++)
		free(ask->block[i]);
	free(ask->block);
	free(ask->list);
	free(ask->word);
	free(ask->regex);
	free(ask->field);
	free(ask->own);
	*ask = (struct ask){.evidence = 0};
}

static bool blame(char *fault, size_t room, const char *why, const char *line)
{
	(void)snprintf(fault, room, "%s: %.200s", why, line);
	return false;
}

/* Appends to one of the lists of texts. False: no memory, or too many. */
static bool add_text(char ***texts, size_t *n, size_t most, char *text)
{
	if (*n == most)
		return false;
	/* Grown by halves of powers of two, without a number of its own for the room. */
	if ((*n & (*n - 1)) == 0) {
		char **more = reallocarray(*texts, *n == 0 ? 1 : *n * 2, sizeof *more);

		if (more == NULL)
			return false;
		*texts = more;
	}
	(*texts)[(*n)++] = text;
	return true;
}

static bool number_of(const char *text, int64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *number >= 0;
}

static bool read_limit(struct ask *ask, char *rest)
{
	char *space = strchr(rest, ' ');
	int64_t number;

	if (space == NULL || !number_of(space + 1, &number))
		return false;
	*space = '\0';
#define L(field, name)                                                                             \
	if (strcmp(rest, name) == 0) {                                                             \
		ask->limits.field = number;                                                        \
		return true;                                                                       \
	}
	INSPECT_LIMITS(L)
#undef L
	return false;
}

static bool read_want(struct ask *ask, const char *word)
{
	for (unsigned i = 0; i < COUNT_OF(wants); i++) {
		if (strcmp(word, wants[i]) == 0) {
			ask->want |= 1u << i;
			return true;
		}
	}
	return false;
}

static bool read_kind(struct ask *ask, const char *word)
{
	for (unsigned i = 0; i < DETECT_KIND_COUNT; i++) {
		if (strcmp(word, detect_kind_word(i)) == 0) {
			ask->kinds |= 1u << i;
			return true;
		}
	}
	return false;
}

/* Decodes where it stands; a NUL byte has no place in a word. */
static bool decoded(char *text)
{
	size_t len = 0;

	if (!xtext_decode(text, strlen(text), text, &len) || memchr(text, '\0', len) != NULL)
		return false;
	text[len] = '\0';
	return len > 0;
}

/* The name of a header field (RFC 5322 section 3.6.8), decoded where it stands. */
static bool is_field_name(char *text)
{
	if (!decoded(text))
		return false;
	for (const char *at = text; *at != '\0'; at++) {
		if (*at < '!' || *at > '~' || *at == ':')
			return false;
	}
	return true;
}

/* The lines that may be there several times; what they name is numbered as it comes. */
static bool read_text(struct ask *ask, const char *what, char *text)
{
	if (strcmp(what, "list") == 0)
		return add_text(&ask->list, &ask->lists, ASK_WORDS_MAX, text);
	if (strcmp(what, "own") == 0)
		return add_text(&ask->own, &ask->owns, ASK_WORDS_MAX, text);
	if (strcmp(what, "word") == 0)
		return decoded(text) && add_text(&ask->word, &ask->words, ASK_WORDS_MAX, text);
	if (strcmp(what, "regex") == 0)
		return decoded(text) && add_text(&ask->regex, &ask->regexes, ASK_REGEXES_MAX, text);
	if (strcmp(what, "field") == 0)
		return is_field_name(text) &&
		       add_text(&ask->field, &ask->fields, ASK_FIELDS_MAX, text);
	return false;
}

static bool read_line(struct ask *ask, char *line)
{
	char *rest = strchr(line, ' ');
	int64_t number;

	if (strcmp(line, "go") == 0)
		return ask->complete = true;
	if (strcmp(line, "unquoted") == 0)
		return ask->unquoted = true;
	if (strcmp(line, "unmask") == 0)
		return ask->unmask = true;
	if (rest == NULL)
		return false;
	*rest++ = '\0';
	if (strcmp(line, "want") == 0)
		return read_want(ask, rest);
	if (strcmp(line, "pii") == 0)
		return read_kind(ask, rest);
	if (strcmp(line, "limit") == 0)
		return read_limit(ask, rest);
	if (strcmp(line, "evidence") != 0)
		return read_text(ask, line, rest);
	if (!number_of(rest, &number))
		return false;
	ask->evidence = (size_t)number;
	return true;
}

bool ask_read(struct ask *ask, const char *text, size_t len, char *fault, size_t room)
{
	char *copy, *line, *rest;

	if (ask->bytes + len > ASK_TEXT_MAX)
		return blame(fault, room, "more is asked than can be", "");
	copy = malloc(len + 1);
	if (copy == NULL || !add_text(&ask->block, &ask->blocks, SIZE_MAX, copy)) {
		free(copy);
		return blame(fault, room, "no memory", "");
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	ask->bytes += len;
	for (line = strtok_r(copy, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		if (!read_line(ask, line))
			return blame(fault, room, "not understood", line);
	}
	return true;
}

bool inspect_order_read(struct inspect_order *order, char *text)
{
	bool placed = false;
	char *line, *rest;

	*order = (struct inspect_order){.size = 0};
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		size_t len = strlen(line);

		if (strncmp(line, "content ", 8) == 0) {
			char *end;

			const char *second;

			order->offset = strtoull(line + 8, &end, 10);
			second = end;
			order->size = strtoull(end, &end, 10);
			placed = *second == ' ' && end > second + 1 && *end == '\0' &&
				 order->offset <= INT64_MAX / 2 && order->size <= INT64_MAX / 2;
		} else if (strncmp(line, "from ", 5) == 0 && len - 5 < sizeof order->from) {
			if (!xtext_decode(line + 5, len - 5, order->from, &len))
				return false;
			order->from[len] = '\0';
			order->has_from = true;
		} else if (strncmp(line, "view ", 5) == 0 && len - 5 < sizeof order->view) {
			memcpy(order->view, line + 5, len - 4);
		} else {
			return false;
		}
	}
	return placed;
}
