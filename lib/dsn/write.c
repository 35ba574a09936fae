#include <errno.h>
#include <string.h>

#include "lib/dsn/part.h"
#include "lib/mime/utf8.h"

#define STEP         16384
#define ADDRESS_MAX  320
#define WORDS_MAX    ((size_t)1024 * 1024)
#define ID_MAX       100
#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."

bool dsn_put_buf(void *buf, const char *bytes, size_t len)
{
	buf_add(buf, bytes, len);
	return buf_ok(buf);
}

/* ---- names and addresses in our header ---- */

void part_host(const struct dsn *dsn, char host[PART_HOST_MAX + 1])
{
	size_t len = 0;

	for (const char *p = dsn->mta; p != NULL && *p != '\0' && len < PART_HOST_MAX; p++)
		host[len++] = (char)(strchr(NAME_LETTERS, *p) != NULL ? *p : '-');
	host[len] = '\0';
	if (len == 0)
		memcpy(host, "localhost", sizeof "localhost");
}

/* The bytes of one letter that may stand for itself in a header, or 0. */
static size_t letter(const char *text, size_t len)
{
	uint32_t point;
	size_t step = utf8_step(text, len, &point);

	if (step == 0 || point < ' ' || point == 0x7f || (point > 0x7f && utf8_unseen(point)))
		return 0;
	return step;
}

/* `text` up to `end` of letters, none of them one of `special`. */
static bool letters_only(const char *text, const char *end, const char *special)
{
	for (size_t step; text < end; text += step) {
		step = letter(text, (size_t)(end - text));
		if (step == 0 || (step == 1 && strchr(special, *text) != NULL))
			return false;
	}
	return true;
}

/* "…", with a backslash before each quote and backslash in it. */
static bool quoted_string(const char *text, const char *end)
{
	if (end - text < 2 || text[0] != '"' || end[-1] != '"')
		return false;
	for (text++, end--; text < end;) {
		size_t step;

		if (*text == '"')
			return false;
		text += *text == '\\';
		step = text < end ? letter(text, (size_t)(end - text)) : 0;
		if (step == 0)
			return false;
		text += step;
	}
	return true;
}

bool part_address_fits(const char *address)
{
	size_t len = address != NULL ? strlen(address) : 0;
	const char *at = len > 0 ? strrchr(address, '@') : NULL;
	const char *end = address + len;

	if (at == NULL || at == address || at + 1 == end || len > ADDRESS_MAX)
		return false;
	if (!letters_only(at + 1, end, " <>()[]\",:;\\@") &&
	    (at[1] != '[' || end[-1] != ']' || !letters_only(at + 2, end - 1, " <>()[]\",;\\@")))
		return false;
	return letters_only(address, at, " <>()[]\",:;\\@") || quoted_string(address, at);
}

enum dsn_action part_worst(const struct dsn *dsn)
{
	enum dsn_action worst = DSN_EXPANDED;

	for (size_t i = 0; i < dsn->rcpts; i++) {
		if (dsn->rcpt[i].action < worst)
			worst = dsn->rcpt[i].action;
	}
	return worst;
}

/* ---- the header ---- */

void part_message_id(const struct dsn *dsn, const char *host, struct out *out)
{
	size_t len = 0;

	out_text(out, "Message-ID: <");
	for (const char *p = dsn->id; p != NULL && *p != '\0' && len < ID_MAX; p++, len++)
		out_bytes(out, strchr(NAME_LETTERS, *p) != NULL ? p : "-", 1);
	outf(out, "%s@%s>\r\n", len == 0 ? "dsn" : "", host);
}

void part_addresses(const struct dsn *dsn, const char *host, struct out *out)
{
	out_text(out, "From: \"Mail Delivery System\" <");
	if (dsn->from != NULL && part_address_fits(dsn->from) && part_ascii(dsn->from))
		out_text(out, dsn->from);
	else
		outf(out, "MAILER-DAEMON@%s", host);
	out_text(out, ">\r\n");

	/* The envelope knows whom it is for: a field that could be misread helps nobody. */
	if (part_address_fits(dsn->to))
		outf(out, "To: <%s>\r\n", dsn->to);
	else
		out_text(out, "To: undisclosed-recipients:;\r\n");
}

