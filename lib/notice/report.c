#include "lib/notice/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"
#include "queue/intake.h"

struct report {
	const struct notice_config *config;
	const char *door;
	struct notice_answer *answer;
	struct leg leg;
	char name[NAME_TEXT]; /* of the leg: ID.K */
	struct dsn dsn;
	struct dsn_form form;
	struct dsn_rcpt *rcpt;
	char *texts;     /* what was xtext in the head, decoded, one behind the other */
	size_t texts_at; /* where the next one goes */
};

void notice_answer_set(struct notice_answer *answer, enum notice_result result, const char *reason)
{
	*answer = (struct notice_answer){.result = result};
	(void)snprintf(answer->reason, sizeof answer->reason, "%s", reason);
}

/* errno says why the mail could not be read, or what there was too little of. */
static void answer_failure(struct report *r)
{
	LOG_ALARM("notice-failed", kv("id", r->name), kv_errno(errno));
	if (errno == ENODATA)
		notice_answer_set(r->answer, NOTICE_WRONG, "leg-cut-short");
	else
		notice_answer_set(
		    r->answer, NOTICE_LATER, errno == ENOMEM ? "no-memory" : "leg-cannot-be-read");
}

/* ---- the leg ------------------------------------------------------------------------------ */

/* A file, and not one that could be written by it. */
static bool good_descriptor(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) == O_RDONLY && (flags & O_PATH) == 0 &&
	       fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* False: there is an answer already. */
static bool read_leg(struct report *r, int fd, size_t highest)
{
	const char *why = "";

	if (!good_descriptor(fd)) {
		notice_answer_set(r->answer, NOTICE_WRONG, "no-leg");
		return false;
	}
	switch (leg_read(fd, (size_t)r->config->settings.trailer_max, &r->leg, &why)) {
	case LEG_FINE:
		break;
	case LEG_ENVIRON:
		answer_failure(r);
		return false;
	case LEG_UNREADABLE:
	case LEG_TOO_LONG:
		notice_answer_set(r->answer, NOTICE_WRONG, "leg-unreadable");
		return false;
	}

	name_format(&r->leg.name, STATE_SENT, r->name);
	if (highest > r->leg.rcpts)
		notice_answer_set(r->answer, NOTICE_WRONG, "no-such-recipient");
	else if (intake_is_own(r->leg.client))
		notice_answer_set(r->answer, NOTICE_NONE, "gateway-mail");
	else if (r->leg.from[0] == '\0')
		notice_answer_set(r->answer, NOTICE_NONE, "null-sender");
	else if (r->leg.emptied)
		notice_answer_set(r->answer, NOTICE_WRONG, "leg-emptied");
	else
		return true;
	leg_free(&r->leg);
	return false;
}

/* ---- what is to be said ------------------------------------------------------------------- */

/* Room for every text that can be decoded from the head. */
static bool make_room(struct report *r, size_t rcpts)
{
	size_t room = strlen(r->leg.from_params) + 1;

	for (size_t i = 0; i < r->leg.rcpts; i++)
		room += strlen(r->leg.rcpt[i].params) + 1;
	r->texts = malloc(room);
	r->rcpt = calloc(rcpts, sizeof *r->rcpt);
	return r->texts != NULL && r->rcpt != NULL;
}

/* A parameter decoded, or NULL if it is not there or makes no sense. */
static const char *param_text(struct report *r, const char *params, const char *key)
{
	char *to = r->texts + r->texts_at;
	size_t len = 0;
	const char *value = leg_param(params, key, &len);

	if (value == NULL || len == 0 || !xtext_decode(value, len, to, &len) ||
	    memchr(to, '\0', len) != NULL)
		return NULL;
	to[len] = '\0';
	r->texts_at += len + 1;
	return to;
}

static bool wants_full(const struct leg *leg)
{
	size_t len = 0;
	const char *ret = leg_param(leg->from_params, "ret", &len);

	return ret != NULL && len == 4 && memcmp(ret, "full", 4) == 0;
}

static void fill_in(struct report *r, int fd, const struct notice_request *request, int64_t now)
{
	const struct leg *leg = &r->leg;

	for (size_t i = 0; i < request->rcpts; i++) {
		const struct notice_rcpt *told = &request->rcpt[i];
		const struct leg_rcpt *rcpt = &leg->rcpt[told->rcpt];

		r->rcpt[i] = (struct dsn_rcpt){.orcpt = param_text(r, rcpt->params, "orcpt"),
		    .final = rcpt->address,
		    .status = told->status,
		    .remote = told->host,
		    .reply = told->reply,
		    .tried = told->tried,
		    .until = told->until,
		    .action = told->action};
	}
	r->dsn = (struct dsn){.mta = r->config->mta,
	    .from = r->config->from,
	    .to = leg->from,
	    .envid = param_text(r, leg->from_params, "envid"),
	    .arrived = leg->accepted,
	    .now = now,
	    .rcpt = r->rcpt,
	    .rcpts = request->rcpts,
	    .fd = fd,
	    .offset = leg->content,
	    .size = leg->size,
	    .ret = wants_full(leg) ? DSN_RETURN_FULL : DSN_RETURN_HEADER,
	    .full_max = (uint64_t)r->config->settings.notice_return};
}

