/* Whether a file is text, and which. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/extract/magic.h"
#include "lib/extract/state.h"

#define LOOKED_AT ((size_t)2048) /* for the first words of a text */

/* ---- is it text ------------------------------------------------------------------------------ */

static bool is_control(unsigned char c)
{
	return (c < 0x20 && strchr("\t\n\v\f\r\b\x1b\x1a", c) == NULL) || c == 0x7f;
}

/*
 * UTF-16: a mark of byte order, or a third and more of the bytes at even, or at odd places, are
 * zero and none at the others (ASCII, and Japanese text holds ASCII).
 */
static bool is_utf16(const unsigned char *head, size_t len)
{
	size_t zeros[2] = {0, 0};

	if (len >= 2 &&
	    ((head[0] == 0xff && head[1] == 0xfe) || (head[0] == 0xfe && head[1] == 0xff)))
		return true;
	if (len < 4 || len % 2 != 0)
		return false;
	for (size_t i = 0; i < len; i++)
		zeros[i % 2] += head[i] == 0;
	return (zeros[0] == 0 && zeros[1] > len / 6) || (zeros[1] == 0 && zeros[0] > len / 6);
}

bool magic_is_text(const unsigned char *head, size_t len)
{
	size_t controls = 0;

	if (is_utf16(head, len))
		return true;
	for (size_t i = 0; i < len; i++) {
		if (head[i] == '\0')
			return false;
		controls += is_control(head[i]);
	}
	return controls <= len / 200;
}

/* ---- which text ------------------------------------------------------------------------------ */

static bool begins(const char *text, const char *word)
{
	return strncasecmp(text, word, strlen(word)) == 0;
}

static bool name_ends(const char *name, const char *const *ends, size_t n)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < n; i++) {
		size_t end = strlen(ends[i]);

		if (len >= end && strcasecmp(name + len - end, ends[i]) == 0)
			return true;
	}
	return false;
}

/* Behind blanks, a mark of byte order, a declaration of XML and comments. */
static const char *first_element(const char *text)
{
	for (;;) {
		const char *end;

		text += strspn(text, " \t\r\n\f\xef\xbb\xbf");
		if (begins(text, "<!--"))
			end = strstr(text, "-->");
		else if (begins(text, "<?xml"))
			end = strstr(text, "?>");
		else
			return text;
		if (end == NULL)
			return text;
		text = end + (begins(text, "<!--") ? 3 : 2);
	}
}

static bool is_html(const char *text, const char *name)
{
	static const char *const words[] = {"<!doctype html", "<html", "<head", "<body", "<title",
	    "<script", "<style", "<table", "<meta", "<div", "<p>", "<a href", "<font"};
	static const char *const ends[] = {".htm", ".html", ".xhtml", ".hta", ".shtml"};
	const char *first = first_element(text);

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (begins(first, words[i]))
			return true;
	}
	return name_ends(name, ends, COUNT_OF(ends)) && strchr(text, '<') != NULL;
}

/* The length of a field's name if the line is a field of a header (RFC 5322, 2.2), or 0. */
static size_t field_name(const char *line)
{
	size_t n = 0;

	while (line[n] > ' ' && line[n] < 0x7f && line[n] != ':')
		n++;
	return line[n] == ':' ? n : 0;
}

static bool is_known_field(const char *line, size_t len)
{
	static const char *const names[] = {"Received", "Return-Path", "From", "To", "Date",
	    "Subject", "Message-ID", "MIME-Version", "Delivered-To", "Reply-To", "Sender",
	    "Content-Type", "X-Original-To", "DKIM-Signature", "ARC-Seal", "Cc"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strlen(names[i]) == len && strncasecmp(line, names[i], len) == 0)
			return true;
	}
	return false;
}

/* A message begins with fields of which mail has at least two. */
static bool is_mail(const char *text, const char *name)
{
	static const char *const ends[] = {".eml", ".mht", ".mhtml"};
	unsigned known = 0, fields = 0;
	unsigned wanted = name_ends(name, ends, COUNT_OF(ends)) ? 1 : 2;

	if (begins(text, "From ") && strchr(text, '\n') != NULL)
		text = strchr(text, '\n') + 1;
	while (fields < 64 && known < wanted) {
		size_t len = field_name(text);
		const char *end = strchr(text, '\n');

		if (*text != ' ' && *text != '\t') {
			if (len == 0)
				return false;
			fields++;
			known += is_known_field(text, len);
		}
		if (end == NULL)
			break;
		text = end + 1;
	}
	return known >= wanted;
}

static const char *script_type(const char *text, const char *name)
{
	static const char *const shells[] = {
	    ".bat", ".cmd", ".vbs", ".vbe", ".js", ".jse", ".wsf", ".ps1", ".psm1", ".sh", ".hta"};

	if (begins(text, "#!"))
		return "text/x-script";
	if (begins(text, "@echo off"))
		return "text/x-msdos-batch";
	if (name_ends(name, shells, COUNT_OF(shells)))
		return "text/x-script";
	return NULL;
}

static const char *plain_type(const char *text, const char *name)
{
	static const char *const csv[] = {".csv"}, *const tsv[] = {".tsv"};
	static const char *const calendar[] = {".ics"};

	if (begins(text, "BEGIN:VCALENDAR") || name_ends(name, calendar, 1))
		return "text/calendar";
	if (begins(text, "BEGIN:VCARD"))
		return "text/vcard";
	if (begins(text, "<?xml"))
		return "text/xml";
	if (begins(text, "%!PS"))
		return "application/postscript";
	if (begins(text, "-----BEGIN PGP MESSAGE"))
		return MAGIC_PGP;
	if (name_ends(name, csv, 1))
		return "text/csv";
	return name_ends(name, tsv, 1) ? "text/tab-separated-values" : "text/plain";
}

enum file_format magic_text_kind(
    const unsigned char *head, size_t len, const char *name, char *type, size_t room)
{
	char first[LOOKED_AT + 1];
	enum file_format format = FORMAT_TEXT;
	const char *said, *script, *text = first;
	size_t n = 0;

	/* Letters of UTF-16 that are ASCII look like ASCII without their zeros. */
	for (size_t i = 0; i < len && n < LOOKED_AT; i++) {
		if (head[i] != '\0')
			first[n++] = (char)head[i];
	}
	first[n] = '\0';
	text += strspn(text, "\xef\xbb\xbf\xff\xfe");

	script = script_type(text, name);
	said = plain_type(text, name);
	if (begins(text, "{\\rt")) {
		format = FORMAT_RTF;
		said = "text/rtf";
	} else if (begins(text, "-----BEGIN PGP SIGNATURE")) {
		format = FORMAT_SIGNATURE;
		said = "application/pgp-signature";
	} else if (is_html(text, name)) {
		format = FORMAT_HTML;
		said = "text/html";
	} else if (script != NULL) {
		format = FORMAT_PROGRAM;
		said = script;
	} else if (is_mail(text, name)) {
		format = FORMAT_MAIL;
		said = "message/rfc822";
	}
	(void)snprintf(type, room, "%s", said);
	return format;
}
