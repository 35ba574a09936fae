/*
 * A letter about anything: its header has our fields and no other, every line ends in CRLF and has at most
 * 998 bytes, it is ASCII when it says so, its boundary parts it and stands nowhere else, and what is
 * attached as it is is what was sent.
 *
 * The input: two bytes of choices, twelve texts that end in NUL, and the mail or the words.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/dsn/letter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXTS 12

static void must(bool so)
{
	if (!so)
		abort();
}

static void check_lines(const struct buf *b, const struct letter_form *form)
{
	size_t len = 0;

	for (size_t i = 0; i < b->len; i++) {
		char c = b->bytes[i];

		must(c != '\0');
		must((c == '\n') == (i > 0 && b->bytes[i - 1] == '\r'));
		must(form->eight_bit || (unsigned char)c < 0x80);
		len = c == '\n' ? 0 : len + (c != '\r');
		must(len <= 998);
	}
	must(b->len > 2 && b->bytes[b->len - 1] == '\n');
}

/* Returns where the body begins. */
static size_t check_header(const struct buf *b, const struct letter_form *form)
{
	static const char *const names[] = {"From: ", "To: ", "Subject: ", "Date: ", "Message-ID: ",
	    "Auto-Submitted: ", "MIME-Version: ", "Content-Type: ", "Content-Language: ",
	    "Content-Transfer-Encoding: "};
	size_t at = 0, next = 0;

	while (memcmp(b->bytes + at, "\r\n", 2) != 0) {
		const char *line = b->bytes + at;
		const char *end = memmem(line, b->len - at, "\r\n", 2);

		must(end != NULL && end > line);
		if (line[0] != ' ' && line[0] != '\t') {
			if (next == 8 && form->kind != LETTER_PLAIN)
				next++; /* it stands in the first part */
			must(next < COUNT_OF(names));
			must(strncmp(line, names[next], strlen(names[next])) == 0);
			next++;
		}
		for (const char *p = line; p < end; p++) {
			must((unsigned char)*p >= ' ' || (*p == '\t' && p == line));
			must((unsigned char)*p < 0x80 || (form->utf8 && next == 2));
		}
		at = (size_t)(end - b->bytes) + 2;
	}
	must(next == COUNT_OF(names));
	return at + 2;
}

static void check_parts(
    const struct buf *b, const struct letter_form *form, size_t at, const char *mail, size_t size)
{
	size_t mark = strlen(form->mail.boundary), n = 0, ends[3] = {0}, begin = 0, len;
	const char *body;

	at -= 2;
	while (at < b->len) {
		const char *hit = memmem(b->bytes + at, b->len - at, form->mail.boundary, mark);

		if (hit == NULL)
			break;
		must(n < 3 && memcmp(hit - 4, "\r\n--", 4) == 0);
		begin = (size_t)(hit - b->bytes) - 4;
		at = (size_t)(hit - b->bytes) + mark;
		ends[n++] = at;
	}
	must(n == 3 && b->len == at + 4 && memcmp(b->bytes + at, "--\r\n", 4) == 0);

	body = memmem(b->bytes + ends[1], b->len - ends[1], "\r\n\r\n", 4);
	must(body != NULL);
	body += 4;
	len = form->kind == LETTER_MAIL ? size : form->mail.header;
	if (form->kind == LETTER_FILE)
		must((size_t)(b->bytes + begin - body) >= size + size / 3);
	else if (!form->mail.quoted)
		must((size_t)(b->bytes + begin - body) == len && memcmp(body, mail, len) == 0);
}

static bool put(void *context, const char *bytes, size_t len)
{
	return dsn_put_buf(context, bytes, len);
}

static bool refuse(void *context, const char *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	++*(int *)context;
	return false;
}

static void try(struct letter *letter, const struct letter_refused *about, bool words,
    const char *mail, size_t len)
{
	struct letter_form form;
	struct buf out, text;
	int refused = 0;
	size_t at;

	buf_init(&out, 16 * 1024 * 1024);
	buf_init(&text, LETTER_TEXT_MAX);
	must(letter_prepare(letter, &form));
	if (words) {
		letter_refused_words(about, form.kind, &text);
		must(buf_ok(&text));
		letter->text = text.bytes;
		letter->text_len = text.len;
	}
	must(letter_write(letter, &form, put, &out));
	check_lines(&out, &form);
	at = check_header(&out, &form);
	if (form.kind != LETTER_PLAIN)
		check_parts(&out, &form, at, mail, len);
	must(!letter_write(letter, &form, refuse, &refused) && refused == 1);
	buf_free(&text);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = calloc(1, size + 1), *text[TEXTS];
	const char *rcpt[2], *mail;
	struct letter letter = {.fd = -1};
	struct letter_refused about;
	size_t at = 2, len;

	must(copy != NULL);
	memcpy(copy, data, size);
	if (size < 2)
		goto out;
	for (size_t i = 0; i < TEXTS; i++) {
		text[i] = copy + (at < size ? at : size);
		at += strlen(text[i]) + 1;
	}
	at = at < size ? at : size;
	mail = copy + at;
	len = size - at;

	rcpt[0] = text[0];
	rcpt[1] = text[1];
	about = (struct letter_refused){.mta = text[2],
	    .from = text[3],
	    .rcpt = rcpt,
	    .rcpts = data[0] % 3,
	    .why = text[4],
	    .where = text[5],
	    .name = text[6],
	    .id = text[7],
	    .client = text[8],
	    .accepted = data[1] * INT64_C(30000000000000),
	    .refused = data[0] * INT64_C(30000000000000)};
	letter.id = text[7];
	letter.mta = text[2];
	letter.from = (data[0] & 4) != 0 ? text[9] : NULL;
	letter.to = text[10];
	letter.subject = text[11];
	letter.now = data[1] * INT64_C(30000000000000);
	letter.name = text[7];
	letter.whole_max = (data[0] & 8) != 0 ? 64 : UINT64_MAX;
	letter.text = mail;
	letter.text_len = len;
	if ((data[0] & 16) != 0) {
		letter.fd = memfd_create("mail", MFD_CLOEXEC);
		must(letter.fd >= 0 && write(letter.fd, mail, len) == (ssize_t)len);
		letter.size = len;
	}
	try(&letter, &about, letter.fd >= 0 || (data[0] & 32) != 0, mail, len);
	if (letter.fd >= 0)
		close(letter.fd);
out:
	free(copy);
	return 0;
}
