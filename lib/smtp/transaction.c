/* MAIL, RCPT and DATA: one message's way from the client into seki-queue. */
#include "lib/smtp/session.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/smtp/address.h"
#include "lib/smtp/data.h"
#include "lib/smtp/gate.h"

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

/* What a client that has not yet proved who it is must do first; NULL: it has. */
static const char *unready(const struct session *s)
{
	const char *value;

	if (s->service != SMTP_RELAY && s->tls == NULL)
		return s->config->tls != NULL ? "530 5.7.0 STARTTLS comes first"
					      : "454 4.7.0 TLS is not available just now";
	if (s->service != SMTP_RELAY)
		return s->login[0] == '\0' ? "530 5.7.0 log in first" : NULL;
	/* A certificate could still come; one who gave TLS up for now must not bounce his mail. */
	if (s->source == NULL && s->tls == NULL && relay_has_certificates(&s->config->relay))
		return "454 4.7.0 STARTTLS comes first";
	if (s->source == NULL)
		return "550 5.7.1 relaying denied";
	/* A secret that goes over the network in the clear is soon none. */
	if (s->tls == NULL && relay_secret(&s->config->relay, s->source, &value) != NULL)
		return "530 5.7.0 STARTTLS comes first";
	return NULL;
}

/* Whether this reverse-path may be used; NULL, or the refusal. Sets s->held. */
static const char *judge_sender(struct session *s, const struct path *from)
{
	if (from->len == 0)
		return NULL; /* bounces and receipts; who wrote it is asked of From */
	if (s->service == SMTP_RELAY)
		return relay_may_use(&s->config->relay, s->source, from->text + from->domain,
			   from->len - from->domain)
			   ? NULL
			   : "550 5.7.1 you may not send as this domain";
	if (people_owns(s->config->people, s->login, from->text, from->len))
		return NULL;
	switch (session_foreign(s)) {
	case FOREIGN_SENDER_HOLD:
		s->held = true;
		break;
	case FOREIGN_SENDER_ALLOW:
		break;
	case FOREIGN_SENDER_REFUSE:
		return "550 5.7.1 this is not an address of yours";
	}
	return NULL;
}

enum next session_mail(struct session *s, const char *argument, size_t len)
{
	char text[ADDRESS_TEXT];
	struct mail mail;
	const char *refusal = unready(s);

	if (refusal == NULL)
		refusal = command_mail(argument, len, &mail);
	if (refusal != NULL)
		return session_refuse(s, refusal, as_text(argument, len, text));
	if (mail.size > s->config->settings.message_size)
		return session_refuse(s, SAY_TOO_LARGE, as_text(argument, len, text));
	if (s->messages >= (unsigned)s->config->settings.smtp_messages)
		return session_dismiss(s, "421 4.7.0 enough for one session, come again");

