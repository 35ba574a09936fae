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

bool letter_read_header(int fd, off_t offset, uint64_t size, struct buf *header)
{
	struct dsn dsn = {.fd = fd, .offset = offset, .size = size};

	return part_header(&dsn, header);
}

static bool as_file(enum letter_kind kind)
{
	return kind == LETTER_FILE || kind == LETTER_DRAFT;
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
	form->kind = letter->draft                      ? LETTER_DRAFT
		     : form->mail.full                  ? LETTER_MAIL
		     : letter->size > letter->whole_max ? LETTER_HEADER
							: LETTER_FILE;
	if (!as_file(form->kind))
		form->eight_bit = form->mail.eight_bit;
	return true;
}

/* ---- the words ---------------------------------------------------------------------------- */

/* The subject and the text as they are written: both in one charset. */
struct written {
	struct buf subject; /* UTF-8, and a NUL behind it */
	struct buf text;    /* lines that end in CRLF */
	struct letter_jis *jis;
	bool base64; /* of the text */
};

static void written_free(struct written *w)
{
	buf_free(&w->subject);
	buf_free(&w->text);
}

/* What can be seen, in lines that end in CRLF. False: no memory. */
static bool add_lines(const struct letter *letter, struct buf *text)
{
	size_t len = letter->text_len < LETTER_TEXT_MAX ? letter->text_len : LETTER_TEXT_MAX;
	struct buf line;
	bool good;

	buf_init(&line, LETTER_TEXT_MAX + 1);
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
			part_line(text, line.bytes, LETTER_TEXT_MAX);
		buf_add_text(text, "\r\n");
		at += step + (newline != NULL);
	}
	good = buf_ok(&line) && buf_ok(text);
	buf_free(&line);
	return good;
}

/* RFC 5322 section 2.1.1 */
static bool lines_fit(const struct buf *text)
{
	for (size_t at = 0; at < text->len;) {
		const char *newline = memchr(text->bytes + at, '\n', text->len - at);
		size_t end = newline != NULL ? (size_t)(newline - text->bytes) : text->len;

		if (end - at > PART_LINE_MAX + 1) /* its CR */
			return false;
		at = end + 1;
	}
	return true;
}

/* In ISO-2022-JP, if it has every letter of both; otherwise nothing is changed. */
static void try_jis(struct letter_jis *jis, struct written *w)
{
	struct buf subject, text;

	buf_init(&subject, 8 * LETTER_SUBJECT_MAX + 2048);
	buf_init(&text, 8 * WORDS_MAX);
	if (letter_jis_add(jis, w->subject.bytes, w->subject.len - 1, &subject) &&
	    letter_jis_add(jis, w->text.bytes, w->text.len, &text)) {
		buf_free(&w->text);
		w->text = text;
		w->jis = jis;
		w->base64 = !lines_fit(&w->text);
	} else {
		buf_free(&text);
	}
	buf_free(&subject);
}

/* False: no memory; nothing is left to free. */
static bool write_words(const struct letter *letter, struct written *w)
{
	*w = (struct written){.base64 = true};
	buf_init(&w->subject, 3 * LETTER_SUBJECT_MAX + 16);
	buf_init(&w->text, WORDS_MAX + 1);
	part_line(&w->subject, letter->subject, LETTER_SUBJECT_MAX);
	buf_add(&w->subject, "", 1);
	if (!add_lines(letter, &w->text) || !buf_ok(&w->subject)) {
		written_free(w);
		errno = ENOMEM;
		return false;
	}
	if (letter->jis != NULL && w->text.len > 0)
		try_jis(letter->jis, w);
	return true;
}

/* ---- the header --------------------------------------------------------------------------- */

static void content_type(const struct letter *letter, const struct written *w, struct out *out)
{
	outf(out,
	    "Content-Type: text/plain; charset=%s\r\n"
	    "Content-Language: %s\r\n"
	    "Content-Transfer-Encoding: %s\r\n"
	    "\r\n",
	    w->jis != NULL ? "iso-2022-jp" : "utf-8",
	    letter->language != NULL ? letter->language : "ja, en", w->base64 ? "base64" : "7bit");
}

static void header(const struct letter *letter, const struct letter_form *form,
    const struct written *w, struct out *out)
{
	bool eight = !as_file(form->kind) && form->mail.high && !form->mail.quoted;
	struct dsn dsn = as_dsn(letter);
	char host[PART_HOST_MAX + 1];

	part_host(&dsn, host);
	part_addresses(&dsn, host, out);
	out_text(out, "Subject: ");
	out_words(out, w->subject.bytes, sizeof "Subject: " - 1, w->jis);
	out_text(out, "\r\nDate: ");
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
	content_type(letter, w, out);
}

/* ---- the attachment ----------------------------------------------------------------------- */

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

/* As Outlook writes its own drafts. */
static const char unsent[] = "X-Unsent: 1\r\n";

/* Every byte of the mail, as a file; on top of a draft one field more. */
static bool file(
    const struct letter *letter, const struct letter_form *form, const char *name, struct out *out)
{
	size_t top = form->kind == LETTER_DRAFT ? sizeof unsent - 1 : 0;
	struct dsn dsn = as_dsn(letter);
	char bytes[STEP];

	outf(out,
	    "\r\n--%s\r\n"
	    "Content-Type: application/octet-stream; name=\"%s\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment; filename=\"%s\"\r\n"
	    "\r\n",
	    form->mail.boundary, name, name);
	memcpy(bytes, unsent, top);
	for (uint64_t at = 0; (at < letter->size || top > 0) && !out->stopped;) {
		uint64_t rest = letter->size - at;
		size_t step = rest < STEP - top ? (size_t)rest : STEP - top;

		if (!part_read(&dsn, at, bytes + top, step))
			return false;
		out_base64(out, bytes, top + step);
		at += step;
		top = 0;
	}
	return true;
}

bool letter_write(
    const struct letter *letter, const struct letter_form *form, dsn_put *put, void *context)
{
	struct out out = {.put = put, .context = context, .held = -1};
	struct dsn dsn = as_dsn(letter);
	char name[FILE_NAME_MAX + 5];
	struct written written;

	if (!write_words(letter, &written))
		return false;
	header(letter, form, &written, &out);
	if (written.base64)
		out_base64(&out, written.text.bytes, written.text.len);
	else
		out_bytes(&out, written.text.bytes, written.text.len);
	written_free(&written);

	if (form->kind != LETTER_PLAIN) {
		file_name(letter, name);
		if (as_file(form->kind) ? !file(letter, form, name, &out)
					: !part_returned(&dsn, &form->mail, name, &out))
			return false;
		outf(&out, "\r\n--%s--\r\n", form->mail.boundary);
	}
	out_flush(&out);
	return !out.stopped;
}
