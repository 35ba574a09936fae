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

static size_t put_field(char *line, size_t at, const struct log_field *field)
{
	char number[24];
	size_t room;

	at = put_text(line, at, " ", 1);
	at = put_text(line, at, field->key, strlen(field->key));
	at = put_text(line, at, "=", 1);
	if (field->text == NULL) {
		int n = snprintf(number, sizeof number, "%lld", (long long)field->number);

		return put_text(line, at, number, (size_t)n);
	}
	room = FACT_LINE_MAX - at;
	if (room > FACT_VALUE_MAX)
		room = FACT_VALUE_MAX;
	return at + xtext_encode_cut(field->text, strlen(field->text), line + at, room);
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
