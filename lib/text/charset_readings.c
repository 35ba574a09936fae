/* In which charsets programs may read one text. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/text/charset_inside.h"

#define DECLARED_WITHIN ((size_t)1024)

/* ---- what HTML says of itself ---- */

static bool is_blank(char c)
{
	return c != '\0' && strchr(" \t\r\n\f", c) != NULL;
}

/* The form that `charset=` names within one element of meta; NULL: none that is known. */
static const struct charset_form *charset_in(const char *tag)
{
	char label[CHARSET_LABEL_MAX + 1];
	const char *at = tag;
	size_t n;

	while ((at = strcasestr(at, "charset")) != NULL) {
		at += 7;
		while (is_blank(*at))
			at++;
		if (*at != '=')
			continue;
		at++;
		while (is_blank(*at) || *at == '"' || *at == '\'')
			at++;
		n = strcspn(at, " \t\r\n\f\"';/>");
		if (n == 0 || n > CHARSET_LABEL_MAX)
			continue;
		memcpy(label, at, n);
		label[n] = '\0';
		return charset_form_of(label);
	}
	return NULL;
}

static const struct charset_form *declared(const char *head, size_t len)
{
	char text[DECLARED_WITHIN + 1];
	const char *at = text;

	if (len > DECLARED_WITHIN)
		len = DECLARED_WITHIN;
	for (size_t i = 0; i < len; i++)
		text[i] = head[i] == '\0' ? ' ' : head[i];
	text[len] = '\0';

	while ((at = strcasestr(at, "<meta")) != NULL) {
		const struct charset_form *form;
		char tag[DECLARED_WITHIN + 1];
		size_t n = strcspn(at, ">");

		memcpy(tag, at, n);
		tag[n] = '\0';
		at += n;
		form = charset_in(tag);
		/* Whoever could read this is no text of wide letters. */
		if (form != NULL && form->kind != CHARSET_UTF16 && form->kind != CHARSET_UTF32)
			return form;
	}
	return NULL;
}

/* ---- which ---- */

/* Charsets in which each byte is a letter, hardly one of them beyond ASCII. */
static bool is_western(const struct charset_form *form)
{
	static const char *const names[] = {"windows-1250", "windows-1252", "windows-1254",
	    "windows-1257", "iso-8859-2", "iso-8859-3", "iso-8859-4", "iso-8859-10", "iso-8859-13",
	    "iso-8859-14", "iso-8859-15", "iso-8859-16", "ibm437", "ibm850", "macintosh"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(form->name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool is_ascii(const char *head, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)head[i] >= 0x80 || head[i] == '\x1b')
			return false;
	}
	return true;
}

/* What is cut at the end of a window is no fault: it is read up to its last line. */
static size_t whole_lines(const char *head, size_t len)
{
	size_t n = len;

	while (n > 0 && head[n - 1] != '\n')
		n--;
	return n > 0 ? n : len;
}

/* Text of such a charset, in letters that were not meant so, would hardly be whole in it. */
static bool proves_itself(const struct charset_form *form, const char *head, size_t len)
{
	const struct charset_form *found = charset_unlike_western(head, whole_lines(head, len));

	return form->kind == CHARSET_UTF8 && found == form;
}

static void add_other(struct charset_readings *r, const struct charset_form *form)
{
	for (size_t i = 0; i < r->count; i++) {
		if (r->others[i] == form->name)
			return;
	}
	if (r->count < CHARSET_OTHERS_MAX)
		r->others[r->count++] = form->name;
}

void charset_readings_of(
    const char *label, const char *head, size_t len, bool is_html, struct charset_readings *r)
{
	const struct charset_form *labelled = charset_form_of(label), *first = labelled;
	const struct charset_form *meta = is_html ? declared(head, len) : NULL, *found;
	bool none = labelled == NULL || labelled->kind == CHARSET_GUESS;

	*r = (struct charset_readings){.count = 0};
	(void)snprintf(r->label, sizeof r->label, "%s", label);
	if (none && meta != NULL && meta->kind != CHARSET_GUESS &&
	    (labelled != NULL || *label == '\0')) {
		first = meta;
		(void)snprintf(r->label, sizeof r->label, "%s", meta->name);
	}
	if (first == NULL)
		return;

	if (meta != NULL && meta->kind != CHARSET_GUESS && meta != first) {
		add_other(r, meta);
		r->differ = !is_ascii(head, len) && !proves_itself(first, head, len);
	}
	found = is_western(first) ? charset_unlike_western(head, whole_lines(head, len)) : NULL;
	if (found != NULL) {
		add_other(r, found);
		r->differ = true;
	}
	/* Its plus signs are letters to whoever does not take it for that. */
	if (first->kind == CHARSET_UTF7 && none)
		add_other(r, charset_form_of("utf-8"));
}
