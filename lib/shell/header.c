#include "lib/shell/header.h"

#include <string.h>
#include <strings.h>

void header_fold(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] - 'A' + 'a');
	}
}

/* Which HEADER_BIT a field of this name answers; 0: none. */
static unsigned bit_of(const char *name, size_t len)
{
	static const struct {
		const char *name;
		enum header_field field;
	} known[] = {
	    {"from", HEADER_FROM},
	    {"sender", HEADER_FROM},
	    {"to", HEADER_TO},
	    {"cc", HEADER_TO},
	    {"bcc", HEADER_TO},
	    {"subject", HEADER_SUBJECT},
	    {"message-id", HEADER_MESSAGE_ID},
	};

	while (len > 0 && (name[len - 1] == ' ' || name[len - 1] == '\t'))
		len--; /* "Subject :", as old mail has it */
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (strlen(known[i].name) == len && strncasecmp(known[i].name, name, len) == 0)
			return HEADER_BIT(known[i].field);
	}
	return 0;
}

/* The length of the line at `p`, its newline included. */
static size_t line_length(const char *p, const char *end)
{
	const char *newline = memchr(p, '\n', (size_t)(end - p));

	return newline == NULL ? (size_t)(end - p) : (size_t)(newline - p) + 1;
}

/* Copies [p, end) without its CR and LF; returns the length. */
static size_t unfold(const char *p, const char *end, char *out)
{
	size_t len = 0;

	for (; p < end; p++) {
		if (*p != '\r' && *p != '\n')
			out[len++] = *p;
	}
	return len;
}

static unsigned match_field(const struct header_query *query, unsigned bit, const char *value,
    const char *end, char *scratch)
{
	for (unsigned f = 0; f < HEADER_FIELDS; f++) {
		size_t len;

		if (bit != HEADER_BIT(f) || query->text[f] == NULL)
			continue;
		len = unfold(value, end, scratch);
		header_fold(scratch, len);
		if (memmem(scratch, len, query->text[f], strlen(query->text[f])) != NULL)
			return bit;
	}
	return 0;
}

unsigned header_match(
    const struct header_query *query, const char *bytes, size_t len, char *scratch)
{
	const char *p = bytes, *end = bytes + len;
	unsigned found = 0;

	while (p < end && *p != '\n' && !(*p == '\r' && p + 1 < end && p[1] == '\n')) {
		const char *field = p, *colon;

		do
			p += line_length(p, end);
		while (p < end && (*p == ' ' || *p == '\t'));

		colon = memchr(field, ':', (size_t)(p - field));
		if (colon != NULL)
			found |= match_field(
			    query, bit_of(field, (size_t)(colon - field)), colon + 1, p, scratch);
	}
	return p < end ? found : found | HEADER_CUT;
}
