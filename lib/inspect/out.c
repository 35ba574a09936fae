#include "lib/inspect/out.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/xtext.h"

void facts_open(struct facts_out *out, int socket)
{
	out->socket = socket;
	out->gone = out->hold = out->over = false;
	out->len = 0;
}

void facts_flush(struct facts_out *out)
{
	if (out->len > 0 && !out->gone)
		out->gone = !packet_send(out->socket, 'F', out->text, out->len);
	out->len = 0;
}

static size_t put_text(char *line, size_t at, const char *text, size_t len)
{
	if (len > FACT_LINE_MAX - at)
		len = FACT_LINE_MAX - at;
	memcpy(line + at, text, len);
	return at + len;
}

/* So much of a value is shown: it ends between two letters. */
static size_t whole_letters(const char *text)
{
	size_t len = strnlen(text, FACT_VALUE_MAX + 1);

	if (len <= FACT_VALUE_MAX)
		return len;
	len = FACT_VALUE_MAX;
	while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
		len--;
	return len;
}

static size_t put_field(char *line, size_t at, const struct log_field *field)
{
	char number[24];

	at = put_text(line, at, " ", 1);
	at = put_text(line, at, field->key, strlen(field->key));
	at = put_text(line, at, "=", 1);
	if (field->text == NULL) {
		int n = snprintf(number, sizeof number, "%lld", (long long)field->number);

		return put_text(line, at, number, (size_t)n);
	}
	return at + xtext_encode_cut(
			field->text, whole_letters(field->text), line + at, FACT_LINE_MAX - at);
}

void facts_line(struct facts_out *out, const char *word, const struct log_field *fields, size_t n)
{
	char line[FACT_LINE_MAX + 1];
	size_t at = put_text(line, 0, word, strlen(word));

	for (size_t i = 0; i < n; i++)
		at = put_field(line, at, &fields[i]);
	line[at++] = '\n';
	if (out->len + at > sizeof out->text) {
		if (out->hold) {
			out->over = true;
			return;
		}
		facts_flush(out);
	}
	memcpy(out->text + out->len, line, at);
	out->len += at;
}
