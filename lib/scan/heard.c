#include "lib/scan/heard.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/xtext.h"

bool heard_begin(struct heard *heard)
{
	heard_free(heard);
	heard->facts = facts_new();
	return heard->facts != NULL;
}

void heard_free(struct heard *heard)
{
	facts_free(heard->facts);
	*heard = (struct heard){.fault = HEARD_FINE};
}

const char *heard_fault_word(enum heard_fault fault)
{
	static const char *const words[] = {
#define F(name, word) [HEARD_##name] = word,
	    HEARD_FAULTS(F)
#undef F
		[HEARD_FINE] = "none"};

	return words[fault];
}

/* ---- one line ----------------------------------------------------------------------------- */

struct line {
	const char *text;
	size_t len;
};

static bool begins(const struct line *line, const char *with)
{
	size_t n = strlen(with);

	return line->len >= n && memcmp(line->text, with, n) == 0;
}

/* The value behind " reason="; "" if it is none. */
static void reason_of(const struct line *line, char value[FACTS_REASON])
{
	static const char key[] = " reason=";
	const char *at = memmem(line->text, line->len, key, sizeof key - 1);
	size_t n = 0;

	value[0] = '\0';
	if (at == NULL)
		return;
	at += sizeof key - 1;
	while (at + n < line->text + line->len && at[n] != ' ')
		n++;
	if (n >= FACTS_REASON || !xtext_valid(at, n))
		return;
	memcpy(value, at, n);
	value[n] = '\0';
}

static void take_line(struct heard *heard, const struct line *line)
{
	static const char whole[] = "uninspectable part=0 ";

	/* The employer's own word, for the sandbox reaches no clamd. */
	if (begins(line, "virus "))
		return;
	if (begins(line, whole))
		reason_of(line, heard->last);
	else
		heard->told = true;
}

void heard_lines(struct heard *heard, const char *lines, size_t len)
{
	const char *newline;

	facts_lines(heard->facts, lines, len);
	while ((newline = memchr(lines, '\n', len)) != NULL) {
		struct line line = {lines, (size_t)(newline - lines)};

		take_line(heard, &line);
		lines += line.len + 1;
		len -= line.len + 1;
	}
}

/* ---- the end ------------------------------------------------------------------------------ */

/*
 * Who was cut off says why in his last line, which is inspect_ask's own: what an inspector says
 * that a message has taken over cannot pass for it.
 */
static enum heard_fault fault_of(const struct heard *heard)
{
	if (strcmp(heard->last, heard_fault_word(HEARD_UNREACHABLE)) == 0)
		return HEARD_UNREACHABLE;
	if (strcmp(heard->last, heard_fault_word(HEARD_SCRATCH)) == 0)
		return HEARD_SCRATCH;
	if (strcmp(heard->last, heard_fault_word(HEARD_KILLED)) == 0 && !heard->told)
		return HEARD_KILLED;
	return HEARD_FINE;
}

void heard_end(struct heard *heard, enum inspect_result result)
{
	facts_end(heard->facts, result == INSPECT_TOLD);
	switch (result) {
	case INSPECT_TOLD:
		heard->fault = HEARD_FINE;
		break;
	case INSPECT_CUT:
		heard->fault = fault_of(heard);
		break;
	case INSPECT_REFUSED:
		heard->fault = HEARD_REFUSED;
		break;
	}
}

void heard_failed(struct heard *heard, enum heard_fault fault, const char *why)
{
	heard->fault = fault;
	(void)snprintf(heard->why, sizeof heard->why, "%s", why);
}
