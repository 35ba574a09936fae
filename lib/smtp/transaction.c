/* MAIL, RCPT and DATA: one message's way from the client into seki-queue. */
#include "lib/smtp/session.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/smtp/address.h"
#include "lib/smtp/data.h"
#include "lib/smtp/hops.h"

/* Kept free in the envelope for the lines "client" and "size" at its end. */
#define ENVELOPE_TAIL 2048

#define SAY_FULL      "452 4.3.1 no room for it now, try again"
#define SAY_TEMPORARY "451 4.3.0 it cannot be taken just now, try again"
#define SAY_TOO_LARGE "552 5.3.4 larger than this server takes"

/* An address, or as much of it as there is room for, as a text for the log. */
static const char *as_text(const char *bytes, size_t len, char text[ADDRESS_TEXT])
{
	size_t n = len < ADDRESS_TEXT ? len : ADDRESS_TEXT - 1;

	memcpy(text, bytes, n);
	text[n] = '\0';
	return text;
}

/* ---- MAIL ---- */

static void envelope_from(struct buf *envelope, const struct mail *mail)
{
	buf_add_text(envelope, "from ");
	if (mail->from.len == 0)
		buf_add_text(envelope, "<>");
	else
		buf_add_xtext(envelope, mail->from.text, mail->from.len);

	if (mail->body != BODY_UNSAID)
		buf_add_text(
		    envelope, mail->body == BODY_8BITMIME ? " body=8bitmime" : " body=7bit");
	if (mail->ret != RET_UNSAID)
		buf_add_text(envelope, mail->ret == RET_HDRS ? " ret=hdrs" : " ret=full");
	if (mail->has_envid) {
		buf_add_text(envelope, " envid=");
		buf_add_xtext(envelope, mail->envid, mail->envid_len);
	}
	if (mail->utf8)
		buf_add_text(envelope, " smtputf8=yes");
	buf_add_text(envelope, "\n");
}

enum next session_mail(struct session *s, const char *argument, size_t len)
{
	char text[ADDRESS_TEXT];
	struct mail mail;
	const char *refusal;

	if (s->source == NULL)
		return session_refuse(s, "550 5.7.1 relaying denied", as_text(argument, len, text));
	refusal = command_mail(argument, len, &mail);
	if (refusal != NULL)
		return session_refuse(s, refusal, as_text(argument, len, text));
	if (mail.size > s->config->settings.message_size)
		return session_refuse(s, SAY_TOO_LARGE, as_text(argument, len, text));
	if (mail.from.len > 0 &&
	    !relay_may_use(&s->config->relay, s->source, mail.from.text + mail.from.domain,
		mail.from.len - mail.from.domain))
		return session_refuse(s, "550 5.7.1 you may not send as this domain",
		    as_text(mail.from.text, mail.from.len, text));

	session_reset(s); /* and the transaction's time begins */
	s->idle_commands = 0;
	envelope_from(&s->desk->envelope, &mail);
	if (!buf_ok(&s->desk->envelope))
		return session_say(s, SAY_TEMPORARY);

	s->phase = PHASE_MAIL;
	s->utf8 = mail.utf8;
	s->declared = mail.size;
	(void)as_text(mail.from.text, mail.from.len, s->from);
	return session_say(s, "250 2.1.0 sender taken");
}

/* ---- RCPT ---- */

static void envelope_notify(struct buf *envelope, unsigned notify)
{
	static const struct {
		unsigned bit;
		const char *word;
	} words[] = {{NOTIFY_NEVER, "never"}, {NOTIFY_SUCCESS, "success"},
	    {NOTIFY_FAILURE, "failure"}, {NOTIFY_DELAY, "delay"}};
	const char *before = " notify=";

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if ((notify & words[i].bit) == 0)
			continue;
		buf_add_text(envelope, before);
		buf_add_text(envelope, words[i].word);
		before = ",";
	}
}

static void envelope_to(struct buf *envelope, const struct rcpt *rcpt, const char *host)
{
	buf_add_text(envelope, "to ");
	buf_add_xtext(envelope, rcpt->to.text, rcpt->to.len);
	if (rcpt->postmaster) {
		buf_add_text(envelope, "@");
		buf_add_text(envelope, host);
	}

	envelope_notify(envelope, rcpt->notify);
	if (rcpt->has_orcpt) {
		buf_add_text(envelope, " orcpt=");
		buf_add_xtext(envelope, rcpt->orcpt, rcpt->orcpt_len);
	}
	buf_add_text(envelope, "\n");
}

enum next session_rcpt(struct session *s, const char *argument, size_t len)
{
	struct buf *envelope = &s->desk->envelope;
	size_t before = envelope->len;
	char text[ADDRESS_TEXT];
	struct rcpt rcpt;
	const char *refusal = command_rcpt(argument, len, s->utf8, &rcpt);

	if (refusal != NULL)
		return session_refuse(s, refusal, as_text(argument, len, text));
	if (s->rcpts >= (size_t)s->config->settings.recipients)
		return session_say(s, "452 4.5.3 too many recipients");

	envelope_to(envelope, &rcpt, s->config->host);
	if (!buf_ok(envelope) || envelope->len > INTAKE_ENVELOPE_MAX - ENVELOPE_TAIL) {
		envelope->failed = false;
		envelope->len = before;
		return session_say(s, "452 4.5.3 too many recipients");
	}

	s->rcpts++;
	s->phase = PHASE_RCPT;
	return session_say(s, "250 2.1.5 recipient taken");
}

/* ---- DATA ---- */