	session_reset(s); /* and the transaction's time begins */
	refusal = judge_sender(s, &mail.from);
	if (refusal != NULL)
		return session_refuse(s, refusal, as_text(mail.from.text, mail.from.len, text));
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

/* The word for Received (RFC 3848, RFC 6531 section 4.3). */
static const char *protocol(const struct session *s)
{
	static const char *const words[2][2][2] = {
	    {{"esmtp", "esmtpa"}, {"esmtps", "esmtpsa"}},
	    {{"utf8smtp", "utf8smtpa"}, {"utf8smtps", "utf8smtpsa"}},
	};
	bool login = s->login[0] != '\0';

	if (!s->extended && s->tls == NULL)
		return "smtp";
	return words[s->utf8][s->tls != NULL][login];
}

static void envelope_end(struct session *s)
{
	struct buf *envelope = &s->desk->envelope;
	int64_t hour = -1, day = -1;

	buf_addf(envelope, "client %s helo=", s->peer_text);
	buf_add_xtext(envelope, s->helo, strlen(s->helo));
	buf_addf(envelope, " proto=%s port=%u", protocol(s), (unsigned)s->peer.port);
	if (s->tls != NULL)
		buf_addf(envelope, " tls=%s cipher=%s", tls_version(s->tls), tls_cipher(s->tls));
	if (s->login[0] != '\0') {
		buf_add_text(envelope, " auth=");
		buf_add_xtext(envelope, s->login, strlen(s->login));
	}
	if (s->source != NULL)
		buf_addf(envelope, " relay=%u", relay_line(s->source));
	if (s->held)
		buf_add_text(envelope, " hold=foreign-sender");
	buf_add_text(envelope, "\n");

	if (s->declared >= 0)
		buf_addf(envelope, "size %lld\n", (long long)s->declared);
	if (s->source != NULL)
		relay_quota(s->source, &hour, &day);
	if (hour >= 0 && day >= 0)
		buf_addf(envelope, "quota %lld %lld\n", (long long)hour, (long long)day);
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
	struct session *session;
	struct intake *intake; /* NULL: not begun, or no longer wanted: the rest is passed over */
	struct gate_rules rules;
	struct gate gate;
	bool late; /* the envelope goes to the queue when the header has been judged */
	int64_t size;
	const char *refusal; /* why, or NULL */
	char id[ID_TEXT];
};

static void stop_taking(struct reception *r, const char *refusal)
{
	if (r->intake != NULL)
		intake_abandon(r->intake);
	r->intake = NULL;
	r->refusal = refusal;
}

static void begin_taking(struct reception *r)
{
	enum intake_reply reply = INTAKE_TEMPORARY;

	envelope_end(r->session);
	if (buf_ok(&r->session->desk->envelope))
		reply = begin(r->session, r->id);
	if (reply == INTAKE_GO)
		r->intake = r->session->desk->intake;
	else
		r->refusal = words_for(reply);
}

static const char *words_for_fault(enum gate_fault fault)
{
	switch (fault) {
	case GATE_FOREIGN:
		return "550 5.7.1 From or Sender is not an address of yours";
	case GATE_UNPROVEN:
		return "550 5.7.1 this network is shared, and nothing proves that the mail is ours";
	case GATE_LOOP:
		return "554 5.4.6 this message goes round in circles";
	case GATE_TOO_LARGE:
		return "552 5.3.4 the header is larger than this server takes";
	case GATE_LINE:
		return "554 5.6.0 a line is longer than this server takes";
	case GATE_NO_MEMORY:
		return SAY_TEMPORARY;
	case GATE_FINE:
		break;
	}
	return NULL;
}

/* What the gate has found: NULL, or the refusal. */
static const char *judge_content(struct reception *r)
{
	if (r->gate.fault == GATE_FOREIGN && (r->late || r->session->held)) {
		r->session->held = true;
		return NULL;
	}
	return words_for_fault(r->gate.fault);
}

static void pass_on(struct reception *r, const char *bytes, size_t len)
{
	if (len > 0 && r->refusal == NULL && !intake_data(r->intake, bytes, len))
		stop_taking(r, SAY_TEMPORARY);
}

static void take_piece(struct reception *r, const char *bytes, size_t len, bool end)
{
	const char *head, *rest, *refusal;
	size_t head_len, rest_len;
	bool some, opened = r->gate.open;

	if (r->refusal != NULL)
		return;
	r->size += (int64_t)len;
	if (r->size > r->session->config->settings.message_size) {
		stop_taking(r, SAY_TOO_LARGE);
		return;
	}

	some = gate_take(&r->gate, bytes, len, end, &head, &head_len, &rest, &rest_len);
	refusal = judge_content(r);
	if (refusal != NULL) {
		stop_taking(r, refusal);
		return;
	}
	if (r->late && r->gate.open && !opened)
		begin_taking(r);
	if (some) {
		pass_on(r, head, head_len);
		pass_on(r, rest, rest_len);
	}
}

static void take_content(void *context, const char *bytes, size_t len)
{
	struct reception *r = context;

	while (len > 0) {
		size_t n = len < GATE_PIECE_MAX ? len : GATE_PIECE_MAX;

		take_piece(r, bytes, n, false);
		bytes += n;
		len -= n;
	}
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

/* What is asked of the header of this session's mail. */
static void reception_init(struct reception *r, struct session *s)
{
	const struct settings *settings = &s->config->settings;
	bool login = s->login[0] != '\0';
	enum foreign_sender foreign = login ? session_foreign(s) : FOREIGN_SENDER_ALLOW;

	*r = (struct reception){.session = s};
	r->rules = (struct gate_rules){.people = s->config->people,
	    .login = foreign == FOREIGN_SENDER_ALLOW ? NULL : s->login,
	    .relay = &s->config->relay,
	    .source = s->source,
	    .loop = s->config->has_loop ? &s->config->loop : NULL,
	    .header_max = settings->header_size,
	    .line_max = settings->smtp_line,
	    .received_max = settings->received_max,
	    .loop_passes = settings->loop_passes};
	/* The envelope says whether the mail is held, so it must wait for the header. */
	r->late = foreign == FOREIGN_SENDER_HOLD && !s->held;
	gate_init(&r->gate, &r->rules);
}

/* The content has come to its end: what the client is told. */
static enum next finish(struct session *s, struct reception *r)
{
	enum intake_reply reply;

	take_piece(r, "", 0, true);
	if (r->refusal != NULL)
		return session_refuse(s, r->refusal, s->from);
	reply = intake_commit(r->intake);
	if (reply == INTAKE_KEPT) {
		s->messages++;
		s->idle_commands = 0;
		return answer_kept(s, r->id);
	}
	if (reply == INTAKE_TEMPORARY)
		hang_up(s->desk);
	return session_refuse(s, words_for(reply), s->from);
}

static enum next transfer(struct session *s)
{
	struct reception r;
	enum next next;

	reception_init(&r, s);
	if (!r.late)
		begin_taking(&r);
	if (r.refusal != NULL) {
		next = session_refuse(s, r.refusal, s->from);
		goto out;
	}

	next = session_say(s, "354 go ahead; end with a line of one dot");
	if (next == NEXT_COMMAND)
		next = receive(s, &r);
	if (next == NEXT_COMMAND)
		next = finish(s, &r);
	else if (r.intake != NULL)
		intake_abandon(r.intake);
out:
	gate_free(&r.gate);
	return next;
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
