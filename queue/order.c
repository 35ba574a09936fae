#include "queue/order.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/xtext.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

static const char *const words[] = {[ORDER_RELEASE] = "release",
    [ORDER_DISCARD] = "discard",
    [ORDER_RESTORE] = "restore",
    [ORDER_APPROVE] = "approve",
    [ORDER_REJECT] = "reject",
    [ORDER_EXTEND] = "extend",
    [ORDER_REMOVE] = "remove",
    [ORDER_BOUNCE] = "bounce",
    [ORDER_FLUSH] = "flush"};

const char *order_word_name(enum order_word word)
{
	return words[word];
}

void order_path(const char *program, char path[ORDER_PATH_MAX])
{
	(void)snprintf(path, ORDER_PATH_MAX, "run/order/%s/socket", program);
}

/* Copies a line, NUL-ended, if it fits and is printable ASCII. */
static bool copy_line(const char *line, size_t len, char text[ORDER_LINE_MAX])
{
	if (len >= ORDER_LINE_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (line[i] < ' ' || line[i] > '~')
			return false;
	}
	memcpy(text, line, len);
	text[len] = '\0';
	return true;
}

/* The next word; words are parted by exactly one blank. NULL: there is none. */
static char *next_word(char **at)
{
	char *word = *at;
	size_t len;

	if (word == NULL)
		return NULL;
	len = strcspn(word, " ");
	*at = word[len] == ' ' ? word + len + 1 : NULL;
	word[len] = '\0';
	return len > 0 ? word : NULL;
}

static bool read_word(const char *text, enum order_word *word)
{
	for (size_t i = 0; text != NULL && i < COUNT_OF(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			*word = (enum order_word)i;
			return true;
		}
	}
	return false;
}

/* The name must be just the one that the file has in that state. */
static bool read_name(const char *text, enum spool_state state, struct leg_name *name)
{
	char right[NAME_TEXT];

	if (text == NULL || !name_parse(text, name) ||
	    state_has_due(state) != (name->due != DUE_NONE))
		return false;
	name_format(name, state, right);
	return strcmp(text, right) == 0;
}

static bool read_value(const char *text, const char *key, char *value, size_t room)
{
	size_t len = strlen(key), value_len;

	if (text == NULL || strncmp(text, key, len) != 0)
		return false;
	value_len = strlen(text + len);
	if (value_len == 0 || value_len >= room || !xtext_valid(text + len, value_len))
		return false;
	memcpy(value, text + len, value_len + 1);
	return true;
}

/* Nothing that xtext would have to escape can stand in a domain. */
static bool read_domain(const char *text, char domain[ORDER_DOMAIN_MAX + 1])
{
	size_t len = text != NULL ? strlen(text) : 0;

	if (len == 0 || len > ORDER_DOMAIN_MAX || strspn(text, LETTERS DIGITS "-.[:]") != len)
		return false;
	memcpy(domain, text, len + 1);
	return true;
}

/* What the order is about: a leg, or a domain. */
static bool read_object(char **at, struct order *order)
{
	char *word = next_word(at);

	if (order->word == ORDER_FLUSH)
		return read_domain(word, order->domain);
	return word != NULL && state_by_name(word, &order->state) &&
	       read_name(next_word(at), order->state, &order->name);
}

/* A time has one spelling. */
static bool read_until(const char *text, int64_t *until)
{
	static const char key[] = "until=";
	char again[CLOCK_TEXT];

	if (text == NULL || strncmp(text, key, sizeof key - 1) != 0)
		return false;
	*until = clock_parse(text + sizeof key - 1, strlen(text) - (sizeof key - 1));
	if (*until < 0)
		return false;
	clock_format(*until, again);
	return strcmp(again, text + sizeof key - 1) == 0;
}

/* What an order says beside who gave it; a reason is everybody's to give. */
static bool read_more(char **at, struct order *order)
{
	if (order->word == ORDER_EXTEND && !read_until(next_word(at), &order->until))
		return false;
	if (order->word == ORDER_REMOVE &&
	    !read_value(next_word(at), "rcpt=", order->rcpt, sizeof order->rcpt))
		return false;
	return *at == NULL ||
	       read_value(next_word(at), "reason=", order->reason, sizeof order->reason);
}