static void envelope_end(struct session *s)
{
	struct buf *envelope = &s->desk->envelope;
	const char *proto = s->utf8 ? "utf8smtp" : s->extended ? "esmtp" : "smtp";

	buf_addf(envelope, "client %s helo=", s->peer_text);
	buf_add_xtext(envelope, s->helo, strlen(s->helo));
	buf_addf(envelope, " proto=%s port=%u\n", proto, (unsigned)s->peer.port);
	if (s->declared >= 0)
		buf_addf(envelope, "size %lld\n", (long long)s->declared);
}

static void hang_up(struct desk *desk)
{
	intake_close(desk->intake);
	desk->intake = NULL;
}

/*
 * Asks the queue to take the envelope. A connection kept from an earlier message may have ended
 * since (seki-queue was restarted): then, and only then, it is tried once more with a new one.
 */
static enum intake_reply begin(struct session *s, char id[ID_TEXT])
{
	struct desk *desk = s->desk;
	enum intake_reply reply = INTAKE_TEMPORARY;
	bool kept = desk->intake != NULL;
	int64_t patience = s->config->settings.smtp_timeout / 1000;

	for (int tries = kept ? 2 : 1; tries > 0 && reply == INTAKE_TEMPORARY; tries--) {
		if (desk->intake == NULL)
			desk->intake = intake_connect(INTAKE_SOCKET, (int)patience);
		if (desk->intake == NULL)
			return INTAKE_TEMPORARY;
		reply = intake_begin(desk->intake, desk->envelope.bytes, desk->envelope.len, id);
		if (reply == INTAKE_TEMPORARY)
			hang_up(desk);
	}
	return reply;
}

static const char *words_for(enum intake_reply reply)
{
	switch (reply) {
	case INTAKE_FULL:
		return SAY_FULL;
	case INTAKE_TEMPORARY:
		return SAY_TEMPORARY;
	case INTAKE_TOO_LARGE:
		return SAY_TOO_LARGE;
	case INTAKE_GO:
	case INTAKE_KEPT:
		break;
	}
	die_bug("a refusal that is none");
}

/* What becomes of the content while it comes in. */
struct reception {
	struct intake *intake; /* NULL: no longer wanted; the rest is only passed over */
	int64_t size;
	int64_t size_max;
	struct hops hops;
	const char *refusal; /* why, or NULL */
};

static void stop_taking(struct reception *r, const char *refusal)
{
	intake_abandon(r->intake);
	r->intake = NULL;
	r->refusal = refusal;
}

static void take_content(void *context, const char *bytes, size_t len)
{
	struct reception *r = context;

	if (r->intake == NULL)
		return;
	r->size += (int64_t)len;
	if (r->size > r->size_max)
		stop_taking(r, SAY_TOO_LARGE);
	else if (hops_count(&r->hops, bytes, len) > HOPS_MAX)
		stop_taking(r, "554 5.4.6 this message goes round in circles");
	else if (!intake_data(r->intake, bytes, len))
		stop_taking(r, SAY_TEMPORARY);
}

/* Reads the content to its end. NEXT_COMMAND: the end was seen. */
static enum next receive(struct session *s, struct reception *r)
{
	struct settings const *settings = &s->config->settings;
	struct data data;

	data_init(&data, settings->bare_newline == BARE_NEWLINE_REPAIR, take_content, r);
	for (;;) {
		enum io_status status = io_fill(&s->io, settings->smtp_timeout, false);
		size_t used;

		if (status != IO_OK)
			return session_lost(s, status);
		switch (data_feed(&data, s->io.in + s->io.start, s->io.end - s->io.start, &used)) {
		case DATA_MORE:
			s->io.start += used;
			break;
		case DATA_END:
			s->io.start += used;
			return NEXT_COMMAND;
		case DATA_BARE:
			return session_dismiss(s, "550 5.6.11 bare CR or LF, closing");
		}
	}
}

static enum next answer_kept(struct session *s, const char *id)
{
	char text[64];

	(void)snprintf(text, sizeof text, "250 2.0.0 kept as %s", id);
	return session_say(s, text);
}

static enum next transfer(struct session *s)
{
	struct reception r = {.size_max = s->config->settings.message_size};
	char id[ID_TEXT];
	enum intake_reply reply;
	enum next next;

	envelope_end(s);
	if (!buf_ok(&s->desk->envelope))
		return session_refuse(s, SAY_TEMPORARY, s->from);
	reply = begin(s, id);
	if (reply != INTAKE_GO)
		return session_refuse(s, words_for(reply), s->from);

	r.intake = s->desk->intake;
	next = session_say(s, "354 go ahead; end with a line of one dot");
	if (next == NEXT_COMMAND)
		next = receive(s, &r);
	if (next != NEXT_COMMAND) {
		if (r.intake != NULL)
			intake_abandon(r.intake);
		return next;
	}
	if (r.intake == NULL)
		return session_refuse(s, r.refusal, s->from);

	reply = intake_commit(r.intake);
	if (reply == INTAKE_KEPT)
		return answer_kept(s, id);
	if (reply == INTAKE_TEMPORARY)
		hang_up(s->desk);
	return session_refuse(s, words_for(reply), s->from);
}

enum next session_data(struct session *s, const char *argument, size_t len)
{
	enum next next;

	(void)argument;
	/* It might be a message: whoever does not wait for our answer cannot be understood. */
	if (io_ahead(&s->io))
		return session_dismiss(
		    s, "554 5.5.0 data was sent before it was asked for, closing");
	if (len > 0)
		return session_say(s, "501 5.5.4 DATA takes no argument");
	if (s->phase < PHASE_MAIL)
		return session_say(s, "503 5.5.1 DATA comes after MAIL and RCPT");
	if (s->phase < PHASE_RCPT)
		return session_say(s, "554 5.5.1 no valid recipients");

	next = transfer(s);
	session_reset(s);
	return next;
}
