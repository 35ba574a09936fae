#include "lib/dsn/letter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/dsn/part.h"

#define STEP          ((size_t)57 * 256) /* whole lines of base64 */
#define FILE_NAME_MAX 80
#define WORDS_MAX     (3 * LETTER_TEXT_MAX) /* each letter may become a '?' or get a CR */

/* The mail is looked at as one that comes back whole; there is always somebody who failed. */
static const struct dsn_rcpt somebody = {.action = DSN_FAILED};

static struct dsn as_dsn(const struct letter *letter)
{
	return (struct dsn){.id = letter->id,
	    .mta = letter->mta,
	    .from = letter->from,
	    .to = letter->to,
	    .now = letter->now,
	    .rcpt = &somebody,
	    .rcpts = 1,
	    .fd = letter->fd,
	    .offset = letter->offset,
	    .size = letter->size,
	    .ret = DSN_RETURN_FULL,
	    .full_max = letter->whole_max};
}

bool letter_address_fits(const char *address)
{
	return part_address_fits(address);
}

bool letter_prepare(const struct letter *letter, struct letter_form *form)
{
	struct dsn dsn = as_dsn(letter);

	*form = (struct letter_form){.kind = LETTER_PLAIN};
	form->utf8 = part_address_fits(letter->to) && !part_ascii(letter->to);
	form->eight_bit = form->utf8;
	if (letter->fd < 0)
		return true;

	if (!dsn_prepare(&dsn, &form->mail))
		return false;
	form->kind = form->mail.full                    ? LETTER_MAIL
		     : letter->size > letter->whole_max ? LETTER_HEADER
							: LETTER_FILE;
	if (form->kind != LETTER_FILE)
		form->eight_bit = form->mail.eight_bit;
	return true;
}

/* ---- the header --------------------------------------------------------------------------- */

static void subject(const struct letter *letter, struct out *out)
{
	struct buf text;

	buf_init(&text, 2 * LETTER_SUBJECT_MAX + 16);
	part_seen(&text, letter->subject, LETTER_SUBJECT_MAX);
	buf_add(&text, "", 1);
	out_text(out, "Subject: ");
	out_words(out, buf_ok(&text) ? text.bytes : "?");
	out_text(out, "\r\n");
	buf_free(&text);
}

static void header(const struct letter *letter, const struct letter_form *form, struct out *out)
{
	bool eight = form->kind != LETTER_FILE && form->mail.high && !form->mail.quoted;
	struct dsn dsn = as_dsn(letter);
	char host[PART_HOST_MAX + 1];

	part_host(&dsn, host);
	part_addresses(&dsn, host, out);
	subject(letter, out);
	out_text(out, "Date: ");
	out_date(out, letter->now);
	out_text(out, "\r\n");
	part_message_id(&dsn, host, out);
	out_text(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
	if (form->kind != LETTER_PLAIN)
		outf(out,
		    "Content-Type: multipart/mixed;\r\n"
		    "\tboundary=\"%s\"\r\n"
		    "Content-Transfer-Encoding: %s\r\n"
		    "\r\n"
		    "--%s\r\n",
		    form->mail.boundary, eight ? "8bit" : "7bit", form->mail.boundary);
	out_text(out, "Content-Type: text/plain; charset=utf-8\r\n"
		      "Content-Language: ja, en\r\n"
		      "Content-Transfer-Encoding: base64\r\n"
		      "\r\n");
}

/* ---- the parts ---------------------------------------------------------------------------- */

/* What can be seen, in lines that end in CRLF. */
static bool words(const struct letter *letter, struct out *out)
{
	size_t len = letter->text_len < LETTER_TEXT_MAX ? letter->text_len : LETTER_TEXT_MAX;
	struct buf line, text;
	bool good;

	buf_init(&line, LETTER_TEXT_MAX + 1);
	buf_init(&text, WORDS_MAX + 1);
	for (size_t at = 0; at < len && buf_ok(&line);) {
		const char *from = letter->text + at;
		const char *newline = memchr(from, '\n', len - at);
		size_t step = newline != NULL ? (size_t)(newline - from) : len - at;
		size_t bare = step > 0 && from[step - 1] == '\r' ? step - 1 : step;

		buf_clear(&line);
		for (size_t i = 0; i < bare; i++)
			buf_add(&line, from[i] != '\0' ? from + i : "?", 1);
		buf_add(&line, "", 1);
		if (buf_ok(&line))
			part_seen(&text, line.bytes, LETTER_TEXT_MAX);
		buf_add_text(&text, "\r\n");
		at += step + (newline != NULL);
	}

	good = buf_ok(&line) && buf_ok(&text);
	if (good)
		out_base64(out, text.bytes, text.len);
	else
		errno = ENOMEM;
	buf_free(&line);
	buf_free(&text);
	return good;
}

static void file_name(const struct letter *letter, char name[FILE_NAME_MAX + 5])
{
	size_t len = 0;

	for (const char *p = letter->name; p != NULL && *p != '\0' && len < FILE_NAME_MAX; p++) {
		bool fits = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
			    (*p >= 'A' && *p <= 'Z') || *p == '.' || *p == '-';

		name[len++] = (char)(fits ? *p : '-');
	}
	memcpy(name + len, ".eml", 5);
}

/* Every byte of the mail, as a file. */
static bool file(
    const struct letter *letter, const struct letter_form *form, const char *name, struct out *out)
{
	struct dsn dsn = as_dsn(letter);
	char bytes[STEP];

	outf(out,
	    "\r\n--%s\r\n"
	    "Content-Type: application/octet-stream; name=\"%s\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment; filename=\"%s\"\r\n"
	    "\r\n",
	    form->mail.boundary, name, name);
	for (uint64_t at = 0; at < letter->size && !out->stopped;) {
		uint64_t rest = letter->size - at;
		size_t step = rest < STEP ? (size_t)rest : STEP;

		if (!part_read(&dsn, at, bytes, step))
			return false;
		out_base64(out, bytes, step);
		at += step;
	}
	return true;
}

bool letter_write(
    const struct letter *letter, const struct letter_form *form, dsn_put *put, void *context)
{
	struct out out = {.put = put, .context = context, .held = -1};
	struct dsn dsn = as_dsn(letter);
	char name[FILE_NAME_MAX + 5];

	header(letter, form, &out);
	if (!words(letter, &out))
		return false;
	if (form->kind != LETTER_PLAIN) {
		file_name(letter, name);
		if (form->kind == LETTER_FILE ? !file(letter, form, name, &out)
					      : !part_returned(&dsn, &form->mail, name, &out))
			return false;
		outf(&out, "\r\n--%s--\r\n", form->mail.boundary);
	}
	out_flush(&out);
	return !out.stopped;
}