static void header(const struct dsn *dsn, const struct dsn_form *form, struct out *out)
{
	static const char *const subjects[DSN_ACTIONS] = {
	    [DSN_FAILED] = "メールをお届けできませんでした / Your mail could not be delivered",
	    [DSN_DELAYED] = "メールの配送が遅れています / Your mail is delayed",
	    [DSN_DELIVERED] = "メールをお届けしました / Your mail has been delivered",
	    [DSN_RELAYED] = "メールを引き渡しました / Your mail has been passed on",
	    [DSN_EXPANDED] = "メールを引き渡しました / Your mail has been passed on"};
	static const char refused[] =
	    "メールは送信されませんでした（ルールによる拒否） / Your mail was refused by a rule";
	char host[PART_HOST_MAX + 1];

	part_host(dsn, host);
	part_addresses(dsn, host, out);
	out_text(out, "Subject: ");
	out_words(out, dsn->refusal != NULL ? refused : subjects[part_worst(dsn)],
	    sizeof "Subject: " - 1, NULL);
	out_text(out, "\r\nDate: ");
	out_date(out, dsn->now);
	out_text(out, "\r\n");
	part_message_id(dsn, host, out);
	if (form->original_id[0] != '\0')
		outf(out, "In-Reply-To: %s\r\nReferences: %s\r\n", form->original_id,
		    form->original_id);
	outf(out,
	    "Auto-Submitted: auto-replied\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"%s\"\r\n"
	    "Content-Transfer-Encoding: %s\r\n"
	    "\r\n",
	    form->boundary, form->high && !form->quoted ? "8bit" : "7bit");
}

/* ---- the parts ---- */

static bool words(const struct dsn *dsn, const struct dsn_form *form, struct out *out)
{
	struct buf text;
	bool good;

	buf_init(&text, WORDS_MAX);
	part_words(dsn, form, &text);
	good = buf_ok(&text);
	if (good) {
		outf(out,
		    "--%s\r\n"
		    "Content-Type: text/plain; charset=utf-8\r\n"
		    "Content-Language: ja, en\r\n"
		    "Content-Transfer-Encoding: base64\r\n"
		    "\r\n",
		    form->boundary);
		out_base64(out, text.bytes, text.len);
	} else {
		errno = ENOMEM;
	}
	buf_free(&text);
	return good;
}

bool part_returned(
    const struct dsn *dsn, const struct dsn_form *form, const char *name, struct out *out)
{
	static const char *const types[2][2] = {{"text/rfc822-headers", "message/global-headers"},
	    {"message/rfc822", "message/global"}};
	uint64_t len = form->full ? dsn->size : form->header;
	char bytes[STEP];

	outf(out,
	    "\r\n--%s\r\n"
	    "Content-Type: %s\r\n"
	    "Content-Transfer-Encoding: %s\r\n",
	    form->boundary, types[form->full][form->global],
	    form->quoted ? "quoted-printable"
	    : form->high ? "8bit"
			 : "7bit");
	if (name != NULL)
		outf(out, "Content-Disposition: attachment; filename=\"%s\"\r\n", name);
	out_text(out, "\r\n");

	out->held = -1;
	out->column = 0;
	for (uint64_t at = 0; at < len && !out->stopped;) {
		size_t step = len - at < STEP ? (size_t)(len - at) : STEP;

		if (!part_read(dsn, at, bytes, step))
			return false;
		if (form->quoted)
			out_quoted(out, bytes, step);
		else
			out_bytes(out, bytes, step);
		at += step;
	}
	if (form->quoted)
		out_quoted_end(out);
	return true;
}

bool dsn_write(const struct dsn *dsn, const struct dsn_form *form, dsn_put *put, void *context)
{
	struct out out = {.put = put, .context = context, .held = -1};

	header(dsn, form, &out);
	if (!words(dsn, form, &out))
		return false;
	outf(&out, "\r\n--%s\r\nContent-Type: message/delivery-status\r\n\r\n", form->boundary);
	part_fields(dsn, &out);
	if (!part_returned(dsn, form, NULL, &out))
		return false;
	outf(&out, "\r\n--%s--\r\n", form->boundary);
	out_flush(&out);
	return !out.stopped;
}
