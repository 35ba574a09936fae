/*
 * A notification about anything: its header has our fields and no other, every line ends in CRLF and
 * has at most 998 bytes, it is ASCII when it says so, its boundary parts it and stands nowhere else,
 * and what is returned is what was sent.
 *
 * The input: four bytes of choices, ten texts that end in NUL, and the mail.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/dsn/dsn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXTS     10
#define PARTS_MAX 5

static void must(bool so)
{
	if (!so)
		abort();
}

static void check_lines(const struct buf *b, const struct dsn_form *form)
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

static size_t check_header(const struct buf *b, const struct dsn_form *form)
{
	static const char *const names[] = {"From: ", "To: ", "Subject: ", "Date: ", "Message-ID: ",
	    "In-Reply-To: ", "References: ", "Auto-Submitted: ", "MIME-Version: ", "Content-Type: ",
	    "Content-Transfer-Encoding: "};
	size_t at = 0, next = 0;

	while (memcmp(b->bytes + at, "\r\n", 2) != 0) {
		const char *line = b->bytes + at;
		const char *end = memmem(line, b->len - at, "\r\n", 2);

		must(end != NULL && end > line);
		if (line[0] != ' ' && line[0] != '\t') {
			while (next < COUNT_OF(names) &&
			       strncmp(line, names[next], strlen(names[next])) != 0)
				next++;
			must(next < COUNT_OF(names));
			next++;
		}
		for (const char *p = line; p < end; p++) {
			must((unsigned char)*p >= ' ' || (*p == '\t' && p == line));
			must((unsigned char)*p < 0x80 || (form->utf8 && next == 2));
		}
		at = (size_t)(end - b->bytes) + 2;
	}
	must(next == COUNT_OF(names));
	return at;
}

/* Where each boundary line ends; everything that looks like one must be one. */
static void check_parts(
    const struct buf *b, const struct dsn_form *form, size_t at, const char *mail, size_t size)
{
	size_t mark = strlen(form->boundary), n = 0, ends[PARTS_MAX] = {0}, begin = 0;
	const char *last, *body;

	while (at < b->len) {
		const char *hit = memmem(b->bytes + at, b->len - at, form->boundary, mark);

		if (hit == NULL)
			break;
		must(n < 4 && hit - b->bytes >= 4 && memcmp(hit - 4, "\r\n--", 4) == 0);
		begin = (size_t)(hit - b->bytes) - 4;
		at = (size_t)(hit - b->bytes) + mark;
		ends[n++] = at;
	}
	must(n == 4 && b->len == at + 4 && memcmp(b->bytes + at, "--\r\n", 4) == 0);

	last = b->bytes + ends[2];
	body = memmem(last, b->len - ends[2], "\r\n\r\n", 4);
	must(body != NULL);
	body += 4;
	if (!form->quoted) {
		size_t len = form->full ? size : form->header;

		must((size_t)(b->bytes + begin - body) == len && memcmp(body, mail, len) == 0);
	}
	must(form->full || form->header <= size);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = calloc(1, size + 1), *text[TEXTS];
	const char *mail;
	struct dsn_rcpt rcpt[2] = {0};
	struct dsn dsn = {.rcpt = rcpt, .rcpts = 2, .full_max = 65536};
	struct dsn_refusal refusal;
	struct dsn_form form;
	struct buf out;
	size_t at = 4, len;
	int refused = 0;

	must(copy != NULL);
	memcpy(copy, data, size);
	if (size < 4)
		goto out;
	for (size_t i = 0; i < TEXTS; i++) {
		text[i] = copy + (at < size ? at : size);
		at += strlen(text[i]) + 1;
	}
	at = at < size ? at : size;
	mail = copy + at;
	len = size - at;

	rcpt[0] = (struct dsn_rcpt){.orcpt = text[0],
	    .final = text[1],
	    .status = text[2],
	    .remote = text[3],
	    .reply = text[4],
	    .action = (enum dsn_action)(data[0] % DSN_ACTIONS),
	    .tried = data[1] * INT64_C(1000000000000),
	    .until = data[2] * INT64_C(2000000000000)};
	rcpt[1] = (struct dsn_rcpt){.final = text[3],
	    .orcpt = (data[3] & 2) != 0 ? text[4] : NULL,
	    .reply = (data[3] & 4) != 0 ? text[1] : NULL,
	    .action = (enum dsn_action)(data[0] / 16 % DSN_ACTIONS)};
	refusal = (struct dsn_refusal){.why = text[4], .id = text[6]};
	dsn.refusal = (data[3] & 16) != 0 ? &refusal : NULL;
	dsn.to = text[5];
	dsn.id = text[6];
	dsn.mta = text[7];
	dsn.envid = text[8];
	dsn.from = (data[3] & 8) != 0 ? text[9] : NULL;
	dsn.now = data[1] * INT64_C(30000000000000);
	dsn.arrived = data[2] * INT64_C(10000000000000);
	dsn.ret = (data[3] & 1) != 0 ? DSN_RETURN_FULL : DSN_RETURN_HEADER;
	dsn.size = len;
	dsn.fd = memfd_create("mail", MFD_CLOEXEC);
	must(dsn.fd >= 0 && write(dsn.fd, mail, len) == (ssize_t)len);

	buf_init(&out, 16 * 1024 * 1024);
	must(dsn_prepare(&dsn, &form));
	must(dsn_write(&dsn, &form, put, &out));
	check_lines(&out, &form);
	check_parts(&out, &form, check_header(&out, &form) - 2, mail, len);
	must(!dsn_write(&dsn, &form, refuse, &refused) && refused == 1);
	buf_free(&out);
	close(dsn.fd);
out:
	free(copy);
	return 0;
}