bool order_parse(const char *line, size_t len, struct order *order)
{
	char text[ORDER_LINE_MAX], *at = text;

	*order = (struct order){.word = ORDER_RELEASE};
	if (!copy_line(line, len, text) || !read_word(next_word(&at), &order->word) ||
	    !read_object(&at, order))
		return false;
	return read_value(next_word(&at), "by=", order->by, sizeof order->by) &&
	       read_value(next_word(&at), "via=", order->via, sizeof order->via) &&
	       strspn(order->via, LETTERS) == strlen(order->via) && read_more(&at, order) &&
	       at == NULL;
}

static size_t fitted(int n, size_t room)
{
	return n > 0 && (size_t)n < room ? (size_t)n : 0;
}

size_t order_format(const struct order *order, char *line, size_t room)
{
	char name[NAME_TEXT], until[CLOCK_TEXT];
	struct buf text;
	size_t len;

	buf_init(&text, room);
	buf_addf(&text, "%s ", words[order->word]);
	if (order->word == ORDER_FLUSH) {
		buf_add_text(&text, order->domain);
	} else {
		name_format(&order->name, order->state, name);
		buf_addf(&text, "%s %s", state_name(order->state), name);
	}
	buf_addf(&text, " by=%s via=%s", order->by, order->via);
	if (order->word == ORDER_EXTEND) {
		clock_format(order->until, until);
		buf_addf(&text, " until=%s", until);
	}
	if (order->word == ORDER_REMOVE)
		buf_addf(&text, " rcpt=%s", order->rcpt);
	if (order->reason[0] != '\0')
		buf_addf(&text, " reason=%s", order->reason);
	buf_add(&text, "\n", 2);
	len = buf_ok(&text) ? text.len - 1 : 0;
	if (len > 0)
		memcpy(line, text.bytes, text.len);
	buf_free(&text);
	return len;
}

/* ---- answers ------------------------------------------------------------------------------ */

/* "legs=N": a number has one spelling. */
static bool read_legs(const char *text, struct order_answer *answer)
{
	static const char key[] = "legs=";
	const char *digits = text + sizeof key - 1;
	size_t len;

	if (strncmp(text, key, sizeof key - 1) != 0)
		return false;
	len = strspn(digits, DIGITS);
	if (len == 0 || len > 9 || digits[len] != '\0' || (len > 1 && digits[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++)
		answer->legs = answer->legs * 10 + (size_t)(digits[i] - '0');
	answer->counted = true;
	return true;
}

bool order_answer_parse(const char *line, size_t len, struct order_answer *answer)
{
	char text[ORDER_LINE_MAX], *at = text, *word;

	*answer = (struct order_answer){.result = ORDER_GONE};
	if (!copy_line(line, len, text))
		return false;
	word = next_word(&at);
	if (word == NULL)
		return false;
	if (strcmp(word, "gone") == 0)
		return at == NULL;
	if (strcmp(word, "no") == 0) {
		answer->result = ORDER_NO;
		(void)snprintf(answer->why, sizeof answer->why, "%s", at != NULL ? at : "");
		return at != NULL && at[0] != '\0';
	}

	answer->result = strcmp(word, "done") == 0 ? ORDER_DONE : ORDER_UNKNOWN;
	if (answer->result == ORDER_UNKNOWN && strcmp(word, "unknown") != 0)
		return false;
	word = next_word(&at);
	if (word == NULL || !state_by_name(word, &answer->state))
		return false;
	return at == NULL || (answer->result == ORDER_DONE && read_legs(at, answer));
}

size_t order_answer_format(const struct order_answer *answer, char *line, size_t room)
{
	switch (answer->result) {
	case ORDER_DONE:
		if (answer->counted)
			return fitted(
			    snprintf(line, room, "done %s legs=%zu\n", state_name(answer->state),
				answer->legs < ORDER_LEGS_MAX ? answer->legs : ORDER_LEGS_MAX),
			    room);
		return fitted(snprintf(line, room, "done %s\n", state_name(answer->state)), room);
	case ORDER_GONE:
		return fitted(snprintf(line, room, "gone\n"), room);
	case ORDER_NO:
		return fitted(snprintf(line, room, "no %s\n", answer->why), room);
	case ORDER_UNKNOWN:
		break;
	}
	return fitted(snprintf(line, room, "unknown %s\n", state_name(answer->state)), room);
}
