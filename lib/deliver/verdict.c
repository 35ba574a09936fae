#include "lib/deliver/verdict.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/xtext.h"

#define REPLY_PLAIN_MAX ((size_t)1000)

const char *verdict_value(const char *text, size_t len, const char *key, size_t *value_len)
{
	const char *end = text + len;
	size_t key_len = strlen(key);

	for (const char *p = text; p < end;) {
		const char *blank = memchr(p, ' ', (size_t)(end - p));
		size_t n = (size_t)((blank != NULL ? blank : end) - p);

		if (n > key_len && memcmp(p, key, key_len) == 0 && p[key_len] == '=') {
			*value_len = n - key_len - 1;
			return p + key_len + 1;
		}
		p += n + 1;
	}
	return NULL;
}

static bool is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

static bool read_class(const char *text, size_t len, enum remote_class *class)
{
	const char *end = text + len;

	for (const char *p = text; p < end;) {
		const char *blank = memchr(p, ' ', (size_t)(end - p));
		size_t n = (size_t)((blank != NULL ? blank : end) - p);

		for (int c = REMOTE_DELIVERED; c <= REMOTE_UNTRIED; c++) {
			if (is(p, n, remote_class_word((enum remote_class)c))) {
				*class = (enum remote_class)c;
				return true;
			}
		}
		p += n + 1;
	}
	return false;
}

static bool read_phase(const char *text, size_t len, enum remote_phase *phase)
{
	for (int p = PHASE_CONNECT; p <= PHASE_LOCAL; p++) {
		if (is(text, len, remote_phase_word((enum remote_phase)p))) {
			*phase = (enum remote_phase)p;
			return true;
		}
	}
	return false;
}

static bool read_code(const char *text, size_t len, int *code)
{
	*code = 0;
	if (len != 3)
		return false;
	for (size_t i = 0; i < 3; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*code = *code * 10 + (text[i] - '0');
	}
	return true;
}

/* D.N.N, each N of one to three digits (RFC 3463 section 2). */
static bool read_status(const char *text, size_t len, char status[VERDICT_STATUS_MAX])
{
	size_t dots = 0, digits = 0;

	if (len >= VERDICT_STATUS_MAX || len < 1 ||
	    (text[0] != '2' && text[0] != '4' && text[0] != '5'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.' && digits > 0) {
			dots++;
			digits = 0;
		} else if (text[i] < '0' || text[i] > '9' || ++digits > (dots == 0 ? 1 : 3)) {
			return false;
		}
	}
	if (dots != 2 || digits == 0)
		return false;
	memcpy(status, text, len);
	status[len] = '\0';
	return true;
}

bool verdict_read(const char *text, size_t len, struct verdict *v)
{
	size_t n;
	const char *value;

	*v = (struct verdict){.code = 0};
	if (!read_class(text, len, &v->class))
		return false;
	value = verdict_value(text, len, "phase", &n);
	if (value == NULL || !read_phase(value, n, &v->phase))
		return false;
	value = verdict_value(text, len, "code", &n);
	if (value == NULL || !read_code(value, n, &v->code))
		return false;
	value = verdict_value(text, len, "status", &n);
	if (value == NULL || !read_status(value, n, v->status))
		return false;
	value = verdict_value(text, len, "reply", &n);
	if (value == NULL || n > VERDICT_REPLY_MAX || !xtext_valid(value, n))
		return false;
	memcpy(v->reply, value, n);
	return true;
}

void verdict_make(struct verdict *v, enum remote_class class, enum remote_phase phase,
    const char *status, const char *reply)
{
	size_t len = strlen(reply);

	*v = (struct verdict){.class = class, .phase = phase};
	(void)snprintf(v->status, sizeof v->status, "%s", status);
	(void)xtext_encode_cut(
	    reply, len < REPLY_PLAIN_MAX ? len : REPLY_PLAIN_MAX, v->reply, VERDICT_REPLY_MAX);
}

void verdict_plain(const char *reply, char plain[VERDICT_REPLY_MAX + 1])
{
	size_t len = strnlen(reply, VERDICT_REPLY_MAX);

	if (!xtext_decode(reply, len, plain, &len))
		len = 0;
	plain[len] = '\0';
}

/* Digits at `*p`; 0: none, or too many. */
static size_t number(const char **p, const char *end)
{
	size_t n = 0, digits = 0;

	for (; *p < end && **p >= '0' && **p <= '9' && digits < 7; (*p)++, digits++)
		n = n * 10 + (size_t)(**p - '0');
	return n;
}

bool verdict_rcpts(const char *text, size_t len, size_t most, verdict_rcpt *each, void *context)
{
	size_t n, last = 0;
	const char *p = verdict_value(text, len, "rcpt", &n), *end;

	if (p == NULL || n == 0)
		return false;
	for (end = p + n; p < end; p++) {
		size_t from = number(&p, end), to = from;

		if (p < end && *p == '-') {
			p++;
			to = number(&p, end);
		}
		if (from <= last || to < from || to > most || (p < end && *p != ','))
			return false;
		for (size_t i = from; i <= to; i++)
			each(context, i - 1);
		last = to;
	}
	return true;
}
