#include "lib/notice/handin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "queue/intake.h"

void notice_answer_set(struct notice_answer *answer, enum notice_result result, const char *reason)
{
	*answer = (struct notice_answer){.result = result};
	(void)snprintf(answer->reason, sizeof answer->reason, "%s", reason);
}

void handin_failed(const char *about, struct notice_answer *answer)
{
	LOG_ALARM("notice-failed", kv("id", about), kv_errno(errno));
	if (errno == ENODATA)
		notice_answer_set(answer, NOTICE_WRONG, "leg-cut-short");
	else
		notice_answer_set(
		    answer, NOTICE_LATER, errno == ENOMEM ? "no-memory" : "leg-cannot-be-read");
}

static bool is_ascii(const char *text)
{
	while (*text != '\0' && (unsigned char)*text < 0x80)
		text++;
	return *text == '\0';
}

/* From nobody, and never to be told about: what cannot be delivered ends there. */
static void write_envelope(const struct handin *h, struct buf *out)
{
	buf_addf(out, "from <> body=%s", h->eight_bit ? "8bitmime" : "7bit");
	if (h->utf8 || !is_ascii(h->to))
		buf_add_text(out, " smtputf8=yes");
	buf_add_text(out, "\nto ");
	buf_add_xtext(out, h->to, strlen(h->to));
	buf_add_text(out, " notify=never\nclient -\n");
}

struct stream {
	struct intake *in;
	bool lost;
};

static bool put(void *context, const char *bytes, size_t len)
{
	struct stream *stream = context;

	if (!intake_data(stream->in, bytes, len))
		stream->lost = true;
	return !stream->lost;
}

/*
 * Streams the message and commits it. False: it cannot be read, and there is an answer already;
 * otherwise `reply` is the queue's.
 */
static bool stream_it(struct handin *h, struct intake *in, struct notice_answer *answer,
    char id[ID_TEXT], enum intake_reply *reply)
{
	struct stream stream = {.in = in};
	struct buf envelope;

	buf_init(&envelope, INTAKE_ENVELOPE_MAX);
	write_envelope(h, &envelope);
	*reply = INTAKE_TEMPORARY;
	if (buf_ok(&envelope))
		*reply = intake_begin(in, envelope.bytes, envelope.len, id);
	buf_free(&envelope);
	if (*reply != INTAKE_GO)
		return true;

	if (!h->write(h, id, put, &stream) && !stream.lost) {
		handin_failed(h->about, answer);
		intake_abandon(in);
		return false;
	}
	*reply = intake_commit(in);
	return true;
}

static void answer_reply(const struct handin *h, enum intake_reply reply, const char id[ID_TEXT],
    struct notice_answer *answer)
{
	switch (reply) {
	case INTAKE_KEPT:
		*answer = (struct notice_answer){.result = NOTICE_KEPT};
		memcpy(answer->id, id, ID_TEXT);
		return;
	case INTAKE_FULL:
		notice_answer_set(answer, NOTICE_LATER, "disk-full");
		return;
	case INTAKE_TOO_LARGE:
		LOG_ALARM(
		    "notice-too-large", kv("id", h->about), kv_num("rcpts", (int64_t)h->rcpts));
		notice_answer_set(answer, NOTICE_LATER, "larger-than-message-size");
		return;
	case INTAKE_GO:
	case INTAKE_TEMPORARY:
		notice_answer_set(answer, NOTICE_LATER, "queue-not-now");
		return;
	}
}

void handin(struct handin *h, struct notice_answer *answer)
{
	struct intake *in = intake_connect(h->door, h->patience_ms);
	enum intake_reply reply = INTAKE_TOO_LARGE;
	bool fine = in != NULL;
	char id[ID_TEXT] = "";

	if (in == NULL)
		notice_answer_set(answer, NOTICE_LATER, "queue-unreachable");
	do {
		if (fine && !h->prepare(h)) {
			handin_failed(h->about, answer);
			fine = false;
		}
		fine = fine && stream_it(h, in, answer, id, &reply);
	} while (fine && reply == INTAKE_TOO_LARGE && h->smaller(h));
	if (fine)
		answer_reply(h, reply, id, answer);
	intake_close(in);
}