/* ---- handing it in ------------------------------------------------------------------------ */

static bool is_ascii(const char *text)
{
	while (*text != '\0' && (unsigned char)*text < 0x80)
		text++;
	return *text == '\0';
}

/* From nobody, and never to be told about: what cannot be delivered ends there. */
static void write_envelope(const struct report *r, struct buf *out)
{
	buf_addf(out, "from <> body=%s", r->form.eight_bit ? "8bitmime" : "7bit");
	if (r->form.utf8 || !is_ascii(r->dsn.to))
		buf_add_text(out, " smtputf8=yes");
	buf_add_text(out, "\nto ");
	buf_add_xtext(out, r->dsn.to, strlen(r->dsn.to));
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
static bool hand_in(struct report *r, struct intake *in, enum intake_reply *reply)
{
	struct stream stream = {.in = in};
	struct buf envelope;
	char *id = r->answer->id;

	buf_init(&envelope, INTAKE_ENVELOPE_MAX);
	write_envelope(r, &envelope);
	*reply = INTAKE_TEMPORARY;
	if (buf_ok(&envelope))
		*reply = intake_begin(in, envelope.bytes, envelope.len, id);
	buf_free(&envelope);
	if (*reply != INTAKE_GO)
		return true;

	r->dsn.id = id;
	if (!dsn_write(&r->dsn, &r->form, put, &stream) && !stream.lost) {
		answer_failure(r);
		intake_abandon(in);
		return false;
	}
	*reply = intake_commit(in);
	return true;
}

/*
 * What is too large for message-size is made smaller: without the mail, then without the replies.
 * False: it is as small as it can be.
 */
static bool make_smaller(struct report *r)
{
	bool smaller = r->form.full;

	if (smaller) {
		r->dsn.full_max = 0;
		return true;
	}
	for (size_t i = 0; i < r->dsn.rcpts; i++) {
		smaller = smaller || r->rcpt[i].reply != NULL;
		r->rcpt[i].reply = NULL;
	}
	return smaller;
}

static void answer_reply(struct report *r, enum intake_reply reply)
{
	static const char *const kinds[DSN_ACTIONS] = {[DSN_FAILED] = "failed",
	    [DSN_DELAYED] = "delayed",
	    [DSN_DELIVERED] = "delivered",
	    [DSN_RELAYED] = "relayed",
	    [DSN_EXPANDED] = "expanded"};
	enum dsn_action worst = DSN_EXPANDED;

	switch (reply) {
	case INTAKE_KEPT:
		r->answer->result = NOTICE_KEPT;
		for (size_t i = 0; i < r->dsn.rcpts; i++)
			worst = r->rcpt[i].action < worst ? r->rcpt[i].action : worst;
		LOG("notified", kv("id", r->name), kv("kept", r->answer->id), kv("to", r->dsn.to),
		    kv("kind", kinds[worst]), kv_num("rcpts", (int64_t)r->dsn.rcpts));
		return;
	case INTAKE_FULL:
		notice_answer_set(r->answer, NOTICE_LATER, "disk-full");
		break;
	case INTAKE_TOO_LARGE:
		LOG_ALARM(
		    "notice-too-large", kv("id", r->name), kv_num("rcpts", (int64_t)r->dsn.rcpts));
		notice_answer_set(r->answer, NOTICE_LATER, "larger-than-message-size");
		break;
	case INTAKE_GO:
	case INTAKE_TEMPORARY:
		notice_answer_set(r->answer, NOTICE_LATER, "queue-not-now");
		break;
	}
}

static void deliver(struct report *r)
{
	int patience = (int)(r->config->settings.notice_time / 1000);
	struct intake *in = intake_connect(r->door, patience);
	enum intake_reply reply = INTAKE_TOO_LARGE;
	bool fine = in != NULL;

	if (in == NULL)
		notice_answer_set(r->answer, NOTICE_LATER, "queue-unreachable");
	do {
		if (fine && !dsn_prepare(&r->dsn, &r->form)) {
			answer_failure(r);
			fine = false;
		}
		fine = fine && hand_in(r, in, &reply);
	} while (fine && reply == INTAKE_TOO_LARGE && make_smaller(r));
	if (fine)
		answer_reply(r, reply);
	intake_close(in);
}

/* ---- all of it ---------------------------------------------------------------------------- */

void notice_report(const struct notice_config *config, const char *door, int fd,
    const struct notice_request *request, int64_t now, struct notice_answer *answer)
{
	struct report r = {.config = config, .door = door, .answer = answer, .name = "-"};

	*answer = (struct notice_answer){.result = NOTICE_LATER};
	if (read_leg(&r, fd, request->highest)) {
		if (make_room(&r, request->rcpts)) {
			fill_in(&r, fd, request, now);
			deliver(&r);
		} else {
			notice_answer_set(answer, NOTICE_LATER, "no-memory");
		}
		free(r.texts);
		free(r.rcpt);
		leg_free(&r.leg);
	}

	if (answer->result == NOTICE_WRONG)
		LOG_ALARM("notice-wrong", kv("id", r.name), kv("why", answer->reason));
	else if (answer->result != NOTICE_KEPT)
		LOG("notice-not-made", kv("id", r.name), kv("why", answer->reason));
}
