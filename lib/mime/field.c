#include "lib/mime/field.h"

#include <string.h>
#include <strings.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Where the line that begins at `start` ends, its CRLF included. */
static size_t line_end(const char *header, size_t len, size_t start)
{
	for (size_t at = start; at < len; at++) {
		const char *newline = memchr(header + at, '\n', len - at);

		if (newline == NULL)
			return len;
		at = (size_t)(newline - header);
		if (at > start && header[at - 1] == '\r')
			return at + 1;
	}
	return len;
}

static bool ends_in_crlf(const char *text, size_t len)
{
	return len >= 2 && text[len - 2] == '\r' && text[len - 1] == '\n';
}

/* The length of the name at the start of a line, and where its colon is; 0: it has none. */
static size_t name_length(const char *line, size_t len, size_t *colon)
{
	size_t name = 0;

	while (name < len && line[name] > ' ' && line[name] < 0x7f && line[name] != ':')
		name++;

	*colon = name;
	while (*colon < len && blank(line[*colon]))
		(*colon)++;
	return *colon < len && line[*colon] == ':' ? name : 0;
}

/* A CR or LF by itself is a line's end to some programs, so that they see a field more. */
static bool stray(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\r' && (i + 1 == len || text[i + 1] != '\n'))
			return true;
		if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
			return true;
	}
	return false;
}

bool field_next(const char *header, size_t len, size_t *at, struct field *field)
{
	size_t start = *at;
	const char *line;
	size_t end;
	size_t name;
	size_t body;

	if (start >= len || (len - start >= 2 && memcmp(header + start, "\r\n", 2) == 0))
		return false;

	line = header + start;
	end = line_end(header, len, start);
	name = name_length(line, end - start, &body);
	while (name > 0 && end < len && blank(header[end]))
		end = line_end(header, len, end);
	if (stray(line, end - start))
		name = 0;

	body = name > 0 ? body + 1 : 0;
	*field = (struct field){.name = line, .name_len = name, .start = start, .end = end};
	field->body = line + body;
	field->body_len = end - start - body;
	if (ends_in_crlf(field->body, field->body_len))
		field->body_len -= 2;
	*at = end;
	return true;
}

bool field_is(const struct field *field, const char *name)
{
	size_t len = strlen(name);

	return len > 0 && field->name_len == len && strncasecmp(field->name, name, len) == 0;
}

size_t header_end(const char *bytes, size_t len, size_t *state)
{
	for (size_t at = *state; at < len; at++) {
		const char *newline = memchr(bytes + at, '\n', len - at);

		if (newline == NULL)
			break;
		at = (size_t)(newline - bytes);
		if (!ends_in_crlf(bytes, at + 1))
			continue;
		if (at == 1 || ends_in_crlf(bytes, at - 1)) {
			*state = at; /* asked again, it says the same again */
			return at + 1;
		}
	}
	*state = len;
	return 0;
}
